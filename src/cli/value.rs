//! Values of flags that clap does not know: durations, sizes, shares.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use jiff::SignedDuration;

/// The longest duration that is taken, so that no sum of it overflows.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Reads `500ms`, `5s`, `1.5m`, `1h30m` or `2d`: longer than nothing.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let help = "write it as 500ms, 5s, 1m or 1h30m";
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(format!("a duration is missing: {help}"));
    }
    if rest.starts_with('-') {
        return Err(format!("a duration is longer than nothing: {help}"));
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let number: f64 = number.parse().map_err(|_| format!("this is no duration: {help}"))?;
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let seconds = match unit.trim() {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            "" => return Err(format!("a unit is missing: {help}")),
            other => return Err(format!("'{other}' is no unit of time: {help}")),
        };
        total += number * seconds;
        rest = tail;
    }
    match Duration::try_from_secs_f64(total) {
        Ok(Duration::ZERO) => Err(format!("a duration is longer than nothing: {help}")),
        Ok(duration) if duration <= LONGEST => Ok(duration),
        _ => Err("that is longer than 100 years".to_owned()),
    }
}

/// Reads an address to listen on; a name is looked up, and `:PORT` is that
/// port of loopback.
pub(crate) fn address(text: &str, like: &str) -> Result<SocketAddr, String> {
    let whole = if text.starts_with(':') { format!("127.0.0.1{text}") } else { text.to_owned() };
    let found = whole.to_socket_addrs().map_err(|error| format!("{error}; write it as {like}"))?;
    let mut found: Vec<SocketAddr> = found.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.into_iter().next().ok_or_else(|| format!("no such address; write it as {like}"))
}

/// Reads a number from 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("it must be a number from 0 to 1".to_owned()),
    }
}

/// Reads how fast time passes: 0 or more.
pub(crate) fn speed(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed >= 0.0 => Ok(speed),
        _ => Err("it must be a number, 0 or more".to_owned()),
    }
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u16, pub(crate) u16);

/// Reads `120x40`.
pub(crate) fn size(text: &str) -> Result<Size, String> {
    let side = |text: &str| text.trim().parse::<u16>().ok().filter(|side| (1..=1_000).contains(side));
    text.split_once(['x', 'X'])
        .and_then(|(width, height)| Some(Size(side(width)?, side(height)?)))
        .ok_or_else(|| "write it as columns x rows, such as 120x40, each from 1 to 1000".to_owned())
}

/// A half-life as it is shown: `5m`, `2h`, `90s`, `1.5m`.
pub(crate) fn minutes(minutes: f64) -> String {
    let trimmed = |figure: f64, unit: &str| {
        let text = format!("{figure:.1}");
        format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
    };
    let seconds = minutes * 60.0;
    match minutes {
        _ if minutes >= 1e9 => format!("{minutes:e}m"),
        _ if minutes >= 1_440.0 && minutes % 1_440.0 == 0.0 => trimmed(minutes / 1_440.0, "d"),
        _ if minutes >= 60.0 && minutes % 60.0 == 0.0 => trimmed(minutes / 60.0, "h"),
        _ if minutes >= 1.0 => trimmed(minutes, "m"),
        _ if seconds >= 0.1 => trimmed(seconds, "s"),
        _ => format!("{minutes:e}m"),
    }
}

/// How long until something is gone; for what outlives any clock, `never`.
pub(crate) fn until(end: jiff::Timestamp, now: jiff::Timestamp) -> String {
    if end == jiff::Timestamp::MAX {
        return "never".to_owned();
    }
    let left = end.duration_since(now);
    if left < SignedDuration::ZERO { "gone".to_owned() } else { kgents_core::age::until_text(left) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_they_are_written() {
        let millis = |text: &str| duration(text).map(|duration| duration.as_millis());
        for (text, expected) in [
            ("500ms", 500),
            ("5s", 5_000),
            ("1m", 60_000),
            ("1.5m", 90_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            (" 1h 30m ", 5_400_000),
        ] {
            assert_eq!(millis(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_how_to_write_one() {
        for text in [
            "",
            "5",
            "0s",
            "0",
            "-5s",
            "soon",
            "5 parsecs",
            "1e3s",
            "1.2.3s",
            "٥s",
            "ms",
            "999999999999999999999d",
            "NaNs",
            "5s5",
        ] {
            let error = duration(text).unwrap_err();
            assert!(error.contains("write it as") || error.contains("100 years"), "{text}: {error}");
        }
    }

    #[test]
    fn shares_and_sizes_have_bounds() {
        assert_eq!(share("0.25"), Ok(0.25));
        assert_eq!((share("0"), share("1")), (Ok(0.0), Ok(1.0)));
        for text in ["-0.1", "1.01", "NaN", "inf", "", "x"] {
            assert!(share(text).is_err(), "{text}");
        }
        assert_eq!((speed("0"), speed("2.5")), (Ok(0.0), Ok(2.5)));
        for text in ["-1", "NaN", "inf", "", "fast"] {
            assert!(speed(text).is_err(), "{text}");
        }
        assert_eq!(size("120x40"), Ok(Size(120, 40)));
        for text in ["120", "0x1", "1x0", "1001x1", "-1x5", "axb", ""] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn half_lives_are_short_words() {
        for (figure, text) in [
            (5.0, "5m"),
            (120.0, "2h"),
            (0.5, "30s"),
            (1.5, "1.5m"),
            (90.0, "90m"),
            (2_880.0, "2d"),
            (1e-300, "1e-300m"),
        ] {
            assert_eq!(minutes(figure), text);
        }
        assert_eq!(minutes(f64::MAX), format!("{:e}m", f64::MAX));
    }
}
