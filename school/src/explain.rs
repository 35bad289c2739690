//! Why one may, or may not, start a thread with someone.

use samtale_protocol::people::{Caller, Explain, Explanation, Rule};
use samtale_protocol::{ErrorCode, Refusal};

use crate::recipients::Forbidden;
use crate::school::School;

impl School {
    pub(crate) async fn explain(&self, caller: &Caller, request: &Explain) -> Result<Explanation, Refusal> {
        let (directory, profile, from) = self.acting(caller, request.space, request.as_profile).await?;
        let now = self.now();
        Ok(match directory.may_write_to(profile, &request.to, now) {
            Ok(reached) => {
                let to = reached
                    .keys()
                    .next()
                    .and_then(|profile| directory.role_now(*profile, now));
                Explanation {
                    allowed: true,
                    rule: Rule::TableAllows,
                    from,
                    to,
                }
            }
            Err(Forbidden { rule, to }) => Explanation {
                allowed: false,
                rule,
                from,
                to,
            },
        })
    }
}

/// The refusal that a rule leads to. A recipient that the caller can not see is told as one that does not exist.
pub(crate) fn refuse_rule(forbidden: Forbidden) -> Refusal {
    let (code, detail) = match forbidden.rule {
        Rule::NotVisible => (
            ErrorCode::NotFound,
            "there is no such recipient, or you can not see them",
        ),
        Rule::HasLeft => (ErrorCode::NotFound, "the recipient has left"),
        Rule::NobodyThere => (ErrorCode::BadRequest, "there is nobody behind the recipient"),
        Rule::GroupsAreForStaff => (ErrorCode::NotPermitted, "only staff write to this kind of group"),
        Rule::MunicipalityForbids => (ErrorCode::NotPermitted, "the municipality's table does not allow it"),
        Rule::InstitutionForbids => (ErrorCode::NotPermitted, "the institution's table does not allow it"),
        Rule::TableAllows => (ErrorCode::Internal, "the table allows it"),
    };
    Refusal::new(code).detail(detail)
}
