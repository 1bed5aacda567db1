//! The one table of what a person can do. Keymap, footer, help, palette and
//! the documentation of the keys are read from it.

use crossterm::event::KeyCode;

use crate::keymap::{Chord, ctrl, key, plain};

/// Everything a key can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Action {
    FocusAgents,
    FocusPheromones,
    FocusProposals,
    FocusThoughts,
    FocusChat,
    FocusNext,
    FocusPrevious,
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    Open,
    Write,
    Filter,
    Search,
    NextMatch,
    PreviousMatch,
    Sort,
    Zoom,
    Wider,
    Narrower,
    NextNeed,
    Freeze,
    Earlier,
    Later,
    Palette,
    Contexts,
    Namespaces,
    Talk,
    CellLeft,
    CellRight,
    NextAgent,
    PreviousAgent,
    Logs,
    Yaml,
    Follow,
    PreviousRun,
    Container,
    Since,
    Wrap,
    NextTab,
    PreviousTab,
    Approve,
    Reject,
    DryRun,
    Emit,
    Scale,
    Delete,
    WriteMode,
    Copy,
    Save,
    Back,
    Help,
    Redraw,
    Suspend,
    Quit,
}

/// A place where keys can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Spot {
    Agents,
    Pheromones,
    Proposals,
    Thoughts,
    Chat,
    AgentPage,
    /// The logs on an agent's page.
    Logs,
    PheromonePage,
    ProposalPage,
    ThoughtPage,
    Help,
    /// A page where the panes would be: there is nothing to show in them.
    Bare,
}

use Spot::{AgentPage, Agents, Chat, PheromonePage, Pheromones, ProposalPage, Proposals, ThoughtPage, Thoughts};

impl Spot {
    /// All of them.
    pub const ALL: &[Self] = &[
        Agents,
        Pheromones,
        Proposals,
        Thoughts,
        Chat,
        AgentPage,
        Self::Logs,
        PheromonePage,
        ProposalPage,
        ThoughtPage,
        Self::Help,
        Self::Bare,
    ];

    /// As it is called in the help and in the documentation.
    pub const fn title(self) -> &'static str {
        match self {
            Agents => "agents",
            Pheromones => "pheromones",
            Proposals => "proposals",
            Thoughts => "thoughts",
            Chat => "chat",
            AgentPage => "an agent's page",
            Self::Logs => "an agent's logs",
            PheromonePage => "a pheromone's page",
            ProposalPage => "a proposal's page",
            ThoughtPage => "a thought's page",
            Self::Help => "the help",
            Self::Bare => "an empty terrarium",
        }
    }
}

const PANES: &[Spot] = &[Agents, Pheromones, Proposals, Thoughts, Chat];
/// Where the panes are, or the page that stands for them.
const MAIN: &[Spot] = &[Agents, Pheromones, Proposals, Thoughts, Chat, Spot::Bare];
const LISTS: &[Spot] = &[Agents, Pheromones, Proposals, Thoughts];
const SORTED: &[Spot] = &[Agents, Pheromones, Proposals];
const PAGES: &[Spot] = &[AgentPage, Spot::Logs, PheromonePage, ProposalPage, ThoughtPage, Spot::Help];
const TABS: &[Spot] = &[AgentPage, Spot::Logs, PheromonePage, ProposalPage];
const OF_AGENT: &[Spot] = &[Agents, AgentPage, Spot::Logs];
const OF_PROPOSAL: &[Spot] = &[Proposals, ProposalPage];
const OF_OBJECT: &[Spot] = &[Agents, Pheromones, Proposals, AgentPage, Spot::Logs, PheromonePage, ProposalPage];
const MOVES: &[Spot] = &[
    Agents,
    Pheromones,
    Proposals,
    Thoughts,
    Chat,
    AgentPage,
    Spot::Logs,
    PheromonePage,
    ProposalPage,
    ThoughtPage,
    Spot::Help,
];

/// Places that have a name together, the largest first.
const GROUPS: &[(&[Spot], &str)] = &[
    (Spot::ALL, "everywhere"),
    (PANES, "every pane"),
    (LISTS, "every pane but chat"),
    (PAGES, "every page"),
    (TABS, "every page with tabs"),
];

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// What it causes.
    pub action: Action,
    /// Its name in the palette and in `[keys]`.
    pub name: &'static str,
    /// The keys unless a person set others; the first is shown.
    pub keys: &'static [Chord],
    /// A word or two for the footer; empty keeps it out of the footer.
    pub short: &'static str,
    /// A sentence for help and palette; empty where the row before tells of both.
    pub help: &'static str,
    /// Where it works.
    pub spots: &'static [Spot],
    /// Whether it changes the cluster.
    pub changes: bool,
}

const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [Chord],
    spots: &'static [Spot],
    short: &'static str,
    help: &'static str,
) -> Row {
    Row { action, name, keys, short, help, spots, changes: false }
}

