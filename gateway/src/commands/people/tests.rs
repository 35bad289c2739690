//! A small school in memory: a class of two, a guardian, a teacher, and another school with a class of the same name.

use samtale_protocol::people::GroupKind;
use samtale_protocol::{ErrorCode, GroupId, ProfileId, SpaceId};
use samtale_storage::directory::{
    GroupMemberRecord, GroupRecord, ProfileRecord, RelationRecord, SpaceKind, SpaceRecord, group_key, group_member_key,
    profile_key, relation_key, space_key,
};

use super::*;
use crate::accounts::IfTaken;
use crate::accounts::testing::School;
use crate::commands::{CommandErrorKind, NoProgress, SecretText};

const PASSWORD: &str = "en lang adgangskode";

struct Town {
    school: School,
    commands: PeopleCommands,
}

impl Town {
    async fn new() -> Self {
        let school = School::new();
        let town = Self {
            commands: PeopleCommands::new(school.store.clone(), school.accounts.clone()),
            school,
        };
        let first = town.space(1, "Egebjergskolen").await;
        let class = town.class(first, 1, "3.A").await;
        let bo = town.profile(first, "Bo", Role::Child).await;
        let ida = town.profile(first, "Ida", Role::Child).await;
        let guardian = town.profile(first, "Rikke", Role::Guardian).await;
        let teacher = town.profile(first, "Anne", Role::Employee).await;
        town.profile(first, "Ole", Role::InstitutionAdmin).await;
        for member in [bo, ida, teacher] {
            let member = group_member_key(first, class, member);
            let record = GroupMemberRecord { from: None, to: None };
            town.school.store.put(member, &record, 1).await.unwrap();
        }
        let relation = RelationRecord {
            kind: "mor".to_owned(),
            custody: true,
            contact: true,
            pickup: true,
            from: None,
            to: None,
        };
        town.school
            .store
            .put(relation_key(first, guardian, bo), &relation, 1)
            .await
            .unwrap();
        let other = town.space(2, "Nordskolen").await;
        town.class(other, 2, "3.B").await;
        town.class(other, 3, "5.C").await;
        town
    }

    async fn space(&self, number: u8, name: &str) -> SpaceId {
        let space = SpaceId::from_bytes([number; 16]);
        let record = SpaceRecord {
            kind: SpaceKind::Institution,
            name: name.to_owned(),
            parent: None,
            roster_id: None,
            forbidden: Vec::new(),
            read_receipts: Default::default(),
        };
        self.school
            .store
            .compare_and_set(&space_key(space), None, &record)
            .await
            .unwrap();
        space
    }

    async fn class(&self, space: SpaceId, number: u8, name: &str) -> GroupId {
        let group = GroupId::from_bytes([number; 16]);
        let record = GroupRecord {
            kind: GroupKind::Class,
            name: name.to_owned(),
            roster_id: None,
            ended_at: None,
        };
        self.school
            .store
            .put(group_key(space, group), &record, 1)
            .await
            .unwrap();
        group
    }

    async fn profile(&self, space: SpaceId, name: &str, role: Role) -> ProfileId {
        let (person, _) = self
            .school
            .accounts
            .create_person(name, IfTaken::Suggest)
            .await
            .unwrap();
        let profile = ProfileId::from_bytes(*person.as_bytes());
        let record = ProfileRecord {
            person,
            role,
            given_name: name.to_owned(),
            family_name: "Holm".to_owned(),
            name_protected: false,
            roster_id: None,
            left_at: None,
        };
        self.school
            .store
            .put(profile_key(space, profile), &record, 1)
            .await
            .unwrap();
        profile
    }

    async fn run(&self, command: PeopleCommand) -> Result<Value, CommandError> {
        self.commands.run(command, &NoProgress).await
    }

    async fn codes(&self, of: Selection, username: Option<&str>, all: bool) -> Result<Vec<ListedCode>, CommandError> {
        let username = username.map(str::to_owned);
        let value = self.run(PeopleCommand::Codes { of, username, all }).await?;
        Ok(serde_json::from_value(value["codes"].clone()).unwrap())
    }
}

fn class(name: &str) -> Selection {
    Selection {
        class: Some(name.to_owned()),
        space: None,
    }
}

