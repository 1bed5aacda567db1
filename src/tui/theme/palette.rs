//! A set of colours, one for each role, and those that come with us.

use std::sync::OnceLock;

use ratatui::style::{Color, Modifier};

use super::colour::{CLEAR, LEGIBLE, Rgb, contrast, mix};
use super::file::{self, Reading};
use super::{RAMP_STEPS, Role, step};

/// The themes that come with us, as they stand in `assets/themes`.
const OURS: [(&str, &str); 5] = [
    ("dark", include_str!("../../../assets/themes/dark.toml")),
    ("light", include_str!("../../../assets/themes/light.toml")),
    ("high-contrast", include_str!("../../../assets/themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../../assets/themes/colour-blind.toml")),
    ("mono", include_str!("../../../assets/themes/mono.toml")),
];

/// The names of the themes that come with us.
pub const NAMES: [&str; OURS.len()] = {
    let mut names = [""; OURS.len()];
    let mut i = 0;
    while i < OURS.len() {
        names[i] = OURS[i].0;
        i += 1;
    }
    names
};

/// What a theme of ours is for: the words that its file begins with.
pub fn about(name: &str) -> Option<String> {
    let (_, text) = OURS.into_iter().find(|(ours, _)| *ours == name)?;
    Some(text.lines().map_while(|line| line.strip_prefix("# ")).collect::<Vec<_>>().join(" "))
}

/// How many colours a heatmap's ramp is given.
pub(super) const RAMP: usize = 9;
/// How many it is given where there are sixteen.
pub(super) const ANSI_RAMP: usize = 4;

/// What stands behind a label in the field, and its ink.
type Label = (Rgb, Role);

/// The colours of a theme, by role.
#[derive(Clone, Debug)]
pub struct Palette {
    pub(super) name: String,
    pub(super) roles: [Rgb; Role::ALL.len()],
    /// The colours where there are sixteen.
    pub(super) ansi: [Color; Role::ALL.len()],
    /// What is said by weight besides.
    pub(super) weight: [Modifier; Role::ALL.len()],
    pub(super) ramp: [Rgb; RAMP],
    pub(super) ansi_ramp: [Color; ANSI_RAMP],
    /// By step of strength; worked out when the first label is drawn.
    labels: OnceLock<[Label; RAMP_STEPS as usize + 1]>,
}

impl Palette {
    /// The theme of ours with this name.
    pub fn named(name: &str) -> Option<Self> {
        let (name, text) = OURS.into_iter().find(|(ours, _)| *ours == name)?;
        Some(file::read(name, text).palette)
    }

    /// The theme for dark terminals, which is ours where nobody says anything.
    pub fn dark() -> Self {
        file::read(OURS[0].0, OURS[0].1).palette
    }

    /// The theme for light terminals.
    pub fn light() -> Self {
        file::read(OURS[1].0, OURS[1].1).palette
    }

    /// Reads the text of a theme's file. What is wrong is told beside a
    /// palette that has the rest.
    pub fn read(name: &str, text: &str) -> Reading {
        file::read(name, text)
    }

    /// One without colours, to be filled.
    pub(super) fn blank(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            roles: [(0, 0, 0); Role::ALL.len()],
            ansi: [Color::Reset; Role::ALL.len()],
            weight: [Modifier::empty(); Role::ALL.len()],
            ramp: [(0, 0, 0); RAMP],
            ansi_ramp: [Color::Reset; ANSI_RAMP],
            labels: OnceLock::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The colour of a role.
    pub const fn rgb(&self, role: Role) -> Rgb {
        self.roles[role as usize]
    }

    /// The colours of the heatmap, from nothing to full strength.
    pub const fn field(&self) -> &[Rgb; RAMP] {
        &self.ramp
    }

    /// The colour of a strength, 0..1, quantised.
    pub(super) fn strength(&self, strength: f64) -> Rgb {
        let strength = f64::from(step(strength)) / f64::from(RAMP_STEPS);
        let place = strength * (RAMP - 1) as f64;
        let index = (place as usize).min(RAMP - 2);
        mix(self.ramp[index], self.ramp[index + 1], place - index as f64)
    }

    /// What stands behind a label at a step of strength, and its ink: the
    /// field, taken toward the surface just so far that it can be read.
    pub(super) fn label(&self, step: u8) -> Label {
        let labels = self.labels.get_or_init(|| std::array::from_fn(|i| self.find_label(i as u8)));
        labels[usize::from(step.min(RAMP_STEPS))]
    }

    /// The contrast that labels are to have: more where the theme's faintest
    /// text has more.
    pub(super) fn legible(&self) -> f64 {
        let faintest = contrast(self.rgb(Role::Mute), self.rgb(Role::SelectedFocus));
        if faintest >= CLEAR { CLEAR } else { LEGIBLE }
    }

    fn find_label(&self, step: u8) -> Label {
        let surface = self.rgb(Role::Bg);
        let wanted = self.legible();
        let field = self.strength(f64::from(step) / f64::from(RAMP_STEPS) * 0.82);
        let piece = |t: u32| mix(field, surface, f64::from(t) / 20.0);
        for back in (7..20).map(piece) {
            for ink in [Role::Text, Role::Bg] {
                if contrast(self.rgb(ink), back) >= wanted {
                    return (back, ink);
                }
            }
        }
        (surface, Role::Text)
    }
}
