//! What can be asked of `samtale-chat` on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use samtale_client::Secret;
use samtale_protocol::{ClientId, Encoding, Language, MessageId, ThreadId};

const EXAMPLES: &str = "\
Examples:
  Talk, line by line:
    samtale-chat --server http://127.0.0.1:8080 --username mette

  For scripts, one JSON line per thing on standard output:
    samtale-chat --username mette --password … --json threads
    samtale-chat --username mette --password … --json start --to 'Anders Holm' 'guardians of 3.A' --subject 'Lejrskole' 'Kære alle …'
    samtale-chat --username mette --password … --json send 0192f3a4-… 'Vi ses kl. 8'
    samtale-chat --username mette --password … --json history 0192f3a4-… --limit 20
    samtale-chat --username mette --password … --json tail --seconds 60

  The first login, with the code from the sheet:
    samtale-chat --username mette --password 'the new one' activate --code K7QF-2MXP-9RTD-4WHB

Exit codes: 0 done, 1 refused or not reached, 2 misused (also an unknown or ambiguous name).";

/// Samtale in a terminal. Without a command: talk, line by line.
#[derive(Parser)]
#[command(name = "samtale-chat", version, after_help = EXAMPLES, args_override_self = true)]
pub struct Arguments {
    /// Where the server is.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SAMTALE_SERVER",
        default_value = "http://127.0.0.1:8080"
    )]
    pub server: String,
    /// Who vouches for the server's certificate, in PEM, instead of those whom the system trusts.
    #[arg(long, global = true, value_name = "FILE", env = "SAMTALE_CA")]
    pub ca: Option<PathBuf>,
    /// The user name.
    #[arg(long, global = true, value_name = "NAME", env = "SAMTALE_USERNAME")]
    pub username: Option<String>,
    /// The password. Other users of the machine can see it here; better leave it out and be asked, or use the variable.
    #[arg(long, global = true, env = "SAMTALE_PASSWORD", hide_env_values = true, value_parser = secret)]
    pub password: Option<Secret>,
    /// Says errors as JSON on standard output too: {"error": {"code", "message", "detail"}}.
    #[arg(long, global = true)]
    pub json: bool,
    /// The language of the program and of the server's sentences.
    #[arg(long, global = true, value_enum, default_value_t = Tongue::Da)]
    pub language: Tongue,
    /// How frames are written on the wire.
    #[arg(long, global = true, value_enum, default_value_t = Wire::Msgpack)]
    pub encoding: Wire,
    /// The folder where messages wait to be sent [default: samtale-chat in the user's state folder].
    #[arg(long, global = true, value_name = "DIR", env = "SAMTALE_STATE")]
    pub state: Option<PathBuf>,
    /// How long a command waits for the server, in seconds.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30)]
    pub wait: u64,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What a script can ask. Each prints JSON lines, with the field names of the protocol.
#[derive(Clone, Subcommand)]
pub enum Command {
    /// Lists one's threads, latest activity first, with unread counts.
    Threads {
        /// At most this many.
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
    },
    /// Starts a thread with its first message.
    Start {
        /// To whom: a person's name, a group's name, "guardians of 3.A" or "forældre i 3.A", or an id.
        #[arg(long, required = true, num_args = 1.., value_name = "NAME")]
        to: Vec<String>,
        /// What it is about.
        #[arg(long)]
        subject: String,
        /// The message.
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Sends a message to a thread.
    Send {
        /// The thread's id.
        thread: ThreadId,
        /// The message.
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// A UUID that names this send: repeated with the same one, it is still one message.
        #[arg(long, value_name = "CLIENT_ID")]
        id: Option<ClientId>,
    },
    /// Shows the newest messages of a thread, oldest first.
    History {
        /// The thread's id.
        thread: ThreadId,
        /// At most this many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Shows events as they arrive, one line each.
    Tail {
        /// For this long after the connection is live; otherwise until interrupted.
        #[arg(long, value_name = "N")]
        seconds: Option<u64>,
        /// Shows also what passes: typing and presence.
        #[arg(long)]
        signals: bool,
    },
    /// Lists the people one may see.
    People {
        /// Only names that contain this.
        search: Option<String>,
    },
    /// Lists the groups one may see.
    Groups,
    /// Lists the members of a thread.
    Members {
        /// The thread's id.
        thread: ThreadId,
    },
    /// Says that messages are read.
    MarkRead {
        /// The thread's id.
        thread: ThreadId,
        /// The messages, the newest last.
        #[arg(required = true)]
        messages: Vec<MessageId>,
    },
    /// Replaces the text of one's own message.
    Edit {
        /// The thread's id.
        thread: ThreadId,
        /// The message's id.
        message: MessageId,
        /// What it says now.
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Takes one's own message back.
    Recall {
        /// The thread's id.
        thread: ThreadId,
        /// The message's id.
        message: MessageId,
    },
    /// Leaves a thread.
    Leave {
        /// The thread's id.
        thread: ThreadId,
    },
    /// Gives a thread another subject.
    Rename {
        /// The thread's id.
        thread: ThreadId,
        /// What it is about.
        subject: String,
    },
    /// Logs in for the first time: sets the password to the given one.
    Activate {
        /// The activation code from the sheet.
        #[arg(long)]
        code: String,
    },
}

/// A language of the program.
#[derive(Clone, Copy, ValueEnum)]
pub enum Tongue {
    /// Danish.
    Da,
    /// English.
    En,
}

/// An encoding of the wire.
#[derive(Clone, Copy, ValueEnum)]
pub enum Wire {
    /// MessagePack.
    Msgpack,
    /// JSON.
    Json,
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::Da => Self::Danish,
            Tongue::En => Self::English,
        }
    }
}

impl From<Wire> for Encoding {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Msgpack => Self::MessagePack,
            Wire::Json => Self::Json,
        }
    }
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(
            ["samtale-chat", "--server", "http://a:1", "--username", "u"]
                .iter()
                .chain(line),
        )
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_script_forms_are_read() {
        let thread = "01890000-0000-7000-8000-000000000000";
        let start = [
            "--json",
            "start",
            "--to",
            "Anders Holm",
            "3.A",
            "--subject",
            "Lejr",
            "Kære alle",
        ];
        let Some(Command::Start { to, subject, text }) = parse(&start).unwrap().command else {
            panic!("start")
        };
        assert_eq!((to.len(), subject.as_str(), text.as_str()), (2, "Lejr", "Kære alle"));
        let start = [
            "start",
            "--to",
            "Anders",
            "--to",
            "3.A",
            "--subject",
            "Lejr",
            "- en streg",
        ];
        let Some(Command::Start { to, text, .. }) = parse(&start).unwrap().command else {
            panic!("start")
        };
        assert_eq!((to.len(), text.as_str()), (2, "- en streg"));
        for line in [
            ["send", thread, "--id", thread, "-x"],
            ["send", thread, "-x", "--id", thread],
        ] {
            let Some(Command::Send { text, id, .. }) = parse(&line).unwrap().command else {
                panic!("send")
            };
            assert_eq!((text.as_str(), id.is_some()), ("-x", true));
        }
        assert!(parse(&["send", "no-id", "x"]).is_err());
        let tail = parse(&["tail", "--seconds", "5", "--json", "--password", "p"]).unwrap();
        assert!(
            tail.json
                && matches!(
                    tail.command,
                    Some(Command::Tail {
                        seconds: Some(5),
                        signals: false
                    })
                )
        );
    }
}
