//! What a roster wants of one institution: its people, groups and relations, by the roster's ids.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use samtale_protocol::Timestamp;
use samtale_protocol::people::{GroupKind, Role};
use samtale_storage::directory::{GroupMemberRecord, RelationRecord};

use crate::directory::holds;
use crate::roster::{self, ClassType, Organisation, Person, PersonRole, Roster, Status};

/// What a roster wants of an institution or a municipality.
#[derive(Default)]
pub struct Desired<'r> {
    /// Who is there, and as what.
    pub profiles: BTreeMap<(&'r str, Role), &'r Person>,
    /// Classes and teams.
    pub groups: BTreeMap<&'r str, (GroupKind, &'r str)>,
    /// Who is in which group.
    pub members: BTreeMap<(&'r str, (&'r str, Role)), GroupMemberRecord>,
    /// Guardian and child.
    pub relations: BTreeMap<(&'r str, &'r str), RelationRecord>,
}

/// What the roster wants of each organisation that becomes a space. Roles count between their dates.
pub fn desired<'r>(roster: &'r Roster, zone: &TimeZone, now: Timestamp) -> BTreeMap<&'r str, Desired<'r>> {
    let mut spaces: BTreeMap<&str, Desired<'r>> = BTreeMap::new();
    let mut places: BTreeMap<&str, Place<'r>> = BTreeMap::new();
    for organisation in roster.organisations.iter().filter(|it| is_active(it.status)) {
        let place = Place::of(roster, &organisation.sourced_id);
        for space in place.institution.into_iter().chain(place.municipality) {
            spaces.entry(space).or_default();
        }
        places.insert(&organisation.sourced_id, place);
    }
    for person in roster.people.iter().filter(|person| is_active(person.status)) {
        for held in person.roles.iter().filter(|held| is_held(held, zone, now)) {
            let place = held
                .organisation
                .as_deref()
                .and_then(|organisation| places.get(organisation));
            let Some((space, role)) = place.and_then(|place| place.of_role(held.role)) else {
                continue;
            };
            if let Some(desired) = spaces.get_mut(space) {
                desired.profiles.insert((&person.sourced_id, role), person);
            }
        }
    }
    add_relations(roster, zone, &mut spaces);
    add_groups(roster, zone, &places, &mut spaces);
    spaces
}

/// The spaces that an organisation is in.
#[derive(Clone, Copy)]
struct Place<'r> {
    institution: Option<&'r str>,
    municipality: Option<&'r str>,
}

impl<'r> Place<'r> {
    fn of(roster: &'r Roster, organisation: &str) -> Self {
        let named = |space: Option<&'r Organisation>| {
            let space = space.filter(|space| is_active(space.status));
            space.map(|space| space.sourced_id.as_str())
        };
        Self {
            institution: named(roster.institution_of(organisation)),
            municipality: named(roster.municipality_of(organisation)),
        }
    }

    /// The space that a role is held in, and what it is there.
    fn of_role(self, role: roster::Role) -> Option<(&'r str, Role)> {
        let Self {
            institution,
            municipality,
        } = self;
        Some(match role {
            roster::Role::Student => (institution?, Role::Child),
            role if role.is_guardian() => (institution?, Role::Guardian),
            roster::Role::DistrictAdministrator | roster::Role::SystemAdministrator => match municipality {
                Some(municipality) => (municipality, Role::MunicipalityAdmin),
                None => (institution?, Role::InstitutionAdmin),
            },
            role if role.is_administrator() => match institution {
                Some(institution) => (institution, Role::InstitutionAdmin),
                None => (municipality?, Role::MunicipalityAdmin),
            },
            _ => (institution?, Role::Employee),
        })
    }
}

