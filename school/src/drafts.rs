//! Unfinished messages, kept on the server so that they follow a person between devices.

use samtale_protocol::people::Caller;
use samtale_protocol::threads::{Draft, SaveDraft, ThreadReference};
use samtale_protocol::{Audience, ErrorCode, Event, Refusal, limits};
use samtale_storage::StorageError;
use samtale_storage::journal::Fact;
use samtale_storage::threads::{DraftRecord, profile_thread_key};

use crate::errors::refuse_storage;
use crate::school::School;
use crate::thread_state::Membership;

impl School {
    pub(crate) async fn save_draft(&self, caller: &Caller, request: SaveDraft) -> Result<Draft, Refusal> {
        if request.text.len() > limits::TEXT_BYTES {
            return Err(Refusal::new(ErrorCode::TooLarge).detail("a draft is at most 16 KiB"));
        }
        let membership = self.active_membership(caller, request.thread, 0).await?;
        self.store_draft(caller, &membership, request.text)
            .await
            .map_err(|error| refuse_storage(&error))
    }

    async fn store_draft(&self, caller: &Caller, membership: &Membership, text: String) -> Result<Draft, StorageError> {
        let (space, thread, profile) = (membership.state.space, membership.state.thread, membership.profile);
        let key = profile_thread_key(space, profile, thread);
        let version = self.write_timestamp();
        // An empty draft is kept as a row: its version must stay above that of any write that still hangs.
        self.store
            .put(key, &DraftRecord { text: text.clone() }, version)
            .await?;
        let draft = Draft { thread, version, text };
        let event = Event::Draft(draft.clone());
        self.tell(
            space,
            Fact::Draft { thread, profile },
            Some(event),
            Audience::people([caller.person]),
        )
        .await?;
        Ok(draft)
    }

    pub(crate) async fn load_draft(&self, caller: &Caller, request: ThreadReference) -> Result<Draft, Refusal> {
        let membership = self.membership(caller, request.thread, 0).await?;
        let key = profile_thread_key(membership.state.space, membership.profile, request.thread);
        let stored = self
            .store
            .get::<DraftRecord>(&key)
            .await
            .map_err(|error| refuse_storage(&error))?;
        let (version, text) = stored.map_or((0, String::new()), |stored| (stored.timestamp, stored.record.text));
        Ok(Draft {
            thread: request.thread,
            version,
            text,
        })
    }
}
