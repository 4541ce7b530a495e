//! Traces, a ring of the newest [`KEPT_TRACES`]. Recording returns once the trace is queued; reading goes through the same
//! queue, so a reader sees every trace that was recorded before it asked.

use super::{Fault, SqliteStore};
use crate::KEPT_TRACES;
use async_trait::async_trait;
use kata_core::ports::{StoreError, TraceStore};
use kata_protocol::{SessionId, Trace, TraceId};
use rusqlite::{OptionalExtension, params};

#[async_trait]
impl TraceStore for SqliteStore {
    async fn record(&self, trace: &Trace) -> Result<(), StoreError> {
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
                .execute([seq - i64::from(KEPT_TRACES)])?;
            Ok(())
        })
        .await
    }

    async fn traces(&self, session: Option<&SessionId>, limit: u32) -> Result<Vec<Trace>, StoreError> {
        let session = session.cloned();
        self.write_rebuildable(move |db| {
            let read = |row: &rusqlite::Row<'_>| parse(&row.get::<_, String>(0)?);
            match session {
                Some(session) => db
                    .prepare_cached("SELECT body FROM hook_traces WHERE session = ?1 ORDER BY seq DESC LIMIT ?2")?
                    .query(params![session.as_str(), limit])?
                    .and_then(read)
                    .collect(),
                None => db
                    .prepare_cached("SELECT body FROM hook_traces ORDER BY seq DESC LIMIT ?1")?
                    .query([limit])?
                    .and_then(read)
                    .collect(),
            }
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
