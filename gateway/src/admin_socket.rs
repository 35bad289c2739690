//! The owner-only socket in the data folder: how commands reach a server that runs there.
//!
//! The client writes one line of JSON, the command. The server answers with lines of JSON: any number of
//! `{"progress": "…"}`, then one `{"done": …}` or `{"error": …}`. Only the user who owns the server gets that far.

mod client;
mod server;

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::commands::CommandError;

pub use client::{NoServer, ask, run_command};
pub use server::AdminSocket;

/// The socket's name in the data folder.
pub const FILE_NAME: &str = "samtale.sock";
/// The longest command.
const COMMAND_BYTES: u64 = 64 * 1024;
/// The longest line of an answer: the people of a large municipality.
const ANSWER_BYTES: u64 = 256 * 1024 * 1024;
/// A socket's address has room for 107 bytes and a zero (unix(7)).
const PATH_BYTES: usize = 107;

/// A line of the answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Progress(String),
    Done(Value),
    Error(CommandError),
}

/// The socket's address. Of a folder with a long name it leads through the open folder, so that it fits.
struct Address {
    path: PathBuf,
    _folder: Option<File>,
}

impl Address {
    fn in_folder(data: &Path) -> std::io::Result<Self> {
        let path = data.join(FILE_NAME);
        if path.as_os_str().len() <= PATH_BYTES {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(data)?;
        let path = Path::new("/proc/self/fd")
            .join(folder.as_raw_fd().to_string())
            .join(FILE_NAME);
        Ok(Self {
            path,
            _folder: Some(folder),
        })
    }
}

#[cfg(test)]
mod tests;
