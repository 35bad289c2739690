//! A person's own settings for a thread: muted, marked.

use samtale_protocol::people::Caller;
use samtale_protocol::threads::{SetThreadSettings, ThreadSettings};
use samtale_protocol::{Audience, Event, Refusal};
use samtale_storage::StorageError;
use samtale_storage::journal::Fact;
use samtale_storage::threads::{ThreadSettingsRecord, profile_thread_key};

use crate::errors::refuse_storage;
use crate::school::School;
use crate::thread_state::Membership;

impl School {
    pub(crate) async fn set_settings(
        &self,
        caller: &Caller,
        request: SetThreadSettings,
    ) -> Result<ThreadSettings, Refusal> {
        let membership = self.membership(caller, request.thread, 0).await?;
        self.store_settings(caller, &membership, &request)
            .await
            .map_err(|error| refuse_storage(&error))
    }

    async fn store_settings(
        &self,
        caller: &Caller,
        membership: &Membership,
        request: &SetThreadSettings,
    ) -> Result<ThreadSettings, StorageError> {
        let (space, thread, profile) = (membership.state.space, request.thread, membership.profile);
        let key = profile_thread_key(space, profile, thread);
        let stored = self.store.get::<ThreadSettingsRecord>(&key).await?;
        let mut record = stored.as_ref().map(|stored| stored.record.clone()).unwrap_or_default();
        record.muted = request.muted.unwrap_or(record.muted);
        record.marked = request.marked.unwrap_or(record.marked);
        let version = self
            .write_timestamp()
            .max(stored.map_or(0, |stored| stored.timestamp + 1));
        self.store.put(key, &record, version).await?;
        let settings = ThreadSettings {
            thread,
            version,
            muted: record.muted,
            marked: record.marked,
        };
        let fact = Fact::ThreadSettings { thread, profile };
        let event = Event::ThreadSettings(settings.clone());
        self.tell(space, fact, Some(event), Audience::people([caller.person]))
            .await?;
        Ok(settings)
    }
}