/// Guardians belong where their children are, wherever the roster says they belong.
fn add_relations<'r>(roster: &'r Roster, zone: &TimeZone, spaces: &mut BTreeMap<&'r str, Desired<'r>>) {
    let people: BTreeMap<&str, &Person> = roster
        .people
        .iter()
        .map(|person| (person.sourced_id.as_str(), person))
        .collect();
    let mut schools_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (space, desired) in spaces.iter() {
        for (person, role) in desired.profiles.keys() {
            if *role == Role::Child {
                schools_of.entry(person).or_default().push(space);
            }
        }
    }
    for relation in roster.relations.iter().filter(|relation| is_active(relation.status)) {
        let guardian = people.get(relation.guardian.as_str());
        let Some(guardian) = guardian.filter(|guardian| is_active(guardian.status)) else {
            continue;
        };
        for space in schools_of.get(relation.child.as_str()).into_iter().flatten() {
            let Some(desired) = spaces.get_mut(space) else { continue };
            desired
                .profiles
                .insert((&guardian.sourced_id, Role::Guardian), guardian);
            let record = RelationRecord {
                kind: relation.kinship.word().to_owned(),
                custody: relation.custody,
                contact: relation.contact,
                pickup: relation.pickup,
                from: relation.begin_date.map(|date| start_of(date, zone)),
                to: relation.end_date.map(|date| start_of(date, zone)),
            };
            desired.relations.insert((&relation.guardian, &relation.child), record);
        }
    }
}

fn add_groups<'r>(
    roster: &'r Roster,
    zone: &TimeZone,
    places: &BTreeMap<&str, Place<'r>>,
    spaces: &mut BTreeMap<&'r str, Desired<'r>>,
) {
    let mut space_of: BTreeMap<&str, &str> = BTreeMap::new();
    for class in roster.classes.iter().filter(|class| is_active(class.status)) {
        let place = places.get(class.organisation.as_str());
        let Some(space) = place.and_then(|place| place.institution) else {
            continue;
        };
        let kind = if class.kind == ClassType::Homeroom {
            GroupKind::Class
        } else {
            GroupKind::Team
        };
        if let Some(desired) = spaces.get_mut(space) {
            desired.groups.insert(&class.sourced_id, (kind, &class.title));
            space_of.insert(&class.sourced_id, space);
        }
    }
    for enrollment in roster
        .enrollments
        .iter()
        .filter(|enrollment| is_active(enrollment.status))
    {
        let space = space_of.get(enrollment.class.as_str());
        let Some(desired) = space.and_then(|space| spaces.get_mut(space)) else {
            continue;
        };
        let roles: &[Role] = if enrollment.role == roster::EnrollmentRole::Student {
            &[Role::Child]
        } else {
            &[Role::Employee, Role::InstitutionAdmin, Role::MunicipalityAdmin]
        };
        let held = roles
            .iter()
            .find(|role| desired.profiles.contains_key(&(enrollment.person.as_str(), **role)));
        let Some(role) = held else { continue };
        let member = GroupMemberRecord {
            from: enrollment.begin_date.map(|date| start_of(date, zone)),
            to: enrollment.end_date.map(|date| start_of(date, zone)),
        };
        let key = (enrollment.class.as_str(), (enrollment.person.as_str(), *role));
        // Enrolled twice, as after a break: what reaches further counts.
        let known = desired.members.entry(key).or_insert_with(|| member.clone());
        if known.to.is_some_and(|to| member.to.is_none_or(|other| other > to)) {
            *known = member;
        }
    }
}

/// The first moment of a day in Denmark. OneRoster's end dates are exclusive, so they end things then too.
fn start_of(date: Date, zone: &TimeZone) -> Timestamp {
    let start = date
        .to_zoned(zone.clone())
        .map_or(0, |zoned| zoned.timestamp().as_millisecond());
    Timestamp::saturating(u64::try_from(start).unwrap_or(0))
}

fn is_active(status: Status) -> bool {
    status == Status::Active
}

fn is_held(held: &PersonRole, zone: &TimeZone, now: Timestamp) -> bool {
    let start = |date: Option<Date>| date.map(|date| start_of(date, zone));
    holds(start(held.begin_date), start(held.end_date), now)
}
