//! What `samtale people` prints for people: lists, and sheets with one slip per activation code.

use clap::ValueEnum;
use jiff::tz::TimeZone;
use samtale_protocol::Timestamp;
use samtale_protocol::people::Role;

use crate::commands::people::{ListedCode, ListedPerson};

/// The language of a sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SheetLanguage {
    /// Danish.
    #[default]
    Da,
    /// English.
    En,
}

/// The words of a sheet.
struct Words {
    about: &'static str,
    username: &'static str,
    code: &'static str,
    until: &'static str,
    guardian_of: &'static str,
    staff: &'static str,
    nobody: &'static str,
}

const DANISH: Words = Words {
    about: "Log ind første gang med brugernavn og aktiveringskode, og vælg selv en adgangskode. Koden virker én gang.",
    username: "Brugernavn",
    code: "Aktiveringskode",
    until: "Gælder til",
    guardian_of: "forælder til",
    staff: "Personale",
    nobody: "Alle har allerede en adgangskode.",
};
const ENGLISH: Words = Words {
    about: "Log in the first time with user name and activation code, and choose a password. The code works once.",
    username: "User name",
    code: "Activation code",
    until: "Works until",
    guardian_of: "guardian of",
    staff: "Staff",
    nobody: "Everyone has a password already.",
};

impl SheetLanguage {
    const fn words(self) -> &'static Words {
        match self {
            Self::Da => &DANISH,
            Self::En => &ENGLISH,
        }
    }
}

/// A list of people as a table.
pub(super) fn people(people: &[ListedPerson]) -> String {
    let rows = people.iter().map(|person| {
        let state = match (person.disabled, person.activated) {
            (true, _) => "disabled",
            (false, true) => "active",
            (false, false) => "no password",
        };
        [
            &person.username,
            &person.name,
            role(person.role),
            &person.classes.join(" "),
            state,
            &person.space,
        ]
        .map(str::to_owned)
    });
    let head = ["USER NAME", "NAME", "ROLE", "CLASS", "STATE", "SPACE"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Child => "child",
        Role::Guardian => "guardian",
        Role::Employee => "employee",
        Role::InstitutionAdmin => "institution admin",
        Role::MunicipalityAdmin => "municipality admin",
    }
}

/// Codes as plain text, a sheet per class.
pub(super) fn text(codes: &[ListedCode], language: SheetLanguage) -> String {
    let words = language.words();
    if codes.is_empty() {
        return words.nobody.to_owned();
    }
    let mut text = String::new();
    for (title, codes) in sheets(codes, words) {
        // A form feed begins a new page on every printer.
        let page = if text.is_empty() { "" } else { "\n\u{c}" };
        text += &format!(
            "{page}{title}\n{}\n{}\n",
            "=".repeat(title.chars().count()),
            words.about
        );
        for code in codes {
            text += &format!(
                "\n{}\n  {:16} {}\n  {:16} {}\n  {:16} {}\n",
                who(code, words),
                words.username,
                code.person.username,
                words.code,
                code.code,
                words.until,
                day(code.expires_at),
            );
        }
    }
    text
}

/// Codes as a page of HTML: a sheet per class, a slip per person to cut out.
pub(super) fn html(codes: &[ListedCode], language: SheetLanguage) -> String {
    let words = language.words();
    let tag = if language == SheetLanguage::Da { "da" } else { "en" };
    let mut page =
        format!("<!doctype html>\n<html lang=\"{tag}\">\n<meta charset=\"utf-8\">\n<title>Samtale</title>\n{STYLE}");
    if codes.is_empty() {
        page += &format!("<p>{}</p>\n", words.nobody);
    }
    for (title, codes) in sheets(codes, words) {
        page += &format!("<section>\n<h1>{}</h1>\n", escaped(&title));
        for code in codes {
            page += &format!(
                "<article><h2>{}</h2><p>{}</p><dl><dt>{}<dd>{}<dt>{}<dd class=\"code\">{}<dt>{}<dd>{}</dl></article>\n",
                escaped(&who(code, words)),
                words.about,
                words.username,
                escaped(&code.person.username),
                words.code,
                escaped(&code.code),
                words.until,
                day(code.expires_at),
            );
        }
        page += "</section>\n";
    }
    page + "</html>\n"
}

