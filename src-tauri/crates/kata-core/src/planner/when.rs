//! When a piece of work runs: read from what a plugin wrote, and its times.
//!
//! A cron line without `*` in its minutes and hours names times of the day, and each of them comes once a day: one that a clock
//! change leaves out comes when the clock goes on, one that it repeats comes the first time. A line with `*` there is an interval
//! and follows the clock as it goes. That is what Vixie cron does (cron(8), “Daylight Saving Time”).

use super::Unfit;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, Zoned};
use kata_protocol::Ms;
use serde::Deserialize;

/// Shortest and longest interval, seconds.
const INTERVAL: std::ops::RangeInclusive<f64> = 5.0..=86_400.0;
/// How far a clock change moves a time, with room.
const MARGIN: SignedDuration = SignedDuration::from_hours(3);
/// Times of a line that are looked at before it is given up; a line has 1,440 a day at most.
const TRIES: usize = 4_000;

/// As a plugin writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Written {
    every: Option<f64>,
    idle: Option<f64>,
    cron: Option<String>,
    time_zone: Option<String>,
    at: Option<f64>,
}

/// When.
#[derive(Clone, Debug)]
pub(super) enum When {
    /// Milliseconds between two runs, and the most it is stretched to.
    Every { every: u64, idle: u64 },
    /// At the times of a line.
    Cron(Box<Line>),
    /// Once.
    At(Ms),
}

/// A cron line in its zone.
#[derive(Clone, Debug)]
pub(super) struct Line {
    cron: Cron,
    text: String,
    zone: TimeZone,
    zone_name: Option<String>,
    /// Whether it names times of the day.
    fixed: bool,
}

impl When {
    /// Reads one; `local` is the zone of this machine. The error names the field.
    pub(super) fn read(id: &str, written: Written, local: &TimeZone) -> Result<Self, Unfit> {
        let seconds = |field: &str, value: f64| match INTERVAL.contains(&value) {
            // Within the range, so it is a small whole number of milliseconds.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
            true => Ok((value * 1000.0) as u64),
            false => Err(Unfit(format!("`when.{field}` of “{id}” must be from 5 to 86,400 seconds"))),
        };
        match (written.every, written.cron, written.at) {
            (Some(every), None, None) => {
                let every = seconds("every", every)?;
                let idle = written.idle.map(|idle| seconds("idle", idle)).transpose()?;
                Ok(Self::Every {
                    every,
                    idle: idle.unwrap_or(every).max(every),
                })
            }
            (None, Some(line), None) => Ok(Self::Cron(Box::new(Line::read(id, &line, written.time_zone, local)?))),
            // JavaScript's largest date is far below 2^53.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked here")]
            (None, None, Some(at)) if (0.0..=8.64e15).contains(&at) => Ok(Self::At(Ms(at as u64))),
            (None, None, Some(_)) => Err(Unfit(format!("`when.at` of “{id}” must be milliseconds since 1970"))),
            _ => Err(Unfit(format!("`when` of “{id}” must have one of `every`, `cron` and `at`"))),
        }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Every { every, .. } => format!("every {}", span(*every)),
            Self::Cron(line) => match &line.zone_name {
                Some(zone) => format!("{} ({zone})", line.text),
                None => line.text.clone(),
            },
            Self::At(_) => "once".into(),
        }
    }
}

/// A length of time in words.
pub(super) fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    let (n, unit) = match seconds {
        s if s >= 3600 && s.is_multiple_of(3600) => (s / 3600, "hour"),
        s if s >= 60 && s.is_multiple_of(60) => (s / 60, "minute"),
        s => (s, "second"),
    };
    if n == 1 { unit.to_owned() } else { format!("{n} {unit}s") }
}

/// A zone of the IANA database, out of the copy in the program: the core reads no files.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

