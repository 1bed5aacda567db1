//! Keys: into what is typed, else to the action that they mean.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::App;
use crate::action::Action;
use crate::edit::{Edit, Typed};
use crate::filter::Filter;
use crate::layout::Pane;
use crate::msg::{Effect, Update};
use crate::overlay::{Overlay, Page, Subject};
use crate::theme::Role;
use crate::view;

/// What a person types into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typing {
    Palette,
    Dialog,
    Search,
    Filter(Pane),
    Chat,
}

impl App {
    /// What is typed into at the moment, if anything.
    pub(crate) fn typing(&self) -> Option<Typing> {
        match self.overlays.last() {
            Some(Overlay::Palette(_)) => Some(Typing::Palette),
            Some(Overlay::Dialog(_)) => Some(Typing::Dialog),
            Some(Overlay::Page(page)) => page.search.edit.as_ref().map(|_| Typing::Search),
            None if self.chat.typing && self.focus == Pane::Chat => Some(Typing::Chat),
            None => {
                let filtering = self.filters.get(self.focus as usize)?;
                filtering.edit.as_ref().map(|_| Typing::Filter(self.focus))
            }
        }
    }

    fn edit(&mut self, typing: Typing) -> Option<&mut Edit> {
        match (typing, self.overlays.last_mut()) {
            (Typing::Palette, Some(Overlay::Palette(palette))) => Some(&mut palette.edit),
            (Typing::Dialog, Some(Overlay::Dialog(dialog))) => {
                dialog.fields.get_mut(dialog.field).map(|field| &mut field.edit)
            }
            (Typing::Search, Some(Overlay::Page(page))) => page.search.edit.as_mut(),
            (Typing::Filter(pane), None) => self.filters.get_mut(pane as usize)?.edit.as_mut(),
            (Typing::Chat, None) => Some(&mut self.chat.edit),
            _ => None,
        }
    }

    pub(super) fn key(&mut self, event: &KeyEvent, update: &mut Update) {
        if event.kind == KeyEventKind::Release {
            return;
        }
        let Some(typing) = self.typing() else {
            if let Some(action) = self.look.keymap.find(event, self.spot()) {
                self.act(action, update);
            } else if event.modifiers.contains(KeyModifiers::ALT) {
                self.escaped(event, update);
            }
            return;
        };
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        match (event.code, ctrl) {
            (KeyCode::Char('c'), true) => update.effects.push(Effect::Quit),
            (KeyCode::Char('z'), true) => update.effects.push(Effect::Suspend),
            (KeyCode::Char('l'), true) => update.effects.push(Effect::Repaint),
            (KeyCode::Esc, _) => self.leave(typing),
            (KeyCode::Enter, _) if typing != Typing::Chat || event.modifiers.is_empty() => self.enter(typing, update),
            (KeyCode::Up | KeyCode::Down, _) | (KeyCode::Char('n' | 'p'), true) if typing == Typing::Palette => {
                let down = matches!(event.code, KeyCode::Down | KeyCode::Char('n'));
                self.step(if down { 1 } else { -1 });
            }
            (KeyCode::PageDown, _) if typing == Typing::Dialog => self.step(self.stride()),
            (KeyCode::PageUp, _) if typing == Typing::Dialog => self.step(-self.stride()),
            // Where nothing is typed into, they are free.
            (KeyCode::Up | KeyCode::Down, _) if typing == Typing::Dialog && self.edit(typing).is_none() => {
                self.step(if event.code == KeyCode::Down { 1 } else { -1 });
            }
            (KeyCode::Tab | KeyCode::Down, _) if typing == Typing::Dialog => self.next_field(1),
            (KeyCode::BackTab | KeyCode::Up, _) if typing == Typing::Dialog => self.next_field(-1),
            (KeyCode::Up | KeyCode::Down, _) | (KeyCode::Char('n' | 'p'), true)
                if typing == Typing::Chat && self.recall(event) => {}
            _ => {
                let typed = self.edit(typing).map_or(Typed::Ignored, |edit| edit.key(event));
                if typed == Typed::Changed {
                    self.typed(typing);
                } else if typed == Typed::Ignored && event.modifiers.contains(KeyModifiers::ALT) {
                    self.escaped(event, update);
                }
            }
        }
        update.redraw = true;
    }

