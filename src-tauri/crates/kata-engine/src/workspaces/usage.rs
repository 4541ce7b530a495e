//! Tokens by day of this machine's clock and model, added up from quarters of an hour.

use crate::engine::Inner;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, Zoned, ZonedRound};
use kata_protocol::{Count, Ms, UsageGet, UsageRow, WireError};
use kata_store::Used;
use std::collections::BTreeMap;

/// Days that may be asked for.
const DAYS: std::ops::RangeInclusive<u32> = 1..=366;

/// Begin of the day a time lies in.
fn day_of(at: Ms, zone: &TimeZone) -> Option<Zoned> {
    let at = Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
    let floor = ZonedRound::new().smallest(Unit::Day).mode(jiff::RoundMode::Floor);
    at.to_zoned(zone.clone()).round(floor).ok()
}

fn ms(at: &Zoned) -> Ms {
    Ms(u64::try_from(at.timestamp().as_millisecond()).unwrap_or_default())
}

fn by_day(rows: Vec<Used>, zone: &TimeZone) -> Vec<UsageRow> {
    let mut days: BTreeMap<(Ms, String), [u64; 3]> = BTreeMap::new();
    for row in rows {
        let Some(day) = day_of(row.at, zone) else { continue };
        let sums = days.entry((ms(&day), row.model)).or_default();
        for (sum, more) in sums.iter_mut().zip([row.input, row.output, row.turns]) {
            *sum = sum.saturating_add(more);
        }
    }
    let row = |((day, model), [input, output, turns]): ((Ms, String), [u64; 3])| UsageRow {
        day,
        model,
        input: Count(input),
        output: Count(output),
        turns: Count(turns),
    };
    days.into_iter().map(row).collect()
}

impl Inner {
    pub(crate) async fn usage(&self, params: UsageGet) -> Result<Vec<UsageRow>, WireError> {
        if !DAYS.contains(&params.days) {
            return Err(WireError::invalid("days: is from 1 to 366"));
        }
        let zone = TimeZone::system();
        let today = day_of(self.clock.now(), &zone).ok_or_else(|| WireError::internal("the clock shows no day"))?;
        let back = jiff::Span::new().days(i64::from(params.days) - 1);
        let since = today.checked_sub(back).map_err(|error| WireError::internal(error.to_string()))?;
        let rows = self
            .store
            .usage(ms(&since))
            .await
            .map_err(|error| WireError::internal(error.to_string()))?;
        Ok(by_day(rows, &zone))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn used(at: &str, model: &str) -> Used {
        Used {
            at: Ms(at.parse::<Timestamp>().unwrap().as_millisecond().try_into().unwrap()),
            model: model.into(),
            input: 10,
            output: 1,
            turns: 1,
        }
    }

    #[test]
    fn a_day_is_one_of_the_machines_clock_also_where_its_zone_is_no_whole_hour_away() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        // Midnight there is half past six in the evening of the day before.
        let rows = by_day(
            vec![
                used("2026-11-20T18:15:00Z", "a"),
                used("2026-11-20T18:30:00Z", "a"),
                used("2026-11-20T18:45:00Z", "a"),
                used("2026-11-20T18:45:00Z", "b"),
            ],
            &zone,
        );
        let told: Vec<_> = rows.iter().map(|row| (row.model.as_str(), row.input.0, row.turns.0)).collect();
        assert_eq!(told, [("a", 10, 1), ("a", 20, 2), ("b", 10, 1)]);
        assert_eq!(rows[1].day.0 - rows[0].day.0, 86_400_000);
    }

    #[test]
    fn the_day_of_a_clock_change_is_one_day() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let rows = by_day(vec![used("2026-10-24T22:00:00Z", "a"), used("2026-10-25T22:45:00Z", "a")], &zone);
        assert_eq!(rows.len(), 1);
    }
}
