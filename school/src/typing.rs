//! "… is writing": passes, and is never stored.

use samtale_protocol::people::Caller;
use samtale_protocol::threads::ThreadReference;
use samtale_protocol::{Audience, Refusal, Signal};
use samtale_router::log::AddressedSignal;

use crate::school::School;

impl School {
    pub(crate) async fn typing(&self, caller: &Caller, request: ThreadReference) -> Result<(), Refusal> {
        let membership = self.active_membership(caller, request.thread, 0).await?;
        let state = &membership.state;
        let audience = Audience::thread(state.thread, state.record.membership_version);
        let signal = Signal::Typing {
            thread: state.thread,
            profile: membership.profile,
        };
        self.publisher
            .signal(
                state.space,
                AddressedSignal {
                    audience,
                    about: caller.person,
                    signal,
                },
            )
            .await;
        Ok(())
    }
}
