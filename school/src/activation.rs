//! Who may be given activation codes by whom: the people of a class and their guardians, by the staff of the class.

use samtale_protocol::people::{Caller, IssueActivationCodes, Role};
use samtale_protocol::{ErrorCode, PersonId, ProfileId, Refusal};

use crate::school::School;

impl School {
    /// The people of a class with their guardians, by name, if the caller may give them codes: administrators for any
    /// class, other staff for those they are in.
    pub async fn people_of_class(
        &self,
        caller: &Caller,
        request: &IssueActivationCodes,
    ) -> Result<Vec<(ProfileId, PersonId, String)>, Refusal> {
        let (directory, profile, role) = self.acting(caller, request.space, None).await?;
        let now = self.now();
        let may = match role {
            Role::InstitutionAdmin | Role::MunicipalityAdmin => directory.groups.contains_key(&request.group),
            Role::Employee => directory
                .members_now(request.group, now)
                .any(|member| member == profile),
            Role::Child | Role::Guardian => false,
        };
        if !may {
            return Err(Refusal::new(ErrorCode::NotPermitted).detail("only staff of the class issue its codes"));
        }
        let children: Vec<ProfileId> = directory
            .members_now(request.group, now)
            .filter(|member| directory.role_now(*member, now) == Some(Role::Child))
            .collect();
        let guardians = children
            .iter()
            .flat_map(|child| directory.guardians_now(*child, now).map(|(id, _)| id));
        let mut profiles: Vec<ProfileId> = children.iter().copied().chain(guardians).collect();
        profiles.sort_unstable();
        profiles.dedup();
        let named = profiles
            .into_iter()
            .filter_map(|profile| Some((profile, directory.person_of(profile)?, directory.name_of(profile))));
        let mut people: Vec<_> = named.collect();
        people.sort_by(|one, other| crate::people::danish_order(&one.2, &other.2));
        Ok(people)
    }
}