const fn act(
    action: Action,
    name: &'static str,
    keys: &'static [Chord],
    spots: &'static [Spot],
    short: &'static str,
    help: &'static str,
) -> Row {
    Row { changes: true, ..row(action, name, keys, spots, short, help) }
}

/// The table. Footer, help and documentation keep its order.
pub const TABLE: &[Row] = &[
    row(Action::FocusAgents, "agents", &[key('1')], PANES, "pane", "focus a pane by its number"),
    row(Action::FocusPheromones, "pheromones", &[key('2')], PANES, "", ""),
    row(Action::FocusProposals, "proposals", &[key('3')], PANES, "", ""),
    row(Action::FocusThoughts, "thoughts", &[key('4')], PANES, "", ""),
    row(Action::FocusChat, "chat", &[key('5')], PANES, "", ""),
    row(Action::FocusNext, "next-pane", &[plain(KeyCode::Tab)], PANES, "", "focus the next pane, the pane before"),
    row(Action::FocusPrevious, "previous-pane", &[plain(KeyCode::BackTab)], PANES, "", ""),
    row(Action::Down, "down", &[key('j'), plain(KeyCode::Down)], MOVES, "", "move down and up (arrows too)"),
    row(Action::Up, "up", &[key('k'), plain(KeyCode::Up)], MOVES, "", ""),
    row(Action::PageDown, "page-down", &[plain(KeyCode::PageDown), ctrl('f')], MOVES, "", "move by a page"),
    row(Action::PageUp, "page-up", &[plain(KeyCode::PageUp), ctrl('b')], MOVES, "", ""),
    row(Action::First, "first", &[key('g'), plain(KeyCode::Home)], MOVES, "", "go to the first and the last row"),
    row(Action::Last, "last", &[key('G'), plain(KeyCode::End)], MOVES, "", ""),
    row(Action::Open, "open", &[plain(KeyCode::Enter)], LISTS, "open", "open what is selected"),
    row(Action::Write, "type", &[plain(KeyCode::Enter), key('i')], &[Chat], "type", "write to the agent"),
    row(
        Action::CellLeft,
        "cell-left",
        &[plain(KeyCode::Left), key('h')],
        &[Pheromones],
        "cell",
        "walk through the cells of the field; ⏎ opens one",
    ),
    row(Action::CellRight, "cell-right", &[plain(KeyCode::Right), key('l')], &[Pheromones], "", ""),
    row(
        Action::NextAgent,
        "next-agent",
        &[plain(KeyCode::Right)],
        &[Chat],
        "agent",
        "talk to the next agent, the agent before",
    ),
    row(Action::PreviousAgent, "previous-agent", &[plain(KeyCode::Left)], &[Chat], "", ""),
    row(
        Action::NextTab,
        "next-tab",
        &[plain(KeyCode::Right), key('l'), plain(KeyCode::Tab)],
        TABS,
        "tab",
        "the next and the previous tab",
    ),
    row(Action::PreviousTab, "previous-tab", &[plain(KeyCode::Left), key('h'), plain(KeyCode::BackTab)], TABS, "", ""),
    row(Action::Filter, "filter", &[key('/')], LISTS, "filter", "show only what matches: words, key:value, !not"),
    row(Action::Search, "search", &[key('/')], PAGES, "search", "find a text on this page"),
    row(Action::NextMatch, "next-match", &[key('n')], PAGES, "", "go to the next match, the match before"),
    row(Action::PreviousMatch, "previous-match", &[key('N')], PAGES, "", ""),
    row(Action::Sort, "sort", &[key('s')], SORTED, "sort", "sort by the next column"),
    row(Action::NextNeed, "next-need", &[key('n')], PANES, "next that needs you", "go to the next that needs a person"),
    act(Action::Approve, "approve", &[key('a')], OF_PROPOSAL, "approve", "approve the proposal"),
    act(Action::Reject, "reject", &[key('r')], OF_PROPOSAL, "reject", "reject the proposal, with a reason"),
    row(
        Action::DryRun,
        "dry-run",
        &[key('d')],
        &[ProposalPage],
        "dry run again",
        "ask the API server again what the patch would do",
    ),
    row(Action::Talk, "talk", &[key('t')], OF_AGENT, "talk", "talk to the agent"),
    row(Action::Logs, "logs", &[key('l')], &[Agents], "logs", "the logs of the agent's pods"),
    row(Action::Yaml, "yaml", &[key('Y')], OF_OBJECT, "", "the object as YAML"),
    row(Action::Follow, "follow", &[key(' ')], &[Spot::Logs], "follow", "follow the logs, or stop"),
    row(
        Action::PreviousRun,
        "previous-run",
        &[key('p')],
        &[Spot::Logs],
        "previous",
        "the container that ran before, and back",
    ),
    row(Action::Container, "container", &[key('o')], &[Spot::Logs], "container", "the next container"),
    row(Action::Since, "since", &[key('s')], &[Spot::Logs], "since", "how far the logs go back"),
    row(Action::Wrap, "wrap", &[key('w')], &[Spot::Logs], "wrap", "break long lines, or cut them"),
    act(Action::Emit, "emit", &[key('e')], &[Pheromones, Agents, AgentPage], "emit", "emit a pheromone"),
    act(Action::Scale, "scale", &[key('S')], OF_AGENT, "scale", "set how many pods the agent has"),
    act(Action::Delete, "delete", &[ctrl('d')], OF_OBJECT, "", "delete the object; its name is asked for"),
    row(
        Action::Freeze,
        "freeze",
        &[key(' ')],
        PANES,
        "freeze",
        "freeze what is shown, or go on; among thoughts, only the stream",
    ),
    row(Action::Earlier, "earlier", &[key('[')], MAIN, "time", "back in time to the change before, and forward"),
    row(Action::Later, "later", &[key(']')], MAIN, "", ""),
    row(Action::Zoom, "zoom", &[key('z')], PANES, "zoom", "give the focused pane the whole screen, and back"),
    row(Action::Wider, "wider", &[key('>')], PANES, "", "make the focused pane larger and smaller (or drag its edge)"),
    row(Action::Narrower, "narrower", &[key('<')], PANES, "", ""),
    row(Action::Contexts, "context", &[key('c')], MAIN, "context", "look at another context"),
    row(Action::Namespaces, "namespace", &[key('N')], MAIN, "", "look at another namespace"),
    row(Action::WriteMode, "write", &[], Spot::ALL, "", "allow or forbid changes from this window"),
    row(Action::Copy, "copy", &[key('y')], OF_ANY, "", "copy the selected name or text (over SSH too)"),
    row(Action::Save, "save", &[ctrl('s')], OF_ANY, "", "save the pane or page as text and as JSON"),
    row(Action::Back, "back", &[plain(KeyCode::Esc)], Spot::ALL, "", "back out: of a page, a filter, the past"),
    row(Action::Palette, "palette", &[key(':')], Spot::ALL, "palette", "go to anything, do anything, by its name"),
    row(Action::Help, "help", &[key('?')], Spot::ALL, "help", "the keys that work here"),
    row(Action::Redraw, "redraw", &[ctrl('l')], Spot::ALL, "", "draw the whole screen anew"),
    row(Action::Suspend, "suspend", &[ctrl('z')], Spot::ALL, "", "suspend; fg comes back"),
    row(Action::Quit, "quit", &[key('q'), ctrl('c')], Spot::ALL, "quit", "quit"),
];

