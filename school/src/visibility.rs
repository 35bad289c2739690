//! Who may see whom. Staff see everyone; families see staff and those they share a group with; the name of a protected
//! family is seen by staff and by the family itself.

use rustc_hash::FxHashMap;
use samtale_protocol::people::{Role, WithheldReason};
use samtale_protocol::{GroupId, ProfileId, Timestamp};
use samtale_storage::directory::RelationRecord;

use crate::directory::Directory;

impl Directory {
    /// Whether `viewer` may see `target` with name; otherwise why not.
    pub fn sees(&self, viewer: ProfileId, target: ProfileId, now: Timestamp) -> Result<(), WithheldReason> {
        let viewer_role = self.role_now(viewer, now).ok_or(WithheldReason::NotPermitted)?;
        let record = self.profiles.get(&target).ok_or(WithheldReason::NotPermitted)?;
        if viewer_role.is_staff() || self.is_family(viewer, target, now) {
            return Ok(());
        }
        if self.is_protected(target) {
            return Err(WithheldReason::NameProtected);
        }
        match record.role {
            Role::Employee | Role::InstitutionAdmin | Role::MunicipalityAdmin => Ok(()),
            Role::Child => self.shares_group(viewer, target, now),
            Role::Guardian => self
                .children_now(target, now)
                .find_map(|(child, _)| self.shares_group(viewer, child, now).ok())
                .ok_or(WithheldReason::NotPermitted),
        }
    }

    /// Whether `viewer` may be told the name of someone they share a thread with: only protection stands against it.
    pub fn may_name(&self, viewer: ProfileId, target: ProfileId, now: Timestamp) -> bool {
        !self.is_protected(target)
            || self.role_now(viewer, now).is_some_and(Role::is_staff)
            || self.is_family(viewer, target, now)
    }

    /// Whether a name is for staff and the family only. A roster marks single people: a child's mark protects the
    /// guardians, whose names would tell the child's, and a guardian's the children; also when they have left.
    fn is_protected(&self, target: ProfileId) -> bool {
        let marked = |profile: ProfileId| self.profiles.get(&profile).is_none_or(|record| record.name_protected);
        let related = |of: &FxHashMap<ProfileId, Vec<(ProfileId, RelationRecord)>>| {
            let others = of.get(&target).into_iter().flatten();
            others.into_iter().any(|(other, _)| marked(*other))
        };
        marked(target) || related(&self.children_of) || related(&self.guardians_of)
    }

    /// Whether a group is the viewer's own, or their child's.
    pub fn is_own_group(&self, viewer: ProfileId, group: GroupId, now: Timestamp) -> bool {
        self.groups_now(viewer, now).any(|own| own == group)
            || self
                .children_now(viewer, now)
                .any(|(child, _)| self.groups_now(child, now).any(|own| own == group))
    }

    fn shares_group(&self, viewer: ProfileId, child: ProfileId, now: Timestamp) -> Result<(), WithheldReason> {
        let shares = self
            .groups_now(child, now)
            .any(|group| self.is_own_group(viewer, group, now));
        if shares {
            Ok(())
        } else {
            Err(WithheldReason::NotPermitted)
        }
    }
}
