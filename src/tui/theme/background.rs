//! Whether the terminal is dark or light, for who lets the theme follow it.

use super::colour::{self, Rgb};
use super::palette::Palette;

/// What a terminal has behind its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// Light text on dark.
    #[default]
    Dark,
    /// Dark text on light.
    Light,
}

impl Background {
    /// That of a colour.
    pub fn of(rgb: Rgb) -> Self {
        if colour::is_light(rgb) { Self::Light } else { Self::Dark }
    }

    /// What `COLORFGBG` says: `15;0`, or with a part between them. Its last
    /// part is one of the sixteen colours.
    pub fn of_variable(value: &str) -> Option<Self> {
        match value.rsplit(';').next()?.trim().parse().ok()? {
            0..=6 | 8_u8 => Some(Self::Dark),
            7 | 9..=15 => Some(Self::Light),
            _ => None,
        }
    }

    /// The theme for it.
    pub fn palette(self) -> Palette {
        match self {
            Self::Dark => Palette::dark(),
            Self::Light => Palette::light(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_says_it_if_it_is_a_number() {
        for (value, expected) in [
            ("15;0", Some(Background::Dark)),
            ("0;15", Some(Background::Light)),
            ("0;default;7", Some(Background::Light)),
            ("12;8", Some(Background::Dark)),
            ("0;default", None),
            ("", None),
            ("0;16", None),
            ("0;-1", None),
        ] {
            assert_eq!(Background::of_variable(value), expected, "{value}");
        }
    }

    #[test]
    fn a_colour_is_light_where_black_is_easier_to_read() {
        for (rgb, expected) in [
            ((0, 0, 0), Background::Dark),
            ((0, 43, 54), Background::Dark),
            ((68, 71, 90), Background::Dark),
            ((253, 246, 227), Background::Light),
            ((255, 255, 255), Background::Light),
        ] {
            assert_eq!(Background::of(rgb), expected, "{rgb:?}");
        }
    }
}
