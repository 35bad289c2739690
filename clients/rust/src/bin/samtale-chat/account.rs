//! Whose account it is, and the folder where its messages wait.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use samtale_client::{ClientOptions, Credentials, Outbox, OutboxError, Roots, Secret, ServerAddress};
use samtale_protocol::{DeviceId, Language};
use uuid::Uuid;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::password;

/// What the program calls itself to the server.
pub const CLIENT: &str = concat!("samtale-chat/", env!("CARGO_PKG_VERSION"));
/// Processes of one account that may each keep an outbox at the same time.
const OUTBOXES: usize = 16;

/// Where a command's messages wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// On the disk: the command sends.
    OnDisk,
    /// Nowhere: the command only asks.
    InMemory,
}

/// What a client starts with.
pub async fn options(arguments: &Arguments, keep: Keep) -> Result<ClientOptions, Failure> {
    let server = server(arguments)?;
    let username = username(arguments)?;
    let credentials = Credentials::Password {
        username: username.clone(),
        password: password(arguments).await?,
    };
    let mut options = ClientOptions::new(&arguments.server, credentials).map_err(|e| Failure::usage(e.to_string()))?;
    options.server = server.clone();
    options.client = CLIENT.to_owned();
    options.language = Language::from(arguments.language);
    options.encoding = arguments.encoding.into();
    if keep == Keep::OnDisk {
        match folder(arguments, &server, &username) {
            Some(folder) => {
                options.device = device(&folder);
                options.outbox = outbox(&folder)?;
            }
            None => eprintln!("samtale-chat: no folder for waiting messages; give one with --state"),
        }
    }
    Ok(options)
}

/// The server's address.
pub fn server(arguments: &Arguments) -> Result<ServerAddress, Failure> {
    let address: ServerAddress = arguments
        .server
        .parse()
        .map_err(|error: samtale_client::AddressError| Failure::usage(error.to_string()))?;
    let Some(file) = &arguments.ca else {
        return Ok(address);
    };
    let roots = Roots::of_file(file).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    Ok(address.trusting(roots))
}

/// The user name.
pub fn username(arguments: &Arguments) -> Result<String, Failure> {
    arguments
        .username
        .clone()
        .ok_or_else(|| Failure::usage("give --username, or set SAMTALE_USERNAME"))
}

/// The password: given, or asked for.
pub async fn password(arguments: &Arguments) -> Result<Secret, Failure> {
    if let Some(password) = &arguments.password {
        return Ok(password.clone());
    }
    let prompt = match Language::from(arguments.language) {
        Language::Danish => "Adgangskode: ",
        Language::English => "Password: ",
    };
    let asked = password::ask(prompt)
        .await
        .map_err(|error| Failure::other("terminal", &error))?;
    asked.ok_or_else(|| Failure::usage("give --password, or set SAMTALE_PASSWORD"))
}

/// The account's folder, made if there is none. Owner-only: messages wait there as they were written.
fn folder(arguments: &Arguments, server: &ServerAddress, username: &str) -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let from_variable = |name| std::env::var_os(name).map(PathBuf::from).and_then(absolute);
    let base = arguments
        .state
        .clone()
        .or_else(|| from_variable("XDG_STATE_HOME").map(|path| path.join("samtale-chat")))
        .or_else(|| from_variable("HOME").map(|path| path.join(".local/state/samtale-chat")))?;
    let folder = base.join(folder_name(&format!(
        "{} {}",
        server.authority(),
        username.to_lowercase()
    )));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).ok()?;
    Some(folder)
}

/// A readable name, made unambiguous and short enough by a hash (FNV-1a).
fn folder_name(account: &str) -> String {
    let readable: String = account
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(60)
        .collect();
    let hash = account.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{readable}-{hash:016x}")
}

/// The id of this installation, chosen once and kept.
fn device(folder: &Path) -> DeviceId {
    let path = folder.join("device");
    if let Some(known) = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()) {
        return known;
    }
    let device = DeviceId(Uuid::new_v4());
    if let Err(error) = fs::File::create(&path).and_then(|mut file| write!(file, "{device}")) {
        eprintln!("samtale-chat: {}: {error}", path.display());
    }
    device
}

/// The first outbox that no other process has open, with what ended processes left in the others.
fn outbox(folder: &Path) -> Result<Outbox, Failure> {
    let failed = |error: OutboxError| Failure::other("outbox", &error);
    let mut own: Option<Outbox> = None;
    for path in (0..OUTBOXES).map(|number| folder.join(format!("outbox-{number}"))) {
        if own.is_some() && !path.exists() {
            continue;
        }
        match (Outbox::open(path), &mut own) {
            (Err(OutboxError::InUse { .. }), _) => {}
            (Err(error), _) => return Err(failed(error)),
            (Ok(outbox), None) => own = Some(outbox),
            (Ok(other), Some(own)) => own.absorb(other).map_err(failed)?,
        }
    }
    own.ok_or_else(|| Failure::new("outbox", format!("{OUTBOXES} processes of this account already send")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_folders_of_their_own() {
        let names = [
            "a:1 mette",
            "a:1 m_tte",
            "a:1 mætte",
            &format!("a:1 {}", "m".repeat(300)),
        ]
        .map(folder_name);
        assert!(names.iter().all(|name| name.len() < 100 && !name.contains('/')));
        let distinct: std::collections::HashSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }

    #[test]
    fn two_processes_have_two_outboxes_and_the_device_stays() {
        let folder = tempfile::tempdir().unwrap();
        let first = outbox(folder.path()).unwrap();
        let second = outbox(folder.path()).unwrap();
        drop((first, second));
        assert_eq!(device(folder.path()), device(folder.path()));
    }
}
