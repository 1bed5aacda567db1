//! Colours by role, for every colour level a terminal can have.
//!
//! The only place that knows raw colours; they stand in files, one a theme, of
//! which five come with us (`assets/themes`). A role is what a colour means: moss
//! is alive, leaf active, amber waits for a person or a key, coral wrong, sky
//! information, plum dreams and the past. Colour never carries meaning alone,
//! so at [`ColourLevel::None`] attributes remain and nothing is lost.

mod background;
mod colour;
mod file;
mod glyphs;
mod palette;
mod swatch;

use std::sync::Arc;

use ratatui::style::{Color, Modifier, Style};

pub use background::Background;
pub use colour::Rgb;
pub use file::{Fault, Reading, ansi_names, nearest, weight_names};
pub use glyphs::Glyphs;
pub use palette::{NAMES, Palette, about};
pub use swatch::swatch;

use colour::{index256, mix};

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColourLevel {
    /// None at all: `NO_COLOR`, or a terminal that says so.
    None,
    /// The sixteen of ANSI.
    Ansi16,
    /// The 256 of xterm.
    Ansi256,
    /// 24 bits.
    #[default]
    True,
}

/// What the environment says about colours (`NO_COLOR`, `COLORTERM`, `TERM`).
pub fn colour_level(env: impl Fn(&str) -> Option<String>) -> ColourLevel {
    if env("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return ColourLevel::None;
    }
    let term = env("TERM").unwrap_or_default();
    if term.is_empty() || term == "dumb" || term.starts_with("vt1") || term.starts_with("vt2") {
        return ColourLevel::None;
    }
    let colorterm = env("COLORTERM").unwrap_or_default();
    if colorterm.contains("truecolor") || colorterm.contains("24bit") || term.contains("direct") {
        ColourLevel::True
    } else if term.contains("256") {
        ColourLevel::Ansi256
    } else {
        ColourLevel::Ansi16
    }
}

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Role {
    Bg,
    Raised,
    Line,
    Focus,
    Text,
    Soft,
    Mute,
    Key,
    Moss,
    Leaf,
    Amber,
    Coral,
    Sky,
    Plum,
    Rose,
    Teal,
    Selected,
    SelectedFocus,
}

impl Role {
    /// All of them, in their order.
    pub const ALL: [Self; 18] = [
        Self::Bg,
        Self::Raised,
        Self::Line,
        Self::Focus,
        Self::Text,
        Self::Soft,
        Self::Mute,
        Self::Key,
        Self::Moss,
        Self::Leaf,
        Self::Amber,
        Self::Coral,
        Self::Sky,
        Self::Plum,
        Self::Rose,
        Self::Teal,
        Self::Selected,
        Self::SelectedFocus,
    ];

    /// How a file names it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Bg => "bg",
            Self::Raised => "raised",
            Self::Line => "line",
            Self::Focus => "focus",
            Self::Text => "text",
            Self::Soft => "soft",
            Self::Mute => "mute",
            Self::Key => "key",
            Self::Moss => "moss",
            Self::Leaf => "leaf",
            Self::Amber => "amber",
            Self::Coral => "coral",
            Self::Sky => "sky",
            Self::Plum => "plum",
            Self::Rose => "rose",
            Self::Teal => "teal",
            Self::Selected => "selected",
            Self::SelectedFocus => "selected_focus",
        }
    }

    /// What it means, in a sentence without its stop.
    pub const fn said(self) -> &'static str {
        match self {
            Self::Bg => "the ground that everything stands on",
            Self::Raised => "the ground of pages, dialogs and messages, which lie over the rest",
            Self::Line => "lines that recede: boxes, empty bars",
            Self::Focus => "the line of the pane that takes the keys, and its cursor",
            Self::Text => "everything that matters",
            Self::Soft => "what is read second",
            Self::Mute => "what is looked up: units, labels, ages",
            Self::Key => "a key that can be pressed",
            Self::Moss => "alive and well",
            Self::Leaf => "active just now",
            Self::Amber => "waits for a person, or is about to be a trouble",
            Self::Coral => "wrong",
            Self::Sky => "you, and what is only told",
            Self::Plum => "dreams, ghosts and the past",
            Self::Rose | Self::Teal => "one of the hues by which agents are told apart",
            Self::Selected => "the ground of the chosen row in a pane without the focus",
            Self::SelectedFocus => "the ground of the chosen row in the pane with the focus",
        }
    }
}

/// The colours in which agents are told apart.
const ACCENTS: [Role; 7] = [Role::Sky, Role::Leaf, Role::Plum, Role::Amber, Role::Moss, Role::Rose, Role::Teal];

/// How much of its colour a tinted surface has.
const TINT: f64 = 0.14;

/// How many steps of strength are told apart by colour.
pub const RAMP_STEPS: u8 = 16;

/// Roles and glyphs as one terminal shows them.
#[derive(Clone, Debug)]
pub struct Theme {
    palette: Arc<Palette>,
    level: ColourLevel,
    /// The glyphs.
    pub glyphs: Glyphs,
}

impl Theme {
    /// The dark theme for a terminal.
    pub fn new(level: ColourLevel, ascii: bool) -> Self {
        Self::of(Arc::new(Palette::dark()), level, ascii)
    }

    /// A theme of these colours for a terminal.
    pub const fn of(palette: Arc<Palette>, level: ColourLevel, ascii: bool) -> Self {
        Self { palette, level, glyphs: if ascii { glyphs::ASCII } else { glyphs::UNICODE } }
    }

    /// How many colours there are.
    pub const fn level(&self) -> ColourLevel {
        self.level
    }

