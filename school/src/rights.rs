//! What the router asks: who is behind an audience, and what facts of the journal say now.

use std::sync::Arc;

use async_trait::async_trait;
use samtale_protocol::{Audience, Event, PersonId, SpaceId, Timestamp};
use samtale_router::{JournalPage, JournalPlace, LogEntry, Recipients, Rights, RightsError};
use samtale_storage::StorageError;
use samtale_storage::journal::Fact;

use crate::directory::Directory;
use crate::school::School;
use crate::thread_state::ThreadState;

#[async_trait]
impl Rights for School {
    fn observe(&self, space: SpaceId, entry: &LogEntry) {
        match (&entry.fact, &entry.event) {
            (Fact::Message { thread, .. }, Some(event @ Event::Message(message))) => {
                let heads = self.memory().heads_for(space, event);
                let Some(heads) = heads else { return };
                match self.thread_in_memory(*thread, 0) {
                    Some(state) => heads.note_message(&state.view(), message),
                    None if heads.note_heard(message) => {}
                    // Started on another node, unheard: its head is stored, and read with the others when it is asked for.
                    None => drop(self.memory().heads.remove(&space)),
                }
            }
            (Fact::Thread { .. }, Some(event @ Event::Thread(thread))) => {
                let heads = self.memory().heads_for(space, event);
                if let Some(heads) = heads {
                    heads.note_thread(thread);
                }
                let mut memory = self.memory();
                if memory
                    .threads
                    .get(&thread.thread)
                    .is_some_and(|state| state.version < thread.version)
                {
                    memory.threads.remove(&thread.thread);
                }
                if let Some(loading) = memory.threads_loading.get_mut(&thread.thread) {
                    loading.version = loading.version.max(thread.version);
                }
            }
            (Fact::Membership { thread, .. }, Some(Event::Membership { membership_version, .. })) => {
                let mut memory = self.memory();
                let known = memory.threads.get(thread).map(|state| state.record.membership_version);
                if known.is_some_and(|known| known < *membership_version) {
                    memory.threads.remove(thread);
                }
                if let Some(loading) = memory.threads_loading.get_mut(thread) {
                    loading.membership_version = loading.membership_version.max(*membership_version);
                }
            }
            (Fact::Directory { version }, _) => {
                let mut memory = self.memory();
                let newest = memory.directory_versions.entry(space).or_default();
                *newest = (*newest).max(*version);
            }
            (Fact::Profiles { person }, _) => self.memory().forget_person(*person),
            _ => {}
        }
    }

    fn followed(&self, space: SpaceId) {
        self.memory().begin_following(space);
    }

    fn unfollowed(&self, space: SpaceId) {
        self.memory().end_following(space);
    }

    fn recipients_in_memory(&self, space: SpaceId, audience: &Audience) -> Option<Recipients> {
        if audience.space {
            return Some(Recipients::Space);
        }
        let Some(thread) = audience.thread else {
            return Some(people(&audience.people));
        };
        let version = if self.sabotage.stale_members { 0 } else { thread.version };
        let state = self.thread_in_memory(thread.thread, version)?;
        let directory = self.directory_in_memory(space)?;
        Some(self.behind(audience, Some(&state), &directory))
    }

    async fn recipients(&self, space: SpaceId, audience: &Audience) -> Result<Recipients, RightsError> {
        if audience.space {
            return Ok(Recipients::Space);
        }
        let Some(thread) = audience.thread else {
            return Ok(people(&audience.people));
        };
        let Some(directory) = self.load_directory(space).await.map_err(not_known)? else {
            return Ok(people(&audience.people));
        };
        let state = self
            .thread(space, thread.thread, thread.version)
            .await
            .map_err(not_known)?;
        Ok(self.behind(audience, state.as_deref(), &directory))
    }

    async fn permits(
        &self,
        space: SpaceId,
        person: PersonId,
        audience: &Audience,
        time: Timestamp,
    ) -> Result<bool, RightsError> {
        if audience.space || audience.people.contains(&person) {
            return Ok(true);
        }
        let Some(thread) = audience.thread else {
            return Ok(false);
        };
        let Some(directory) = self.load_directory(space).await.map_err(not_known)? else {
            return Ok(false);
        };
        let Some(state) = self
            .thread(space, thread.thread, thread.version)
            .await
            .map_err(not_known)?
        else {
            return Ok(false);
        };
        let own = self.profiles_of(person).await.map_err(not_known)?;
        let now = self.now();
        Ok(own
            .profiles
            .iter()
            .filter(|(home, _, _)| *home == space)
            .any(|(_, profile, _)| {
                let member = state.members.get(profile);
                let was_in_it = member.is_some_and(|member| {
                    // The clocks of two nodes differ; of a message its own time counts, as for a page of the thread.
                    let (from, time) = match thread.sent_at {
                        Some(sent_at) => (member.visible_from, sent_at),
                        None => (member.joined_at, time),
                    };
                    // Its founders are in a thread from its start, whose time a client fixed, perhaps a little ahead.
                    let came = from <= state.record.started_at || time >= from;
                    came && member.left_at.is_none_or(|left_at| time <= left_at)
                });
                was_in_it && state.is_open_to(*profile, &directory, now)
            }))
    }

    async fn events_of(&self, space: SpaceId, facts: &[&Fact]) -> Result<Vec<Option<Event>>, RightsError> {
        self.tell_now(space, facts).await.map_err(not_known)
    }

    async fn journal(&self, space: SpaceId, from: JournalPlace) -> Result<JournalPage, RightsError> {
        self.journal_page(space, from).await.map_err(not_known)
    }

    async fn note_late(&self, space: SpaceId, since: Timestamp) -> Result<(), RightsError> {
        let noted = self.journal(space, Fact::Late { since }, None, Audience::default());
        noted.await.map(drop).map_err(not_known)
    }
}

impl School {
    fn behind(&self, audience: &Audience, state: Option<&ThreadState>, directory: &Directory) -> Recipients {
        let now = self.now();
        let sent_at = audience.thread.and_then(|thread| thread.sent_at);
        if let (Some(state), Some(sent_at)) = (state, sent_at)
            && sent_at < state.all_see_from
        {
            let mut all = state.people_who_may_read(sent_at, directory, now);
            all.extend(&audience.people);
            return people(&all);
        }
        let members = state.map(|state| state.people(directory, now));
        match members {
            Some(members) if audience.people.is_empty() => Recipients::People(members),
            members => {
                let mut all: Vec<PersonId> = audience.people.clone();
                all.extend(members.iter().flat_map(|members| members.iter().copied()));
                people(&all)
            }
        }
    }
}

fn people(people: &[PersonId]) -> Recipients {
    let mut people = people.to_vec();
    people.sort_unstable();
    people.dedup();
    Recipients::People(Arc::from(people))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn not_known(error: StorageError) -> RightsError {
    RightsError {
        reason: error.to_string(),
    }
}
