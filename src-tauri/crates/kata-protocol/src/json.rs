//! Small value types that would otherwise cross as something JavaScript reads wrongly.

use serde::{Deserialize, Serialize};

/// Any JSON value. TypeScript sees `unknown`, so a reader must check before use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Json(#[specta(type = specta_typescript::Unknown)] pub serde_json::Value);

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self(value)
    }
}

/// Milliseconds since the Unix epoch (safe in a JavaScript number until the year 287396).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Ms(#[specta(type = specta_typescript::Number)] pub u64);

/// A count that can pass 2³², but never 2⁵³ (sequence numbers, tokens, bytes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Count(#[specta(type = specta_typescript::Number)] pub u64);

/// A ratio or an amount of money; never NaN or infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Real(#[specta(type = specta_typescript::Number)] pub f64);
