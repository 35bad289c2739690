//! What people read, in their language: the Fluent files of `protocol/messages/`, which clients may use as well.

use std::collections::HashMap;
use std::sync::LazyLock;

use fluent_bundle::FluentResource;
use fluent_bundle::concurrent::FluentBundle;

use crate::errors::Language;

/// The files, which are part of the program.
const FILES: [(Language, &str); 2] = [
    (Language::Danish, include_str!("../messages/da.ftl")),
    (Language::English, include_str!("../messages/en.ftl")),
];

type Texts = HashMap<String, String>;

static TEXTS: LazyLock<[Texts; 2]> = LazyLock::new(|| FILES.map(|(_, file)| read(file)));

/// The text with this key, or nothing if there is none, which a test rules out.
pub(crate) fn text(language: Language, key: &str) -> &'static str {
    let [danish, english] = &*TEXTS;
    let texts = match language {
        Language::Danish => danish,
        Language::English => english,
    };
    texts.get(key).map_or("", String::as_str)
}

/// All texts of a file that stand alone. A faulty line leaves the others be.
fn read(file: &str) -> Texts {
    let resource = FluentResource::try_new(file.to_owned()).unwrap_or_else(|(resource, _)| resource);
    let keys: Vec<String> = resource
        .entries()
        .filter_map(|entry| match entry {
            fluent_syntax::ast::Entry::Message(message) => Some(message.id.name.to_owned()),
            _ => None,
        })
        .collect();
    let mut bundle = FluentBundle::new_concurrent(Vec::new());
    // Marks around what is put in are for screens; these go to terminals and files too.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    let text = |key: &String| {
        let pattern = bundle.get_message(key)?.value()?;
        Some(bundle.format_pattern(pattern, None, &mut Vec::new()).into_owned())
    };
    keys.iter().filter_map(|key| Some((key.clone(), text(key)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    #[test]
    fn every_code_has_a_sentence_in_every_language_and_every_sentence_a_code() {
        for (language, file) in FILES {
            assert!(
                FluentResource::try_new(file.to_owned()).is_ok(),
                "{language:?} is well formed"
            );
            let mut keys: Vec<String> = read(file).into_keys().collect();
            let mut expected: Vec<String> = ErrorCode::ALL.iter().map(|code| code.text_key()).collect();
            keys.sort();
            expected.sort();
            assert_eq!(keys, expected, "{language:?}");
            for code in ErrorCode::ALL {
                assert!(code.sentence(language).ends_with('.'), "{code:?} in {language:?}");
            }
        }
        assert_ne!(
            ErrorCode::NotFound.sentence(Language::Danish),
            ErrorCode::NotFound.sentence(Language::English)
        );
    }
}
