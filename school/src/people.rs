//! Lists of people and groups, as far as the caller may see them.

use std::cmp::Ordering;

use samtale_protocol::people::{
    Caller, Group, Groups, ListPeople, Names, PeoplePage, Person, Withheld, WithheldReason,
};
use samtale_protocol::{ErrorCode, ProfileId, Refusal, SpaceId, Timestamp, limits};

use crate::directory::Directory;
use crate::school::School;

impl School {
    pub(crate) async fn list_groups(&self, caller: &Caller, space: SpaceId) -> Result<Groups, Refusal> {
        let (directory, profile, role) = self.acting(caller, space, None).await?;
        let now = self.now();
        let runs = directory
            .groups
            .iter()
            .filter(|(_, record)| record.ended_at.is_none_or(|ended_at| ended_at > now));
        let (mut groups, mut hidden) = (Vec::new(), 0);
        for (group, record) in runs {
            let mine = directory.is_own_group(profile, *group, now);
            if !mine && !role.is_staff() {
                hidden += 1;
                continue;
            }
            let members = u32::try_from(directory.members_now(*group, now).count()).unwrap_or(u32::MAX);
            groups.push(Group {
                group: *group,
                kind: record.kind,
                name: record.name.clone(),
                members,
                mine,
            });
        }
        groups.sort_by(|one, other| danish_order(&one.name, &other.name).then(one.group.cmp(&other.group)));
        Ok(Groups {
            groups,
            withheld: crate::threads::withheld(hidden, WithheldReason::NotPermitted),
        })
    }

    pub(crate) async fn list_people(&self, caller: &Caller, request: &ListPeople) -> Result<PeoplePage, Refusal> {
        let search = search_text(request.search.as_deref())?;
        let (directory, viewer, _) = self.acting(caller, request.space, request.as_profile).await?;
        let now = self.now();
        let candidates = candidates(&directory, request, now);
        let (visible, withheld) = split_visible(&directory, viewer, candidates, now);
        let mut named: Vec<(String, ProfileId)> = visible
            .into_iter()
            .map(|profile| (directory.name_of(profile), profile))
            .filter(|(name, _)| name.to_lowercase().contains(&search))
            .collect();
        named.sort_by(|one, other| danish_order(&one.0, &other.0).then(one.1.cmp(&other.1)));
        if let Some(after) = request.after {
            let place = named
                .iter()
                .position(|(_, profile)| *profile == after)
                .map_or(0, |place| place + 1);
            named.drain(..place);
        }
        let limit = (request.limit as usize).clamp(1, limits::PAGE);
        let more = named.len() > limit;
        named.truncate(limit);
        let people = named
            .iter()
            .filter_map(|(_, profile)| person(&directory, viewer, *profile, now))
            .collect();
        // What a search leaves out because of rights must not say whether it would have matched.
        let withheld = if search.is_empty() { withheld } else { Vec::new() };
        Ok(PeoplePage { people, more, withheld })
    }

    pub(crate) async fn names(&self, caller: &Caller, request: &Names) -> Result<PeoplePage, Refusal> {
        if request.profiles.len() > limits::IDS {
            return Err(Refusal::new(ErrorCode::TooLarge).detail("more than 200 profiles"));
        }
        let (directory, viewer, _) = self.acting(caller, request.space, None).await?;
        let now = self.now();
        let mut asked = request.profiles.clone();
        asked.sort_unstable();
        asked.dedup();
        let (visible, withheld) = split_visible(&directory, viewer, asked, now);
        let people = visible
            .into_iter()
            .filter_map(|profile| person(&directory, viewer, profile, now))
            .collect();
        Ok(PeoplePage {
            people,
            more: false,
            withheld,
        })
    }

    /// Whether the caller may see each of these, for presence: those who may not be seen are left out.
    pub async fn visible(
        &self,
        caller: &Caller,
        space: SpaceId,
        profiles: &[ProfileId],
    ) -> Result<Vec<(ProfileId, samtale_protocol::PersonId)>, Refusal> {
        let (directory, viewer, _) = self.acting(caller, space, None).await?;
        let now = self.now();
        let seen = profiles
            .iter()
            .filter(|profile| directory.role_now(**profile, now).is_some())
            .filter(|profile| directory.sees(viewer, **profile, now).is_ok());
        Ok(seen
            .filter_map(|profile| Some((*profile, directory.person_of(*profile)?)))
            .collect())
    }
}

