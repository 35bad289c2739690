//! What a typed line means. Commands are understood in Danish and in English, whatever the language of the program.

/// A line that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Nothing.
    Empty,
    /// A message to the open thread.
    Text(String),
    /// `/threads`
    Threads,
    /// `/open N`
    Open(String),
    /// `/new Navn, Navn | Emne | tekst`
    New {
        /// To whom.
        to: Vec<String>,
        /// What it is about.
        subject: String,
        /// The first message.
        text: String,
    },
    /// `/new` with something missing.
    BadNew,
    /// `/people [search]`
    People(Option<String>),
    /// `/members`
    Members,
    /// `/history`
    History,
    /// `/help`
    Help,
    /// `/quit`
    Quit,
    /// A command that does not exist.
    Unknown(String),
}

impl Line {
    /// Reads a line.
    pub fn parse(line: &str) -> Self {
        let line = line.trim();
        if line.is_empty() {
            return Self::Empty;
        }
        // Two slashes begin a text with a slash.
        let Some(command) = line.strip_prefix('/').filter(|rest| !rest.starts_with('/')) else {
            return Self::Text(line.strip_prefix('/').unwrap_or(line).to_owned());
        };
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        match word.to_lowercase().as_str() {
            "threads" | "tråde" | "samtaler" => Self::Threads,
            "open" | "åbn" => Self::Open(rest.to_owned()),
            "new" | "ny" => Self::parse_new(rest),
            "people" | "personer" => Self::People((!rest.is_empty()).then(|| rest.to_owned())),
            "members" | "medlemmer" => Self::Members,
            "history" | "historik" => Self::History,
            "help" | "hjælp" | "?" => Self::Help,
            "quit" | "slut" | "exit" => Self::Quit,
            _ => Self::Unknown(word.to_owned()),
        }
    }

    fn parse_new(rest: &str) -> Self {
        let mut fields = rest.splitn(3, '|').map(str::trim);
        let (Some(names), Some(subject), Some(text)) = (fields.next(), fields.next(), fields.next()) else {
            return Self::BadNew;
        };
        let to: Vec<String> = names
            .split(',')
            .map(str::trim)
            .filter(|n| !n.is_empty())
            .map(str::to_owned)
            .collect();
        if to.is_empty() || subject.is_empty() || text.is_empty() {
            return Self::BadNew;
        }
        Self::New {
            to,
            subject: subject.to_owned(),
            text: text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_both_languages() {
        assert_eq!(Line::parse("  "), Line::Empty);
        assert_eq!(Line::parse("Hej 👋 "), Line::Text("Hej 👋".to_owned()));
        assert_eq!(
            Line::parse("//open er en kommando"),
            Line::Text("/open er en kommando".to_owned())
        );
        assert_eq!(Line::parse("/Åbn 3"), Line::Open("3".to_owned()));
        assert_eq!(
            Line::parse("/people  Jens  Å"),
            Line::People(Some("Jens  Å".to_owned()))
        );
        assert_eq!(Line::parse("/slut"), Line::Quit);
        assert_eq!(Line::parse("/dans"), Line::Unknown("dans".to_owned()));
        let new = Line::New {
            to: vec!["Anders Holm".to_owned(), "3.A".to_owned()],
            subject: "Lejr".to_owned(),
            text: "Kl. 8 | eller 9".to_owned(),
        };
        assert_eq!(Line::parse("/ny Anders Holm, 3.A | Lejr | Kl. 8 | eller 9"), new);
        assert_eq!(Line::parse("/new Anders Holm | Lejr"), Line::BadNew);
    }
}
