//! `cargo xtask asyncapi`: writes `docs/asyncapi.json` from the types of the wire. With `--check` it writes nothing and
//! fails when the committed copy differs, or when `docs/protocol.md` does not describe what the types say.

mod page;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use samtale_protocol::schema::{self, PLACE, Variant};
use samtale_protocol::{CloseCode, Encoding, ErrorCode, VERSION, limits};
use serde_json::{Map, Value, json};

/// The only channel: the socket.
const SOCKET: &str = "#/channels/socket";

/// Writes the document, or with `--check` compares it.
pub fn run(arguments: &[String]) -> anyhow::Result<()> {
    let path = root().join("docs/asyncapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&document()?)?);
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {
            std::fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
            println!("asyncapi: wrote {}", path.display());
            Ok(())
        }
        ["--check"] => check(&path, &text),
        _ => bail!("usage: cargo xtask asyncapi [--check]"),
    }
}

fn check(path: &Path, text: &str) -> anyhow::Result<()> {
    let committed = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    ensure!(
        committed == text,
        "docs/asyncapi.json is not what the types say; run: cargo xtask asyncapi"
    );
    let page_path = root().join("docs/protocol.md");
    let page =
        std::fs::read_to_string(&page_path).with_context(|| format!("could not read {}", page_path.display()))?;
    let problems = page::check(&page, &schema::schemas());
    for problem in &problems {
        println!("docs/protocol.md: {problem}");
    }
    ensure!(
        problems.is_empty(),
        "docs/protocol.md does not describe the protocol as it is"
    );
    println!("asyncapi: docs/asyncapi.json and docs/protocol.md say what the types say");
    Ok(())
}

/// The workspace, from where this program was built.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The reply that a request's documentation names: `… → `name`.`
fn reply_of(request: &Variant) -> anyhow::Result<&str> {
    let named = request
        .meaning
        .rsplit_once("→ `")
        .and_then(|(_, rest)| rest.split('`').next());
    named.with_context(|| {
        format!(
            "the documentation of `{}` does not end with the reply it gets",
            request.name
        )
    })
}

/// The whole document. The described application is the server: it receives what clients send.
fn document() -> anyhow::Result<Value> {
    let schemas = schema::schemas();
    let requests = schema::variants(&schemas, "Request", "op");
    let replies = schema::variants(&schemas, "Reply", "kind");
    let server_frames = schema::variants(&schemas, "ServerFrame", "t");
    let pushed: Vec<&Variant> = server_frames
        .iter()
        .filter(|frame| !["welcome", "reply", "error"].contains(&frame.name.as_str()))
        .collect();

    let mut messages = Map::new();
    for frame in schema::variants(&schemas, "ClientFrame", "t")
        .iter()
        .chain(&server_frames)
    {
        if frame.name != "request" && frame.name != "reply" {
            messages.insert(
                frame.name.clone(),
                message(&frame.name, &frame.meaning, frame.schema.clone()),
            );
        }
    }
    let mut operations = Map::new();
    operations.insert(
        "hello".into(),
        operation("receive", "Says who this is.", &["hello"], &["welcome", "error"]),
    );
    for request in &requests {
        let reply = reply_of(request)?;
        ensure!(
            replies.iter().any(|known| known.name == reply),
            "`{}` gets an unknown reply",
            request.name
        );
        let (name, reply) = (format!("request_{}", request.name), format!("reply_{reply}"));
        operations.insert(
            request.name.clone(),
            operation("receive", &request.meaning, &[&name], &[&reply, "error"]),
        );
        messages.insert(name.clone(), enveloped(&name, "request", request));
    }
    for reply in &replies {
        let name = format!("reply_{}", reply.name);
        messages.insert(name.clone(), enveloped(&name, "reply", reply));
    }
    for frame in pushed {
        operations.insert(
            format!("push_{}", frame.name),
            operation("send", &frame.meaning, &[&frame.name], &[]),
        );
    }

    let mut document = head();
    document["channels"]["socket"]["messages"] = messages
        .keys()
        .map(|name| (name.clone(), reference(&format!("#/components/messages/{name}"))))
        .collect();
    document["operations"] = operations.into();
    document["components"] = json!({"messages": messages, "schemas": schemas});
    Ok(document)
}