impl Line {
    fn read(id: &str, text: &str, zone_name: Option<String>, local: &TimeZone) -> Result<Self, Unfit> {
        let text = text.trim();
        let zone = match &zone_name {
            Some(name) => zone(name).ok_or_else(|| {
                Unfit(format!(
                    "`when.timeZone` of “{id}”: “{name}” is not in the IANA database of time zones"
                ))
            })?,
            None => local.clone(),
        };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|e| {
            Unfit(format!(
                "`when.cron` of “{id}” is no cron line of minute, hour, day, month and weekday: {e}"
            ))
        })?;
        let fixed = match text.strip_prefix('@') {
            Some(name) => !name.eq_ignore_ascii_case("hourly"),
            None => text.split_whitespace().take(2).all(|field| !field.contains('*')),
        };
        let line = Self {
            cron,
            text: text.to_owned(),
            zone,
            zone_name,
            fixed,
        };
        if line
            .cron
            .find_next_occurrence(&DateTime::constant(2024, 1, 1, 0, 0, 0, 0), true)
            .is_err()
        {
            return Err(Unfit(format!("`when.cron` of “{id}”: such a day never comes")));
        }
        Ok(line)
    }

    /// The first time after `after`.
    pub(super) fn next(&self, after: Ms) -> Option<Ms> {
        let from = self.zoned(after)?;
        if !self.fixed {
            return to_ms(self.cron.find_next_occurrence(&from, false).ok()?.timestamp());
        }
        let mut civil = from.datetime().checked_sub(MARGIN).ok()?;
        for _ in 0..TRIES {
            civil = self.cron.find_next_occurrence(&civil, false).ok()?;
            let at = self.instant(civil)?;
            if at > from.timestamp() {
                return to_ms(at);
            }
        }
        None
    }

    /// The last time that is not after `now`.
    pub(super) fn last(&self, now: Ms) -> Option<Ms> {
        let from = self.zoned(now)?;
        if !self.fixed {
            return to_ms(self.cron.find_previous_occurrence(&from, true).ok()?.timestamp());
        }
        let mut civil = from.datetime().checked_add(MARGIN).ok()?;
        for _ in 0..TRIES {
            civil = self.cron.find_previous_occurrence(&civil, false).ok()?;
            let at = self.instant(civil)?;
            if at <= from.timestamp() {
                return to_ms(at);
            }
        }
        None
    }

    /// When the clock on the wall shows that: the first time, or when it goes on over it.
    fn instant(&self, civil: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(civil);
        match ambiguous.offset() {
            AmbiguousOffset::Gap { before, .. } => {
                // Reckoned on, as if the clock had not gone on: just after the change.
                let past = before.to_timestamp(civil).ok()?;
                let after = past.checked_add(SignedDuration::from_secs(1)).ok()?;
                let change = self.zone.preceding(after).next()?;
                Some(change.timestamp())
            }
            _ => ambiguous.earlier().ok(),
        }
    }

    fn zoned(&self, at: Ms) -> Option<Zoned> {
        let at = Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }
}

