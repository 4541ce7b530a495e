//! The rules of traces between `settings.json`, the core's tracer and the export; reports for bug reports.

use crate::engine::Inner;
use crate::otlp;
use crate::settings::SettingsFile;
use kata_core::ports::TraceStore;
use kata_core::trace::{BadRule, Rules, Tracer, Versions, report};
use kata_protocol::{Ms, Notice, PluginId, Trace, TraceReport, TraceRules, TraceState, WireError, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// `traces` of `settings.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TraceSettings {
    /// Workspaces whose messages leave no trace.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<WorkspaceId>,
    /// Regular expressions of what never stands in a trace.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redact: Vec<String>,
    /// JSON pointers of values that never stand in a diff.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redact_fields: Vec<String>,
    /// Traces kept; 2,000 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
    /// OpenTelemetry collector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp: Option<String>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl TraceSettings {
    fn rules(&self) -> TraceRules {
        TraceRules {
            off: self.off.clone(),
            redact: self.redact.clone(),
            redact_fields: self.redact_fields.clone(),
            keep: self.keep.unwrap_or(TraceRules::default().keep),
            otlp: self.otlp.clone(),
        }
    }

    fn take(&mut self, rules: TraceRules) {
        self.off = rules.off;
        self.redact = rules.redact;
        self.redact_fields = rules.redact_fields;
        self.keep = Some(rules.keep).filter(|keep| *keep != TraceRules::default().keep);
        self.otlp = rules.otlp;
    }
}

/// The tracer with its export.
pub(crate) struct Traces {
    tracer: Arc<Tracer>,
    exporter: Arc<otlp::Exporter>,
}

impl Traces {
    /// Puts the settings' rules in force. Rules that cannot be are told, and nothing is traced until they are mended: what they
    /// were to keep out must not come in.
    pub(crate) fn start(tracer: Arc<Tracer>, settings: &SettingsFile, now: Ms) -> (Self, Option<Notice>) {
        let exporter = Arc::new(otlp::Exporter::new());
        let offered = Arc::clone(&exporter);
        tracer.export(Box::new(move |trace| offered.offer(trace)));
        let traces = Self { tracer, exporter };
        let notice = match check(&settings.get().traces.rules()) {
            Ok(checked) => {
                traces.put(checked);
                None
            }
            Err(bad) => {
                traces.tracer.rule(Rules::nothing());
                Some(Notice {
                    id: "trace-rules".into(),
                    at: now,
                    message: format!("Nothing is traced: settings.json, traces: {bad}."),
                    hint: Some("Mend it there and start again, or set the rules with `kata trace rules`.".into()),
                })
            }
        };
        (traces, notice)
    }

    fn put(&self, (rules, collector): (Rules, Option<url::Url>)) {
        self.tracer.rule(rules);
        self.exporter.to(collector);
    }

    /// For the task that exports.
    pub(crate) fn exporter(&self) -> Arc<otlp::Exporter> {
        Arc::clone(&self.exporter)
    }
}

fn check(rules: &TraceRules) -> Result<(Rules, Option<url::Url>), BadRule> {
    let compiled = Rules::compile(rules)?;
    let collector = rules.otlp.as_deref().map(otlp::collector).transpose();
    let collector = collector.map_err(|reason| BadRule {
        field: "otlp".into(),
        reason: reason.to_string(),
    })?;
    Ok((compiled, collector))
}

impl Inner {
    /// `trace.rules`.
    pub(crate) async fn trace_state(&self) -> Result<TraceState, WireError> {
        let standing = self.traces.exporter.standing();
        Ok(TraceState {
            rules: self.settings.get().traces.rules(),
            kept: self.store.kept().await.map_err(|e| WireError::internal(e.to_string()))?,
            exported: standing.exported,
            failed: standing.failed,
            error: standing.error,
        })
    }

    /// `trace.configure`.
    pub(crate) async fn configure_traces(&self, rules: TraceRules) -> Result<TraceState, WireError> {
        let workspaces = kata_store::workspaces(&self.home);
        let missing = rules.off.iter().position(|off| workspaces.iter().all(|w| w.id != *off));
        if let Some(n) = missing {
            return Err(WireError::invalid(format!("“off[{n}]”: there is no workspace “{}”", rules.off[n])));
        }
        let checked = check(&rules).map_err(|bad| WireError::invalid(bad.to_string()))?;
        self.settings.change(|s| s.traces.take(rules))?;
        self.traces.put(checked);
        crate::engine::locked(&self.notices).retain(|n| n.id != "trace-rules");
        self.trace_state().await
    }

    /// `trace.report`.
    pub(crate) fn trace_as_report(&self, trace: &Trace) -> TraceReport {
        let acted: BTreeSet<&str> = trace.steps.iter().filter_map(|s| s.plugin.as_deref()).collect();
        let version = |id: &str| Some(self.plugins.get(&PluginId::new(id).ok()?).ok()?.version);
        let plugins: BTreeMap<String, String> = acted.into_iter().filter_map(|id| Some((id.to_owned(), version(id)?))).collect();
        let versions = Versions {
            app: env!("CARGO_PKG_VERSION").into(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            plugins,
        };
        TraceReport {
            id: trace.id.clone(),
            text: report(trace, &versions),
        }
    }
}
