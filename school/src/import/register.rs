//! Where people come from and what becomes of their accounts: local accounts, or another login.

use async_trait::async_trait;
use samtale_protocol::{PersonId, Refusal};

/// What an account is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// It can be used.
    Open,
    /// A roster closed it, and a roster may open it again.
    ClosedByRoster,
    /// It was closed by hand: a roster leaves it so.
    ClosedByHand,
}

/// The accounts of persons. Every call can be repeated.
#[async_trait]
pub trait PersonRegister: Send + Sync {
    /// The account of a person; `None` if there is none, or one that was not made to its end.
    async fn account(&self, person: PersonId) -> Result<Option<AccountState>, Refusal>;

    /// Makes the person's account with this user name, or one like it when another has it. One that is there stays.
    async fn create(&self, person: PersonId, username: &str) -> Result<(), Refusal>;

    /// Closes an account, or opens one that a roster closed. Logins of a closed one end.
    async fn set_enabled(&self, person: PersonId, enabled: bool) -> Result<(), Refusal>;
}
