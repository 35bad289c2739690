//! The only fake: access tokens that are the person's id.

use async_trait::async_trait;
use samtale_gateway::requests::{AccountRequests, VerifiedToken};
use samtale_protocol::people::{ActivationCode, Caller, IssueActivationCodes, Login};
use samtale_protocol::{ErrorCode, PersonId, Refusal, SessionId, Timestamp};

/// Takes a person's id for a token.
pub struct TrustingAccounts;

#[async_trait]
impl AccountRequests for TrustingAccounts {
    fn verify(&self, access_token: &str) -> Option<VerifiedToken> {
        let person: PersonId = access_token.parse().ok()?;
        let caller = Caller {
            person,
            session: SessionId::from_bytes(*person.as_bytes()),
        };
        Some(VerifiedToken {
            caller,
            expires_at: Timestamp::saturating(u64::MAX),
        })
    }

    async fn presence_hidden(&self, _: &Caller) -> Result<bool, Refusal> {
        Ok(false)
    }

    fn forget(&self, _: PersonId) {}

    async fn set_presence_hidden(&self, _: &Caller, _: bool) -> Result<(), Refusal> {
        Err(ErrorCode::NotPermitted.into())
    }

    async fn logins(&self, _: &Caller) -> Result<Vec<Login>, Refusal> {
        Err(ErrorCode::NotPermitted.into())
    }

    async fn end_login(&self, _: &Caller, _: SessionId) -> Result<(), Refusal> {
        Err(ErrorCode::NotPermitted.into())
    }

    async fn issue_codes(&self, _: &Caller, _: IssueActivationCodes) -> Result<Vec<ActivationCode>, Refusal> {
        Err(ErrorCode::NotPermitted.into())
    }
}
