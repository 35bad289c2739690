//! The nation as a file: a line per institution, for `samtale populate --nation`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use samtale_protocol::people::Role;

use super::{Institution, Member, Nation};

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Institutions.
    pub institutions: usize,
    /// People, each once.
    pub people: usize,
    /// Of them children.
    pub children: usize,
    /// Of them staff.
    pub staff: usize,
    /// Classes and rooms.
    pub groups: usize,
    /// Those who get a login, and with it a real socket.
    pub logins: usize,
    /// Institutions in which all who use the platform get one.
    pub real_institutions: usize,
}

/// Writes it. Whole institutions get logins until there are so many.
pub fn write(nation: Nation, logins: usize, path: &Path) -> Result<Written> {
    let file = File::create(path).with_context(|| format!("{} can not be written", path.display()))?;
    let mut lines = BufWriter::new(file);
    let mut written = Written::default();
    for mut institution in nation.draw() {
        written.take(&mut institution, logins);
        serde_json::to_writer(&mut lines, &institution)?;
        lines.write_all(b"\n")?;
    }
    lines.flush()?;
    Ok(written)
}

impl Written {
    /// Counts an institution, and says who of it logs in.
    pub fn take(&mut self, institution: &mut Institution, logins: usize) {
        self.institutions += 1;
        self.groups += institution.groups.len();
        self.real_institutions += usize::from(self.logins < logins);
        // Staff first: without them a part of an institution has no conversations.
        let is_staff = |member: &Member| !matches!(member.role, Role::Child | Role::Guardian);
        let (staff, others): (Vec<_>, Vec<_>) = institution.people.iter_mut().partition(|member| is_staff(member));
        for member in staff.into_iter().chain(others) {
            // Who has an account elsewhere was counted, and logged in, there.
            if member.username.is_none() {
                continue;
            }
            self.people += 1;
            match member.role {
                Role::Child => self.children += 1,
                Role::Guardian => {}
                _ => self.staff += 1,
            }
            member.logs_in = member.uses_it && self.logins < logins;
            self.logins += usize::from(member.logs_in);
        }
    }
}
