//! Quiet hours: when a channel starts no turn, on the clock on the wall. Pure; the clock and the zone come from the caller.
//!
//! A span is over when the clock on the wall says so: when the clocks change inside it, it is an hour shorter or longer.

use kata_protocol::{Ms, QuietHours};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60;

/// A span of every day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    from: u16,
    until: u16,
}

/// Why hours are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“quietHours.{field}”: {problem}")]
pub struct NoHours {
    /// `from` or `until`.
    pub field: &'static str,
    /// What is wrong.
    pub problem: String,
}

impl Quiet {
    /// Reads hours.
    ///
    /// # Errors
    /// [`NoHours`] names the field.
    pub fn new(hours: &QuietHours) -> Result<Self, NoHours> {
        let minute = |field, text: &str| {
            let number = |part: &str, below: u16| {
                let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
                part.parse::<u16>().ok().filter(|n| digits && *n < below)
            };
            let (hour, minute) = text.split_once(':').unwrap_or_default();
            match (number(hour, 24), number(minute, 60)) {
                (Some(hour), Some(minute)) => Ok(hour * 60 + minute),
                _ => Err(NoHours {
                    field,
                    problem: format!("“{text}” is no time of day; write it as 22:00"),
                }),
            }
        };
        let (from, until) = (minute("from", &hours.from)?, minute("until", &hours.until)?);
        if from == until {
            return Err(NoHours {
                field: "until",
                problem: "it is the same as “from”; switch the channel off instead".into(),
            });
        }
        Ok(Self { from, until })
    }

    /// As it was read.
    pub fn hours(&self) -> QuietHours {
        QuietHours {
            from: clock(self.from),
            until: self.end(),
        }
    }

    /// Its end, `HH:MM`.
    pub fn end(&self) -> String {
        clock(self.until)
    }

    /// When the span that `now` is in ends; `None` outside. `offset` says how many seconds the clock on the wall is ahead of
    /// UTC at a time.
    pub fn until(&self, now: Ms, offset: impl Fn(Ms) -> i32) -> Option<Ms> {
        let utc = i64::try_from(now.0).ok()?;
        let ahead = |at: i64| i64::from(offset(Ms(u64::try_from(at).unwrap_or_default()))) * 1000;
        let local = utc + ahead(utc);
        let minutes = local.div_euclid(MINUTE);
        let (day, minute) = (minutes.div_euclid(DAY), minutes.rem_euclid(DAY));
        let (from, until) = (i64::from(self.from), i64::from(self.until));
        let inside = if from < until {
            (from..until).contains(&minute)
        } else {
            minute >= from || minute < until
        };
        if !inside {
            return None;
        }
        let last_day = if minute < until { day } else { day + 1 };
        let end = (last_day * DAY + until) * MINUTE;
        // The zone at the end may be another one than now.
        let guess = end - ahead(utc);
        let end = end - ahead(guess);
        u64::try_from(end.max(utc + 1)).ok().map(Ms)
    }
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quiet(from: &str, until: &str) -> Quiet {
        Quiet::new(&hours(from, until)).unwrap()
    }

    fn hours(from: &str, until: &str) -> QuietHours {
        QuietHours {
            from: from.into(),
            until: until.into(),
        }
    }

    /// Minutes since midnight, UTC, of 1 March 2026.
    fn at(day: u64, hour: u64, minute: u64) -> Ms {
        Ms(1_772_323_200_000 + ((day * 24 + hour) * 60 + minute) * 60_000)
    }

    #[test]
    fn a_span_over_midnight_ends_the_next_morning() {
        let night = quiet("22:00", "07:30");
        let utc = |_| 0;
        assert_eq!(night.until(at(0, 21, 59), utc), None);
        assert_eq!(night.until(at(0, 22, 0), utc), Some(at(1, 7, 30)));
        assert_eq!(night.until(at(1, 3, 0), utc), Some(at(1, 7, 30)));
        assert_eq!(night.until(at(1, 7, 30), utc), None);
        let noon = quiet("12:00", "13:00");
        assert_eq!(
            (noon.until(at(0, 12, 30), utc), noon.until(at(0, 13, 0), utc)),
            (Some(at(0, 13, 0)), None)
        );
        assert_eq!(
            night.until(at(0, 20, 30), |_| 2 * 3600),
            Some(at(1, 5, 30)),
            "by the clock on the wall"
        );
    }

    #[test]
    fn when_the_clocks_change_in_the_night_the_span_ends_by_the_clock_on_the_wall() {
        // Central Europe, 29 March 2026: at 01:00 UTC from +1 to +2. And back on 25 October: at 01:00 UTC from +2 to +1.
        let (spring, autumn) = (at(28, 1, 0), at(238, 1, 0));
        let zone = |at: Ms| if at >= spring && at < autumn { 7200 } else { 3600 };
        let night = quiet("22:00", "07:00");
        assert_eq!(
            night.until(at(27, 21, 0), zone),
            Some(at(28, 5, 0)),
            "22:00 at +1 until 07:00 at +2: eight hours"
        );
        assert_eq!(
            night.until(at(237, 20, 0), zone),
            Some(at(238, 6, 0)),
            "22:00 at +2 until 07:00 at +1: ten hours"
        );
        assert_eq!(night.until(at(28, 5, 0), zone), None);
        // An end that the clock on the wall leaps over: nobody waits a day for it.
        let gap = quiet("01:00", "02:30");
        let end = gap.until(at(28, 0, 30), zone).unwrap();
        assert!(end <= at(28, 1, 30) && gap.until(end.max(spring), zone).is_none(), "{end:?}");
    }

    #[test]
    fn hours_that_are_none_name_the_field() {
        for (from, until, field) in [
            ("24:00", "07:00", "from"),
            ("7:00", "08:00", "from"),
            ("", "08:00", "from"),
            ("07:00", "08:60", "until"),
            ("07:00", "+1:00", "until"),
            ("07:00", "07:00", "until"),
        ] {
            assert_eq!(Quiet::new(&hours(from, until)).unwrap_err().field, field, "{from} {until}");
        }
        assert_eq!(quiet("22:00", "07:05").hours(), hours("22:00", "07:05"));
    }

    proptest! {
        #[test]
        fn an_end_is_ahead_within_a_day_and_the_span_is_over_then(
            from in 0..1440u16, until in 0..1440u16, minute in 0..100_000u64, hours in -12..14i32,
        ) {
            prop_assume!(from != until);
            let span = Quiet { from, until };
            let (now, zone) = (at(0, 0, minute), |_| hours * 3600);
            if let Some(end) = span.until(now, zone) {
                prop_assert!(end > now && end.0 <= now.0 + 24 * 3_600_000);
                prop_assert_eq!(span.until(end, zone), None);
            }
        }
    }
}
