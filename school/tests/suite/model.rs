//! The rules once more, as plainly as they can be said: lists and loops, nothing shared with the real ones.

use samtale_protocol::people::{Role, Rule, WithheldReason};
use samtale_protocol::threads::Recipient;

pub struct Profile {
    pub role: Role,
    pub marked: bool,
    pub left_at: Option<u64>,
}

pub struct Relation {
    pub guardian: usize,
    pub child: usize,
    pub contact: bool,
    pub from: Option<u64>,
    pub to: Option<u64>,
}

pub struct Place {
    pub group: usize,
    pub who: usize,
    pub from: Option<u64>,
    pub to: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub enum To {
    One(usize),
    Group(usize),
    RoleOf(usize, Role),
    Guardians(usize),
}

#[derive(Clone, Debug)]
pub struct Member {
    pub who: usize,
    pub joined_at: u64,
    pub left_at: Option<u64>,
    pub visible_from: u64,
    pub through: Option<usize>,
    pub closed: bool,
}

pub struct Thread {
    pub starter: usize,
    pub regarding: Vec<usize>,
    pub members: Vec<Member>,
}

/// A school as lists.
pub struct Model {
    pub profiles: Vec<Profile>,
    pub relations: Vec<Relation>,
    /// When each group ended.
    pub groups: Vec<Option<u64>>,
    pub places: Vec<Place>,
    pub forbidden_above: Vec<(Role, Role)>,
    pub forbidden_here: Vec<(Role, Role)>,
    pub now: u64,
}

impl Model {
    fn during(&self, from: Option<u64>, to: Option<u64>) -> bool {
        let has_begun = match from {
            Some(from) => from <= self.now,
            None => true,
        };
        let has_ended = match to {
            Some(to) => to <= self.now,
            None => false,
        };
        has_begun && !has_ended
    }

    fn is_here(&self, who: usize) -> bool {
        match self.profiles[who].left_at {
            Some(left_at) => left_at > self.now,
            None => true,
        }
    }

    fn is_guardian_of(&self, guardian: usize, child: usize) -> bool {
        for relation in &self.relations {
            if relation.guardian == guardian
                && relation.child == child
                && self.during(relation.from, relation.to)
                && self.is_here(guardian)
                && self.is_here(child)
            {
                return true;
            }
        }
        false
    }

    pub fn role(&self, who: usize) -> Option<Role> {
        if !self.is_here(who) {
            return None;
        }
        let role = self.profiles[who].role;
        if role == Role::Guardian {
            for child in 0..self.profiles.len() {
                if self.is_guardian_of(who, child) {
                    return Some(role);
                }
            }
            return None;
        }
        Some(role)
    }

    pub fn is_in(&self, who: usize, group: usize) -> bool {
        if self.groups[group].is_some_and(|ended_at| ended_at <= self.now) || !self.is_here(who) {
            return false;
        }
        for place in &self.places {
            if place.group == group && place.who == who && self.during(place.from, place.to) {
                return true;
            }
        }
        false
    }

    /// Whether a group is someone's own or their child's.
    fn is_own(&self, who: usize, group: usize) -> bool {
        if self.is_in(who, group) {
            return true;
        }
        for child in 0..self.profiles.len() {
            if self.is_guardian_of(who, child) && self.is_in(child, group) {
                return true;
            }
        }
        false
    }

    fn share_a_group(&self, who: usize, child: usize) -> bool {
        for group in 0..self.groups.len() {
            if self.is_in(child, group) && self.is_own(who, group) {
                return true;
            }
        }
        false
    }

    fn is_family(&self, one: usize, other: usize) -> bool {
        if one == other || self.is_guardian_of(one, other) || self.is_guardian_of(other, one) {
            return true;
        }
        for third in 0..self.profiles.len() {
            if self.is_guardian_of(one, third) && self.is_guardian_of(other, third) {
                return true;
            }
            if self.is_guardian_of(third, one) && self.is_guardian_of(third, other) {
                return true;
            }
        }
        false
    }

    fn is_protected(&self, who: usize) -> bool {
        if self.profiles[who].marked {
            return true;
        }
        for relation in &self.relations {
            if relation.guardian == who && self.profiles[relation.child].marked {
                return true;
            }
            if relation.child == who && self.profiles[relation.guardian].marked {
                return true;
            }
        }
        false
    }

    /// Why someone is not seen; `None` when they are.
    pub fn hidden(&self, viewer: usize, target: usize) -> Option<WithheldReason> {
        let Some(role) = self.role(viewer) else {
            return Some(WithheldReason::NotPermitted);
        };
        if is_staff(role) || self.is_family(viewer, target) {
            return None;
        }
        if self.is_protected(target) {
            return Some(WithheldReason::NameProtected);
        }
        let target_role = self.profiles[target].role;
        if is_staff(target_role) {
            return None;
        }
        if target_role == Role::Child && self.share_a_group(viewer, target) {
            return None;
        }
        if target_role == Role::Guardian {
            for child in 0..self.profiles.len() {
                if self.is_guardian_of(target, child) && self.share_a_group(viewer, child) {
                    return None;
                }
            }
        }
        Some(WithheldReason::NotPermitted)
    }

