//! Who may start a thread with whom: every pair of roles, over the socket, under the municipality's table, under one that
//! the municipality narrows on a running server, and under an institution that narrows it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use samtale_client::{Client, RequestError};
use samtale_gateway::server::Office;
use samtale_protocol::messages::Part;
use samtale_protocol::people::{Explain, Role, Rule};
use samtale_protocol::threads::{Recipient, StartThread};
use samtale_protocol::{ClientId, ErrorCode, Reply, Request, SpaceId};
use samtale_storage::directory::{ForbiddenPair, SpaceRecord, space_key};
use samtale_tests::node::Node;
use samtale_tests::town::{Inhabitant, Town};

const ROLES: [Role; 4] = [Role::Child, Role::Guardian, Role::Employee, Role::InstitutionAdmin];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_pair_of_the_table_holds_over_the_socket() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(folder.path()).await?;
    let town = Town::found(&node.office, 2).await?;
    let mut clients: BTreeMap<Role, Client> = BTreeMap::new();
    let mut updates = Vec::new();
    for role in ROLES {
        let (client, hears) = node.client(one_of(&town, role)).await?;
        clients.insert(role, client);
        updates.push(hears);
    }

    // The table a school begins with: children do not start threads with children or guardians, nor guardians with
    // children; everything else is allowed.
    let closed = [
        (Role::Child, Role::Child),
        (Role::Child, Role::Guardian),
        (Role::Guardian, Role::Child),
    ];
    for from in ROLES {
        for to in ROLES {
            let expected = !closed.contains(&(from, to));
            let allowed = try_to_start(&clients[&from], &town, other_of(&town, to)).await?;
            assert_eq!(allowed, expected, "{from:?} to {to:?}");
        }
    }

    // Narrowed further, pair by pair, on a running server, by the one and by the other: each takes effect, and only for
    // its pair. An institution that forbids nothing opens nothing that the municipality forbids.
    for (level, rule) in [
        (town.municipality, Rule::MunicipalityForbids),
        (town.space, Rule::InstitutionForbids),
    ] {
        for from in ROLES {
            for to in ROLES.into_iter().filter(|to| !closed.contains(&(from, *to))) {
                let other = other_of(&town, to);
                let whose = if level == town.space {
                    Vec::new()
                } else {
                    closed.to_vec()
                };
                set_table(&node.office, &town, level, &[whose, vec![(from, to)]].concat()).await?;
                let allowed = try_to_start(&clients[&from], &town, other).await?;
                assert!(!allowed, "{from:?} to {to:?} is closed by {rule:?}");
                let explained = explain(&clients[&from], &town, other).await?;
                assert_eq!(explained, (false, rule), "{from:?} to {to:?}");
                let (child, guardian) = (&clients[&Role::Child], other_of(&town, Role::Guardian));
                assert_eq!(
                    explain(child, &town, guardian).await?,
                    (false, Rule::MunicipalityForbids)
                );
            }
        }
        set_table(
            &node.office,
            &town,
            level,
            if level == town.space { &[] } else { &closed },
        )
        .await?;
    }
    drop(clients);
    node.stop().await
}

fn one_of(town: &Town, role: Role) -> &Inhabitant {
    match role {
        Role::Child => town.child(0),
        Role::Guardian => town.guardian(0),
        Role::Employee => town.teacher(),
        Role::InstitutionAdmin | Role::MunicipalityAdmin => town.admin(),
    }
}

/// Someone else of the role.
fn other_of(town: &Town, role: Role) -> &Inhabitant {
    match role {
        Role::Child => town.child(1),
        Role::Guardian => town.guardian(1),
        Role::Employee => town.pedagogue(),
        Role::InstitutionAdmin | Role::MunicipalityAdmin => town.deputy(),
    }
}

async fn try_to_start(client: &Client, town: &Town, to: &Inhabitant) -> Result<bool> {
    let start = StartThread {
        as_profile: None,
        space: town.space,
        client_id: ClientId::from_bytes(rand::random()),
        sent_at: samtale_protocol::time::Clock::now(&samtale_gateway::server::SystemClock),
        to: vec![Recipient::Profile { profile: to.profile }],
        subject: "Må jeg?".to_owned(),
        regarding: Vec::new(),
        parts: vec![Part::text("Hej")],
    };
    match client.request(Request::StartThread(start)).await {
        Ok(Reply::Sent(_)) => Ok(true),
        Ok(reply) => bail!("not an answer to a start: {reply:?}"),
        Err(RequestError::Refused(refusal)) if refusal.code == ErrorCode::NotPermitted => Ok(false),
        Err(error) => Err(error).context("neither allowed nor refused by the table"),
    }
}

async fn explain(client: &Client, town: &Town, to: &Inhabitant) -> Result<(bool, Rule)> {
    let to = Recipient::Profile { profile: to.profile };
    match client
        .request(Request::Explain(Explain {
            as_profile: None,
            space: town.space,
            to,
        }))
        .await?
    {
        Reply::Explanation(explanation) => Ok((explanation.allowed, explanation.rule)),
        reply => bail!("not an explanation: {reply:?}"),
    }
}

/// Sets the table of the municipality or of the school, as an operator does, and has the running server notice.
async fn set_table(office: &Office, town: &Town, level: SpaceId, forbidden: &[(Role, Role)]) -> Result<()> {
    let store = &office.opened.store;
    let stored = store
        .get::<SpaceRecord>(&space_key(level))
        .await?
        .context("its record")?;
    let forbidden = forbidden
        .iter()
        .map(|(from, to)| ForbiddenPair { from: *from, to: *to });
    let record = SpaceRecord {
        forbidden: forbidden.collect(),
        ..stored.record
    };
    store
        .compare_and_set(&space_key(level), Some(stored.timestamp), &record)
        .await?;
    office.school.tell_directory(town.space).await?;
    Ok(())
}
