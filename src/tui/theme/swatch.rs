//! A theme in one line of colours.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Style};

use super::palette::{Palette, RAMP};
use super::{ColourLevel, Role, Theme};
use crate::encode::Encoder;

/// The roles that a swatch shows, on the theme's own surface.
const SHOWN: [Role; 11] = [
    Role::Text,
    Role::Soft,
    Role::Mute,
    Role::Moss,
    Role::Leaf,
    Role::Amber,
    Role::Coral,
    Role::Sky,
    Role::Plum,
    Role::Rose,
    Role::Teal,
];

/// The colours of a theme as one line for a terminal: its inks on its surface,
/// then its heatmap. Empty where there are no colours.
pub fn swatch(palette: &Palette, level: ColourLevel) -> String {
    if level == ColourLevel::None {
        return String::new();
    }
    let theme = Theme::of(palette.clone().into(), level, false);
    let (mut bytes, mut encoder) = (Vec::new(), Encoder::new());
    let mut put = |text: &str, style: Style| {
        let mut cell = Cell::default();
        cell.set_symbol(text).set_style(style);
        encoder.cell(&mut bytes, &cell);
    };
    let surface = theme.base();
    put(" ", surface);
    for role in SHOWN {
        put(theme.glyphs.dot, surface.patch(theme.fg(role)));
        put(" ", surface);
    }
    for i in 0..RAMP {
        let colour = theme.ramp(i as f64 / (RAMP - 1) as f64, 1.0);
        // As ink, for with sixteen colours no surface is coloured.
        let block = if colour == Color::Reset { " " } else { "█" };
        put(block, surface.fg(colour));
    }
    encoder.end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