    pub fn may_name(&self, viewer: usize, target: usize) -> bool {
        !self.is_protected(target) || self.role(viewer).is_some_and(is_staff) || self.is_family(viewer, target)
    }

    /// The profiles behind a recipient, in no order.
    pub fn behind(&self, to: To) -> Vec<usize> {
        let mut found = Vec::new();
        for who in 0..self.profiles.len() {
            let is_meant = match to {
                To::One(one) => who == one,
                To::Group(group) => self.is_in(who, group),
                To::RoleOf(group, role) => self.is_in(who, group) && self.profiles[who].role == role,
                To::Guardians(group) => self.is_contact_in(who, group),
            };
            if is_meant && self.role(who).is_some() {
                found.push(who);
            }
        }
        found
    }

    fn is_contact_in(&self, guardian: usize, group: usize) -> bool {
        for relation in &self.relations {
            if relation.guardian == guardian
                && relation.contact
                && self.is_guardian_of(guardian, relation.child)
                && self.during(relation.from, relation.to)
                && self.is_in(relation.child, group)
            {
                return true;
            }
        }
        false
    }

    /// The rule that decides whether one may start a thread with another; several may stand against it.
    pub fn rules(&self, sender: usize, to: To) -> Vec<Rule> {
        let Some(from) = self.role(sender) else {
            return vec![Rule::NotVisible];
        };
        match to {
            To::One(one) => {
                if self.hidden(sender, one).is_some() {
                    return vec![Rule::NotVisible];
                }
                if self.role(one).is_none() {
                    return vec![Rule::HasLeft];
                }
            }
            To::Guardians(group) if from == Role::Guardian && self.is_own(sender, group) => {}
            _ if is_staff(from) => {}
            _ => return vec![Rule::GroupsAreForStaff],
        }
        let mut rules = Vec::new();
        let mut anyone = false;
        for who in self.behind(to) {
            if who == sender {
                continue;
            }
            anyone = true;
            let pair = (row(from), row(self.profiles[who].role));
            if self.forbidden_above.contains(&pair) {
                rules.push(Rule::MunicipalityForbids);
            } else if self.forbidden_here.contains(&pair) {
                rules.push(Rule::InstitutionForbids);
            }
        }
        if !anyone {
            return vec![Rule::NobodyThere];
        }
        if rules.is_empty() {
            rules.push(Rule::TableAllows);
        }
        rules
    }

    /// Whether a member, past or present, may still know of a thread.
    pub fn is_open(&self, thread: &Thread, who: usize) -> bool {
        let Some(member) = thread.members.iter().find(|member| member.who == who) else {
            return false;
        };
        if member.closed || self.role(who).is_none() {
            return false;
        }
        if self.has_lost(who, &thread.regarding) {
            return false;
        }
        if let Some(group) = member.through {
            let ever = |one: usize| self.places.iter().any(|place| place.group == group && place.who == one);
            let children: Vec<usize> = (0..self.profiles.len()).filter(|child| ever(*child)).collect();
            if !ever(who) && self.has_lost(who, &children) {
                return false;
            }
        }
        true
    }

    fn has_lost(&self, who: usize, children: &[usize]) -> bool {
        let (mut ever, mut now) = (false, false);
        for relation in &self.relations {
            if relation.guardian == who && children.contains(&relation.child) {
                ever = true;
                now = now || self.during(relation.from, relation.to);
            }
        }
        ever && !now
    }

    pub fn is_active(&self, thread: &Thread, who: usize) -> bool {
        let is_in = |member: &Member| member.who == who && member.left_at.is_none();
        self.is_open(thread, who) && thread.members.iter().any(is_in)
    }

    pub fn may_read(&self, thread: &Thread, who: usize, sent_at: u64) -> bool {
        let was_in = |member: &Member| {
            member.who == who
                && member.visible_from <= sent_at
                && member.left_at.is_none_or(|left_at| sent_at <= left_at)
        };
        self.is_open(thread, who) && thread.members.iter().any(was_in)
    }

    pub fn may_steer(&self, thread: &Thread, who: usize) -> bool {
        self.is_active(thread, who) && (thread.starter == who || self.role(who).is_some_and(is_staff))
    }
}

pub fn is_staff(role: Role) -> bool {
    role != Role::Child && role != Role::Guardian
}

/// Both kinds of administrators are one row of the table.
fn row(role: Role) -> Role {
    if role == Role::MunicipalityAdmin {
        Role::InstitutionAdmin
    } else {
        role
    }
}

impl To {
    pub fn recipient(self, people: &[crate::harness::Someone], groups: &[samtale_protocol::GroupId]) -> Recipient {
        match self {
            Self::One(one) => people[one].to(),
            Self::Group(group) => Recipient::Group { group: groups[group] },
            Self::RoleOf(group, role) => Recipient::GroupRole {
                group: groups[group],
                role,
            },
            Self::Guardians(group) => Recipient::Guardians { group: groups[group] },
        }
    }
}
