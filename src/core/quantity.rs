//! Kubernetes quantities (`100m`, `0.5`, `256Mi`, `1e3`): read exactly, halved
//! and compared by value.
//!
//! Source: the grammar of `k8s.io/apimachinery/pkg/api/resource.Quantity`.

/// Nano-units in one.
const NANO: i128 = 1_000_000_000;

/// An amount, exact to a billionth, as the API server keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    nano: i128,
}

impl Quantity {
    /// Reads a quantity. `None` where the API server would read none, or
    /// where it is larger than any machine.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix(['+', '-']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
        let (number, suffix) = digits.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (times, by) = scale(suffix)?;
        // `whole.fraction * times / by` in nano-units, rounded up as the API server does.
        let digits: i128 =
            format!("{whole}{fraction}").trim_start_matches('0').parse().or_else(|_| zero(whole, fraction)).ok()?;
        let up = digits.checked_mul(times)?.checked_mul(NANO)?;
        let down = 10_i128.checked_pow(fraction.len() as u32)?.checked_mul(by)?;
        let nano = up / down + i128::from(up % down != 0);
        Some(Self { nano: if negative { -nano } else { nano } })
    }

    /// Half of it, rounded up to a thousandth.
    #[must_use]
    pub fn half(self) -> Self {
        Self { nano: self.nano / 2 }.milli()
    }

    /// Rounded up to a thousandth, which is what the API server makes of the
    /// amounts in `limits` and `requests`.
    #[must_use]
    pub fn milli(self) -> Self {
        self.up_to(NANO / 1000)
    }

    /// Rounded up to whole units, as bytes have to be.
    #[must_use]
    pub fn whole(self) -> Self {
        self.up_to(NANO)
    }

    fn up_to(self, step: i128) -> Self {
        Self { nano: self.nano + (step - self.nano.rem_euclid(step)) % step }
    }

    /// In whole units, rounded down.
    pub fn units(self) -> i128 {
        self.nano.div_euclid(NANO)
    }
}

fn zero(whole: &str, fraction: &str) -> Result<i128, std::num::ParseIntError> {
    // All zeroes were trimmed away; anything else is too long for a number.
    if whole.bytes().chain(fraction.bytes()).all(|digit| digit == b'0') { Ok(0) } else { "".parse() }
}

/// What a suffix multiplies with, and what it divides by.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, NANO),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "E" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

impl std::fmt::Display for Quantity {
    /// The shortest exact form: a binary suffix where it divides, else units,
    /// else thousandths or billionths.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.nano % NANO != 0 {
            return match self.nano % (NANO / 1000) {
                0 => write!(f, "{}m", self.nano / (NANO / 1000)),
                _ => write!(f, "{}n", self.nano),
            };
        }
        let units = self.nano / NANO;
        let binary = [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
        match binary.iter().find(|(_, bits)| units != 0 && units % (1_i128 << bits) == 0) {
            Some((suffix, bits)) => write!(f, "{}{suffix}", units >> bits),
            None => write!(f, "{units}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_amount_in_several_spellings() {
        for (one, other) in [
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1e3", "1k"),
            ("1E3", "1000"),
            ("1.50", "1500m"),
            ("0", "0Mi"),
            (".5", "0.5"),
            ("5.", "5"),
        ] {
            assert_eq!(Quantity::parse(one), Quantity::parse(other), "{one} {other}");
            assert!(Quantity::parse(one).is_some(), "{one}");
        }
        for bad in
            ["", "m", ".", "1.2.3", "1x", "1 Mi", "ten", "1ee3", "9999999999999999999999999999999999999999", "1e99"]
        {
            assert_eq!(Quantity::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn half_of_it_is_printed_short_and_exact() {
        let half = |text: &str| Quantity::parse(text).map(|all| all.half().to_string()).unwrap_or_default();
        let halves = ["100m", "256Mi", "1", "0.5", "1Gi", "3", "1001m", "0"].map(half);
        assert_eq!(halves, ["50m", "128Mi", "500m", "250m", "512Mi", "1500m", "501m", "0"]);
    }

    #[test]
    fn what_is_finer_than_a_thousandth_is_rounded_up() {
        let milli = |text: &str| Quantity::parse(text).map(|all| all.milli().to_string()).unwrap_or_default();
        assert_eq!(["1500u", "1n", "100m", "256Mi", "0"].map(milli), ["2m", "1m", "100m", "256Mi", "0"]);
        let whole = |text: &str| Quantity::parse(text).map(|all| all.whole().to_string()).unwrap_or_default();
        assert_eq!(["0.5", "1n", "1.1Ki", "256Mi", "0"].map(whole), ["1", "1", "1127", "256Mi", "0"]);
    }
}