    /// The colour of a role.
    pub fn color(&self, role: Role) -> Color {
        match self.level {
            ColourLevel::None => Color::Reset,
            ColourLevel::Ansi16 => self.palette.ansi[role as usize],
            _ => self.raw(self.palette.rgb(role)),
        }
    }

    /// Text of a role on whatever is behind it.
    pub fn fg(&self, role: Role) -> Style {
        Style::new().fg(self.color(role)).add_modifier(self.palette.weight[role as usize])
    }

    /// Bold text of a role.
    pub fn bold(&self, role: Role) -> Style {
        self.fg(role).add_modifier(Modifier::BOLD)
    }

    /// The surface that everything stands on.
    pub fn base(&self) -> Style {
        Style::new().fg(self.color(Role::Text)).bg(self.color(Role::Bg))
    }

    /// A selected row; where colours cannot show it, it is reversed.
    pub fn selected(&self, focused: bool) -> Style {
        if self.level <= ColourLevel::Ansi16 {
            let style = Style::new().add_modifier(Modifier::REVERSED);
            return if focused { style } else { style.add_modifier(Modifier::DIM) };
        }
        Style::new().bg(self.color(if focused { Role::SelectedFocus } else { Role::Selected }))
    }

    /// A key cap: dark text on the role's colour.
    pub fn cap(&self, role: Role) -> Style {
        if self.level <= ColourLevel::Ansi16 {
            return self.bold(role).add_modifier(Modifier::REVERSED);
        }
        Style::new().fg(self.color(Role::Bg)).bg(self.color(role)).add_modifier(Modifier::BOLD)
    }

    /// Text of a role on a surface that is tinted with it: a line that goes or
    /// comes. Where surfaces have no colours, the text alone has it.
    pub fn tint(&self, role: Role) -> Style {
        if self.level <= ColourLevel::Ansi16 {
            return self.fg(role);
        }
        self.fg(role).bg(self.mix(Role::Raised, role, TINT))
    }

    /// The cursor in a text that is typed.
    pub fn cursor(&self) -> Style {
        if self.level <= ColourLevel::Ansi16 {
            return Style::new().add_modifier(Modifier::REVERSED);
        }
        Style::new().fg(self.color(Role::Bg)).bg(self.color(Role::Text))
    }

    /// The hue that an agent has everywhere: a stable hash of its name.
    pub fn accent(&self, name: &str) -> Role {
        // FNV-1a: stable across versions and machines, unlike the standard hasher.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        ACCENTS[((hash >> 32) % ACCENTS.len() as u64) as usize]
    }

    /// A colour between two roles, `t` from 0 (the first) to 1; where colours
    /// cannot be mixed, the nearer one.
    pub fn mix(&self, from: Role, to: Role, t: f64) -> Color {
        match self.level {
            ColourLevel::None | ColourLevel::Ansi16 => self.color(if t < 0.5 { from } else { to }),
            _ => self.raw(mix(self.palette.rgb(from), self.palette.rgb(to), t)),
        }
    }

    /// The colour of a strength, 0..1, quantised to [`RAMP_STEPS`].
    pub fn ramp(&self, strength: f64, dim: f64) -> Color {
        match self.level {
            ColourLevel::None => Color::Reset,
            ColourLevel::Ansi16 => match strength {
                s if s < 0.06 => self.palette.ansi_ramp[0],
                s if s < 0.4 => self.palette.ansi_ramp[1],
                s if s < 0.8 => self.palette.ansi_ramp[2],
                _ => self.palette.ansi_ramp[3],
            },
            _ => self.raw(self.palette.strength(strength * dim)),
        }
    }

    /// The colour behind a label that stands in the field, and its ink.
    pub fn label(&self, strength: f64) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        if self.level <= ColourLevel::Ansi16 {
            return bold.fg(self.color(Role::Text));
        }
        let (back, ink) = self.palette.label(step(strength));
        bold.fg(self.color(ink)).bg(self.raw(back))
    }

    /// What stands behind an overlay: the same, but far away.
    pub fn faded(&self, style: Style) -> Style {
        if self.level <= ColourLevel::Ansi16 {
            return style.remove_modifier(Modifier::BOLD | Modifier::REVERSED).add_modifier(Modifier::DIM);
        }
        Style::new().fg(self.toward(style.fg, Role::Line, 0.62)).bg(self.toward(style.bg, Role::Bg, 0.5))
    }

    /// What is too old to be trusted: the same, with less light.
    pub fn aged(&self, style: Style) -> Style {
        if self.level <= ColourLevel::Ansi16 {
            return style.remove_modifier(Modifier::BOLD).add_modifier(Modifier::DIM);
        }
        style.fg(self.toward(style.fg, Role::Mute, 0.4))
    }

    /// A colour on its way to the background.
    fn toward(&self, color: Option<Color>, otherwise: Role, t: f64) -> Color {
        match color {
            Some(Color::Rgb(r, g, b)) => self.raw(mix((r, g, b), self.palette.rgb(Role::Bg), t)),
            _ => self.color(otherwise),
        }
    }

    fn raw(&self, rgb: Rgb) -> Color {
        let (r, g, b) = rgb;
        match self.level {
            ColourLevel::True => Color::Rgb(r, g, b),
            ColourLevel::Ansi256 => Color::Indexed(index256(rgb)),
            _ => Color::Reset,
        }
    }
}

/// The step of a strength: what the eye can tell apart, and what wakes us.
pub fn step(strength: f64) -> u8 {
    (strength.clamp(0.0, 1.0) * f64::from(RAMP_STEPS)).ceil() as u8
}

#[cfg(test)]
mod tests;
