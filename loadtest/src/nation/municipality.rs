//! One municipality: its institutions, filled with families and staff until it is as large as it is to be.

use samtale_protocol::people::Role;
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId};

use super::draw::Draw;
use super::figures as of;
use super::names;
use super::{Group, Institution, InstitutionKind, Member, Nation};
use crate::figure::float;

/// Which municipality, and how large.
pub struct Order {
    pub seed: u64,
    pub number: usize,
    /// Its share of the nation.
    pub share: f64,
    pub nation: Nation,
}

/// What a made thing is, as the first byte of its id: no two kinds share one.
#[derive(Clone, Copy)]
enum Made {
    Space = 1,
    Group,
    Person,
    Profile,
}

/// An institution that is being filled.
struct Site {
    institution: Institution,
    /// How often families choose it.
    weight: f64,
    /// Children by group.
    children: Vec<Vec<usize>>,
    /// The open group of each age, and all that are full.
    open: Vec<(u8, usize)>,
    child_count: usize,
}

struct Municipality {
    draw: Draw,
    seed: u64,
    number: usize,
    /// Of everything that gets an id.
    made: u64,
    sites: Vec<Site>,
}

/// Draws it.
pub fn draw(order: Order) -> Vec<Institution> {
    let mut municipality = Municipality {
        draw: Draw::new(order.seed, order.number as u64),
        seed: order.seed,
        number: order.number,
        made: 0,
        sites: Vec::new(),
    };
    municipality.found(&order);
    municipality.fill(float(order.nation.people as u64) * order.share);
    municipality.employ();
    municipality.sites.into_iter().map(|site| site.institution).collect()
}

impl Municipality {
    /// Its institutions, still empty.
    fn found(&mut self, order: &Order) {
        let count = rounded_up(float(order.nation.institutions() as u64) * order.share).max(1);
        let schools = rounded_up(float(count as u64) * of::SCHOOLS).max(1);
        let municipality = super::Municipality {
            space: SpaceId::from_bytes(self.id(Made::Space)),
            name: format!("Kommune {}", self.number + 1),
        };
        for number in 0..count.max(2) {
            let kind = if number < schools {
                InstitutionKind::School
            } else {
                InstitutionKind::Daycare
            };
            let place = self.draw.one_of(names::PLACES);
            let called = match kind {
                InstitutionKind::School => format!("{place}skolen {}-{}", self.number + 1, number + 1),
                InstitutionKind::Daycare => format!("Børnehuset {place} {}-{}", self.number + 1, number + 1),
            };
            let weight = (self.draw.normal() * of::INSTITUTION_SPREAD).exp();
            let space = SpaceId::from_bytes(self.id(Made::Space));
            self.sites.push(Site {
                institution: Institution {
                    space,
                    kind,
                    name: called,
                    municipality: municipality.clone(),
                    groups: Vec::new(),
                    people: Vec::new(),
                },
                weight,
                children: Vec::new(),
                open: Vec::new(),
                child_count: 0,
            });
        }
    }

    /// Families until there are as many people as there are to be, staff included.
    fn fill(&mut self, people: f64) {
        let wanted = rounded_up(people / of::people_per_child());
        let mut children = 0;
        while children < wanted.max(1) {
            children += self.family();
        }
    }

    /// A family moves in. Returns how many children it has.
    fn family(&mut self) -> usize {
        let family_name = self.draw.one_of(names::FAMILY).to_owned();
        let count = self.draw.place(&of::CHILDREN) + 1;
        let guardians: Vec<(PersonId, String, String)> = (0..=self.draw.place(&of::GUARDIANS))
            .map(|_| {
                let given = self.draw.one_of(names::GIVEN).to_owned();
                (PersonId::from_bytes(self.id(Made::Person)), given, self.username())
            })
            .collect();
        // The institutions in which the guardians have a profile already, and where in it.
        let mut known: Vec<(usize, Vec<usize>)> = Vec::new();
        // A family has one school and one daycare, unless it moved on.
        let homes = [InstitutionKind::School, InstitutionKind::Daycare].map(|kind| self.choose(kind));
        for _ in 0..count {
            let ages = usize::from(*of::AGES.end() - *of::AGES.start()) + 1;
            let age = *of::AGES.start() + u8::try_from(self.draw.below(ages)).unwrap_or_default();
            let at = if age >= of::SCHOOL_AGE { homes[0] } else { homes[1] };
            let child = self.child(at, age, &family_name);
            let place = match known.iter().position(|(site, _)| *site == at) {
                Some(place) => place,
                None => {
                    let is_first = known.is_empty();
                    let profiles = guardians.iter().map(|(person, given, username)| {
                        let username = is_first.then(|| username.clone());
                        self.join(at, *person, (Role::Guardian, true), (given, &family_name), username)
                    });
                    let profiles: Vec<usize> = profiles.collect();
                    known.push((at, profiles));
                    known.len() - 1
                }
            };
            let people = &mut self.sites[at].institution.people;
            for guardian in &known[place].1 {
                people[*guardian].guardian_of.push(child);
            }
        }
        count
    }

