//! `security.audit`: what a person should know before they leave the program running, each finding with what mends it.
//!
//! A check is a function from what was looked at to findings; [`Inner::audit`] gathers, [`channels`], [`reach`], [`places`] and
//! [`devices`] judge. A finding's code is stable. Nothing is changed and no platform is asked (`channel.audit` does that).
//!
//! Deliberately absent: advice without a thing of this home it is about.

mod channels;
mod devices;
mod places;
mod reach;
#[cfg(test)]
mod tests;

use crate::engine::Inner;
use kata_core::operations::{Caller, Operations};
use kata_protocol::{Empty, Finding, PermissionList, PluginOrigin, PluginSignature, Scope, Severity, WorkspaceId};
use std::path::PathBuf;

/// A finding.
fn finding(code: &str, severity: Severity, about: impl Into<String>, message: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding {
        code: code.to_owned(),
        severity,
        about: about.into(),
        message: message.into(),
        mend: Some(mend.into()),
    }
}

impl Inner {
    /// Looks at everything; the worst first.
    pub(crate) async fn audit(&self) -> Vec<Finding> {
        self.plugins.looked().await;
        let settings = self.settings.get();
        let table = self.bindings.load().table().clone();
        let mut all = channels::judge(&settings, &table);
        let plugins = self.plugins.list();
        all.extend(reach::plugins(&plugins, |id| self.plugins.granted_capabilities(id)));
        for plugin in plugins.iter().filter(|p| p.enabled && p.origin != PluginOrigin::Bundled) {
            let detail = self.plugins.plugin_detail(&plugin.id).await;
            if detail.is_ok_and(|detail| matches!(detail.signature, PluginSignature::None)) {
                all.push(reach::unsigned(&plugin.id));
            }
        }
        all.extend(reach::models(&settings));
        all.extend(reach::gateway(&settings));
        all.extend(reach::traces(&settings));
        all.extend(self.rules_and_sources().await);
        let (home, in_file) = (self.home.clone(), self.secrets.in_file());
        let backups = self.backups().await;
        let now = self.clock.now();
        let looked = tokio::task::spawn_blocking(move || places::judge(&home, in_file, &backups, now)).await;
        all.extend(looked.unwrap_or_default());
        let caller = Caller {
            name: "audit".into(),
            scope: Scope::Admin,
        };
        // Where there is no list of devices, there are none.
        let paired = Operations::device_list(self, &caller, Empty {}).await.unwrap_or_default();
        all.extend(devices::judge(&paired, now));
        all.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then_with(|| a.code.cmp(&b.code))
                .then_with(|| a.about.cmp(&b.about))
        });
        all.dedup();
        all
    }

    /// Rules of each workspace, and the sources its files set up.
    async fn rules_and_sources(&self) -> Vec<Finding> {
        let mut all = Vec::new();
        for workspace in kata_store::workspaces(&self.home) {
            let asked = PermissionList {
                workspace: Some(workspace.id.clone()),
            };
            if let Ok(state) = self.permissions(asked).await {
                all.extend(reach::rules(&workspace.id, &state));
            }
        }
        let folders = kata_store::home::workspace_folders(&self.home);
        let path = (self.options.env)("PATH").or_else(|| std::env::var("PATH").ok());
        let looked = tokio::task::spawn_blocking(move || {
            let sources = folders.iter().flat_map(|workspace| {
                let named = |folder: PathBuf| (workspace.id.clone(), folder);
                kata_store::home::source_folders(workspace).into_iter().map(named)
            });
            sources
                .flat_map(|(workspace, folder): (WorkspaceId, PathBuf)| reach::source(&workspace, &folder, path.as_deref()))
                .collect()
        });
        let sources: Vec<Finding> = looked.await.unwrap_or_default();
        all.extend(sources);
        all
    }
}
