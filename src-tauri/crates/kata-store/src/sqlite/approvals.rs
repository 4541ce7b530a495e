//! Tool calls that wait for a person, and the newest answers.

use super::{Fault, SqliteStore, ms_in, ms_out};
use async_trait::async_trait;
use kata_core::ports::{ApprovalRow, ApprovalStore, KEPT_ANSWERS, SettledApproval, StoreError, WaitingApproval};
use kata_protocol::{ApprovalDecision, CallId, Ms, SessionId};
use rusqlite::{Connection, OptionalExtension, Row, params};

const COLUMNS: &str = "code, session, call_id, expires_at, body, route, decision, settled_at, settled_by";

#[async_trait]
impl ApprovalStore for SqliteStore {
    async fn ask(&self, waiting: &WaitingApproval) -> Result<bool, StoreError> {
        let WaitingApproval { approval, route } = waiting.clone();
        self.write(move |db| {
            let body = serde_json::to_string(&approval).map_err(Fault::json("approval"))?;
            let route = route.map(|r| serde_json::to_string(&r)).transpose().map_err(Fault::json("route"))?;
            db.prepare_cached(
                "INSERT INTO approvals (code, session, call_id, expires_at, body, route) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (code) DO NOTHING",
            )?
            .execute(params![
                approval.code,
                approval.session.as_str(),
                approval.call.call_id.as_str(),
                ms_in(approval.expires_at),
                body,
                route
            ])?;
            Ok(db
                .prepare_cached("SELECT 1 FROM approvals WHERE code = ?1 AND session = ?2 AND call_id = ?3")?
                .exists([approval.code.as_str(), approval.session.as_str(), approval.call.call_id.as_str()])?)
        })
        .await
    }

    async fn approval(&self, code: &str) -> Result<Option<ApprovalRow>, StoreError> {
        let code = code.to_owned();
        self.read(move |db| one(db, &code)).await
    }

    async fn approval_of(&self, session: &SessionId, call: &CallId) -> Result<Option<ApprovalRow>, StoreError> {
        let (session, call) = (session.clone(), call.clone());
        self.read(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM approvals WHERE session = ?1 AND call_id = ?2 ORDER BY seq DESC LIMIT 1");
            db.prepare_cached(&sql)?
                .query_row([session.as_str(), call.as_str()], |row| Ok(read(row)))
                .optional()?
                .transpose()
        })
        .await
    }

    async fn waiting_approvals(&self) -> Result<Vec<WaitingApproval>, StoreError> {
        self.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM approvals WHERE decision IS NULL ORDER BY seq");
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query([])?.and_then(read).collect::<Result<Vec<_>, Fault>>()?;
            Ok(rows
                .into_iter()
                .filter_map(|row| match row {
                    ApprovalRow::Waiting(waiting) => Some(*waiting),
                    ApprovalRow::Settled(_) => None,
                })
                .collect())
        })
        .await
    }

    async fn settle(
        &self,
        code: &str,
        decision: ApprovalDecision,
        by: Option<&str>,
        now: Ms,
    ) -> Result<Option<(SettledApproval, bool)>, StoreError> {
        let (code, by) = (code.to_owned(), by.map(str::to_owned));
        self.write(move |db| {
            let word = serde_json::to_string(&decision).map_err(Fault::json("decision"))?;
            let first = db
                .prepare_cached(
                    "UPDATE approvals SET decision = ?2, settled_at = ?3, settled_by = ?4, body = NULL WHERE code = ?1 AND decision IS NULL",
                )?
                .execute(params![code, word, ms_in(now), by])?
                > 0;
            if first {
                db.prepare_cached(
                    "DELETE FROM approvals WHERE decision IS NOT NULL AND seq NOT IN
                     (SELECT seq FROM approvals WHERE decision IS NOT NULL ORDER BY settled_at DESC, seq DESC LIMIT ?1)",
                )?
                .execute([KEPT_ANSWERS])?;
            }
            Ok(match one(db, &code)? {
                Some(ApprovalRow::Settled(settled)) => Some((*settled, first)),
                Some(ApprovalRow::Waiting(_)) | None => None,
            })
        })
        .await
    }
}

fn one(db: &Connection, code: &str) -> Result<Option<ApprovalRow>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM approvals WHERE code = ?1");
    db.prepare_cached(&sql)?
        .query_row([code], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

fn read(row: &Row<'_>) -> Result<ApprovalRow, Fault> {
    let decision: Option<String> = row.get(6)?;
    let route: Option<String> = row.get(5)?;
    let route = route
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(Fault::json("route"))?;
    let Some(decision) = decision else {
        let body: String = row.get(4)?;
        return Ok(ApprovalRow::Waiting(Box::new(WaitingApproval {
            approval: serde_json::from_str(&body).map_err(Fault::json("approval"))?,
            route,
        })));
    };
    let at: i64 = row.get(7)?;
    Ok(ApprovalRow::Settled(Box::new(SettledApproval {
        code: row.get(0)?,
        session: SessionId::new(row.get::<_, String>(1)?).map_err(Fault::id("session"))?,
        call_id: CallId::new(row.get::<_, String>(2)?).map_err(Fault::id("call"))?,
        decision: serde_json::from_str(&decision).map_err(Fault::json("decision"))?,
        at: ms_out(at),
        expired: at >= row.get::<_, i64>(3)?,
        route,
        by: row.get(8)?,
    })))
}