    /// An institution of a kind, the larger ones more often; any, where there is none of the kind.
    fn choose(&mut self, kind: InstitutionKind) -> usize {
        let weights: Vec<f64> = self
            .sites
            .iter()
            .map(|site| {
                if site.institution.kind == kind {
                    site.weight
                } else {
                    0.0
                }
            })
            .collect();
        self.draw.place(&weights)
    }

    /// A child in a class of its age that has room, or the first of a new one.
    fn child(&mut self, at: usize, age: u8, family_name: &str) -> usize {
        let person = PersonId::from_bytes(self.id(Made::Person));
        let username = Some(self.username());
        let given = self.draw.one_of(names::GIVEN).to_owned();
        let uses_it = age >= of::USES_IT_FROM;
        let child = self.join(at, person, (Role::Child, uses_it), (&given, family_name), username);
        let group = self.group_for(at, age);
        let site = &mut self.sites[at];
        site.institution.people[child].groups.push(group);
        site.children[group].push(child);
        site.child_count += 1;
        child
    }

    fn group_for(&mut self, at: usize, age: u8) -> usize {
        let is_school = self.sites[at].institution.kind == InstitutionKind::School;
        // Rooms are for the small or for the large ones, classes for one age.
        let (band, most) = match (is_school, age) {
            (true, age) => (age, of::CLASS),
            (false, ..=2) => (2, of::ROOM.0),
            (false, _) => (3, of::ROOM.1),
        };
        let known = self.sites[at].open.iter().position(|(open, _)| *open == band);
        if let Some(place) = known {
            let group = self.sites[at].open[place].1;
            if self.sites[at].children[group].len() < most {
                return group;
            }
            self.sites[at].open.remove(place);
        }
        let id = GroupId::from_bytes(self.id(Made::Group));
        let site = &mut self.sites[at];
        let group = site.institution.groups.len();
        let name = match is_school {
            true => format!("{}. klasse, {}", band.saturating_sub(of::SCHOOL_AGE), group + 1),
            false => format!("Stue {}", group + 1),
        };
        site.institution.groups.push(Group { group: id, name });
        site.children.push(Vec::new());
        site.open.push((band, group));
        group
    }

    /// Staff, each with some groups, so that every group has some of them.
    fn employ(&mut self) {
        for at in 0..self.sites.len() {
            let site = &self.sites[at];
            let groups = site.institution.groups.len();
            let per_staff = match site.institution.kind {
                InstitutionKind::School => of::CHILDREN_PER_STAFF.0,
                InstitutionKind::Daycare => of::CHILDREN_PER_STAFF.1,
            };
            let count = rounded_up(float(site.child_count as u64) / per_staff).max(of::STAFF_PER_GROUP);
            let mut staff = Vec::new();
            for number in 0..count {
                let person = PersonId::from_bytes(self.id(Made::Person));
                let (given, family) = (self.draw.one_of(names::GIVEN), self.draw.one_of(names::FAMILY));
                let role = if number == 0 {
                    Role::InstitutionAdmin
                } else {
                    Role::Employee
                };
                let username = Some(self.username());
                staff.push(self.join(at, person, (role, true), (given, family), username));
            }
            for place in 0..groups * of::STAFF_PER_GROUP {
                let member = &mut self.sites[at].institution.people[staff[place % count]];
                let group = place / of::STAFF_PER_GROUP;
                if !member.groups.contains(&group) {
                    member.groups.push(group);
                }
            }
        }
    }

    /// Someone gets a profile in an institution. Returns their place.
    fn join(
        &mut self,
        at: usize,
        person: PersonId,
        (role, uses_it): (Role, bool),
        (given, family): (&str, &str),
        username: Option<String>,
    ) -> usize {
        let profile = ProfileId::from_bytes(self.id(Made::Profile));
        let people = &mut self.sites[at].institution.people;
        people.push(Member {
            person,
            profile,
            role,
            given_name: given.to_owned(),
            family_name: family.to_owned(),
            username,
            groups: Vec::new(),
            guardian_of: Vec::new(),
            uses_it,
            logs_in: false,
        });
        people.len() - 1
    }

    fn id(&mut self, made: Made) -> [u8; 16] {
        self.made += 1;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.seed.to_be_bytes());
        bytes[0] = made as u8;
        bytes[8..].copy_from_slice(&((self.number as u64) << 40 | self.made).to_be_bytes());
        bytes
    }

    /// One that nobody else has, from the id made last.
    fn username(&mut self) -> String {
        format!("n{}.{}.{}", self.seed, self.number, self.made)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of people"
)]
fn rounded_up(value: f64) -> usize {
    value.max(0.0).ceil() as usize
}