#[tokio::test]
async fn a_class_is_its_children_their_guardians_and_its_staff() {
    let town = Town::new().await;
    let value = town.run(PeopleCommand::List { of: class("3.A") }).await.unwrap();
    let people: Vec<ListedPerson> = serde_json::from_value(value["people"].clone()).unwrap();
    let names: Vec<_> = people
        .iter()
        .map(|person| (person.name.as_str(), person.role))
        .collect();
    let expected = [
        ("Bo Holm", Role::Child),
        ("Ida Holm", Role::Child),
        ("Rikke Holm", Role::Guardian),
        ("Anne Holm", Role::Employee),
    ];
    assert_eq!(names, expected);
    assert_eq!(people[2].children, ["Bo Holm"]);
    assert_eq!(people[2].classes, ["3.A"]);
    let value = town
        .run(PeopleCommand::List {
            of: Selection::default(),
        })
        .await
        .unwrap();
    assert_eq!(value["people"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn codes_go_to_those_without_a_password_and_work() {
    let town = Town::new().await;
    let ida = town.school.accounts.person_named("ida").await.unwrap();
    town.school
        .accounts
        .set_password(ida, crate::accounts::testing::secret(PASSWORD))
        .await
        .unwrap();
    let codes = town.codes(class("3.A"), None, false).await.unwrap();
    assert_eq!(
        codes
            .iter()
            .map(|code| code.person.username.as_str())
            .collect::<Vec<_>>(),
        ["bo", "rikke", "anne"]
    );
    town.school.activate("bo", &codes[0].code, PASSWORD).await.unwrap();
    assert_eq!(town.codes(class("3.A"), None, false).await.unwrap().len(), 2);
    assert_eq!(town.codes(class("3.A"), None, true).await.unwrap().len(), 4);
    let one = town.codes(Selection::default(), Some("Ida"), false).await.unwrap();
    town.school
        .activate("ida", &one[0].code, "et helt nyt kodeord")
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let town = Town::new().await;
    let refusal = town.run(PeopleCommand::List { of: class("9.Z") }).await.unwrap_err();
    assert_eq!((refusal.kind, refusal.exit_code()), (CommandErrorKind::Refused, 2));
    assert!(refusal.message.contains("9.Z"));
    let of = Selection {
        class: None,
        space: Some("Sydskolen".to_owned()),
    };
    assert!(
        town.run(PeopleCommand::List { of })
            .await
            .unwrap_err()
            .message
            .contains("Sydskolen")
    );
    let refusal = town
        .run(PeopleCommand::Disable {
            username: "nobody".to_owned(),
        })
        .await
        .unwrap_err();
    assert_eq!(refusal.kind, CommandErrorKind::Refused);
}

#[tokio::test]
async fn a_class_name_in_two_schools_asks_which() {
    let town = Town::new().await;
    town.class(SpaceId::from_bytes([2; 16]), 4, "3.A").await;
    let refusal = town.run(PeopleCommand::List { of: class("3.A") }).await.unwrap_err();
    assert!(
        refusal.message.contains("Egebjergskolen, Nordskolen"),
        "{}",
        refusal.message
    );
    let of = Selection {
        class: Some("3.A".to_owned()),
        space: Some("egebjergskolen".to_owned()),
    };
    assert_eq!(town.codes(of, None, false).await.unwrap().len(), 4);
}

#[tokio::test]
async fn passwords_are_set_and_accounts_closed_and_opened() {
    let town = Town::new().await;
    let set = |password: &str| PeopleCommand::SetPassword {
        username: "Anne".to_owned(),
        password: SecretText(password.to_owned()),
    };
    assert!(
        town.run(set("kort"))
            .await
            .unwrap_err()
            .message
            .contains("fewer than 10")
    );
    town.run(set(PASSWORD)).await.unwrap();
    assert!(!format!("{:?}", set(PASSWORD)).contains(PASSWORD));
    town.school.login("anne", PASSWORD).await.unwrap();
    town.run(PeopleCommand::Disable {
        username: "anne".to_owned(),
    })
    .await
    .unwrap();
    assert_eq!(
        town.school.login("anne", PASSWORD).await.unwrap_err().code,
        ErrorCode::Disabled
    );
    assert!(
        town.codes(class("3.A"), None, true)
            .await
            .unwrap()
            .iter()
            .all(|code| code.person.username != "anne")
    );
    town.run(PeopleCommand::Enable {
        username: "anne".to_owned(),
    })
    .await
    .unwrap();
    town.school.login("anne", PASSWORD).await.unwrap();
}
