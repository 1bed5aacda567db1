//! How ages and remaining times are said.
//!
//! A text moves in steps, so that a screen that shows it can sleep until the
//! next: seconds below ten, then ten seconds, minutes, hours, days.

use jiff::SignedDuration;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// An age in one word: `3s`, `40s`, `4m`, `2h`, `3d`. It is rounded down to
/// its step; what lies in the future is `0s` old.
pub fn text(age: SignedDuration) -> String {
    word(age.as_secs().max(0))
}

/// The time until [`text`] changes; always more than none.
pub fn next_step(age: SignedDuration) -> SignedDuration {
    if age.is_negative() {
        return SignedDuration::from_secs(1).saturating_sub(age);
    }
    let (secs, nanos) = (age.as_secs(), i64::from(age.subsec_nanos()));
    let step = step(secs);
    SignedDuration::from_secs(step - secs % step).saturating_sub(SignedDuration::from_nanos(nanos))
}

/// What is left of a time, for "gone in 33m": as [`text`], but with the
/// minutes (`1h32`) while it is less than ten hours. It is rounded down, so
/// that nobody counts on time that is not there; nothing left is `0s`.
pub fn until_text(left: SignedDuration) -> String {
    let secs = left.as_secs().max(0);
    if (HOUR..10 * HOUR).contains(&secs) { format!("{}h{:02}", secs / HOUR, secs % HOUR / MINUTE) } else { word(secs) }
}

/// The time until [`until_text`] changes, as what is left runs out; `None`
/// when it says `0s` and stays so.
pub fn until_next_step(left: SignedDuration) -> Option<SignedDuration> {
    let secs = left.as_secs();
    if secs < 1 {
        return None;
    }
    let step = if (HOUR..10 * HOUR).contains(&secs) { MINUTE } else { step(secs) };
    let shown = SignedDuration::from_secs(secs - secs % step);
    Some(left.saturating_sub(shown).saturating_add(SignedDuration::from_nanos(1)))
}

fn word(secs: i64) -> String {
    let shown = secs - secs % step(secs);
    match secs {
        ..MINUTE => format!("{shown}s"),
        MINUTE..HOUR => format!("{}m", shown / MINUTE),
        HOUR..DAY => format!("{}h", shown / HOUR),
        DAY.. => format!("{}d", shown / DAY),
    }
}

/// The seconds between two texts at this age.
fn step(secs: i64) -> i64 {
    match secs {
        ..10 => 1,
        10..MINUTE => 10,
        MINUTE..HOUR => MINUTE,
        HOUR..DAY => HOUR,
        DAY.. => DAY,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{any_duration, secs};

    const NANO: SignedDuration = SignedDuration::from_nanos(1);

    #[test]
    fn ages_are_said_in_steps() {
        let cases = [
            (-90, "0s"),
            (0, "0s"),
            (3, "3s"),
            (9, "9s"),
            (10, "10s"),
            (47, "40s"),
            (59, "50s"),
            (60, "1m"),
            (4 * 60 + 59, "4m"),
            (3599, "59m"),
            (3600, "1h"),
            (2 * 3600 + 3599, "2h"),
            (86_399, "23h"),
            (86_400, "1d"),
            (3 * 86_400 + 7, "3d"),
        ];
        for (age, expected) in cases {
            assert_eq!(text(secs(age)), expected);
        }
        assert_eq!(text(SignedDuration::MIN), "0s");
        assert_eq!(text(SignedDuration::MAX), "106751991167300d");
    }

    #[test]
    fn the_next_step_is_where_the_text_changes() {
        let cases =
            [(0, 1), (9, 1), (10, 10), (47, 3), (60, 60), (61, 59), (3600, 3600), (86_399, 1), (86_400, 86_400)];
        for (age, expected) in cases {
            assert_eq!(next_step(secs(age)), secs(expected), "at {age} s");
        }
        assert_eq!(next_step(SignedDuration::from_millis(3_400)), SignedDuration::from_millis(600));
        assert_eq!(next_step(secs(-5)), secs(6));
        assert_eq!(next_step(SignedDuration::MIN), SignedDuration::MAX);
    }

    #[test]
    fn remaining_time_is_never_said_as_more() {
        let cases = [
            (-5, "0s"),
            (0, "0s"),
            (7, "7s"),
            (59, "50s"),
            (33 * 60 + 13, "33m"),
            (3599, "59m"),
            (3600, "1h00"),
            (5520, "1h32"),
            (6 * 3600 + 150, "6h02"),
            (35_999, "9h59"),
            (36_000, "10h"),
            (86_399, "23h"),
            (86_400, "1d"),
            (2 * 86_400 - 1, "1d"),
        ];
        for (left, expected) in cases {
            assert_eq!(until_text(secs(left)), expected);
        }
        assert_eq!(until_next_step(secs(1)), Some(NANO));
        assert_eq!(until_next_step(secs(60)), Some(NANO));
        assert_eq!(until_next_step(secs(5530)), Some(secs(10) + NANO));
        assert_eq!(until_next_step(SignedDuration::from_millis(900)), None);
        assert_eq!(until_next_step(SignedDuration::MIN), None);
    }

    proptest! {
        #![proptest_config(crate::testing::config())]

        #[test]
        fn a_text_holds_until_its_step_and_no_longer(age in any_duration()) {
            let wait = next_step(age);
            prop_assert!(wait > SignedDuration::ZERO);
            prop_assert_eq!(text(age.saturating_add(wait - NANO)), text(age));
            // Longer than any duration is as good as never.
            if wait < SignedDuration::MAX && let Some(later) = age.checked_add(wait) {
                prop_assert_ne!(text(later), text(age));
            }
        }

        #[test]
        fn a_remaining_time_holds_until_its_step_and_no_longer(left in any_duration()) {
            if let Some(wait) = until_next_step(left) {
                prop_assert!(wait > SignedDuration::ZERO);
                prop_assert_eq!(until_text(left.saturating_sub(wait - NANO)), until_text(left));
                prop_assert_ne!(until_text(left.saturating_sub(wait)), until_text(left));
            } else {
                prop_assert_eq!(until_text(left), "0s");
            }
        }
    }
}
