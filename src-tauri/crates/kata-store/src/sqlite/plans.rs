//! Plans that wait for a person, and the newest answers. `decision` is NULL while one waits; `replaced` when a newer plan of its
//! session took its place.

use super::{Fault, SqliteStore, ms_in};
use async_trait::async_trait;
use kata_core::ports::{AnsweredPlan, KEPT_PLANS, PlanStore, StoreError};
use kata_protocol::{MessageId, Ms, Plan, PlanDecision};
use rusqlite::{Connection, OptionalExtension, Row, params};

const COLUMNS: &str = "body, decision, note, told";
const REPLACED: &str = "replaced";

#[async_trait]
impl PlanStore for SqliteStore {
    async fn hand_in(&self, plan: &Plan) -> Result<(), StoreError> {
        let plan = plan.clone();
        self.write(move |db| {
            db.prepare_cached("UPDATE plans SET decision = ?2, answered_at = ?3, told = 1 WHERE session = ?1 AND decision IS NULL")?
                .execute(params![plan.session.as_str(), REPLACED, ms_in(plan.submitted_at)])?;
            let body = serde_json::to_string(&plan).map_err(Fault::json("plan"))?;
            db.prepare_cached("INSERT INTO plans (id, session, body) VALUES (?1, ?2, ?3)")?
                .execute(params![plan.id.as_str(), plan.session.as_str(), body])?;
            Ok(())
        })
        .await
    }

    async fn waiting_plans(&self) -> Result<Vec<Plan>, StoreError> {
        self.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM plans WHERE decision IS NULL ORDER BY seq");
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query([])?.and_then(read).collect::<Result<Vec<_>, Fault>>()?;
            Ok(rows.into_iter().map(|row| row.plan).collect())
        })
        .await
    }

    async fn answer_plan(
        &self,
        id: &MessageId,
        decision: PlanDecision,
        text: Option<&str>,
        now: Ms,
    ) -> Result<Option<(AnsweredPlan, bool)>, StoreError> {
        let (id, text) = (id.clone(), text.map(str::to_owned));
        self.write(move |db| {
            let word = serde_json::to_string(&decision).map_err(Fault::json("decision"))?;
            let first = db
                .prepare_cached("UPDATE plans SET decision = ?2, note = ?3, answered_at = ?4 WHERE id = ?1 AND decision IS NULL")?
                .execute(params![id.as_str(), word, text, ms_in(now)])?
                > 0;
            if first {
                db.prepare_cached(
                    "DELETE FROM plans WHERE told = 1 AND seq NOT IN
                     (SELECT seq FROM plans WHERE told = 1 ORDER BY answered_at DESC, seq DESC LIMIT ?1)",
                )?
                .execute([KEPT_PLANS])?;
            }
            Ok(one(db, &id)?.map(|row| (row, first)))
        })
        .await
    }

    async fn untold_plans(&self) -> Result<Vec<AnsweredPlan>, StoreError> {
        self.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM plans WHERE decision IS NOT NULL AND told = 0 ORDER BY seq");
            let mut statement = db.prepare_cached(&sql)?;
            statement.query([])?.and_then(read).collect()
        })
        .await
    }

    async fn plan_told(&self, id: &MessageId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |db| {
            db.prepare_cached("UPDATE plans SET told = 1 WHERE id = ?1")?
                .execute([id.as_str()])?;
            Ok(())
        })
        .await
    }
}

fn one(db: &Connection, id: &MessageId) -> Result<Option<AnsweredPlan>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM plans WHERE id = ?1");
    db.prepare_cached(&sql)?
        .query_row([id.as_str()], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

fn read(row: &Row<'_>) -> Result<AnsweredPlan, Fault> {
    let decision: Option<String> = row.get(1)?;
    let decision = decision
        .filter(|word| word != REPLACED)
        .map(|word| serde_json::from_str(&word))
        .transpose()
        .map_err(Fault::json("decision"))?;
    Ok(AnsweredPlan {
        plan: serde_json::from_str(&row.get::<_, String>(0)?).map_err(Fault::json("plan"))?,
        decision,
        text: row.get(2)?,
        told: row.get(3)?,
    })
}
