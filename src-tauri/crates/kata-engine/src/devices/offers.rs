//! Offers: a code for one device, for ten minutes, for five wrong tries. Kept in memory as hashes, so a restart ends them.

use kata_gateway::{TokenHash, token_hash};
use kata_protocol::{Ms, Scope};

/// Milliseconds a code is good for.
pub(super) const LASTS_MS: u64 = 10 * 60 * 1000;
/// Wrong tries after which every open offer ends.
const TRIES: u8 = 5;
/// Offers at a time; a further one takes the place of the oldest.
const OPEN: usize = 4;
/// Characters of a code: 50 bits.
pub(super) const LENGTH: usize = 10;
/// Crockford's alphabet: no I, L, O and U, so that nothing is read as something else.
pub(super) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What a device will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) scope: Scope,
    pub(super) expires_after_days: Option<u32>,
}

struct Offer {
    code: TokenHash,
    place: Place,
    expires_at: Ms,
    tries: u8,
}

/// What a code led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It is right.
    Right(TokenHash, Place),
    /// It is not; these offers ended by it.
    Wrong(Vec<Place>),
}

/// Those that are open.
#[derive(Default)]
pub(super) struct Offers(Vec<Offer>);

impl Offers {
    /// Opens one. Gives the end of its time.
    pub(super) fn open(&mut self, code: &str, place: Place, now: Ms) -> Ms {
        self.forget_old(now);
        if self.0.len() >= OPEN {
            self.0.remove(0);
        }
        let expires_at = Ms(now.0.saturating_add(LASTS_MS));
        self.0.push(Offer {
            code: token_hash(&plain(code)),
            place,
            expires_at,
            tries: 0,
        });
        expires_at
    }

    /// Looks a code up. A wrong one counts against every open offer: it was meant for one of them.
    pub(super) fn show(&mut self, code: &str, now: Ms) -> Shown {
        self.forget_old(now);
        let hash = token_hash(&plain(code));
        if let Some(offer) = self.0.iter().find(|o| o.code == hash) {
            return Shown::Right(hash, offer.place.clone());
        }
        for offer in &mut self.0 {
            offer.tries += 1;
        }
        let ended: Vec<Place> = self.0.iter().filter(|o| o.tries >= TRIES).map(|o| o.place.clone()).collect();
        self.0.retain(|o| o.tries < TRIES);
        Shown::Wrong(ended)
    }

    /// The place is taken.
    pub(super) fn close(&mut self, code: &TokenHash) {
        self.0.retain(|o| o.code != *code);
    }

    fn forget_old(&mut self, now: Ms) {
        self.0.retain(|o| o.expires_at > now);
    }
}

/// A code from random bits: each byte gives one character.
pub(super) fn code(random: [u8; LENGTH]) -> String {
    random
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).map(|c| char::from(*c)))
        .collect()
}

/// In two groups, to be read out.
pub(super) fn grouped(code: &str) -> String {
    match code.split_at_checked(LENGTH / 2) {
        Some((a, b)) => format!("{a}-{b}"),
        None => code.to_owned(),
    }
}

/// What a person meant: without spaces and dashes, in capitals, with the digits that letters look like.
fn plain(code: &str) -> String {
    let kept = code.chars().filter(|c| c.is_ascii_alphanumeric()).take(64);
    kept.map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> Place {
        Place {
            name: name.into(),
            scope: Scope::Chat,
            expires_after_days: None,
        }
    }

    fn right(shown: Shown) -> Option<String> {
        match shown {
            Shown::Right(_, place) => Some(place.name),
            Shown::Wrong(_) => None,
        }
    }

    #[test]
    fn a_code_is_read_as_a_person_types_it_and_once_only() {
        let mut offers = Offers::default();
        let code = code([1, 0, 31, 10, 11, 12, 13, 14, 15, 16]);
        assert_eq!(grouped(&code), "10ZAB-CDEFG");
        offers.open(&code, place("phone"), Ms(0));
        for typed in ["10ZAB-CDEFG", "10zab cdefg", "lOzab-cdefg", " 1 0 Z A B C D E F G "] {
            assert_eq!(right(offers.show(typed, Ms(1))).as_deref(), Some("phone"), "{typed}");
        }
        let Shown::Right(hash, _) = offers.show(&code, Ms(1)) else {
            panic!()
        };
        offers.close(&hash);
        assert_eq!(right(offers.show(&code, Ms(2))), None);
    }

    #[test]
    fn ten_minutes_or_five_wrong_tries_end_an_offer() {
        let mut offers = Offers::default();
        let end = offers.open("AAAAA", place("phone"), Ms(5));
        assert!(right(offers.show("AAAAA", Ms(end.0 - 1))).is_some());
        assert!(right(offers.show("AAAAA", end)).is_none());

        offers.open("AAAAA", place("phone"), Ms(5));
        for _ in 0..4 {
            assert_eq!(offers.show("BBBBB", Ms(6)), Shown::Wrong(Vec::new()));
        }
        assert!(right(offers.show("AAAAA", Ms(6))).is_some(), "four are forgiven");
        assert_eq!(offers.show("BBBBB", Ms(6)), Shown::Wrong(vec![place("phone")]));
        assert!(right(offers.show("AAAAA", Ms(6))).is_none());
    }

    #[test]
    fn a_fifth_offer_takes_the_place_of_the_oldest() {
        let mut offers = Offers::default();
        for n in 0..5 {
            offers.open(&format!("CODE{n}"), place(&n.to_string()), Ms(0));
        }
        assert!(right(offers.show("CODE0", Ms(1))).is_none());
        assert_eq!(right(offers.show("CODE4", Ms(1))).as_deref(), Some("4"));
    }
}