/// Everything that is no list of types.
fn head() -> Value {
    let subprotocols = Encoding::ALL.map(Encoding::subprotocol);
    let headers = json!({
        "type": "object",
        "properties": {
            "Sec-WebSocket-Protocol": {
                "type": "string",
                "enum": subprotocols,
                "description": "One or both, separated by commas; the server echoes the one it takes."
            }
        },
        "required": ["Sec-WebSocket-Protocol"]
    });
    json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Samtale",
            "version": VERSION.to_string(),
            "description": "The realtime protocol of a Samtale server. docs/protocol.md explains it; this document is \
                generated from the server's types by `cargo xtask asyncapi`. In MessagePack, values of format `uuid` are \
                16 bytes and those with a contentEncoding are bytes.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}
        },
        "defaultContentType": "application/json",
        "servers": {
            "school": {
                "host": "{host}",
                "protocol": "wss",
                "description": "An institution's or a municipality's server.",
                "variables": {"host": {"description": "Host and port"}}
            }
        },
        "channels": {
            "socket": {
                "address": "/v1/ws",
                "title": "The socket",
                "description": "Frames in both directions, one per WebSocket message.",
                "bindings": {"ws": {"method": "GET", "headers": headers, "bindingVersion": "0.1.0"}}
            }
        },
        "x-close-codes": CloseCode::ALL.iter().map(|code| json!({
            "code": code.number(), "name": code.name(), "comeBack": code.come_back(), "meaning": code.meaning().trim()
        })).collect::<Vec<_>>(),
        "x-error-codes": ErrorCode::ALL.iter().map(|code| json!({
            "code": code, "again": code.is_retryable(), "meaning": code.meaning().trim()
        })).collect::<Vec<_>>(),
        "x-limits": limits::ALL.iter().map(|limit| json!({
            "name": limit.name, "value": limit.value, "meaning": limit.meaning.trim()
        })).collect::<Vec<_>>(),
        "x-http": http()
    })
}

/// Login is plain HTTP, which AsyncAPI describes only in passing.
fn http() -> Value {
    let exchange = |path: &str, body: &str, answers: bool| {
        let mut exchange = json!({"method": "POST", "path": path, "body": schema_reference(body)});
        if answers {
            exchange["answer"] = schema_reference("LoginReply");
        }
        exchange
    };
    json!([
        exchange("/v1/login", "LoginRequest", true),
        exchange("/v1/refresh", "RefreshRequest", true),
        exchange("/v1/activate", "ActivateRequest", true),
        exchange("/v1/logout", "RefreshRequest", false),
    ])
}

fn operation(action: &str, summary: &str, sent: &[&str], answers: &[&str]) -> Value {
    let references = |names: &[&str]| -> Vec<Value> {
        names
            .iter()
            .map(|name| reference(&format!("{SOCKET}/messages/{name}")))
            .collect()
    };
    let mut operation =
        json!({"action": action, "channel": reference(SOCKET), "summary": summary, "messages": references(sent)});
    if !answers.is_empty() {
        operation["reply"] = json!({"channel": reference(SOCKET), "messages": references(answers)});
    }
    operation
}

fn message(name: &str, summary: &str, payload: Value) -> Value {
    json!({"name": name, "summary": summary, "payload": payload})
}

/// A request or a reply in its frame.
fn enveloped(name: &str, frame: &str, inner: &Variant) -> Value {
    let payload = json!({
        "type": "object",
        "properties": {
            "t": {"type": "string", "const": frame},
            "id": {"type": "integer", "format": "uint32", "minimum": 0, "maximum": u32::MAX},
            frame: inner.schema
        },
        "required": ["t", "id", frame]
    });
    message(name, &inner.meaning, payload)
}

fn schema_reference(name: &str) -> Value {
    reference(&format!("{PLACE}{name}"))
}

fn reference(place: &str) -> Value {
    json!({"$ref": place})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reference of the document, wherever it stands.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(entries) => {
                found.extend(entries.get("$ref").and_then(Value::as_str));
                entries.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document().unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100);
        for place in found {
            assert!(document.pointer(&place[1..]).is_some(), "{place} leads nowhere");
        }
    }

    #[test]
    fn the_committed_documents_are_current() {
        run(&["--check".to_owned()]).unwrap();
    }

    #[test]
    fn every_request_is_an_operation_with_its_reply() {
        let document = document().unwrap();
        let send = &document["operations"]["send_message"];
        assert_eq!(send["action"], "receive");
        assert_eq!(
            send["reply"]["messages"][0]["$ref"],
            "#/channels/socket/messages/reply_sent"
        );
        assert_eq!(document["operations"]["push_event"]["action"], "send");
    }
}
