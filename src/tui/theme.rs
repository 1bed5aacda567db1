//! Colours by role, for every colour level a terminal can have.
//!
//! The only place that names raw colours. A role is what a colour means: moss
//! is alive, leaf active, amber waits for a person or a key, coral wrong, sky
//! information, plum dreams and the past. Colour never carries meaning alone,
//! so at [`ColourLevel::None`] attributes remain and nothing is lost.

use std::sync::LazyLock;

use ratatui::style::{Color, Modifier, Style};

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

/// 24-bit red, green, blue.
pub type Rgb = (u8, u8, u8);

const fn hex(value: u32) -> Rgb {
    ((value >> 16) as u8, (value >> 8) as u8, value as u8)
}

impl Role {
    /// The colour in the moss theme.
    pub const fn rgb(self) -> Rgb {
        hex(match self {
            Self::Bg => 0x0e_1411,
            Self::Raised => 0x13_1b17,
            Self::Line => 0x26_332c,
            Self::Focus | Self::Moss => 0x7f_c77a,
            Self::Text => 0xd6_e2d9,
            Self::Soft => 0xb3_c3b8,
            Self::Mute => 0x8f_a297,
            Self::Key | Self::Amber => 0xe9_b44c,
            Self::Leaf => 0xb5_d96b,
            Self::Coral => 0xef_7d66,
            Self::Sky => 0x76_c0e0,
            Self::Plum => 0xc3_9be8,
            Self::Rose => 0xe7_8fb0,
            Self::Teal => 0x5c_c8b0,
            Self::Selected => 0x1d_2a23,
            Self::SelectedFocus => 0x24_382c,
        })
    }

    /// The colour where there are sixteen.
    const fn ansi(self) -> Color {
        match self {
            Self::Bg | Self::Raised | Self::Selected | Self::SelectedFocus | Self::Text => Color::Reset,
            Self::Line | Self::Mute => Color::DarkGray,
            Self::Soft => Color::Gray,
            Self::Focus | Self::Moss => Color::Green,
            Self::Leaf => Color::LightGreen,
            Self::Key | Self::Amber => Color::Yellow,
            Self::Coral => Color::Red,
            Self::Sky => Color::Cyan,
            Self::Plum => Color::Magenta,
            Self::Rose => Color::LightMagenta,
            Self::Teal => Color::LightCyan,
        }
    }
}

/// The colours in which agents are told apart.
const ACCENTS: [Role; 7] = [Role::Sky, Role::Leaf, Role::Plum, Role::Amber, Role::Moss, Role::Rose, Role::Teal];

/// From nothing to full strength, as the heatmap shows it.
const RAMP: [Rgb; 9] = [
    hex(0x0e_1411),
    hex(0x17_251f),
    hex(0x1f_3d2e),
    hex(0x3b_5a2c),
    hex(0x7a_7a2a),
    hex(0xc0_8a2d),
    hex(0xe9_a63f),
    hex(0xf7_d27a),
    hex(0xff_f3cf),
];

/// How many steps of strength are told apart by colour.
pub const RAMP_STEPS: u8 = 16;

/// Glyphs, in Unicode or in ASCII.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Glyphs {
    pub corners: [&'static str; 4],
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub bar_full: &'static str,
    pub bar_half: &'static str,
    pub bar_empty: &'static str,
    pub risk: &'static str,
    pub risk_empty: &'static str,
    pub gauge_full: &'static str,
    pub gauge_empty: &'static str,
    pub shades: [&'static str; 5],
    pub blocks: [&'static str; 8],
    pub cursor: &'static str,
    pub margin: &'static str,
    pub dot: &'static str,
    pub ring: &'static str,
    pub ghost: &'static str,
    pub half: &'static str,
    pub moon: &'static str,
    pub flag: &'static str,
    pub cross: &'static str,
    pub alarm: &'static str,
    pub fold: &'static str,
}

const UNICODE: Glyphs = Glyphs {
    corners: ["╭", "╮", "╰", "╯"],
    horizontal: "─",
    vertical: "│",
    bar_full: "━",
    bar_half: "╸",
    bar_empty: "─",
    risk: "■",
    risk_empty: "·",
    gauge_full: "▰",
    gauge_empty: "▱",
    shades: [" ", "░", "▒", "▓", "█"],
    blocks: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    cursor: "▌",
    margin: "▎",
    dot: "●",
    ring: "○",
    ghost: "◌",
    half: "◐",
    moon: "☾",
    flag: "⚑",
    cross: "✗",
    alarm: "▲",
    fold: "╶",
};

const ASCII: Glyphs = Glyphs {
    corners: ["+", "+", "+", "+"],
    horizontal: "-",
    vertical: "|",
    bar_full: "=",
    bar_half: "-",
    bar_empty: ".",
    risk: "#",
    risk_empty: ".",
    gauge_full: "#",
    gauge_empty: ".",
    shades: [" ", ".", ":", "+", "#"],
    blocks: ["_", ".", "-", "=", "+", "*", "%", "#"],
    cursor: ">",
    margin: "|",
    dot: "*",
    ring: "o",
    ghost: "~",
    half: "+",
    moon: "(",
    flag: "!",
    cross: "x",
    alarm: "^",
    fold: "-",
};

/// Roles and glyphs as one terminal shows them.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    level: ColourLevel,
    /// The glyphs.
    pub glyphs: Glyphs,
}

impl Theme {
    /// A theme for a terminal.
    pub const fn new(level: ColourLevel, ascii: bool) -> Self {
        Self { level, glyphs: if ascii { ASCII } else { UNICODE } }
    }

    /// How many colours there are.
    pub const fn level(&self) -> ColourLevel {
        self.level
    }

    /// The colour of a role.
    pub fn color(&self, role: Role) -> Color {
        match self.level {
            ColourLevel::None => Color::Reset,
            ColourLevel::Ansi16 => role.ansi(),
            _ => self.raw(role.rgb()),
        }
    }

    /// Text of a role on whatever is behind it.
    pub fn fg(&self, role: Role) -> Style {
        Style::new().fg(self.color(role))
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
            _ => self.raw(mix(from.rgb(), to.rgb(), t)),
        }
    }

    /// The colour of a strength, 0..1, quantised to [`RAMP_STEPS`].
    pub fn ramp(&self, strength: f64, dim: f64) -> Color {
        match self.level {
            ColourLevel::None => Color::Reset,
            ColourLevel::Ansi16 => match strength {
                s if s < 0.06 => Color::Reset,
                s if s < 0.4 => Color::Green,
                s if s < 0.8 => Color::Yellow,
                _ => Color::LightYellow,
            },
            _ => self.raw(ramp_rgb(strength * dim)),
        }
    }

    /// The colour behind a label that stands in the field, and its ink.
    pub fn label(&self, strength: f64) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        if self.level <= ColourLevel::Ansi16 {
            return bold.fg(self.color(Role::Text));
        }
        let (back, ink) = LABELS[usize::from(step(strength))];
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
            Some(Color::Rgb(r, g, b)) => self.raw(mix((r, g, b), Role::Bg.rgb(), t)),
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

fn mix(a: Rgb, b: Rgb, t: f64) -> Rgb {
    let t = t.clamp(0.0, 1.0);
    let part = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * t).round() as u8;
    (part(a.0, b.0), part(a.1, b.1), part(a.2, b.2))
}

