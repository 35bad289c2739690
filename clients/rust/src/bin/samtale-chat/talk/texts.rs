//! The words of the interface, in Danish and in English.

use samtale_protocol::Language;

/// The words of one language. Where something is put in, it is at `{}`.
pub struct Texts {
    /// Before the first connection.
    pub connecting: &'static str,
    /// After it; the name.
    pub welcome: &'static str,
    /// After a later one.
    pub connected_again: &'static str,
    /// The connection is away; the seconds.
    pub disconnected: &'static str,
    /// Why: the server closed, it can not be reached, the login failed, or nothing is heard.
    pub trouble: [&'static str; 4],
    /// An empty inbox.
    pub no_threads: &'static str,
    /// Beside unread counts.
    pub unread: &'static str,
    /// A thread opens; the subject.
    pub opened: &'static str,
    /// Who is in it.
    pub members: &'static str,
    /// A text without an open thread.
    pub nothing_open: &'static str,
    /// No thread has this number.
    pub no_such_number: &'static str,
    /// How `/new` is written.
    pub new_usage: &'static str,
    /// No such command.
    pub unknown_command: &'static str,
    /// A message elsewhere; number, subject and author.
    pub elsewhere: &'static str,
    /// Someone writes.
    pub typing: &'static str,
    /// Someone came.
    pub joined: &'static str,
    /// Someone left.
    pub left: &'static str,
    /// The thread has another subject.
    pub renamed: &'static str,
    /// The text was taken back.
    pub recalled: &'static str,
    /// The text was changed.
    pub edited: &'static str,
    /// A message waits for the connection.
    pub queued: &'static str,
    /// A message was refused; the text and the reason.
    pub refused: &'static str,
    /// Oneself.
    pub me: &'static str,
    /// Someone whose name is not known.
    pub someone: &'static str,
    /// A part of a newer kind.
    pub unknown_part: &'static str,
    /// The beginning of the thread.
    pub no_more_history: &'static str,
    /// What is not shown; the count.
    pub withheld: &'static str,
    /// Nobody was found.
    pub nobody: &'static str,
    /// What can be typed.
    pub help: &'static str,
    /// The roles, in the order of the protocol.
    pub roles: [&'static str; 5],
}

impl Texts {
    /// The words of a language.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::Danish => &DANISH,
            Language::English => &ENGLISH,
        }
    }
}

/// Puts values into a text, one for each `{}`.
pub fn fill(text: &str, values: &[&str]) -> String {
    let mut filled = String::new();
    let mut values = values.iter();
    let mut parts = text.split("{}");
    filled.push_str(parts.next().unwrap_or_default());
    for part in parts {
        filled.push_str(values.next().copied().unwrap_or_default());
        filled.push_str(part);
    }
    filled
}

const DANISH: Texts = Texts {
    connecting: "Forbinder …",
    welcome: "Velkommen, {}. /hjælp viser, hvad du kan skrive.",
    connected_again: "· Forbundet igen.",
    disconnected: "· Forbindelsen er væk. Prøver igen om {} s ({}).",
    trouble: [
        "serveren lukkede den",
        "serveren kan ikke nås",
        "login lykkedes ikke",
        "serveren svarer ikke",
    ],
    no_threads: "Du har ingen samtaler endnu. Start en med /ny Navn | Emne | tekst",
    unread: "{} ulæste",
    opened: "── {} ──",
    members: "Med i samtalen: {}",
    nothing_open: "Åbn først en samtale med /åbn og dens nummer.",
    no_such_number: "Der er ingen samtale nummer {}. /samtaler viser dem.",
    new_usage: "Skriv: /ny Navn, Navn | Emne | tekst",
    unknown_command: "Kommandoen /{} findes ikke. /hjælp viser dem, der gør.",
    elsewhere: "* Ny besked i {} «{}» fra {}: {}",
    typing: "· {} skriver …",
    joined: "· {} er kommet med i samtalen.",
    left: "· {} har forladt samtalen.",
    renamed: "· Samtalen hedder nu «{}».",
    recalled: "(trukket tilbage)",
    edited: "(rettet)",
    queued: "· I kø; sendes, når forbindelsen er tilbage.",
    refused: "! «{}» blev ikke sendt: {}",
    me: "Dig",
    someone: "Ukendt",
    unknown_part: "[noget, der kræver en nyere version]",
    no_more_history: "· Her begynder samtalen.",
    withheld: "· {} vises ikke.",
    nobody: "Ingen fundet.",
    help: "\
/samtaler                          dine samtaler, den nyeste først
/åbn N                             åbn samtale nummer N
/ny Navn, Navn | Emne | tekst      start en samtale; et navn kan også være en gruppe
                                   eller «forældre i 3.A»
/personer [søg]                    hvem du kan skrive til
/medlemmer                         hvem der er med i den åbne samtale
/historik                          ældre beskeder i den åbne samtale
/hjælp   /slut
Alt andet sendes til den åbne samtale. En tekst med skråstreg forrest begynder med to.",
    roles: ["barn", "forælder", "ansat", "administrator", "kommunal administrator"],
};

const ENGLISH: Texts = Texts {
    connecting: "Connecting …",
    welcome: "Welcome, {}. /help shows what you can type.",
    connected_again: "· Connected again.",
    disconnected: "· The connection is away. Trying again in {} s ({}).",
    trouble: [
        "the server closed it",
        "the server can not be reached",
        "the login failed",
        "the server does not answer",
    ],
    no_threads: "You have no conversations yet. Start one with /new Name | Subject | text",
    unread: "{} unread",
    opened: "── {} ──",
    members: "In the conversation: {}",
    nothing_open: "First open a conversation with /open and its number.",
    no_such_number: "There is no conversation number {}. /threads shows them.",
    new_usage: "Type: /new Name, Name | Subject | text",
    unknown_command: "There is no command /{}. /help shows those there are.",
    elsewhere: "* New message in {} «{}» from {}: {}",
    typing: "· {} is writing …",
    joined: "· {} joined the conversation.",
    left: "· {} left the conversation.",
    renamed: "· The conversation is now called «{}».",
    recalled: "(taken back)",
    edited: "(edited)",
    queued: "· Queued; it is sent when the connection is back.",
    refused: "! «{}» was not sent: {}",
    me: "You",
    someone: "Unknown",
    unknown_part: "[something that needs a newer version]",
    no_more_history: "· The conversation begins here.",
    withheld: "· {} not shown.",
    nobody: "Nobody found.",
    help: "\
/threads                           your conversations, the newest first
/open N                            open conversation number N
/new Name, Name | Subject | text   start a conversation; a name can be a group too,
                                   or \"guardians of 3.A\"
/people [search]                   whom you can write to
/members                           who is in the open conversation
/history                           older messages of the open conversation
/help   /quit
Anything else is sent to the open conversation. A text with a slash in front begins with two.",
    roles: ["child", "guardian", "staff", "administrator", "municipal administrator"],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_once_and_as_they_are() {
        assert_eq!(fill("a {} b {}", &["{}", "2"]), "a {} b 2");
        assert_eq!(fill(DANISH.typing, &["Mette"]), "· Mette skriver …");
    }
}
