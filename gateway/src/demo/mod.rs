//! The demo: a made-up school in a data folder of its own, with three people to log in as and conversations to find.
//!
//! Everything goes the way that it goes in a real school: the school is written as OneRoster files and imported, the
//! people who write are checked by the rules. Only the clock of those who write is another one, so that what they wrote
//! last week is from last week.

mod conversations;
mod kept;
mod passwords;

use jiff::tz::TimeZone;
use samtale_protocol::SpaceId;
use samtale_school::demo::{self, Demo, Login};
use samtale_school::import::ImportOptions;
use samtale_school::roster;
use samtale_storage::Range;
use samtale_storage::directory::SpaceRecord;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::commands::{CommandError, Progress, import};
use crate::config::Config;
use crate::server::Office;
use kept::Kept;

/// Someone to log in as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DemoLogin {
    /// What they are: `teacher`, `guardian` or `child`.
    pub role: &'static str,
    /// What they are called.
    pub name: String,
    /// What they log in as.
    pub username: String,
    /// And with what.
    pub password: String,
}

/// Makes the demo school in an empty data folder, or goes on with the one that is there. Cut off, it goes on the next
/// time where it stopped.
pub async fn prepare(
    office: &Office,
    config: &Config,
    seed: Option<u64>,
    progress: &dyn Progress,
) -> Result<Vec<DemoLogin>, CommandError> {
    let mut kept = match Kept::read(&config.data)? {
        Some(kept) if seed.is_some_and(|seed| seed != kept.seed) => {
            let (data, seed) = (config.data.display(), kept.seed);
            return Err(CommandError::refused(format!(
                "the school in {data} was made from seed {seed}"
            )));
        }
        Some(kept) => kept,
        None => begin(office, config, seed).await?,
    };
    let (school, day) = (kept.seed, kept.day()?);
    let demo = tokio::task::spawn_blocking(move || demo::generate(school, day)).await;
    let demo = demo.map_err(|error| CommandError::failed(format!("the demo school could not be made: {error}")))?;
    if !kept.is_ready {
        fill(office, &demo, &kept, progress).await?;
        kept.is_ready = true;
        kept.write(&config.data)?;
    }
    Ok(logins(&demo, &kept))
}

/// The beginning of a demo: only in a folder that holds no other school.
async fn begin(office: &Office, config: &Config, seed: Option<u64>) -> Result<Kept, CommandError> {
    let spaces = office
        .opened
        .store
        .scan::<SpaceRecord>(&[SpaceId::SYSTEM.into()], &Range::all(1))
        .await;
    let spaces = spaces.map_err(|error| CommandError::failed(error.to_string()))?;
    if !spaces.records.is_empty() {
        let data = config.data.display();
        return Err(CommandError::refused(format!(
            "{data} holds a school that is no demo; choose another folder with --data"
        )));
    }
    let kept = Kept::new(seed.unwrap_or(kept::SEED), office.clock.now())?;
    kept.write(&config.data)?;
    Ok(kept)
}

async fn fill(office: &Office, demo: &Demo, kept: &Kept, progress: &dyn Progress) -> Result<(), CommandError> {
    progress.report("making a school");
    let reading = roster::read(&demo::files(demo));
    let report = import::apply(office, &reading, ImportOptions::default(), progress).await?;
    if let Some(reason) = report.refused {
        return Err(CommandError::failed(reason));
    }
    progress.report("giving three people a password");
    for login in logins(demo, kept) {
        let person = office.accounts.person_named(&login.username).await?;
        let password = Zeroizing::new(login.password);
        office.accounts.set_password(person, password).await?;
    }
    conversations::play(office, demo, kept.started_at, progress).await
}

fn logins(demo: &Demo, kept: &Kept) -> Vec<DemoLogin> {
    let cast = demo::cast(demo);
    let login = |role, login: Login, password: &str| DemoLogin {
        role,
        name: login.name,
        username: login.username,
        password: password.to_owned(),
    };
    vec![
        login("teacher", cast.teacher, &kept.passwords.teacher),
        login("guardian", cast.guardian, &kept.passwords.guardian),
        login("child", cast.child, &kept.passwords.child),
    ]
}

/// Where the demo school is.
fn zone() -> TimeZone {
    TimeZone::get("Europe/Copenhagen").unwrap_or(TimeZone::UTC)
}
