//! The names behind profile ids, asked for once.

use std::collections::{BTreeSet, HashMap};

use samtale_protocol::people::Names as AskNames;
use samtale_protocol::{ProfileId, Reply, Request, SpaceId, limits};

use crate::failure::Failure;
use crate::session::{Session, ask};

/// The names known.
#[derive(Default)]
pub struct Names {
    names: HashMap<ProfileId, Option<String>>,
}

impl Names {
    /// Learns names that came with something else.
    pub fn learn(&mut self, profile: ProfileId, name: &str) {
        self.names.insert(profile, Some(name.to_owned()));
    }

    /// Forgets who was not found and how people were called: the directory changed.
    pub fn forget(&mut self) {
        self.names.clear();
    }

    /// The name, if it is known.
    pub fn of(&self, profile: ProfileId) -> Option<&str> {
        self.names.get(&profile)?.as_deref()
    }

    /// Asks for those that are not known yet. Who is not found is not asked for again.
    pub async fn find(
        &mut self,
        session: &mut Session,
        space: SpaceId,
        profiles: impl IntoIterator<Item = ProfileId>,
    ) -> Result<(), Failure> {
        let unknown: BTreeSet<ProfileId> = profiles
            .into_iter()
            .filter(|profile| !self.names.contains_key(profile))
            .collect();
        let unknown: Vec<ProfileId> = unknown.into_iter().collect();
        for some in unknown.chunks(limits::IDS) {
            let request = Request::Names(AskNames {
                space,
                profiles: some.to_vec(),
            });
            let page = ask!(session, request, Reply::People)?;
            some.iter().for_each(|profile| drop(self.names.insert(*profile, None)));
            page.people
                .iter()
                .for_each(|person| self.learn(person.profile, &person.name));
        }
        Ok(())
    }
}
