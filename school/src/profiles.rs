//! A person's own profiles: in which spaces they are, and as what.

use std::sync::Arc;

use samtale_protocol::people::{Caller, OwnProfile, Role};
use samtale_protocol::{ErrorCode, PersonId, ProfileId, Refusal, SpaceId};
use samtale_storage::people::{PersonProfileRecord, person_partition};
use samtale_storage::{Range, StorageError};

use crate::directory::{Directory, id_at};
use crate::errors::refuse_storage;
use crate::school::School;

/// The profiles that a person has one per space and role; a teacher whose child goes to the school has two there.
const PROFILES: usize = 100;

/// A person's profiles, those that ended left out.
#[derive(Clone, Debug, Default)]
pub struct OwnProfiles {
    /// Space, profile and role.
    pub profiles: Vec<(SpaceId, ProfileId, Role)>,
}

impl School {
    /// The profiles of a person that hold now.
    pub async fn profiles_of(&self, person: PersonId) -> Result<Arc<OwnProfiles>, StorageError> {
        if let Some(profiles) = self.memory().persons.get(&person) {
            return Ok(Arc::clone(profiles));
        }
        let heard = self.memory().profiles_heard;
        let page = self
            .store
            .scan::<PersonProfileRecord>(&person_partition(person), &Range::all(PROFILES))
            .await?;
        let now = self.now();
        let here = page
            .records
            .into_iter()
            .filter(|stored| stored.record.left_at.is_none_or(|left_at| left_at > now));
        let profiles = here
            .map(|stored| {
                let (space, profile) = (id_at(&stored.clustering, 0), id_at(&stored.clustering, 1));
                (
                    SpaceId::from_bytes(space),
                    ProfileId::from_bytes(profile),
                    stored.record.role,
                )
            })
            .collect();
        let profiles = Arc::new(OwnProfiles { profiles });
        let mut memory = self.memory();
        // What was heard of meanwhile may have been of this person, and newer.
        if memory.profiles_heard == heard {
            memory.persons.insert(person, Arc::clone(&profiles));
        }
        Ok(profiles)
    }

    /// The profiles of a person with names, as `welcome` tells them.
    pub async fn own_profiles(&self, person: PersonId) -> Result<Vec<OwnProfile>, Refusal> {
        let own = self.profiles_of(person).await.map_err(|error| refuse_storage(&error))?;
        let mut profiles = Vec::with_capacity(own.profiles.len());
        for (space, profile, _) in &own.profiles {
            let directory = self.directory(*space).await?;
            let Some(role) = directory.role_now(*profile, self.now()) else {
                continue;
            };
            let (space_name, name) = (directory.record.name.clone(), directory.name_of(*profile));
            profiles.push(OwnProfile {
                profile: *profile,
                space: *space,
                space_name,
                role,
                name,
            });
        }
        Ok(profiles)
    }

    /// The caller's profile in a space, with the space's directory: the one they chose, or the one with most rights if
    /// they have several.
    pub(crate) async fn acting(
        &self,
        caller: &Caller,
        space: SpaceId,
        chosen: Option<ProfileId>,
    ) -> Result<(Arc<Directory>, ProfileId, Role), Refusal> {
        let own = self
            .profiles_of(caller.person)
            .await
            .map_err(|error| refuse_storage(&error))?;
        if !own.profiles.iter().any(|(home, _, _)| *home == space) {
            return Err(ErrorCode::NotFound.into());
        }
        let directory = self.directory(space).await?;
        let now = self.now();
        let is_own = |chosen: &ProfileId| {
            let mut own = own.profiles.iter();
            own.any(|(home, profile, _)| *home == space && profile == chosen)
        };
        let own_choice = chosen.filter(is_own);
        let here = own
            .profiles
            .iter()
            .filter(|(home, profile, _)| *home == space && own_choice.is_none_or(|chosen| chosen == *profile));
        let roles = here.filter_map(|(_, profile, _)| Some((directory.role_now(*profile, now)?, *profile)));
        let (role, profile) = roles.max_by_key(|(role, _)| *role).ok_or(ErrorCode::NotPermitted)?;
        Ok((directory, profile, role))
    }
}