    /// Esc and a key that come in one piece look like Alt and the key.
    fn escaped(&mut self, event: &KeyEvent, update: &mut Update) {
        self.key(&KeyEvent::from(KeyCode::Esc), update);
        self.key(&KeyEvent::new(event.code, event.modifiers.difference(KeyModifiers::ALT)), update);
    }

    pub(super) fn paste(&mut self, text: &str, update: &mut Update) {
        // Among panes a paste is nothing: its letters are no keys.
        let Some(typing) = self.typing() else { return };
        let left = self.edit(typing).map_or(0, |edit| edit.paste(text));
        if left > 0 {
            let most = crate::edit::MOST >> 10;
            self.tell(Role::Amber, format!("The paste was cut: {left} bytes more than the {most} KiB that fit."), "");
        }
        self.typed(typing);
        update.redraw = true;
    }

    /// What was typed is another.
    fn typed(&mut self, typing: Typing) {
        match typing {
            Typing::Palette => self.stale = true,
            Typing::Dialog => {
                if let Some(Overlay::Dialog(dialog)) = self.overlays.last_mut() {
                    dialog.problem = None;
                }
            }
            Typing::Search => {
                if let Some(Overlay::Page(page)) = self.overlays.last_mut()
                    && let Some(edit) = &page.search.edit
                {
                    page.search.text = edit.text().to_lowercase();
                    page.search.at = 0;
                }
                self.show_match();
            }
            Typing::Filter(pane) => self.refilter(pane),
            Typing::Chat => {}
        }
    }

    /// Reads the filter that is typed; while it is wrong the last good one stays.
    fn refilter(&mut self, pane: Pane) {
        let Some(filtering) = self.filters.get_mut(pane as usize) else { return };
        let Some(text) = filtering.edit.as_ref().map(Edit::text) else { return };
        match Filter::parse(&text, view::keys(pane)) {
            Ok(filter) => {
                (filtering.filter, filtering.text, filtering.problem) = (filter, text, None);
                self.stale = true;
            }
            Err(wrong) => filtering.problem = Some(wrong.to_string()),
        }
    }

    /// Sets a pane's filter from a text; a wrong one is left alone.
    pub(crate) fn set_filter(&mut self, pane: Pane, text: &str) {
        if let (Some(filtering), Ok(filter)) =
            (self.filters.get_mut(pane as usize), Filter::parse(text, view::keys(pane)))
        {
            *filtering = super::Filtering { filter, text: text.to_owned(), ..super::Filtering::default() };
            self.stale = true;
        }
    }

    /// Esc while something is typed.
    fn leave(&mut self, typing: Typing) {
        match typing {
            Typing::Palette | Typing::Dialog => drop(self.overlays.pop()),
            Typing::Search => {
                if let Some(Overlay::Page(page)) = self.overlays.last_mut() {
                    page.search = crate::overlay::Search::default();
                }
            }
            Typing::Filter(pane) => self.set_filter(pane, ""),
            Typing::Chat => self.chat.typing = false,
        }
    }

    /// Enter while something is typed.
    fn enter(&mut self, typing: Typing, update: &mut Update) {
        match typing {
            Typing::Palette => self.go(update),
            Typing::Dialog => self.send(update),
            Typing::Search => {
                if let Some(Overlay::Page(page)) = self.overlays.last_mut() {
                    page.search.edit = None;
                }
            }
            Typing::Filter(pane) => {
                let Some(filtering) = self.filters.get_mut(pane as usize) else { return };
                // A filter that is wrong is not kept: what was good before is.
                if let Some(problem) = filtering.problem.take() {
                    self.tell(Role::Amber, format!("The filter stays as it was: {problem}."), "");
                }
                self.filters[pane as usize].edit = None;
            }
            Typing::Chat => self.say(update),
        }
    }