/// Contrast ratio of two colours, 1 to 21 (WCAG 2.2).
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    let light = |(r, g, b): Rgb| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (a, b) = (light(a), light(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// What stands behind a label and its ink, by step of strength: the field
/// darkened just so far that the label can be read.
static LABELS: LazyLock<[(Rgb, Role); RAMP_STEPS as usize + 1]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let field = ramp_rgb(i as f64 / f64::from(RAMP_STEPS) * 0.82);
        let piece = |t: u32| mix(field, Role::Bg.rgb(), f64::from(t) / 20.0);
        for back in (7..20).map(piece) {
            for ink in [Role::Text, Role::Bg] {
                if contrast(ink.rgb(), back) >= LEGIBLE {
                    return (back, ink);
                }
            }
        }
        (Role::Bg.rgb(), Role::Text)
    })
});

/// The contrast that text needs (WCAG 2.2, 1.4.3).
const LEGIBLE: f64 = 4.5;

/// The step of a strength: what the eye can tell apart, and what wakes us.
pub fn step(strength: f64) -> u8 {
    (strength.clamp(0.0, 1.0) * f64::from(RAMP_STEPS)).ceil() as u8
}

fn ramp_rgb(strength: f64) -> Rgb {
    let strength = f64::from(step(strength)) / f64::from(RAMP_STEPS);
    let place = strength * (RAMP.len() - 1) as f64;
    let index = (place as usize).min(RAMP.len() - 2);
    mix(RAMP[index], RAMP[index + 1], place - index as f64)
}

/// The nearest of xterm's 6x6x6 cube and its 24 greys.
fn index256(rgb: Rgb) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_legible_on_every_surface_it_stands_on() {
        use Role::{
            Amber, Bg, Coral, Key, Leaf, Moss, Mute, Plum, Raised, Rose, Selected, SelectedFocus, Sky, Soft, Teal, Text,
        };
        for text in [Text, Soft, Mute, Key, Moss, Leaf, Amber, Coral, Sky, Plum, Rose, Teal] {
            for surface in [Bg, Raised, Selected, SelectedFocus] {
                let ratio = contrast(text.rgb(), surface.rgb());
                assert!(ratio >= LEGIBLE, "{text:?} on {surface:?}: {ratio:.2}");
            }
        }
    }

    #[test]
    fn labels_are_legible_all_over_the_field() {
        for (i, (back, ink)) in LABELS.iter().enumerate() {
            assert!(contrast(ink.rgb(), *back) >= LEGIBLE, "step {i}");
        }
    }

    #[test]
    fn the_environment_decides_the_level() {
        let level = |pairs: &[(&str, &str)]| {
            colour_level(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(level(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]), ColourLevel::True);
        assert_eq!(level(&[("TERM", "xterm-256color")]), ColourLevel::Ansi256);
        assert_eq!(level(&[("TERM", "linux")]), ColourLevel::Ansi16);
        assert_eq!(level(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), ColourLevel::None);
        assert_eq!(level(&[("TERM", "xterm"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), ColourLevel::None);
        assert_eq!(level(&[("TERM", "xterm"), ("COLORTERM", "truecolor"), ("NO_COLOR", "")]), ColourLevel::True);
    }

    #[test]
    fn without_colours_every_role_is_the_terminals_own() {
        let theme = Theme::new(ColourLevel::None, false);
        for role in [Role::Bg, Role::Text, Role::Coral, Role::Key] {
            assert_eq!(theme.color(role), Color::Reset);
        }
        assert_eq!(theme.ramp(1.0, 1.0), Color::Reset);
        assert!(theme.selected(true).add_modifier.contains(Modifier::REVERSED));
    }
}
