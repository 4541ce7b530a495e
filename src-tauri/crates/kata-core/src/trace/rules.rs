//! What a trace may hold: workspaces that leave none, what is redacted, how much is kept. Rules are compiled once; every step
//! passes through [`Rules`] before anybody can read it, so a redacted secret is in no trace, stored or exported.

use kata_protocol::{Json, TraceRules, WorkspaceId};
use regex::{Regex, RegexBuilder};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashSet;

/// Stands where something was taken out.
pub const REDACTED: &str = "[redacted]";
/// Expressions, and pointers, of one rule set.
const MOST: usize = 32;
/// Longest expression or pointer, bytes.
const LONGEST: usize = 1000;
/// Compiled size of one expression, bytes.
const REGEX_SIZE: usize = 1024 * 1024;
/// Traces kept: fewest and most.
const KEEP: std::ops::RangeInclusive<u32> = 100..=100_000;
/// Longest note, bytes.
const MAX_NOTE: usize = 2 * 1024;

/// A rule that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{field}”: {reason}")]
pub struct BadRule {
    /// Which, `redact[2]`.
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

/// Rules in force.
#[derive(Debug)]
pub struct Rules {
    off: HashSet<WorkspaceId>,
    redact: Vec<Regex>,
    fields: Vec<String>,
    /// Nothing is traced at all.
    nothing: bool,
    pub(super) keep: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            off: HashSet::new(),
            redact: Vec::new(),
            fields: Vec::new(),
            nothing: false,
            keep: TraceRules::default().keep,
        }
    }
}

impl Rules {
    /// Checks and compiles.
    ///
    /// # Errors
    /// The first rule that cannot be, by its field.
    pub fn compile(rules: &TraceRules) -> Result<Self, BadRule> {
        few("redact", &rules.redact)?;
        few("redactFields", &rules.redact_fields)?;
        let redact = rules.redact.iter().enumerate().map(|(n, text)| expression(n, text));
        let fields = rules.redact_fields.iter().enumerate().map(|(n, text)| pointer(n, text));
        if !KEEP.contains(&rules.keep) {
            return Err(bad(
                "keep",
                format!("{} is not between {} and {}", rules.keep, KEEP.start(), KEEP.end()),
            ));
        }
        Ok(Self {
            off: rules.off.iter().cloned().collect(),
            redact: redact.collect::<Result<_, _>>()?,
            fields: fields.collect::<Result<_, _>>()?,
            nothing: false,
            keep: rules.keep,
        })
    }

    /// Nothing is traced: what is in force while the rules that were written cannot be read.
    pub fn nothing() -> Self {
        Self {
            nothing: true,
            ..Self::default()
        }
    }

    /// Whether messages of the workspace leave no trace.
    pub(super) fn silent(&self, workspace: Option<&WorkspaceId>) -> bool {
        self.nothing || workspace.is_some_and(|w| self.off.contains(w))
    }

    /// A text without what the expressions find, and no longer than a note may be.
    pub(super) fn note(&self, note: String) -> String {
        let clean = self.text(&note).into_owned();
        match clean.len() {
            0..=MAX_NOTE => clean,
            long => {
                let end = (0..=MAX_NOTE).rev().find(|n| clean.is_char_boundary(*n)).unwrap_or(0);
                format!("{}… ({long} bytes)", &clean[..end])
            }
        }
    }

