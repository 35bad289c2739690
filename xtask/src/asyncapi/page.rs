//! Whether `docs/protocol.md` describes every request, reply and field as the types have it. That its examples are frames
//! and that its tables of codes and limits are true is tested in `protocol/tests/document.rs`.

use std::collections::{BTreeMap, BTreeSet};

use samtale_protocol::schema::{self, PLACE, Variant};
use serde_json::{Map, Value};

/// What is missing from the page, or said otherwise there.
pub fn check(page: &str, schemas: &Map<String, Value>) -> Vec<String> {
    let mut problems = Vec::new();
    let sections = sections(page);
    for request in schema::variants(schemas, "Request", "op") {
        let reply = request.meaning.rsplit('`').nth(1).unwrap_or_default();
        let title = format!("`{}` → `{reply}`", request.name);
        match sections.get(title.as_str()) {
            None => problems.push(format!("there is no section `#### {title}`")),
            Some(rows) => problems.extend(check_fields(&request, rows, schemas)),
        }
    }
    for reply in schema::variants(schemas, "Reply", "kind") {
        if !sections.contains_key(format!("`{}`", reply.name).as_str()) {
            problems.push(format!("there is no section `#### `{}``", reply.name));
        }
    }
    let named = named(page);
    for name in schema::field_names(schemas)
        .iter()
        .filter(|name| !named.contains(name.as_str()))
    {
        problems.push(format!("the field `{name}` is not mentioned"));
    }
    for list in ["Role", "GroupKind", "WithheldReason", "Rule", "Part", "Recipient"] {
        for variant in schema::variants(schemas, list, "kind")
            .iter()
            .filter(|value| !named.contains(value.name.as_str()))
        {
            problems.push(format!("`{}` of {list} is not mentioned", variant.name));
        }
    }
    problems
}

/// The table of a request names exactly its fields, with a `?` at the type of each that may be left out.
fn check_fields(request: &Variant, rows: &BTreeMap<&str, bool>, schemas: &Map<String, Value>) -> Vec<String> {
    let mut fields = BTreeMap::new();
    collect_fields(&request.schema, schemas, &mut fields);
    fields.remove("op");
    let mut problems = Vec::new();
    for (name, optional) in &fields {
        match rows.get(name.as_str()) {
            None => problems.push(format!("`{}` has a field `{name}` that its table lacks", request.name)),
            Some(said) if said != optional => {
                problems.push(format!(
                    "`{}`: whether `{name}` may be left out is said wrongly",
                    request.name
                ));
            }
            Some(_) => {}
        }
    }
    let unknown = rows.keys().filter(|name| !fields.contains_key(**name));
    problems.extend(unknown.map(|name| format!("`{}` has no field `{name}`", request.name)));
    problems
}

/// The fields of an object, with those of the type that it refers to, and whether each may be left out.
fn collect_fields(schema: &Value, schemas: &Map<String, Value>, fields: &mut BTreeMap<String, bool>) {
    let required: BTreeSet<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if let Some(Value::Object(properties)) = schema.get("properties") {
        fields.extend(
            properties
                .keys()
                .map(|name| (name.clone(), !required.contains(name.as_str()))),
        );
    }
    let inner = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    inner.for_each(|inner| collect_fields(inner, schemas, fields));
    let referred = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|place| place.strip_prefix(PLACE));
    if let Some(referred) = referred.and_then(|name| schemas.get(name)) {
        collect_fields(referred, schemas, fields);
    }
}

/// Sections of the fourth level by their titles, with the rows of their tables: name, and whether a `?` is at the type.
fn sections(page: &str) -> BTreeMap<&str, BTreeMap<&str, bool>> {
    let mut sections: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
    let mut title = None;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("#### ") {
            title = Some(heading);
            sections.entry(heading).or_default();
        } else if line.starts_with("## ") || line.starts_with("### ") {
            title = None;
        } else if let (Some(title), Some(row)) = (title, line.strip_prefix("| `")) {
            let mut cells = row.split(" | ");
            let (name, kind) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
            sections
                .entry(title)
                .or_default()
                .insert(name.trim_end_matches('`'), kind.ends_with('?'));
        }
    }
    sections
}

/// Every name between backticks, without a `?` or quotes, and every key of an example.
fn named(page: &str) -> BTreeSet<&str> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let between = page.split(['`', '"']).skip(1);
    between
        .flat_map(|text| text.split(|character| !is_name(character)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_anything_lacks_everything() {
        let problems = check("", &schema::schemas());
        assert!(
            problems
                .iter()
                .any(|problem| problem.contains("`send_message` → `sent`"))
        );
        assert!(problems.iter().any(|problem| problem.contains("`client_id`")));
        assert!(problems.iter().any(|problem| problem.contains("`name_protected`")));
    }

    #[test]
    fn a_field_too_many_or_too_few_is_found() {
        let page = "#### `typing` → `done`\n\n| `thread` | id? | x |\n| `colour` | text | x |\n";
        let problems = check(page, &schema::schemas());
        assert!(
            problems
                .iter()
                .any(|problem| problem == "`typing` has no field `colour`")
        );
        assert!(
            problems
                .iter()
                .any(|problem| problem == "`typing`: whether `thread` may be left out is said wrongly")
        );
    }
}
