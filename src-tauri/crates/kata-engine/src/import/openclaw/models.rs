//! Its models: what answers there, as models here, without becoming the one that answers. Keys are things of their own, which nobody
//! takes over without saying so.

use super::read::{Lookup, Unfit};
use super::{Act, Found, Planned, as_text};
use kata_protocol::{ImportItem, ModelSet, ProviderKind, ProviderSettings, WireError};
use serde_json::Value;
use std::collections::BTreeMap;

/// Providers whose address is known: their name there, ours, the address, the variable with their key.
const KNOWN: &[(&str, ProviderKind, Option<&str>, Option<&str>)] = &[
    ("anthropic", ProviderKind::Anthropic, None, Some("ANTHROPIC_API_KEY")),
    (
        "openai",
        ProviderKind::OpenaiChat,
        Some("https://api.openai.com/v1"),
        Some("OPENAI_API_KEY"),
    ),
    (
        "openrouter",
        ProviderKind::OpenaiChat,
        Some("https://openrouter.ai/api/v1"),
        Some("OPENROUTER_API_KEY"),
    ),
    (
        "groq",
        ProviderKind::OpenaiChat,
        Some("https://api.groq.com/openai/v1"),
        Some("GROQ_API_KEY"),
    ),
    (
        "mistral",
        ProviderKind::OpenaiChat,
        Some("https://api.mistral.ai/v1"),
        Some("MISTRAL_API_KEY"),
    ),
    ("xai", ProviderKind::OpenaiChat, Some("https://api.x.ai/v1"), Some("XAI_API_KEY")),
    ("ollama", ProviderKind::OpenaiChat, Some("http://127.0.0.1:11434/v1"), None),
    ("lmstudio", ProviderKind::OpenaiChat, Some("http://127.0.0.1:1234/v1"), None),
];

pub(super) fn plan(found: &Found) -> Result<Vec<Planned>, WireError> {
    let providers = found.object("models.providers")?;
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut all = Vec::new();
    for name in named(found) {
        let Some((provider, model)) = name.split_once('/').filter(|(p, m)| !p.is_empty() && !m.is_empty()) else {
            all.push(Planned::not(format!("model:{name}"), &name, "A model.", "It names no provider."));
            continue;
        };
        match settings(found, provider, model, providers.get(provider), &ids) {
            Ok(settings) => {
                ids.entry(provider.to_owned()).or_default().push(settings.id.clone());
                all.push(add(&name, settings));
            }
            Err(reason) => all.push(Planned::not(format!("model:{name}"), &name, "A model.", reason.0)),
        }
    }
    for (provider, models) in ids {
        all.extend(key(found, &provider, providers.get(&provider), models));
    }
    let named: Vec<String> = all.iter().map(|one| one.item.id.clone()).collect();
    let unused = |provider: &&String| {
        let (model, key) = (format!("model:{provider}/"), format!("key:{provider}"));
        !named.iter().any(|id| id.starts_with(&model) || *id == key)
    };
    for provider in providers.keys().filter(unused) {
        let reason = "No model of it is set as one that answers; add it with `kata models add`.";
        all.push(Planned::not(
            format!("provider:{provider}"),
            provider,
            "A provider of models.",
            reason,
        ));
    }
    Ok(all)
}

/// The models that answer there: the first, and those that stand in for it.
fn named(found: &Found) -> Vec<String> {
    let mut names = Vec::new();
    let mut push = |value: Option<&Value>| {
        let name = value.map(as_text).unwrap_or_default();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    };
    match found.config.pointer("/agents/defaults/model") {
        Some(Value::Object(model)) => {
            push(model.get("primary"));
            for fallback in model.get("fallbacks").and_then(Value::as_array).into_iter().flatten() {
                push(Some(fallback));
            }
        }
        one => push(one.filter(|value| value.is_string())),
    }
    names
}