    /// A text without what the expressions find.
    pub(super) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = Cow::Borrowed(text);
        for expression in &self.redact {
            if let Cow::Owned(next) = expression.replace_all(&clean, regex::NoExpand(REDACTED)) {
                clean = Cow::Owned(next);
            }
        }
        clean
    }

    /// The patch from one value to the other, without what the rules take out. `None`: nothing changed.
    pub(super) fn diff(&self, before: &Value, after: &Value) -> Option<Json> {
        let mut hidden = Vec::new();
        let (mut from, mut to) = (Cow::Borrowed(before), Cow::Borrowed(after));
        for field in &self.fields {
            let (old, new) = (from.pointer(field), to.pointer(field));
            if old.is_none() && new.is_none() {
                continue;
            }
            if old != new {
                hidden.push(json!({"op": "replace", "path": field, "value": REDACTED}));
            }
            for side in [&mut from, &mut to] {
                if side.pointer(field).is_some()
                    && let Some(place) = side.to_mut().pointer_mut(field)
                {
                    *place = Value::from(REDACTED);
                }
            }
        }
        let mut patch = serde_json::to_value(json_patch::diff(&from, &to)).unwrap_or_default();
        let operations = patch.as_array_mut()?;
        // A field that came or went stands in the patch already.
        hidden.retain(|op| operations.iter().all(|known| known["path"] != op["path"]));
        operations.append(&mut hidden);
        if operations.is_empty() {
            return None;
        }
        if !self.redact.is_empty() {
            for operation in operations {
                for (key, value) in operation.as_object_mut()? {
                    match key.as_str() {
                        "path" | "from" => *value = self.path(value.as_str().unwrap_or_default()).into(),
                        "value" => self.value(value),
                        _ => {}
                    }
                }
            }
        }
        Some(Json(patch))
    }

    /// Every text, number and key of a value.
    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Value::Number(number) => {
                if let Cow::Owned(clean) = self.text(&number.to_string()) {
                    *value = clean.into();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(map) => {
                map.values_mut().for_each(|item| self.value(item));
                if map.keys().any(|key| matches!(self.text(key), Cow::Owned(_))) {
                    let renamed = std::mem::take(map).into_iter();
                    *map = renamed.map(|(key, value)| (self.text(&key).into_owned(), value)).collect();
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// A pointer names keys, and a key may be what must not stand there.
    fn path(&self, path: &str) -> String {
        let clean = |key: &str| {
            let key = key.replace("~1", "/").replace("~0", "~");
            self.text(&key).replace('~', "~0").replace('/', "~1")
        };
        let path = path.split('/').map(clean).collect::<Vec<_>>().join("/");
        self.text(&path).into_owned()
    }
}

fn bad(field: impl Into<String>, reason: impl Into<String>) -> BadRule {
    BadRule {
        field: field.into(),
        reason: reason.into(),
    }
}

fn few(field: &str, all: &[String]) -> Result<(), BadRule> {
    if all.len() > MOST {
        return Err(bad(field, format!("{} are too many; at most {MOST}", all.len())));
    }
    match all.iter().position(|text| text.len() > LONGEST) {
        Some(n) => Err(bad(format!("{field}[{n}]"), format!("it is longer than {LONGEST} bytes"))),
        None => Ok(()),
    }
}

fn expression(n: usize, text: &str) -> Result<Regex, BadRule> {
    let field = format!("redact[{n}]");
    let made = RegexBuilder::new(text).size_limit(REGEX_SIZE).build();
    let regex = made.map_err(|error| {
        // The last line says what; those before it draw where.
        let words = error.to_string();
        let last = words
            .lines()
            .last()
            .unwrap_or_default()
            .trim()
            .trim_start_matches("error: ")
            .to_owned();
        bad(field.clone(), format!("not a regular expression: {last}"))
    })?;
    if regex.is_match("") {
        return Err(bad(field, "it finds the empty text, so it would be everywhere; use + for *"));
    }
    Ok(regex)
}

fn pointer(n: usize, text: &str) -> Result<String, BadRule> {
    let field = format!("redactFields[{n}]");
    if !text.starts_with('/') {
        return Err(bad(field, "a JSON pointer begins with /, as in /params/password"));
    }
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !escapes {
        return Err(bad(field, "in a JSON pointer ~ is written ~0 and a / inside a name ~1"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    fn rules(redact: &[&str], fields: &[&str]) -> TraceRules {
        TraceRules {
            redact: redact.iter().map(ToString::to_string).collect(),
            redact_fields: fields.iter().map(ToString::to_string).collect(),
            ..TraceRules::default()
        }
    }

    #[test]
    fn a_rule_that_cannot_be_is_named_by_its_field() {
        let field = |rules: TraceRules| Rules::compile(&rules).unwrap_err().field;
        assert_eq!(field(rules(&["a", "b", "c("], &[])), "redact[2]");
        assert_eq!(field(rules(&["a*"], &[])), "redact[0]");
        assert_eq!(field(rules(&[r"(a{500}){500}"], &[])), "redact[0]", "too big when compiled");
        assert_eq!(field(rules(&[r"(?=a)b"], &[])), "redact[0]", "no looking around: time stays linear");
        assert_eq!(field(rules(&[], &["/ok", "params"])), "redactFields[1]");
        assert_eq!(field(rules(&[], &["/a~2"])), "redactFields[0]");
        assert_eq!(field(rules(&["x"; 33], &[])), "redact");
        assert_eq!(field(rules(&["x".repeat(1001).as_str()], &[])), "redact[0]");
        for keep in [99, 100_001] {
            assert_eq!(
                field(TraceRules {
                    keep,
                    ..TraceRules::default()
                }),
                "keep"
            );
        }
    }

    #[test]
    fn a_change_of_a_redacted_field_is_seen_and_its_value_is_not() {
        let rules = Rules::compile(&rules(&[], &["/params/password"])).unwrap();
        let of = |before: Value, after: Value| rules.diff(&before, &after).map(|Json(d)| d);
        let one = json!({"params": {"password": "one", "user": "ada"}});
        let two = json!({"params": {"password": "two", "user": "ada"}});
        let hidden = json!([{"op": "replace", "path": "/params/password", "value": REDACTED}]);
        assert_eq!(of(one.clone(), two), Some(hidden));
        assert_eq!(of(one.clone(), one.clone()), None);
        // The whole object is put in another's place.
        let gone = of(one.clone(), json!({"params": 1})).unwrap();
        assert!(!gone.to_string().contains("one"), "{gone}");
        let came = of(json!({"params": 1}), one).unwrap();
        assert!(came.to_string().contains(REDACTED) && !came.to_string().contains("one"), "{came}");
    }

    #[test]
    fn a_note_is_cut_after_it_was_redacted() {
        let rules = Rules::compile(&rules(&["sk-[a-z]{8}"], &[])).unwrap();
        // A cut inside the secret would leave a beginning that the expression does not find.
        let note = rules.note(format!("{}sk-abcdefgh and more", "x".repeat(MAX_NOTE - 5)));
        assert!(!note.contains("sk-"), "{note}");
    }

    /// JSON of some depth whose texts, keys and numbers hold the secret here and there.
    fn holding(secret: &'static str) -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[a-z/~]{0,6}".prop_map(String::from),
            "[a-z/~]{0,6}".prop_map(move |t| format!("{t}{secret}{t}"))
        ];
        let leaf = prop_oneof![
            text.clone().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::from(4_111_111_111_111_111_u64)),
            any::<i32>().prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(text.clone(), inner, 0..4).prop_map(|m| Value::Object(m.into_iter().collect()))
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_redacted_secret_is_never_in_a_diff(before in holding("hunter2"), after in holding("hunter2")) {
            static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::compile(&rules(&["hunter2", r"\b\d{16}\b"], &[])).unwrap());
            if let Some(Json(diff)) = RULES.diff(&before, &after) {
                let text = diff.to_string();
                prop_assert!(!text.contains("hunter2") && !text.contains("4111111111111111"), "{text}");
            } else {
                prop_assert_eq!(before, after);
            }
        }

        #[test]
        fn the_value_of_a_redacted_field_is_never_in_a_diff(
            a in holding("x"), b in holding("x"), old in 0u32..3, new in 0u32..3, shape in 0u8..4,
        ) {
            let rules = Rules::compile(&rules(&[], &["/params/key"])).unwrap();
            let with = |secret: u32, more: &Value| json!({"params": {"key": {"deep": [format!("hunter{secret}")]}, "more": more}});
            let (before, after) = match shape {
                0 => (with(old, &a), with(new, &b)),
                1 => (with(old, &a), b.clone()),
                2 => (a.clone(), with(new, &b)),
                _ => (with(old, &a), json!({"params": {"more": b}})),
            };
            if let Some(Json(diff)) = rules.diff(&before, &after) {
                prop_assert!(!diff.to_string().contains("hunter"), "{diff}");
            } else {
                prop_assert_eq!(before, after);
            }
        }
    }
}
