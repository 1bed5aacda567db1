//! Moving about: cursors, focus, scrolling.

use kgents_core::attention::Need;

use super::{App, seqs};
use crate::draw::heat;
use crate::layout::Pane;
use crate::overlay::Overlay;
use crate::select::Selection;
use crate::view::Sort;

impl App {
    /// How many rows a pane shows of its list at the present size.
    pub(super) fn page_rows(&self, pane: Pane) -> usize {
        let Some(area) = self.body(pane) else { return 1 };
        let rows = if pane == Pane::Pheromones { heat::list_rows(self, area) } else { usize::from(area.height) };
        rows.max(1)
    }

    pub(super) fn scroll(&mut self) {
        let rows = self.rows();
        for pane in Pane::ALL {
            let page = self.page_rows(pane);
            match pane {
                Pane::Agents => self.agents.scroll(rows[0], page),
                Pane::Pheromones => self.pheromones.scroll(rows[1], page),
                Pane::Proposals => self.proposals.scroll(rows[2], page),
                Pane::Thoughts => self.thoughts.scroll(rows[3], page),
                Pane::Chat => {}
            }
        }
    }

    /// How many rows each pane's list has.
    fn rows(&self) -> [usize; 5] {
        let views = &self.views;
        [views.agents.len(), views.alive.len(), views.proposals.len(), self.thought_count(), 0]
    }

    pub(super) fn focus_by(&mut self, by: usize) {
        self.focus = Pane::ALL[(self.focus as usize + by) % Pane::ALL.len()];
    }

    /// How far a page goes.
    pub(super) fn stride(&self) -> isize {
        let page = if self.overlays.is_empty() { self.page_rows(self.focus) } else { usize::from(self.size.1) / 2 };
        isize::try_from(page).unwrap_or(isize::MAX / 2)
    }

    /// Moves the cursor of the focused pane, or scrolls what lies over it.
    pub(super) fn step(&mut self, by: isize) {
        match self.overlays.last_mut() {
            Some(Overlay::Palette(palette)) => return palette.step(by),
            Some(Overlay::Dialog(_)) => {
                let (far, rows) = crate::draw::dialog_room(self).unwrap_or_default();
                if let Some(Overlay::Dialog(dialog)) = self.overlays.last_mut() {
                    // No row of what would be sent is stepped over.
                    let most = isize::try_from(rows).unwrap_or(isize::MAX);
                    let by = by.clamp(-most, most);
                    dialog.scroll = dialog.scroll.min(far).saturating_add_signed(by).min(far);
                }
                return;
            }
            Some(Overlay::Page(_)) => {
                let room = crate::draw::page_room(self);
                if let Some(Overlay::Page(page)) = self.overlays.last_mut() {
                    page.scroll = page.scroll.min(room).saturating_add_signed(by).min(room);
                    // Looking back stops the stream; coming to its end goes on.
                    page.facts.logs.stays = page.scroll >= room;
                }
                return;
            }
            None => {}
        }
        let rows = self.rows();
        let views = &self.views;
        match self.focus {
            Pane::Agents => drop(self.agents.step(by, rows[0], |i| views.agents[i].key.clone())),
            Pane::Pheromones if self.cell.is_some() => self.step_cell(by, 0),
            Pane::Pheromones => drop(self.pheromones.step(by, rows[1], |i| views.alive[i].0.clone())),
            Pane::Proposals => drop(self.proposals.step(by, rows[2], |i| views.proposals[i].key.clone())),
            Pane::Thoughts => {
                self.thoughts.step(by, rows[3], seqs(&self.terrarium, views));
                // Looking back stops the stream; coming to its end follows it again.
                self.frozen = self.thoughts.place() + 1 < rows[3];
            }
            Pane::Chat => self.chat.step(by),
        }
    }

    /// Walks through the cells of the field: by rows and by columns. The first
    /// step lands on now.
    pub(super) fn step_cell(&mut self, rows: isize, columns: isize) {
        let types: Vec<_> = self.field.rows.iter().map(|row| row.type_).collect();
        let Some(last) = types.len().checked_sub(1) else { return };
        let width = self.field.rows.first().map_or(1, |row| row.cells.len());
        let here = self.cell.and_then(|(type_, back)| Some((types.iter().position(|other| *other == type_)?, back)));
        self.cell = match here {
            None => Some((types[0], 0)),
            Some((row, back)) => {
                let back = back.saturating_add_signed(columns.saturating_neg()).min(width.saturating_sub(1));
                Some((types[row.saturating_add_signed(rows).min(last)], back))
            }
        };
    }

    /// Goes to the next row that needs a person: first down the proposals and
    /// agents from where the cursor stands, then around.
    pub(super) fn next_need(&mut self) {
        let views = &self.views;
        let needy = |need: Need| need.needs_person();
        let agents = views.agents.from(0).enumerate().filter(|(_, row)| needy(row.bid.need));
        let proposals = views.proposals.from(0).enumerate().filter(|(_, row)| needy(row.bid.need));
        let all: Vec<(Pane, usize)> = agents
            .map(|(place, _)| (Pane::Agents, place))
            .chain(proposals.map(|(place, _)| (Pane::Proposals, place)))
            .collect();
        let here = match self.focus {
            Pane::Agents if self.agents.is_chosen() => Some((Pane::Agents, self.agents.place())),
            Pane::Proposals if self.proposals.is_chosen() => Some((Pane::Proposals, self.proposals.place())),
            _ => None,
        };
        let next = all.iter().find(|target| here.is_none_or(|here| **target > here)).or(all.first()).copied();
        if let Some((pane, place)) = next {
            self.choose(pane, place);
        }
    }

    pub(super) fn choose(&mut self, pane: Pane, place: usize) {
        self.focus = pane;
        let rows = self.rows();
        let views = &self.views;
        match pane {
            Pane::Agents => self.agents.choose(place, rows[0], |i| views.agents[i].key.clone()),
            Pane::Pheromones => self.pheromones.choose(place, rows[1], |i| views.alive[i].0.clone()),
            Pane::Proposals => self.proposals.choose(place, rows[2], |i| views.proposals[i].key.clone()),
            Pane::Thoughts => {
                self.thoughts.choose(place, rows[3], seqs(&self.terrarium, views));
                self.frozen = self.thoughts.place() + 1 < rows[3];
            }
            Pane::Chat => {}
        }
    }

    /// Where a pane's cursor stands, if a person put it there.
    pub(super) fn cursor(&self, pane: Pane) -> Option<usize> {
        match pane {
            Pane::Agents => Some(&self.agents).filter(|s| s.is_chosen()).map(Selection::place),
            Pane::Pheromones => Some(&self.pheromones).filter(|s| s.is_chosen()).map(Selection::place),
            Pane::Proposals => Some(&self.proposals).filter(|s| s.is_chosen()).map(Selection::place),
            Pane::Thoughts => Some(self.thoughts.place()),
            Pane::Chat => None,
        }
    }

    /// Sorts the focused pane by its next order.
    pub(super) fn sort(&mut self) {
        let orders = Sort::of(self.focus);
        let Some(sort) = self.sorts.get_mut(self.focus as usize).filter(|_| !orders.is_empty()) else { return };
        let place = orders.iter().position(|order| order == sort).map_or(0, |place| place + 1);
        *sort = orders[place % orders.len()];
        self.stale = true;
    }

    /// The order of a pane.
    pub(crate) fn sort_of(&self, pane: Pane) -> Option<Sort> {
        self.sorts.get(pane as usize).copied()
    }
}