    /// Does what a key or the palette asks for.
    pub(super) fn act(&mut self, action: Action, update: &mut Update) {
        update.redraw = true;
        #[cfg(test)]
        super::ACTED.with_borrow_mut(|acted| acted.insert(action));
        match action {
            Action::Quit => update.effects.push(Effect::Quit),
            Action::Suspend => update.effects.push(Effect::Suspend),
            Action::Redraw => update.effects.push(Effect::Repaint),
            Action::Back => self.back(update),
            Action::Help => {
                let page = Page::new(Subject::Help(self.spot()), 0);
                match self.overlays.last() {
                    Some(Overlay::Page(page)) if matches!(page.subject, Subject::Help(_)) => {
                        self.overlays.pop();
                    }
                    _ => self.overlays.push(Overlay::Page(Box::new(page))),
                }
            }
            Action::Open => self.open(update),
            Action::Yaml => self.open_tab("yaml", update),
            Action::Logs => self.open_tab("logs", update),
            Action::NextTab => self.turn(1, update),
            Action::PreviousTab => self.turn(-1, update),
            Action::Down => self.step(1),
            Action::Up => self.step(-1),
            Action::PageDown => self.step(self.stride()),
            Action::PageUp => self.step(-self.stride()),
            Action::First => self.step(isize::MIN / 2),
            Action::Last => self.step(isize::MAX / 2),
            Action::FocusAgents => self.focus = Pane::Agents,
            Action::FocusPheromones => self.focus = Pane::Pheromones,
            Action::FocusProposals => self.focus = Pane::Proposals,
            Action::FocusThoughts => self.focus = Pane::Thoughts,
            Action::FocusChat => self.focus_chat(update),
            Action::FocusNext => self.focus_by(1),
            Action::FocusPrevious => self.focus_by(Pane::ALL.len() - 1),
            Action::Zoom => self.zoom = !self.zoom,
            Action::NextNeed => self.next_need(),
            Action::Sort => self.sort(),
            Action::Earlier => self.travel(true),
            Action::Later => self.travel(false),
            Action::Freeze if self.focus != Pane::Thoughts => self.freeze(),
            Action::Freeze => {
                self.frozen = !self.frozen;
                self.stale = true;
            }
            Action::Filter => {
                if let Some(filtering) = self.filters.get_mut(self.focus as usize) {
                    filtering.edit = Some(Edit::line(&filtering.text));
                }
            }
            Action::Search => {
                if let Some(Overlay::Page(page)) = self.overlays.last_mut() {
                    page.search.edit = Some(Edit::line(&page.search.text));
                }
            }
            Action::CellLeft => self.step_cell(0, -1),
            Action::CellRight => self.step_cell(0, 1),
            Action::NextMatch => self.step_match(1),
            Action::PreviousMatch => self.step_match(-1),
            Action::Palette => self.palette(),
            Action::Contexts => self.contexts(update),
            Action::Namespaces => self.namespaces(update),
            Action::Write => self.chat.typing = true,
            Action::Talk => self.talk(update),
            Action::NextAgent => self.talk_to_next(1, update),
            Action::PreviousAgent => self.talk_to_next(-1, update),
            Action::Follow | Action::PreviousRun | Action::Container | Action::Since | Action::Wrap => {
                self.logs(action, update);
            }
            Action::DryRun => self.dry_run(update),
            Action::Approve | Action::Reject | Action::Emit | Action::Scale | Action::Delete => {
                self.draft(action, update);
            }
            Action::WriteMode => self.write_mode(),
            Action::Copy => self.copy(update),
            Action::Save => self.save(update),
            Action::Wider => self.nudge(1),
            Action::Narrower => self.nudge(-1),
        }
    }

    /// Backs out of what is open, one thing at a time.
    fn back(&mut self, update: &mut Update) {
        if let Some(overlay) = self.overlays.pop() {
            self.close(&overlay, update);
        } else if self.terrarium.moment().is_some() {
            self.freeze();
        } else if self.focus == Pane::Pheromones && self.cell.is_some() {
            self.cell = None;
        } else if let Some(filtering) = self.filters.get(self.focus as usize)
            && !filtering.text.is_empty()
        {
            self.set_filter(self.focus, "");
        } else if self.zoom {
            self.zoom = false;
        }
    }
}
