//! Arithmetic of colours.

/// 24-bit red, green, blue.
pub type Rgb = (u8, u8, u8);

/// The contrast that text needs (WCAG 2.2, 1.4.3).
pub(super) const LEGIBLE: f64 = 4.5;

/// The contrast that text needs for weak eyes (WCAG 2.2, 1.4.6).
pub(super) const CLEAR: f64 = 7.0;

/// Reads `#rrggbb` or `#rgb`.
pub(super) fn hex(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    let at = |shift: u32| (value >> shift) as u8;
    match digits.len() {
        6 => Some((at(16), at(8), at(0))),
        3 => Some(((at(8) & 15) * 17, (at(4) & 15) * 17, (at(0) & 15) * 17)),
        _ => None,
    }
}

/// A colour between two, `t` from 0 (the first) to 1.
pub(super) fn mix(a: Rgb, b: Rgb, t: f64) -> Rgb {
    let t = t.clamp(0.0, 1.0);
    let part = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * t).round() as u8;
    (part(a.0, b.0), part(a.1, b.1), part(a.2, b.2))
}

/// Relative luminance, 0 to 1 (WCAG 2.2).
fn luminance((red, green, blue): Rgb) -> f64 {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

/// Contrast ratio of two colours, 1 to 21 (WCAG 2.2).
pub(super) fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Whether black is easier to read on it than white.
pub(super) fn is_light(rgb: Rgb) -> bool {
    contrast(rgb, (0, 0, 0)) > contrast(rgb, (255, 255, 255))
}

/// The levels of a channel in xterm's 6x6x6 cube.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest of xterm's 6x6x6 cube and its 24 greys.
pub(super) fn index256(rgb: Rgb) -> u8 {
    let nearest = |value: u8| (0..6).min_by_key(|i| LEVELS[*i].abs_diff(value)).unwrap_or(0);
    let distance = |other: Rgb| {
        let part = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
        part(other.0, rgb.0) + part(other.1, rgb.1) + part(other.2, rgb.2)
    };
    let (red, green, blue) = (nearest(rgb.0), nearest(rgb.1), nearest(rgb.2));
    let cube = (LEVELS[red], LEVELS[green], LEVELS[blue]);
    let average = (u16::from(rgb.0) + u16::from(rgb.1) + u16::from(rgb.2)) / 3;
    let grey = (average.saturating_sub(3) / 10).min(23) as u8;
    let shade = 8 + 10 * grey;
    if distance((shade, shade, shade)) < distance(cube) { 232 + grey } else { (16 + 36 * red + 6 * green + blue) as u8 }
}

/// What xterm shows for one of its colours from 16 on.
#[cfg(test)]
pub(super) fn shown256(index: u8) -> Rgb {
    if index >= 232 {
        let shade = 8 + 10 * (index - 232);
        return (shade, shade, shade);
    }
    let level = |place: u8| LEVELS[usize::from((index - 16) / place % 6)];
    (level(36), level(6), level(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_written_as_on_the_web() {
        for (text, expected) in [
            ("#0e1411", Some((14, 20, 17))),
            ("#FFF", Some((255, 255, 255))),
            ("#1a2", Some((17, 170, 34))),
            ("0e1411", None),
            ("#0e141", None),
            ("#0e1411ff", None),
            ("#+e1411", None),
            ("#éé", None),
            ("#", None),
            ("green", None),
        ] {
            assert_eq!(hex(text), expected, "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 1e-9);
        assert!((contrast((119, 119, 119), (255, 255, 255)) - 4.48).abs() < 0.01);
        assert!(is_light((246, 244, 236)) && !is_light((14, 20, 17)) && !is_light((0, 43, 54)));
    }

    #[test]
    fn what_the_cube_holds_stays_as_it_is() {
        for index in 16..=255_u8 {
            assert_eq!(shown256(index256(shown256(index))), shown256(index));
        }
    }
}