/// What is searched for, in lower case; everything contains what is empty.
pub(crate) fn search_text(search: Option<&str>) -> Result<String, Refusal> {
    let search = search.unwrap_or_default();
    if search.len() > limits::SHORT_TEXT_BYTES {
        return Err(Refusal::new(ErrorCode::TooLarge).detail("a search text is at most 200 bytes"));
    }
    Ok(search.trim().to_lowercase())
}

/// Everyone whom the request is about: a group with the guardians of its children, or all that are here.
fn candidates(directory: &Directory, request: &ListPeople, now: Timestamp) -> Vec<ProfileId> {
    let mut profiles: Vec<ProfileId> = match request.group {
        Some(group) => {
            let members: Vec<ProfileId> = directory.members_now(group, now).collect();
            let guardians = members
                .iter()
                .flat_map(|child| directory.guardians_now(*child, now).map(|(guardian, _)| guardian));
            members.iter().copied().chain(guardians).collect()
        }
        None => directory.profiles.keys().copied().collect(),
    };
    profiles.retain(|profile| directory.role_now(*profile, now).is_some());
    profiles.sort_unstable();
    profiles.dedup();
    profiles
}

fn split_visible(
    directory: &Directory,
    viewer: ProfileId,
    profiles: Vec<ProfileId>,
    now: Timestamp,
) -> (Vec<ProfileId>, Vec<Withheld>) {
    let mut visible = Vec::with_capacity(profiles.len());
    let (mut protected, mut not_permitted) = (0, 0);
    for profile in profiles {
        match directory.sees(viewer, profile, now) {
            Ok(()) => visible.push(profile),
            Err(WithheldReason::NameProtected) => protected += 1,
            Err(_) => not_permitted += 1,
        }
    }
    let mut withheld = crate::threads::withheld(protected, WithheldReason::NameProtected);
    withheld.extend(crate::threads::withheld(not_permitted, WithheldReason::NotPermitted));
    (visible, withheld)
}

fn person(directory: &Directory, viewer: ProfileId, profile: ProfileId, now: Timestamp) -> Option<Person> {
    let record = directory.profiles.get(&profile)?;
    let is_staff = directory.role_now(viewer, now)?.is_staff();
    let mut groups: Vec<_> = directory
        .groups_now(profile, now)
        .filter(|group| is_staff || directory.is_own_group(viewer, *group, now))
        .collect();
    groups.sort_unstable();
    let children = directory.children_now(profile, now).map(|(child, _)| child);
    let mut children: Vec<_> = children
        .filter(|child| directory.sees(viewer, *child, now).is_ok())
        .collect();
    children.sort_unstable();
    Some(Person {
        profile,
        role: record.role,
        name: directory.name_of(profile),
        groups,
        children,
    })
}

/// The order of names in Danish: æ, ø and å come after z, aa counts as å, and case does not matter.
pub fn danish_order(one: &str, other: &str) -> Ordering {
    danish_key(one).cmp(&danish_key(other)).then_with(|| one.cmp(other))
}

fn danish_key(text: &str) -> Vec<u32> {
    let mut key = Vec::with_capacity(text.len());
    let mut letters = text.chars().flat_map(char::to_lowercase).peekable();
    while let Some(letter) = letters.next() {
        key.push(match letter {
            'æ' | 'ä' => u32::from('z') + 1,
            'ø' | 'ö' => u32::from('z') + 2,
            'å' => u32::from('z') + 3,
            'a' if letters.next_if_eq(&'a').is_some() => u32::from('z') + 3,
            'é' | 'è' | 'ë' => u32::from('e'),
            'ü' => u32::from('y'),
            '\u{300}'..='\u{36f}' => continue,
            letter => u32::from(letter),
        });
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_danish_order() {
        let mut names = ["Åse", "Zoe", "Ærø", "Øjvind", "aage", "Abel", "élan", "Erik"];
        names.sort_by(|one, other| danish_order(one, other));
        assert_eq!(names, ["Abel", "élan", "Erik", "Zoe", "Ærø", "Øjvind", "aage", "Åse"]);
    }
}