fn settings(
    found: &Found,
    provider: &str,
    model: &str,
    own: Option<&Value>,
    taken: &BTreeMap<String, Vec<String>>,
) -> Result<ProviderSettings, Unfit> {
    let known = KNOWN.iter().find(|(name, ..)| *name == provider);
    let text = |field: &str| own.and_then(|o| o.get(field)).and_then(Value::as_str);
    let kind = match (text("api"), known) {
        (Some("anthropic-messages"), _) => ProviderKind::Anthropic,
        (Some("openai-completions"), _) => ProviderKind::OpenaiChat,
        (Some("openai-responses"), Some((_, kind, ..))) => *kind,
        (Some(api), _) => return Err(Unfit(format!("It speaks “{api}”, which this program does not."))),
        (None, Some((_, kind, ..))) => *kind,
        (None, None) if own.is_some() => ProviderKind::OpenaiChat,
        (None, None) => {
            return Err(Unfit(format!(
                "The address of “{provider}” is not known here; add it with `kata models add`."
            )));
        }
    };
    let base = match text("baseUrl") {
        Some(base) => Some(
            found
                .text(base)
                .map_err(|variable| Unfit(format!("Its address is taken from {variable}, which is not set here.")))?,
        ),
        None => known.and_then(|(_, _, base, _)| base.map(str::to_owned)),
    };
    let vendor = base
        .as_deref()
        .is_some_and(|base| base.trim_end_matches('/').trim_end_matches("/v1") == "https://api.anthropic.com");
    let base = base.filter(|_| !(kind == ProviderKind::Anthropic && vendor));
    let first = !taken.contains_key(provider);
    let id = if first {
        provider.to_owned()
    } else {
        format!("{provider}-{model}")
    };
    let id = id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
        .take(64)
        .collect();
    Ok(ProviderSettings {
        id,
        kind,
        base_url: base,
        model: model.to_owned(),
        max_tokens: None,
    })
}

fn add(name: &str, settings: ProviderSettings) -> Planned {
    let at = settings.base_url.as_deref().map(|base| format!(" at {base}")).unwrap_or_default();
    Planned {
        item: ImportItem {
            id: format!("model:{name}"),
            label: name.to_owned(),
            detail: format!("A model{at}, as “{}”.", settings.id),
            importable: true,
            proposed: true,
            reason: Some("It does not answer before you choose it.".into()),
        },
        act: Act::Model(Box::new(ModelSet {
            settings,
            api_key: None,
            key_env: None,
            default: false,
        })),
    }
}

fn key(found: &Found, provider: &str, own: Option<&Value>, models: Vec<String>) -> Option<Planned> {
    let label = format!("Key of {provider}");
    let id = format!("key:{provider}");
    let named = format!("models.providers.{provider}.apiKey");
    let variable = KNOWN
        .iter()
        .find(|(name, ..)| *name == provider)
        .and_then(|(.., variable)| *variable);
    let looked = match found.secret(own.and_then(|o| o.get("apiKey")), &named) {
        Lookup::Absent => match variable.and_then(|name| Some((name, found.variable(name)?))) {
            Some((name, (value, own))) => Lookup::Is(value.into(), own.then(|| name.to_owned())),
            None => return None,
        },
        other => other,
    };
    Some(match looked {
        Lookup::Absent => return None,
        Lookup::Not(reason) => Planned::not(id, label, "The key with which the model is used.", reason),
        Lookup::Is(key, variable) => {
            let detail = match &variable {
                Some(name) => format!("Used from the variable {name} of this program's environment."),
                None => "Copied into this machine's secret store.".to_owned(),
            };
            Planned {
                item: ImportItem {
                    id,
                    label,
                    detail,
                    importable: true,
                    proposed: false,
                    reason: Some("Whoever has the key pays for what is asked with it; it is used when you choose the model.".into()),
                },
                act: Act::Key { models, key, variable },
            }
        }
    })
}
