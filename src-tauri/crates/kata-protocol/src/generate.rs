//! What is generated from this crate: TypeScript for `ui/` and the SDK, and JSON Schema for `docs/schema`.
//!
//! Pure functions from the types to text; `cargo xtask gen` writes the files and `cargo xtask lint` compares them.

use crate::*;
use specta::Types;
use specta_typescript::{Error, Typescript};
use std::fmt::Write;

const HEADER: &str = "// Generated from kata-protocol by `cargo xtask gen`. Do not edit.\n";

fn export(types: &Types) -> Result<String, Error> {
    Typescript::default().header(HEADER).export(types, specta_serde::Format)
}

macro_rules! operation_types {
    ($(#[doc = $doc:literal] $method:ident $name:literal ($params:ty) -> $result:ty, $scope:ident, [$($topic:ident),*];)*) => {
        fn operation_types() -> Types {
            Types::default()$(.register::<$params>().register::<$result>())*
        }
    };
}
with_operations!(operation_types);

/// `ui/src/generated/protocol.ts`: every type a client meets, the map of operations and what each makes stale.
pub fn client_typescript() -> Result<String, Error> {
    let types = operation_types()
        .register::<NumberedFact>()
        .register::<ClientFrame>()
        .register::<ServerFrame>();
    let mut out = export(&types)?;
    out.push_str("\n/** A field that may be null may be left out of the parameters. */\nexport type OptionalNulls<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] } & {\n  [K in keyof T as null extends T[K] ? K : never]?: T[K];\n};\n");
    out.push_str("\n/** Every operation with its parameters and its result. */\nexport type Operations = {\n");
    for op in ops::OPERATIONS {
        let _ = writeln!(
            out,
            "  /** {} */\n  \"{}\": {{ params: OptionalNulls<{}>; result: {} }};",
            op.doc.trim(),
            op.name,
            op.params,
            typescript_name(op.result)
        );
    }
    out.push_str("};\n\nexport type OperationName = keyof Operations;\n\n/** What a client should ask for again after an operation. */\n");
    out.push_str("export const INVALIDATES: { readonly [K in OperationName]: readonly Topic[] } = {\n");
    for op in ops::OPERATIONS {
        let topics: Vec<_> = op.invalidates.iter().filter_map(|t| serde_json::to_string(t).ok()).collect();
        let _ = writeln!(out, "  \"{}\": [{}],", op.name, topics.join(", "));
    }
    out.push_str("};\n");
    Ok(out)
}

fn typescript_name(rust: &str) -> String {
    let rust = rust.replace(' ', "");
    match rust.strip_prefix("Vec<").and_then(|r| r.strip_suffix('>')) {
        Some(inner) => format!("{inner}[]"),
        None => rust,
    }
}

/// `plugins/sdk/src/generated.ts`: the types a plugin author meets.
pub fn sdk_typescript() -> Result<String, Error> {
    let types = Types::default()
        .register::<InboundDraft>()
        .register::<IngressAnswer>()
        .register::<OutboundMessage>()
        .register::<Receipt>()
        .register::<SendError>()
        .register::<ChannelCapabilities>()
        .register::<DraftAttachment>()
        .register::<Media>()
        .register::<ButtonPress>()
        .register::<PressAnswer>()
        .register::<ChannelNotice>()
        .register::<StreamPreview>()
        .register::<KnownConversation>()
        .register::<DirectMessage>()
        .register::<SetupStep>()
        .register::<Probe>()
        .register::<SecurityWarning>()
        .register::<DirectoryEntry>()
        .register::<PluginManifest>()
        .register::<HookName>()
        .register::<MessageReceived>()
        .register::<MessageReceivedOutcome>()
        .register::<BeforeAgentStart>()
        .register::<BeforeAgentStartOutcome>()
        .register::<BeforeToolCall>()
        .register::<BeforeToolCallOutcome>()
        .register::<AfterToolCall>()
        .register::<AfterToolCallOutcome>()
        .register::<MessageSending>()
        .register::<MessageSendingOutcome>()
        .register::<MessageSent>()
        .register::<SessionStart>()
        .register::<AgentEnd>()
        .register::<SessionEnd>()
        .register::<GatewayStart>()
        .register::<GatewayStop>()
        .register::<PlanSubmitted>()
        .register::<OauthOpen>()
        .register::<ConfigChange>()
        .register::<SessionSummary>()
        .register::<SessionSubmitted>();
    export(&types)
}

/// `docs/schema/*.json`: name and text of each file.
pub fn json_schemas() -> Vec<(&'static str, String)> {
    let pretty = |s: schemars::Schema| serde_json::to_string_pretty(&s).unwrap_or_default() + "\n";
    vec![
        ("kata-plugin.schema.json", pretty(manifest_schema())),
        ("gateway-client-frame.schema.json", pretty(schemars::schema_for!(ClientFrame))),
        ("gateway-server-frame.schema.json", pretty(schemars::schema_for!(ServerFrame))),
        ("gateway-fact.schema.json", pretty(schemars::schema_for!(NumberedFact))),
        ("operations.schema.json", operations_schema()),
    ]
}

/// The manifest's schema with what the types cannot say, so that an editor marks it before the host refuses it.
fn manifest_schema() -> schemars::Schema {
    let mut schema = schemars::schema_for!(PluginManifest);
    let mut add = |pointer: &str, more: serde_json::Value| {
        let place = schema.pointer_mut(pointer).and_then(serde_json::Value::as_object_mut);
        if let (Some(place), serde_json::Value::Object(more)) = (place, more) {
            place.extend(more);
        }
    };
    add("/properties/id", serde_json::json!({ "pattern": "^[a-z0-9-]+$" }));
    add("/properties/name", serde_json::json!({ "pattern": "\\S" }));
    add("/properties/api", serde_json::json!({ "pattern": "^1(\\.|$)", "examples": ["1"] }));
    let capabilities = "^(net:\\S+|tcp:\\S+|secret:\\S+|oauth:\\S+|sessions:(read|submit)|files:(state|workspace:(ro|rw))|\
                        route:[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*|hooks:(conversation|gate))$";
    add("/properties/capabilities", serde_json::json!({ "uniqueItems": true }));
    add(
        "/properties/capabilities/items",
        serde_json::json!({ "pattern": capabilities, "examples": ["net:api.example.com", "secret:token", "hooks:conversation", "route:push"] }),
    );
    for list in ["tools", "channels", "services", "commands", "routes"] {
        let at = format!("/$defs/Contributes/properties/{list}");
        add(&at, serde_json::json!({ "uniqueItems": true }));
        add(&format!("{at}/items"), serde_json::json!({ "minLength": 1 }));
    }
    schema
}

macro_rules! operation_schemas {
    ($(#[doc = $doc:literal] $method:ident $name:literal ($params:ty) -> $result:ty, $scope:ident, [$($topic:ident),*];)*) => {
        fn operations_schema() -> String {
            let mut generator = schemars::SchemaGenerator::default();
            let mut operations = serde_json::Map::new();
            $(operations.insert($name.into(), serde_json::json!({
                "description": $doc.trim(),
                "scope": Scope::$scope,
                "params": generator.subschema_for::<$params>(),
                "result": generator.subschema_for::<$result>(),
            }));)*
            let schema = serde_json::json!({ "operations": operations, "$defs": generator.take_definitions(true) });
            serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
        }
    };
}
with_operations!(operation_schemas);
