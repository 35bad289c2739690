//! The way to the database: where it is, who we are there, and how long an answer may take.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::{Consistency, SerialConsistency};
use zeroize::Zeroizing;

use super::tables::Keyspaces;
use crate::engine::{StorageError, chain};

/// How long a new connection may take.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);
/// How often is looked which nodes there are, and whether a connection still answers: a node that comes back is used again
/// after this, and not after the driver's minute.
const LOOKS: Duration = Duration::from_secs(5);
/// How long the nodes may take to agree on a change of the schema.
pub(super) const AGREEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the database is, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CqlOptions {
    /// Addresses of some of its nodes, `host:port`; the others are found through them.
    pub nodes: Vec<String>,
    /// Where the tables are.
    pub keyspaces: Keyspaces,
    /// How often each row is kept in a data centre. Counts when the keyspaces are made.
    pub replicas: u8,
    /// After how long a request is given up. A write may still be applied then.
    pub request_timeout: Duration,
    /// Who we are there, if the database asks.
    pub credentials: Option<Credentials>,
}

/// A user of the database. The password is in a file, and is read whenever a session begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The file with the password.
    pub password_file: PathBuf,
}

/// A session that reads and writes at LOCAL_QUORUM and LOCAL_SERIAL, and waits `timeout` for each answer.
pub(super) async fn connect(options: &CqlOptions, timeout: Duration) -> Result<Session, StorageError> {
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .serial_consistency(Some(SerialConsistency::LocalSerial))
        .request_timeout(Some(timeout))
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes(&options.nodes)
        .connection_timeout(CONNECTION_TIMEOUT)
        .schema_agreement_timeout(AGREEMENT_TIMEOUT)
        .cluster_metadata_refresh_interval(LOOKS)
        .keepalive_interval(LOOKS)
        .keepalive_timeout(LOOKS)
        .default_execution_profile_handle(profile.into_handle());
    if let Some(credentials) = &options.credentials {
        builder = builder.user(&credentials.username, password(&credentials.password_file)?.as_str());
    }
    builder.build().await.map_err(|error| StorageError::Unavailable {
        reason: format!(
            "the database at {} is not reached: {}",
            options.nodes.join(", "),
            chain(&error)
        ),
    })
}

fn password(path: &Path) -> Result<Zeroizing<String>, StorageError> {
    let unavailable = |what: String| StorageError::Unavailable {
        reason: format!("the file with the database's password, {}, {what}", path.display()),
    };
    let can_not = |error: std::io::Error| unavailable(format!("can not be read: {error}"));
    let mode = std::fs::metadata(path).map_err(can_not)?.permissions().mode();
    // Its group may read it, as where a container's secrets are mounted.
    if mode & 0o007 != 0 {
        return Err(unavailable("can be read by everyone (chmod o= it)".to_owned()));
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(can_not)?);
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_everyone_can_read_is_refused_and_its_last_line_end_is_no_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, " secret \n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).unwrap();
        assert!(password(&path).unwrap_err().to_string().contains("by everyone"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(password(&path).unwrap().as_str(), " secret ");
    }
}
