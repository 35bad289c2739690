//! Who plays: the real people of a player's institutions, and the conversations that they are in.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use samtale_protocol::people::Role;
use samtale_protocol::threads::Recipient;
use samtale_protocol::{PersonId, SpaceId, limits};
use serde::Deserialize;

use super::Part;
use crate::nation::{Institution, Written};

/// The people and conversations of a player, each known by its place.
#[derive(Default)]
pub struct Cast {
    /// The people.
    pub people: Vec<Player>,
    /// The conversations.
    pub threads: Vec<Conversation>,
}

/// A real person.
pub struct Player {
    /// What their sessions show.
    pub token: String,
    /// What they are at home.
    pub role: Role,
    /// The conversations that they are in.
    pub threads: Vec<usize>,
}

/// A conversation.
pub struct Conversation {
    /// Its space.
    pub space: SpaceId,
    /// Whom it is started with.
    pub to: Vec<Recipient>,
    /// Who starts it.
    pub starter: usize,
    /// How many are in it, also those who have no login and so no socket.
    pub members: usize,
    /// Whether it is with all guardians of an institution.
    pub is_for_all: bool,
}

#[derive(Deserialize)]
struct Token {
    person: PersonId,
    access_token: String,
}

impl Cast {
    /// Draws the nation's real institutions anew, and takes those of this player.
    pub fn of(part: &Part) -> Result<Self> {
        let tokens = tokens(&part.tokens)?;
        let mut cast = Self::default();
        let mut known = HashMap::new();
        let mut counted = Written::default();
        for (number, mut institution) in part.nation.draw().enumerate() {
            if counted.logins >= part.logins {
                break;
            }
            counted.take(&mut institution, part.logins);
            if number % part.players == part.player {
                cast.take(&institution, &tokens, &mut known);
            }
        }
        anyhow::ensure!(
            !cast.threads.is_empty(),
            "no class has a teacher and a guardian who log in"
        );
        Ok(cast)
    }

    fn take(
        &mut self,
        institution: &Institution,
        tokens: &HashMap<PersonId, String>,
        known: &mut HashMap<PersonId, usize>,
    ) {
        for member in institution.people.iter().filter(|member| member.logs_in) {
            if let Some(token) = tokens.get(&member.person) {
                known.insert(member.person, self.people.len());
                self.people.push(Player {
                    token: token.clone(),
                    role: member.role,
                    threads: Vec::new(),
                });
            }
        }
        for place in 0..institution.groups.len() {
            self.class(institution, place, known);
        }
        self.everyone(institution, known);
    }

    /// The conversation of a class: its staff and the guardians of its children.
    fn class(&mut self, institution: &Institution, place: usize, known: &HashMap<PersonId, usize>) {
        let people = &institution.people;
        let of_class = |child: &usize| people[*child].groups.contains(&place);
        let is_staff = |role: Role| !matches!(role, Role::Child | Role::Guardian);
        let staff = people
            .iter()
            .filter(|member| is_staff(member.role) && member.groups.contains(&place));
        let staff: Vec<usize> = staff.filter_map(|member| known.get(&member.person).copied()).collect();
        let employees = people
            .iter()
            .filter(|member| member.role == Role::Employee && member.groups.contains(&place))
            .count();
        let guardians = people.iter().filter(|member| member.guardian_of.iter().any(of_class));
        let all_guardians = guardians.clone().count();
        let guardians: Vec<usize> = guardians
            .filter_map(|member| known.get(&member.person).copied())
            .collect();
        let group = institution.groups[place].group;
        let to = vec![
            Recipient::Guardians { group },
            Recipient::GroupRole {
                group,
                role: Role::Employee,
            },
        ];
        let Some(starter) = staff.first().copied().filter(|_| !guardians.is_empty()) else {
            return;
        };
        // The head belongs to a class as staff of another role, and is in its conversation only as the one who starts it.
        let is_member = |person: &usize| *person == starter || self.people[*person].role == Role::Employee;
        let staff: Vec<usize> = staff.iter().copied().filter(is_member).collect();
        let starter_beside = usize::from(self.people[starter].role != Role::Employee);
        let conversation = Conversation {
            space: institution.space,
            to,
            starter,
            members: employees + starter_beside + all_guardians,
            is_for_all: false,
        };
        self.add(conversation, &[staff, guardians].concat());
    }

    /// The conversation of the head with all guardians.
    fn everyone(&mut self, institution: &Institution, known: &HashMap<PersonId, usize>) {
        let place_of = |role: Role| {
            let of_role = institution.people.iter().filter(move |member| member.role == role);
            of_role.filter_map(|member| known.get(&member.person).copied())
        };
        let Some(head) = place_of(Role::InstitutionAdmin).next() else {
            return;
        };
        let guardians: Vec<usize> = place_of(Role::Guardian).collect();
        if guardians.is_empty() || guardians.len() >= limits::MEMBERS || institution.groups.len() > limits::RECIPIENTS {
            return;
        }
        let groups = institution.groups.iter();
        let to = groups
            .map(|group| Recipient::Guardians { group: group.group })
            .collect();
        let all_guardians = institution.people.iter().filter(|member| member.role == Role::Guardian);
        let conversation = Conversation {
            space: institution.space,
            to,
            starter: head,
            members: 1 + all_guardians.count(),
            is_for_all: true,
        };
        self.add(conversation, &[vec![head], guardians].concat());
    }

    /// Adds a conversation, with those of its members who have sockets.
    fn add(&mut self, conversation: Conversation, players: &[usize]) {
        let thread = self.threads.len();
        for member in players {
            let threads = &mut self.people[*member].threads;
            if !threads.contains(&thread) {
                threads.push(thread);
            }
        }
        self.threads.push(conversation);
    }
}

/// The tokens of everyone who logs in.
fn tokens(path: &Path) -> Result<HashMap<PersonId, String>> {
    let file = File::open(path).with_context(|| format!("{} can not be read", path.display()))?;
    // The first line names the spaces.
    let lines = BufReader::new(file).lines().skip(1);
    let all: Result<HashMap<PersonId, String>> = lines
        .map(|line| {
            let token: Token = serde_json::from_str(&line?)?;
            Ok((token.person, token.access_token))
        })
        .collect();
    all.context("a line of the tokens is no person")
}
