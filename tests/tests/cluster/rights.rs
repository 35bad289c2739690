//! Someone leaves a school, as one gateway is told, while they are there on another.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use samtale_client::{Client, ClientOptions, Credentials, DisconnectReason, Secret, Update, Updates};
use samtale_protocol::CloseCode;
use samtale_tests::cluster::{Cluster, Gateway};
use samtale_tests::node::until;
use samtale_tests::town::PASSWORD;
use serde_json::Value;

use crate::meetings::{NOISE, REVOKED_WITHIN, leave};

/// The one who leaves.
const LEAVER: &str = "Lærke Flyttende";
/// The line of a roster without which they have left.
const LEAVER_LINE: &str = "rights-1,active,true,rights,teacher,lærke.flyttende,Lærke,Flyttende\n";
/// The others, and what else a roster has.
const ROSTER: [(&str, &str); 4] = [
    (
        "orgs.csv",
        "sourcedId,status,name,type\nrights,active,Flytteskolen,school\n",
    ),
    (
        "users.csv",
        "sourcedId,status,enabledUser,orgSourcedIds,role,username,givenName,familyName\n\
         rights-2,active,true,rights,teacher,bo.blivende,Bo,Blivende\n\
         rights-3,active,true,rights,student,ida.blivende,Ida,Blivende\n",
    ),
    (
        "classes.csv",
        "sourcedId,status,title,classType,schoolSourcedId\nrights-a,active,2.B,homeroom,rights\n",
    ),
    (
        "enrollments.csv",
        "sourcedId,status,classSourcedId,schoolSourcedId,userSourcedId,role\n\
         rights-b,active,rights-a,rights,rights-2,teacher\nrights-c,active,rights-a,rights,rights-3,student\n",
    ),
];

/// A teacher is on the last gateway when the first one reads a roster without them. Their socket there is closed, and when
/// they are back they are nobody at that school.
pub async fn leave_by_roster(cluster: &Cluster, is_redis_away: bool) -> Result<()> {
    let last = cluster.addresses.last().context("no gateway")?;
    let folder = tempfile::tempdir()?;
    let username = {
        let gateway = cluster.gateways[0].lock().await;
        import(&gateway, folder.path(), LEAVER_LINE).await?;
        let username = username_of(&gateway, LEAVER).await?;
        gateway.run(&["people", "set-password", &username], PASSWORD).await?;
        username
    };
    // Whoever came within a second or so of a change comes back in any case, and a password is one.
    // tidy: waits because a socket that began just now might be closed for what happened before it
    tokio::time::sleep(Duration::from_secs(3)).await;
    let password = Secret::new(PASSWORD);
    let credentials = Credentials::Password { username, password };
    let (client, mut hears) = Client::connect(ClientOptions::new(&format!("http://{last}"), credentials)?);
    ensure!(
        profiles(&mut hears).await? == 1,
        "they do not belong to the one school of the roster"
    );
    let services = cluster.services.as_ref().context("no services")?;
    if is_redis_away {
        services.redis.lock().await.kill()?;
    }
    let outcome = is_closed_when_they_leave(cluster, folder.path(), &mut hears).await;
    if is_redis_away {
        services.redis.lock().await.return_to_work().await?;
    }
    outcome?;
    leave(client, &mut hears).await
}

async fn is_closed_when_they_leave(cluster: &Cluster, folder: &Path, hears: &mut Updates) -> Result<()> {
    let asked = Instant::now();
    let importing = async {
        let gateway = cluster.gateways[0].lock().await;
        import(&gateway, folder, "").await?;
        anyhow::Ok(asked.elapsed())
    };
    let closing = async {
        let code = until(hears, closed).await?;
        anyhow::Ok((code, asked.elapsed()))
    };
    let both = async { tokio::try_join!(importing, closing) };
    // From when it is asked for: the roster is read and applied meanwhile.
    let both = tokio::time::timeout(REVOKED_WITHIN + NOISE, both).await;
    let (imported, (code, took)) = both.context("the socket stays open")??;
    println!(
        "a socket of someone who left was closed on another gateway after {took:?}, the roster read in {imported:?}"
    );
    ensure!(code == Some(CloseCode::RightsChanged), "{code:?}");
    ensure!(profiles(hears).await? == 0, "they still belong to the school");
    Ok(())
}

/// How many profiles someone has who is welcomed now.
async fn profiles(hears: &mut Updates) -> Result<usize> {
    until(hears, |update| match update {
        Update::Connected(welcome) => Some(welcome.profiles.len()),
        _ => None,
    })
    .await
}

fn closed(update: Update) -> Option<Option<CloseCode>> {
    match update {
        Update::Disconnected {
            reason: DisconnectReason::Closed { code, .. },
            ..
        } => Some(code.and_then(CloseCode::from_number)),
        _ => None,
    }
}

/// Reads the roster with this line more of people.
async fn import(gateway: &Gateway, folder: &Path, line: &str) -> Result<()> {
    for (name, text) in ROSTER {
        let more = if name == "users.csv" { line } else { "" };
        std::fs::write(folder.join(name), format!("{text}{more}"))?;
    }
    let path = folder.to_str().context("a path in UTF-8")?;
    gateway
        .run(&["import", "oneroster", path, "--strict", "--force"], "")
        .await?;
    Ok(())
}

async fn username_of(gateway: &Gateway, name: &str) -> Result<String> {
    let listed: Value = serde_json::from_str(&gateway.run(&["people", "list", "--json"], "").await?)?;
    let mut people = listed["people"].as_array().into_iter().flatten();
    let found = people.find(|person| person["name"] == name);
    let username = found.and_then(|person| person["username"].as_str());
    Ok(username.context("nobody of that name")?.to_owned())
}
