//! From "the guardians of 3.A" to profiles, and whether the caller may write to them.

use std::collections::BTreeMap;

use samtale_protocol::people::{Role, Rule};
use samtale_protocol::threads::Recipient;
use samtale_protocol::{GroupId, ProfileId, Timestamp};

use crate::directory::Directory;
use crate::talk_table;

/// The profiles behind recipients, each with the group it is reached through; one that is named by itself has none.
pub type Reached = BTreeMap<ProfileId, Option<GroupId>>;

/// A rule that stands against a recipient, with the role that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden {
    /// The rule.
    pub rule: Rule,
    /// The recipient's role.
    pub to: Option<Role>,
}

impl Directory {
    /// The profiles behind a recipient now.
    pub fn expand(&self, recipient: &Recipient, now: Timestamp) -> Reached {
        match recipient {
            Recipient::Profile { profile } => self
                .role_now(*profile, now)
                .map(|_| (*profile, None))
                .into_iter()
                .collect(),
            Recipient::Group { group } => self.through(*group, self.members_now(*group, now), now),
            Recipient::GroupRole { group, role } => {
                let of_role = |profile: &ProfileId| self.profiles.get(profile).is_some_and(|it| it.role == *role);
                self.through(*group, self.members_now(*group, now).filter(of_role), now)
            }
            Recipient::Guardians { group } => {
                let children = self.members_now(*group, now);
                let guardians = children.flat_map(|child| {
                    let guardians = self.guardians_now(child, now);
                    guardians
                        .filter(|(_, relation)| relation.contact)
                        .map(|(guardian, _)| guardian)
                });
                self.through(*group, guardians, now)
            }
        }
    }

    fn through(&self, group: GroupId, profiles: impl Iterator<Item = ProfileId>, now: Timestamp) -> Reached {
        profiles
            .filter(|profile| self.role_now(*profile, now).is_some())
            .map(|profile| (profile, Some(group)))
            .collect()
    }

    /// Whether `sender` may start a thread with a recipient: the profiles behind it, or the rule against it.
    pub fn may_write_to(&self, sender: ProfileId, recipient: &Recipient, now: Timestamp) -> Result<Reached, Forbidden> {
        let forbidden = |rule, to| Forbidden { rule, to };
        let from = self.role_now(sender, now).ok_or(forbidden(Rule::NotVisible, None))?;
        if let Recipient::Profile { profile } = recipient {
            self.sees(sender, *profile, now)
                .map_err(|_| forbidden(Rule::NotVisible, None))?;
            if self.role_now(*profile, now).is_none() {
                return Err(forbidden(Rule::HasLeft, None));
            }
        } else {
            self.may_address_group(sender, from, recipient, now)?;
        }
        let mut reached = self.expand(recipient, now);
        reached.remove(&sender);
        if reached.is_empty() {
            return Err(forbidden(Rule::NobodyThere, None));
        }
        for profile in reached.keys() {
            let Some(to) = self.role_now(*profile, now) else {
                continue;
            };
            let rule = talk_table::decide(from, to, self.municipality.as_ref(), &self.record);
            if rule != Rule::TableAllows {
                return Err(forbidden(rule, Some(to)));
            }
        }
        Ok(reached)
    }

    /// Whether `sender` may answer someone they share a thread with: only the table stands against it.
    pub fn may_answer(&self, sender: ProfileId, author: ProfileId, now: Timestamp) -> Result<(), Forbidden> {
        let forbidden = |rule, to| Forbidden { rule, to };
        let from = self.role_now(sender, now).ok_or(forbidden(Rule::NotVisible, None))?;
        let to = self.role_now(author, now).ok_or(forbidden(Rule::HasLeft, None))?;
        match talk_table::decide(from, to, self.municipality.as_ref(), &self.record) {
            Rule::TableAllows => Ok(()),
            rule => Err(forbidden(rule, Some(to))),
        }
    }

    /// Staff write to any group; a guardian to the guardians of a group of their child.
    fn may_address_group(
        &self,
        sender: ProfileId,
        from: Role,
        recipient: &Recipient,
        now: Timestamp,
    ) -> Result<(), Forbidden> {
        match recipient {
            _ if from.is_staff() => Ok(()),
            Recipient::Guardians { group } if from == Role::Guardian && self.is_own_group(sender, *group, now) => {
                Ok(())
            }
            _ => Err(Forbidden {
                rule: Rule::GroupsAreForStaff,
                to: None,
            }),
        }
    }

    /// How many families are among these: guardians and children that are related count once.
    pub fn families(&self, profiles: impl Iterator<Item = ProfileId>, now: Timestamp) -> u32 {
        let mut waiting: std::collections::BTreeSet<ProfileId> = profiles
            .filter(|profile| matches!(self.role_now(*profile, now), Some(Role::Guardian | Role::Child)))
            .collect();
        let mut families = 0;
        let mut seen = std::collections::BTreeSet::new();
        while let Some(first) = waiting.pop_first() {
            families += 1;
            let mut family = vec![first];
            while let Some(profile) = family.pop() {
                if !seen.insert(profile) {
                    continue;
                }
                waiting.remove(&profile);
                family.extend(self.children_now(profile, now).map(|(child, _)| child));
                family.extend(self.guardians_now(profile, now).map(|(guardian, _)| guardian));
            }
        }
        families
    }
}
