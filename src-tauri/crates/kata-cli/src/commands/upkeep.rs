//! Search, letters, tidying up, the index.

use super::connect;
use crate::args::{Hygiene, Index, Letters, Search};
use crate::failure::Failure;
use crate::render;
use crate::screen::Screen;
use crate::setting;
use kata_protocol::{Empty, HygienePreview, HygieneRules, Json, LetterRef, SessionSearch};
use serde_json::json;
use std::path::Path;

pub(super) async fn search(screen: &Screen, home: &Path, search: Search) -> Result<(), Failure> {
    let query = SessionSearch {
        query: search.words.join(" "),
        workspace: search.workspace,
        limit: Some(search.limit),
    };
    let page = connect(home).await?.session_search(query).await?;
    if page.waiting > 0 {
        screen.note(&format!(
            "{} sessions are not in the index yet; what stands in them is found in a moment",
            page.waiting
        ));
    }
    screen.result(&page, |page| render::hits(page, render::now()))
}

pub(super) async fn letters(screen: &Screen, home: &Path, command: Letters) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Letters::List => {
            let letters = client.letter_list(Empty {}).await?;
            screen.result(&letters, |letters| render::letters(letters, render::now()))
        }
        Letters::Retry { id } => {
            client.letter_retry(LetterRef { id }).await?;
            screen.result(&json!({"retried": true}), |_| "on its way again\n".into())
        }
        Letters::Discard { id } => {
            client.letter_discard(LetterRef { id }).await?;
            screen.result(&json!({"discarded": true}), |_| "put away\n".into())
        }
    }
}

pub(super) async fn hygiene(screen: &Screen, home: &Path, command: Hygiene) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Hygiene::Show => {
            let rules = client.hygiene_get(Empty {}).await?;
            screen.result(&rules, render::hygiene)
        }
        Hygiene::Set { rules } => {
            let present = client.hygiene_get(Empty {}).await?;
            let rules = client.hygiene_set(changed(&present, &rules)?).await?;
            screen.result(&rules, render::hygiene)
        }
        Hygiene::Preview { rules } => {
            let rules = match rules.as_slice() {
                [] => None,
                changes => Some(changed(&client.hygiene_get(Empty {}).await?, changes)?),
            };
            let plan = client.hygiene_preview(HygienePreview { rules }).await?;
            screen.result(&plan, |plan| render::plan(plan, "would be", render::now()))
        }
        Hygiene::Run => {
            let plan = client.hygiene_run(Empty {}).await?;
            screen.result(&plan, |plan| render::plan(plan, "was", render::now()))
        }
    }
}

pub(super) async fn index(screen: &Screen, home: &Path, command: Index) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Index::Rebuild => {
            let rebuilt = client.index_rebuild(Empty {}).await?;
            screen.result(&rebuilt, |r| {
                format!(
                    "{} sessions, {} conversations; the search fills again by itself\n",
                    r.sessions, r.keys
                )
            })
        }
    }
}

/// The present rules with changes made.
fn changed(present: &HygieneRules, changes: &[(String, String)]) -> Result<HygieneRules, Failure> {
    let present = Json(serde_json::to_value(present).unwrap_or_default());
    serde_json::from_value(setting::changed(&present, None, changes)).map_err(|error| {
        Failure::usage(format!("these are no rules: {error}")).hint("`kata hygiene set --help` shows how they are written")
    })
}