/// Where there is something to copy or save.
const OF_ANY: &[Spot] = MOVES;

impl Action {
    /// Its row of the table.
    pub fn row(self) -> &'static Row {
        // The test below holds that each action has one.
        TABLE.iter().find(|row| row.action == self).unwrap_or(&TABLE[0])
    }
}

impl Row {
    /// What it does: its own sentence, or that of the row before which tells
    /// of both.
    pub fn said(&self) -> &'static str {
        let upto = TABLE.iter().position(|row| row.action == self.action).unwrap_or(0);
        TABLE[..=upto].iter().rev().map(|row| row.help).find(|help| !help.is_empty()).unwrap_or_default()
    }

    /// Where it works, in words.
    pub fn places(&self) -> String {
        let mut left = self.spots.to_vec();
        let mut words = Vec::new();
        for (group, name) in GROUPS {
            if group.iter().all(|spot| left.contains(spot)) {
                left.retain(|spot| !group.contains(spot));
                words.push(*name);
            }
        }
        words.extend(left.into_iter().map(Spot::title));
        words.join(", ")
    }

    /// Whether the action makes sense in a place.
    pub fn works(&self, spot: Spot) -> bool {
        self.spots.contains(&spot)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn places_are_told_in_words() {
        assert_eq!(Action::Quit.row().places(), "everywhere");
        assert_eq!(Action::Down.row().places(), "every pane, every page");
        assert_eq!(Action::Filter.row().places(), "every pane but chat");
        assert_eq!(Action::Approve.row().places(), "proposals, a proposal's page");
        assert_eq!(Action::FocusChat.row().said(), Action::FocusAgents.row().help);
    }

    #[test]
    fn every_row_has_a_name_of_its_own_and_a_place() {
        let names: BTreeSet<_> = TABLE.iter().map(|row| row.name).collect();
        let actions: BTreeSet<_> = TABLE.iter().map(|row| row.action).collect();
        assert_eq!((names.len(), actions.len()), (TABLE.len(), TABLE.len()));
        for row in TABLE {
            assert!(!row.spots.is_empty() && row.action.row().name == row.name, "{:?}", row.action);
            assert!(!row.keys.is_empty() || !row.help.is_empty(), "{:?}", row.action);
            assert!(!row.said().is_empty(), "{:?}", row.action);
        }
    }
}
