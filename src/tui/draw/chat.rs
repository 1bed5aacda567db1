//! Chat: an honest empty page until agents can be reached.

use ratatui::layout::Rect;

use super::Pen;
use crate::text;
use crate::theme::Role;

const SAID: &str =
    "No agent can be talked to yet: the Cortex of this build tells what is there and does not speak for anybody.";
const MEANWHILE: &str = "Meanwhile an agent's page (⏎ on its row) tells what it is doing and why.";

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    let width = usize::from(area.width.saturating_sub(4));
    let lines = text::wrap(SAID, width)
        .into_iter()
        .map(|line| (line, Role::Soft))
        .chain(std::iter::once((String::new(), Role::Soft)))
        .chain(text::wrap(MEANWHILE, width).into_iter().map(|line| (line, Role::Mute)));
    for ((line, role), y) in lines.zip(area.y + u16::from(area.height > 8)..area.bottom()) {
        pen.put(area.x + 2, y, area.right(), &line, pen.theme.fg(role));
    }
}
