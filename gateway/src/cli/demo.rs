//! `samtale demo`.

use std::sync::Arc;

use clap::Args;

use super::configuration::Settings;
use super::{DONE, Stop, terminal};
use crate::commands::CommandError;
use crate::config::Config;
use crate::demo::{self, DemoLogin};
use crate::running;

/// Run a server with a made-up school, and say who can log in.
///
/// The school is made on the first run; the same data folder continues.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale demo --data data
  samtale demo --data data --listen 127.0.0.1:0 --json")]
pub(super) struct Demo {
    #[command(flatten)]
    settings: Settings,
    /// The address and port for HTTP and sockets; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// When ready, print one line of JSON: {\"url\", \"logins\": [{\"role\", \"name\", \"username\", \"password\"}]}.
    #[arg(long)]
    json: bool,
    /// Make another school: the same number always makes the same one.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

impl Demo {
    pub(super) fn settings(&self) -> Settings {
        Settings {
            listen: self.listen.clone(),
            ..self.settings.clone()
        }
    }

    pub(super) async fn run(self, config: Arc<Config>, stop: Stop) -> Result<u8, CommandError> {
        let server = running::open(&config).await?;
        let progress = terminal::ProgressLines::default();
        let preparing = demo::prepare(&server.office, &config, self.seed, &progress);
        let prepared = tokio::select! {
            prepared = preparing => Some(prepared),
            () = stop.gracefully.cancelled() => None,
        };
        drop(progress);
        let logins = match prepared {
            Some(Ok(logins)) => logins,
            Some(Err(error)) => {
                server.close().await;
                return Err(error);
            }
            // Cut off while the school was made: the next start goes on.
            None => {
                server.close().await;
                return Ok(DONE);
            }
        };
        running::serve(server, &config, stop.gracefully, async |address, _| {
            let url = format!("http://{address}");
            let has_page = running::web_app(&config).is_some();
            if self.json {
                terminal::print_json(&serde_json::json!({ "url": url, "logins": logins }));
            } else {
                terminal::print(&screen(&url, &logins, has_page));
            }
            Ok(())
        })
        .await?;
        Ok(DONE)
    }
}

/// What the person who started it sees: who they can be, and how.
fn screen(url: &str, logins: &[DemoLogin], has_page: bool) -> String {
    let role = |login: &DemoLogin| match login.role {
        "teacher" => "lærer / teacher",
        "guardian" => "forælder / parent",
        _ => "barn / child",
    };
    let wide = |of: fn(&DemoLogin) -> &str| logins.iter().map(|login| of(login).chars().count()).max().unwrap_or(0);
    let (name, username) = (wide(|login| &login.name), wide(|login| &login.username));
    let people: Vec<String> = logins
        .iter()
        .map(|login| {
            let (called, named) = (&login.name, &login.username);
            format!(
                "    {:<18} {called:<name$}   {named:<username$}   {}",
                role(login),
                login.password
            )
        })
        .collect();
    let commands: Vec<String> = logins
        .iter()
        .take(2)
        .map(|login| format!("    samtale-chat --server {url} --username {}", login.username))
        .collect();
    let page = if has_page {
        format!(
            "  Åbn siden, i to vinduer eller på en telefon, og skriv sammen:
  Open the page, in two windows or on a phone, and talk:

    {url}

  Eller i to terminaler:
  Or in two terminals:
"
        )
    } else {
        "  Åbn to terminaler, og skriv sammen:
  Open two terminals, and talk:
"
        .to_owned()
    };
    format!(
        "
  Samtale kører / is running:  {url}

  Skolen er opdigtet. Log ind som en af de tre:
  The school is made up. Log in as one of the three:

{}

{page}
{}

  Ctrl-C stopper. Samme mappe fortsætter, hvor du slap.
  Ctrl-C stops. The same folder goes on where you left off.
",
        people.join("\n"),
        commands.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_screen_says_where_who_and_how() {
        let login = |role, username: &str| DemoLogin {
            role,
            name: format!("Navn {username}"),
            username: username.to_owned(),
            password: format!("kage-{role}"),
        };
        let logins = [
            login("teacher", "anne.holm"),
            login("guardian", "mette"),
            login("child", "freja"),
        ];
        let without = screen("http://127.0.0.1:8080", &logins, false);
        assert!(without.contains("Open two terminals, and talk") && !without.contains("Open the page"));
        let screen = screen("http://127.0.0.1:8080", &logins, true);
        for said in [
            "http://127.0.0.1:8080\n",
            "Open the page, in two windows or on a phone, and talk",
            "lærer / teacher    Navn anne.holm   anne.holm   kage-teacher",
            "barn / child       Navn freja       freja       kage-child",
            "samtale-chat --server http://127.0.0.1:8080 --username mette\n",
        ] {
            assert!(screen.contains(said), "{said} is not in {screen}");
        }
    }
}
