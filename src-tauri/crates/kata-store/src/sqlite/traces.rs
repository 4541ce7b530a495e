//! Traces, a ring of the newest. Recording returns once the trace is queued; reading goes through the same queue, so a reader
//! sees every trace that was recorded before it asked, and for that reason looks at a bounded number of rows.

use super::{Fault, SqliteStore};
use async_trait::async_trait;
use kata_core::ports::{StoreError, TraceStore};
use kata_core::trace::wanted;
use kata_protocol::{SessionId, Trace, TraceId, TraceList};
use rusqlite::{OptionalExtension, params};

/// Rows a list looks at, newest first.
const LOOKED_AT: u32 = 10_000;

#[async_trait]
impl TraceStore for SqliteStore {
    async fn record(&self, trace: &Trace, keep: u32) -> Result<(), StoreError> {
        let trace = trace.clone();
        self.write_later(move |db| {
            let body = serde_json::to_string(&trace).map_err(Fault::json("trace"))?;
            // Numbers without gaps, so that the ring's end is arithmetic and not a count.
            let seq: i64 = db
                .prepare_cached(
                    "INSERT INTO hook_traces (seq, id, session, body)
                     VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM hook_traces), ?1, ?2, ?3)
                     ON CONFLICT (id) DO UPDATE SET session = excluded.session, body = excluded.body RETURNING seq",
                )?
                .query_row(
                    params![trace.id.as_str(), trace.session.as_ref().map(SessionId::as_str), body],
                    |row| row.get(0),
                )?;
            db.prepare_cached("DELETE FROM hook_traces WHERE seq <= ?1")?
                .execute([seq - i64::from(keep)])?;
            Ok(())
        })
        .await
    }

    async fn kept(&self) -> Result<u32, StoreError> {
        self.write_rebuildable(|db| {
            Ok(db
                .prepare_cached("SELECT count(*) FROM hook_traces")?
                .query_row([], |row| row.get(0))?)
        })
        .await
    }

    async fn traces(&self, list: &TraceList) -> Result<Vec<Trace>, StoreError> {
        let list = list.clone();
        self.write_rebuildable(move |db| {
            // What the columns do not know is looked for in the text first: most rows need not be parsed then.
            let word = |field: &str, value: &str| format!("\"{field}\":{}", serde_json::Value::from(value));
            let plugin = list.plugin.as_ref().map(|p| word("plugin", p.as_str()));
            let origin = list.origin.as_ref().map(|o| word("origin", o));
            let outcome = list.outcome.map(|o| serde_json::to_value(o).unwrap_or_default());
            let outcome = outcome.as_ref().and_then(|o| o.as_str()).map(|o| word("outcome", o));
            let rows = if list.session.is_some() {
                "SELECT seq, body FROM hook_traces WHERE session = ?1 ORDER BY seq DESC LIMIT ?2"
            } else {
                "SELECT seq, body FROM hook_traces WHERE ?1 IS NULL ORDER BY seq DESC LIMIT ?2"
            };
            let sql = format!(
                "SELECT body FROM ({rows}) WHERE (?3 IS NULL OR instr(body, ?3) > 0) AND (?4 IS NULL OR instr(body, ?4) > 0)
                 AND (?5 IS NULL OR instr(body, ?5) > 0) ORDER BY seq DESC"
            );
            let mut found = db.prepare_cached(&sql)?;
            let mut rows = found.query(params![
                list.session.as_ref().map(SessionId::as_str),
                LOOKED_AT,
                plugin,
                origin,
                outcome
            ])?;
            let limit = crate::trace_limit(&list);
            let mut traces = Vec::new();
            while traces.len() < limit
                && let Some(row) = rows.next()?
            {
                traces.extend(Some(parse(&row.get::<_, String>(0)?)?).filter(|trace| wanted(&list, trace)));
            }
            Ok(traces)
        })
        .await
    }

    async fn trace(&self, id: &TraceId) -> Result<Option<Trace>, StoreError> {
        let id = id.clone();
        self.write_rebuildable(move |db| {
            let body: Option<String> = db
                .prepare_cached("SELECT body FROM hook_traces WHERE id = ?1")?
                .query_row([id.as_str()], |row| row.get(0))
                .optional()?;
            body.map(|body| parse(&body)).transpose()
        })
        .await
    }
}

fn parse(body: &str) -> Result<Trace, Fault> {
    serde_json::from_str(body).map_err(Fault::json("trace"))
}
