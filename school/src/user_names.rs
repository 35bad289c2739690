//! User names made from names: `anne.holm`, in letters that every keyboard has.

/// A user name of the first of the given names and the last of the family names. Empty parts are left out.
pub(crate) fn user_name_of(given_name: &str, family_name: &str) -> String {
    let first = plain(given_name.split_whitespace().next().unwrap_or_default());
    let last = plain(family_name.split_whitespace().last().unwrap_or_default());
    match (first.is_empty(), last.is_empty()) {
        (false, false) => format!("{first}.{last}"),
        _ => format!("{first}{last}"),
    }
}

/// A name in plain lower-case letters.
fn plain(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).map(plain_letter).collect()
}

fn plain_letter(letter: char) -> &'static str {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
    if let Some(position) = LETTERS.find(letter) {
        return &LETTERS[position..=position];
    }
    match letter {
        'æ' | 'ä' => "ae",
        'ø' | 'ö' => "oe",
        'å' => "aa",
        'á' | 'à' | 'â' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'đ' => "d",
        'é' | 'è' | 'ê' | 'ë' | 'ę' => "e",
        'ğ' => "g",
        'ı' | 'í' | 'î' => "i",
        'ł' => "l",
        'ñ' | 'ń' => "n",
        'ó' | 'ô' => "o",
        'ş' | 'ś' | 'š' => "s",
        'ü' | 'ú' => "u",
        'ý' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}
