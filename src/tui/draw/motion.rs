//! The quiet motion: what changed glows once, what landed breathes. It asks to
//! be woken only while something moves, so that an idle window writes nothing.

use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Rect;

use super::Pen;
use crate::theme::Role;

/// Steps of a glow, and how long each stands.
const STEPS: i64 = 6;
const STEP: SignedDuration = SignedDuration::from_millis(120);
/// How much of its colour a row takes on at first.
const GLOW: f64 = 0.3;

/// How much is left of the glow of something that changed then: 1 at once, 0
/// when it is over.
fn left(pen: &mut Pen<'_>, changed: Option<Timestamp>) -> f64 {
    let Some(changed) = changed.filter(|_| pen.app.look.motion) else { return 0.0 };
    let age = pen.app.now.duration_since(changed);
    let step = age.as_millis() / STEP.as_millis();
    if age.is_negative() || step >= i128::from(STEPS) {
        return 0.0;
    }
    let next = STEP.checked_mul(step as i32 + 1).and_then(|after| changed.checked_add(after).ok());
    if let Some(next) = next {
        pen.hits.wake(next);
    }
    1.0 - step as f64 / STEPS as f64
}

/// Lets a row glow that changed then.
pub(super) fn glow(pen: &mut Pen<'_>, row: Rect, role: Role, changed: Option<Timestamp>) {
    let left = left(pen, changed);
    if left > 0.0 {
        let ground = pen.theme.mix(Role::Bg, role, GLOW * left);
        pen.tint(row, pen.theme.base().bg(ground));
    }
}

/// The strength that a cell shows in which something landed then: it swells
/// and settles.
pub(super) fn breath(pen: &mut Pen<'_>, strength: f64, landed: Option<Timestamp>) -> f64 {
    let left = left(pen, landed);
    let swell = (left * std::f64::consts::PI * 1.5).sin().abs() * left;
    strength + (1.0 - strength) * swell
}