fn to_ms(at: Timestamp) -> Option<Ms> {
    u64::try_from(at.as_millisecond()).ok().map(Ms)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str, zone: &str) -> Line {
        let written = Written {
            cron: Some(text.into()),
            time_zone: Some(zone.into()),
            ..Written::default()
        };
        match When::read("x", written, &TimeZone::UTC).unwrap() {
            When::Cron(line) => *line,
            other => panic!("{other:?}"),
        }
    }

    fn ms(text: &str) -> Ms {
        to_ms(text.parse::<Timestamp>().unwrap()).unwrap()
    }

    /// The first `n` times after `from`.
    fn times(text: &str, zone: &str, from: &str, n: usize) -> Vec<String> {
        let line = line(text, zone);
        let mut at = ms(from);
        (0..n)
            .map(|_| {
                at = line.next(at).unwrap();
                Timestamp::from_millisecond(at.0 as i64).unwrap().to_string()
            })
            .collect()
    }

    #[test]
    fn a_time_of_the_day_that_a_clock_change_leaves_out_comes_when_the_clock_goes_on() {
        // Berlin goes from 2:00 to 3:00 on 30 March 2025, at 1:00 UTC.
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2025-03-28T12:00:00Z", 3),
            ["2025-03-29T01:30:00Z", "2025-03-30T01:00:00Z", "2025-03-31T00:30:00Z"]
        );
        // Two of them are left out: they come together, once.
        assert_eq!(
            times("0,30 2,14 * * *", "Europe/Berlin", "2025-03-29T20:00:00Z", 3),
            ["2025-03-30T01:00:00Z", "2025-03-30T12:00:00Z", "2025-03-30T12:30:00Z"]
        );
    }

    #[test]
    fn a_time_of_the_day_that_comes_twice_runs_once_and_an_interval_goes_on() {
        // Berlin goes from 3:00 back to 2:00 on 26 October 2025, at 1:00 UTC.
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2025-10-25T12:00:00Z", 2),
            ["2025-10-26T00:30:00Z", "2025-10-27T01:30:00Z"]
        );
        assert_eq!(
            times("30 * * * *", "Europe/Berlin", "2025-10-25T23:00:00Z", 4),
            [
                "2025-10-25T23:30:00Z",
                "2025-10-26T00:30:00Z",
                "2025-10-26T01:30:00Z",
                "2025-10-26T02:30:00Z"
            ]
        );
        // Half an hour, as Lord Howe has it.
        assert_eq!(
            times("45 1 * * *", "Australia/Lord_Howe", "2025-04-04T00:00:00Z", 3),
            ["2025-04-04T14:45:00Z", "2025-04-05T14:45:00Z", "2025-04-06T15:15:00Z"]
        );
    }

    #[test]
    fn days_of_the_month_and_of_the_week_are_either_or_as_vixie_cron_has_them() {
        // 1 December 2025 is a Monday.
        assert_eq!(
            times("0 9 13 * FRI", "UTC", "2025-12-01T00:00:00Z", 3),
            ["2025-12-05T09:00:00Z", "2025-12-12T09:00:00Z", "2025-12-13T09:00:00Z"]
        );
        assert_eq!(times("@weekly", "UTC", "2025-12-01T00:00:00Z", 1), ["2025-12-07T00:00:00Z"]);
        assert_eq!(times("0 0 29 2 *", "UTC", "2025-12-01T00:00:00Z", 1), ["2028-02-29T00:00:00Z"]);
        assert_eq!(times("0 9 * * 7", "UTC", "2025-12-01T00:00:00Z", 1), ["2025-12-07T09:00:00Z"]);
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_field() {
        let read = |json: serde_json::Value| {
            let written = serde_json::from_value(json).unwrap();
            When::read("poll", written, &TimeZone::UTC).unwrap_err().0
        };
        for (json, field) in [
            (serde_json::json!({ "every": 4 }), "`when.every` of “poll”"),
            (serde_json::json!({ "every": 60, "idle": 90_000 }), "`when.idle` of “poll”"),
            (serde_json::json!({ "cron": "0 9 * *" }), "`when.cron` of “poll”"),
            (serde_json::json!({ "cron": "0 0 9 * * *" }), "`when.cron` of “poll”"),
            (serde_json::json!({ "cron": "61 9 * * *" }), "`when.cron` of “poll”"),
            (serde_json::json!({ "cron": "@reboot" }), "`when.cron` of “poll”"),
            (serde_json::json!({ "cron": "0 0 30 2 *" }), "never comes"),
            (
                serde_json::json!({ "cron": "0 9 * * *", "timeZone": "Mars/Olympus" }),
                "`when.timeZone` of “poll”: “Mars/Olympus”",
            ),
            (serde_json::json!({ "at": -1 }), "`when.at` of “poll”"),
            (serde_json::json!({}), "one of `every`, `cron` and `at`"),
            (serde_json::json!({ "every": 60, "at": 1 }), "one of `every`, `cron` and `at`"),
        ] {
            let error = read(json.clone());
            assert!(error.contains(field), "{json}: {error}");
        }
    }

    proptest! {
        #[test]
        fn times_always_go_on_and_the_last_one_is_the_one_before_the_next(
            start in 1_700_000_000u64..1_900_000_000,
            minute in 0u32..60, hour in 0u32..24, interval in any::<bool>(),
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
        ) {
            let text = if interval { format!("{minute} * * * *") } else { format!("{minute} {hour} * * *") };
            let line = line(&text, zone);
            let now = Ms(start * 1000);
            let next = line.next(now).unwrap();
            prop_assert!(next > now);
            let most = if interval { 2 } else { 25 };
            prop_assert!(next.0 - now.0 <= most * 3_600_000);
            let last = line.last(now).unwrap();
            prop_assert!(last <= now);
            prop_assert_eq!(line.next(last), Some(next));
            prop_assert_eq!(line.last(next), Some(next));
        }
    }
}