const STYLE: &str = "<style>
body { font: 11pt/1.4 sans-serif; margin: 1cm }
section { break-after: page }
article { border: 1px dashed #999; padding: .4cm; margin: 0 0 .4cm; break-inside: avoid }
h1 { font-size: 16pt } h2 { font-size: 12pt; margin: 0 }
p { margin: .1cm 0 } dl { display: grid; grid-template-columns: 4cm auto; margin: 0 } dd { margin: 0 }
.code { font: bold 13pt monospace; letter-spacing: .05em }
</style>
";

/// The codes by class; people in no class, or in several, have sheets of their own.
fn sheets<'a>(codes: &'a [ListedCode], words: &Words) -> Vec<(String, Vec<&'a ListedCode>)> {
    let mut sheets: Vec<(String, Vec<&ListedCode>)> = Vec::new();
    for code in codes {
        let ListedPerson { classes, space, .. } = &code.person;
        let of = if classes.is_empty() {
            words.staff.to_owned()
        } else {
            classes.join(", ")
        };
        let title = format!("{of} · {space}");
        match sheets.iter_mut().find(|(other, _)| *other == title) {
            Some((_, sheet)) => sheet.push(code),
            None => sheets.push((title, vec![code])),
        }
    }
    sheets
}

fn who(code: &ListedCode, words: &Words) -> String {
    let ListedPerson { name, children, .. } = &code.person;
    if children.is_empty() {
        name.clone()
    } else {
        format!("{name} ({} {})", words.guardian_of, children.join(", "))
    }
}

/// The day in Denmark's usual form that every other country reads too.
fn day(time: Timestamp) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    time.to_zoned(TimeZone::UTC).date().to_string()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use samtale_protocol::PersonId;

    use super::*;

    fn code(name: &str, role: Role, class: &str, children: &[&str]) -> ListedCode {
        let person = ListedPerson {
            person: PersonId::from_bytes([1; 16]),
            username: name.to_lowercase(),
            name: name.to_owned(),
            role,
            space: "Egebjergskolen".to_owned(),
            classes: Some(class.to_owned())
                .filter(|class| !class.is_empty())
                .into_iter()
                .collect(),
            children: children.iter().map(|child| (*child).to_owned()).collect(),
            activated: false,
            disabled: false,
        };
        ListedCode {
            person,
            code: "ABCD-EFGH-JKMN-PQRS".to_owned(),
            expires_at: Timestamp::saturating(1_800_000_000_000),
        }
    }

    #[test]
    fn a_text_sheet_per_class_with_a_slip_per_person() {
        let codes = [
            code("Bo", Role::Child, "3.A", &[]),
            code("Rikke", Role::Guardian, "3.A", &["Bo", "Åse"]),
            code("Ole", Role::Employee, "", &[]),
        ];
        let sheet = text(&codes, SheetLanguage::Da);
        assert_eq!(sheet.matches('\u{c}').count(), 1);
        for expected in [
            "3.A · Egebjergskolen\n====================\n",
            "Rikke (forælder til Bo, Åse)",
            "Personale · Egebjergskolen",
            "  Brugernavn       bo\n  Aktiveringskode  ABCD-EFGH-JKMN-PQRS\n  Gælder til       2027-01-15\n",
        ] {
            assert!(sheet.contains(expected), "{expected}\nis not in\n{sheet}");
        }
        assert!(text(&[], SheetLanguage::En).contains("Everyone has a password"));
    }

    #[test]
    fn names_can_not_break_out_of_the_html() {
        let page = html(
            &[code("<script>alert('x')</script>&", Role::Child, "3.A", &[])],
            SheetLanguage::En,
        );
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"));
        assert_eq!(page.matches("<article>").count(), 1);
    }

    #[test]
    fn a_list_has_its_columns_below_each_other() {
        let listed: Vec<_> = [
            code("Bo", Role::Child, "3.A", &[]),
            code("Søren-Ågård", Role::Guardian, "3.A", &[]),
        ]
        .map(|code| code.person)
        .into();
        let table = people(&listed);
        let lines: Vec<_> = table.lines().collect();
        let column = |line: &str| {
            line.chars()
                .collect::<Vec<_>>()
                .windows(3)
                .position(|three| three == ['3', '.', 'A'])
        };
        assert_eq!(lines.len(), 3);
        assert!(column(lines[1]).is_some());
        assert_eq!(column(lines[1]), column(lines[2]));
    }
}
