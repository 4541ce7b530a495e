//! Session ids: `YYMMDD-adjective-noun[-n]`, the date in UTC.

use kata_core::ports::Entropy;
use kata_protocol::Ms;

const DAY: u64 = 86_400_000;

const ADJECTIVES: [&str; 64] = [
    "amber", "ample", "apt", "azure", "bold", "brave", "brief", "bright", "brisk", "calm", "candid", "clear", "clever", "cosy", "crisp",
    "deft", "early", "eager", "even", "fair", "fleet", "fond", "frank", "free", "fresh", "gentle", "glad", "golden", "grand", "green",
    "hardy", "honest", "humble", "jolly", "keen", "kind", "late", "light", "lively", "lucid", "mellow", "merry", "mild", "modest", "neat",
    "noble", "open", "plain", "proud", "quick", "quiet", "rapid", "ready", "round", "silver", "sleek", "snug", "solid", "steady", "sunny",
    "swift", "tidy", "warm", "wise",
];

const NOUNS: [&str; 64] = [
    "acorn", "arch", "ash", "aspen", "badger", "basin", "bay", "beacon", "birch", "bloom", "bridge", "brook", "canyon", "cedar", "cliff",
    "cloud", "comet", "coral", "cove", "crane", "creek", "dawn", "delta", "dune", "ember", "falcon", "fern", "field", "finch", "fjord",
    "garden", "glade", "grove", "harbor", "hawk", "heron", "hill", "island", "lagoon", "lake", "lantern", "larch", "maple", "marsh",
    "meadow", "mesa", "moss", "oak", "orchard", "otter", "peak", "pine", "prairie", "reef", "ridge", "river", "robin", "shore", "spruce",
    "stone", "summit", "tide", "valley", "willow",
];

/// A name for a session that begins at `now`; the `attempt`th (from 1) is tried when the ones before are taken.
pub(crate) fn name(now: Ms, words: u64, attempt: u32) -> String {
    let (year, month, day) = date(now.0 / DAY);
    let adjective = ADJECTIVES[(words % 64) as usize];
    let noun = NOUNS[(words / 64 % 64) as usize];
    let base = format!("{:02}{month:02}{day:02}-{adjective}-{noun}", year % 100);
    if attempt <= 1 { base } else { format!("{base}-{attempt}") }
}

/// The words of a new name.
pub(crate) fn words(entropy: &dyn Entropy) -> u64 {
    entropy.next_u64()
}

/// Midnight UTC of the date an id begins with.
pub(crate) fn date_of(id: &str) -> Option<Ms> {
    let digits = id.get(..6).filter(|_| id.as_bytes().get(6) == Some(&b'-'))?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    let (year, month, day) = (2000 + number / 10_000, number / 100 % 100, number % 100);
    let days = days(year, month, day);
    // Only a real date comes back as it went in.
    (date(days) == (year, month, day)).then_some(Ms(days * DAY))
}

/// Days since 1970 of a date in the Gregorian calendar (years from 1970). Months count from March, so that a leap day is the
/// last of its year.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month.saturating_sub(3))
    } else {
        (year - 1, month + 9)
    };
    let in_year = (153 * month + 2) / 5 + day;
    (year * 365 + year / 4 - year / 100 + year / 400 + in_year).saturating_sub(719_469)
}

/// The date of a day since 1970: the other way round.
fn date(days: u64) -> (u64, u64, u64) {
    // From 1 March of year 0; 146,097 days are 400 years.
    let days = days + 719_468;
    let (era, in_era) = (days / 146_097, days % 146_097);
    let year_of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_the_day_and_is_read_back_as_it() {
        // 2026-02-28, 2026-03-01, 2028-02-29, each at noon UTC.
        for (ms, prefix) in [
            (1_772_280_000_000, "260228-"),
            (1_772_366_400_000, "260301-"),
            (1_835_438_400_000, "280229-"),
        ] {
            let name = name(Ms(ms), 12_345, 1);
            assert!(name.starts_with(prefix), "{name}");
            assert_eq!(date_of(&name), Some(Ms(ms - DAY / 2)));
        }
        assert_eq!(name(Ms(1_772_280_000_000), 0, 3), "260228-amber-acorn-3");
    }

    #[test]
    fn every_day_of_a_century_survives_the_round_trip() {
        for day in 10_957..47_000 {
            let (year, month, day_of_month) = date(day);
            assert_eq!(days(year, month, day_of_month), day);
        }
    }

    #[test]
    fn what_is_not_a_date_is_none() {
        for id in ["", "26020", "260231-x-y", "261301-x-y", "260201swift", "daemon-slack", "26020é-x"] {
            assert_eq!(date_of(id), None, "{id}");
        }
    }
}
