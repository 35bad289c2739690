//! Where the client is in its spaces, kept over restarts of the process.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use samtale_protocol::{ByteString, limits};

/// Keeps the newest cursor. It is given a cursor only after the application has taken every update before it, so a
/// process that dies is sent again what its application may not have seen; nothing is skipped.
pub trait CursorStore: Send + 'static {
    /// The cursor of an earlier run.
    fn load(&mut self) -> Option<ByteString>;

    /// Keeps a cursor instead of the one before. What goes wrong costs a repeated event and no more, so it is the
    /// store's own affair.
    fn keep(&mut self, cursor: &ByteString);
}

/// A cursor in a file, replaced as a whole. Without a sync: an older cursor after a power cut only repeats events.
#[derive(Clone, Debug)]
pub struct FileCursor {
    path: PathBuf,
}

impl FileCursor {
    /// A cursor kept at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn replace(&self, cursor: &ByteString) -> io::Result<()> {
        let mut beside = self.path.clone();
        beside.as_mut_os_string().push(".new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(&cursor.0)?;
        fs::rename(beside, &self.path)
    }
}

impl CursorStore for FileCursor {
    fn load(&mut self) -> Option<ByteString> {
        let bytes = fs::read(&self.path).ok()?;
        (1..=limits::CURSOR_BYTES)
            .contains(&bytes.len())
            .then_some(ByteString(bytes))
    }

    fn keep(&mut self, cursor: &ByteString) {
        if let Err(error) = self.replace(cursor) {
            tracing::warn!(path = %self.path.display(), %error, "the cursor could not be kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cursor");
        assert_eq!(FileCursor::at(&path).load(), None);
        FileCursor::at(&path).keep(&ByteString(vec![1]));
        FileCursor::at(&path).keep(&ByteString(vec![2, 3]));
        assert_eq!(FileCursor::at(&path).load(), Some(ByteString(vec![2, 3])));
    }
}
