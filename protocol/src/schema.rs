//! The wire types as JSON Schema, for the AsyncAPI document and the check of `docs/protocol.md`.
//!
//! Only programs that describe the protocol switch this on (feature `schema`); the server never carries it.

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::errors::Refusal;
use crate::login::{ActivateRequest, LoginReply, LoginRequest, RefreshRequest};
use crate::time::LARGEST_INTEGER;
use crate::{ClientFrame, ServerFrame};

/// Where the schemas stand in an AsyncAPI document.
pub const PLACE: &str = "#/components/schemas/";

/// One of several: a frame, a request, a reply, an event …
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name on the wire.
    pub name: String,
    /// Its documentation.
    pub meaning: String,
    /// Its shape, with the name.
    pub schema: Value,
}

/// Every type that can stand in a frame or in the body of a login, by name.
pub fn schemas() -> Map<String, Value> {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.definitions_path = PLACE[1..].into();
        settings
            .transforms
            .push(Box::new(schemars::transform::RecursiveTransform(bound_integers)));
    });
    let mut generator = settings.into_generator();
    add::<ClientFrame>(&mut generator);
    add::<ServerFrame>(&mut generator);
    add::<LoginRequest>(&mut generator);
    add::<LoginReply>(&mut generator);
    add::<ActivateRequest>(&mut generator);
    add::<RefreshRequest>(&mut generator);
    add::<Refusal>(&mut generator);
    generator.take_definitions(true)
}

/// No integer on the wire is above 2^53 - 1, whatever the type behind it could hold.
fn bound_integers(schema: &mut Schema) {
    if schema.get("format").and_then(Value::as_str) == Some("uint64") {
        schema.insert("maximum".to_owned(), LARGEST_INTEGER.into());
    }
}

fn add<T: JsonSchema>(generator: &mut SchemaGenerator) {
    generator.subschema_for::<T>();
}

/// The variants of an enum, whether `tag` tells them apart or they are plain names. `unknown` is none of them: it is
/// what a reader makes of a name that it does not know.
pub fn variants(schemas: &Map<String, Value>, of: &str, tag: &str) -> Vec<Variant> {
    let listed = schemas
        .get(of)
        .and_then(|schema| schema.get("oneOf"))
        .and_then(Value::as_array);
    let described = listed.into_iter().flatten().filter_map(|schema| {
        let name = schema
            .pointer(&format!("/properties/{tag}/const"))
            .or_else(|| schema.get("const"))?;
        let meaning = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let name = name.as_str()?.to_owned();
        Some(Variant {
            name,
            meaning: meaning.to_owned(),
            schema: schema.clone(),
        })
    });
    described.filter(|variant| variant.name != "unknown").collect()
}

/// The names of all fields, whatever type they belong to.
pub fn field_names(schemas: &Map<String, Value>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    schemas
        .values()
        .for_each(|schema| collect_field_names(schema, &mut names));
    names
}

fn collect_field_names(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Object(properties)) = entries.get("properties") {
                names.extend(properties.keys().cloned());
            }
            entries.values().for_each(|value| collect_field_names(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_field_names(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &str, tag: &str) -> Vec<String> {
        variants(&schemas(), of, tag)
            .into_iter()
            .map(|variant| variant.name)
            .collect()
    }

    #[test]
    fn the_variants_of_every_list_are_found() {
        assert_eq!(names("ClientFrame", "t"), ["hello", "request"]);
        assert_eq!(names("Signal", "kind"), ["typing", "presence"]);
        assert_eq!(names("ErrorCode", "").len(), crate::ErrorCode::ALL.len());
        assert!(names("Request", "op").len() >= 26 && names("Reply", "kind").len() >= 17);
    }

    #[test]
    fn every_request_names_a_reply_that_exists() {
        let replies = names("Reply", "kind");
        for request in variants(&schemas(), "Request", "op") {
            let reply = request.meaning.rsplit('`').nth(1).unwrap_or_default();
            assert!(
                replies.iter().any(|name| name == reply),
                "{} names the reply `{reply}`",
                request.name
            );
        }
    }
}
