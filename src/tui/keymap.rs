//! Which key causes what: the action table's keys, a preset's, a person's.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use kgents_store::sanitize;

use crate::action::{Action, Row, Spot, TABLE};
use crate::text;

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord(pub KeyCode, pub KeyModifiers);

pub(crate) const fn key(c: char) -> Chord {
    Chord(KeyCode::Char(c), KeyModifiers::NONE)
}

pub(crate) const fn ctrl(c: char) -> Chord {
    Chord(KeyCode::Char(c), KeyModifiers::CONTROL)
}

pub(crate) const fn plain(code: KeyCode) -> Chord {
    Chord(code, KeyModifiers::NONE)
}

/// Keys that have names, with the sign that is shown for them.
const NAMED: &[(&str, KeyCode, &str)] = &[
    ("enter", KeyCode::Enter, "⏎"),
    ("esc", KeyCode::Esc, "esc"),
    ("tab", KeyCode::Tab, "⇥"),
    ("backtab", KeyCode::BackTab, "⇧⇥"),
    ("space", KeyCode::Char(' '), "␣"),
    ("up", KeyCode::Up, "↑"),
    ("down", KeyCode::Down, "↓"),
    ("left", KeyCode::Left, "←"),
    ("right", KeyCode::Right, "→"),
    ("pageup", KeyCode::PageUp, "pgup"),
    ("pagedown", KeyCode::PageDown, "pgdn"),
    ("home", KeyCode::Home, "home"),
    ("end", KeyCode::End, "end"),
    ("insert", KeyCode::Insert, "ins"),
    ("delete", KeyCode::Delete, "del"),
    ("backspace", KeyCode::Backspace, "⌫"),
];

impl FromStr for Chord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no =
            || format!("no key is called `{}`: write x, X, ctrl-x, alt-x, f5, enter, space or pagedown", shown(text));
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((word, more)) = rest.split_once('-').filter(|(_, more)| !more.is_empty()) {
            modifiers |= match word.to_ascii_lowercase().as_str() {
                "ctrl" => KeyModifiers::CONTROL,
                "alt" => KeyModifiers::ALT,
                _ => return Err(no()),
            };
            rest = more;
        }
        let lower = rest.to_ascii_lowercase();
        if let Some((_, code, _)) = NAMED.iter().find(|(name, _, _)| *name == lower) {
            return Ok(Self(*code, modifiers));
        }
        if let Some(number) = lower.strip_prefix('f').and_then(|number| number.parse::<u8>().ok()) {
            return if (1..=12).contains(&number) { Ok(Self(KeyCode::F(number), modifiers)) } else { Err(no()) };
        }
        let mut chars = rest.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => Ok(Self(KeyCode::Char(c), modifiers)),
            _ => Err(no()),
        }
    }
}

impl Chord {
    /// As it is written in `[keys]`.
    pub fn written(self) -> String {
        let ctrl = if self.1.contains(KeyModifiers::CONTROL) { "ctrl-" } else { "" };
        let alt = if self.1.contains(KeyModifiers::ALT) { "alt-" } else { "" };
        let named = NAMED.iter().find(|(_, code, _)| *code == self.0).map(|(name, _, _)| (*name).to_owned());
        let key = named.unwrap_or_else(|| Self(self.0, KeyModifiers::NONE).to_string());
        format!("{ctrl}{alt}{key}")
    }
}

/// As it is shown to a person.
impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.contains(KeyModifiers::CONTROL) {
            write!(f, "ctrl-")?;
        }
        if self.1.contains(KeyModifiers::ALT) {
            write!(f, "alt-")?;
        }
        match NAMED.iter().find(|(_, code, _)| *code == self.0) {
            Some((_, _, shown)) => write!(f, "{shown}"),
            None => match self.0 {
                KeyCode::Char(c) => write!(f, "{c}"),
                KeyCode::F(number) => write!(f, "f{number}"),
                _ => write!(f, "?"),
            },
        }
    }
}

/// Keys of their own for those whose hands know k9s.
const K9S: &[(&str, &[&str])] = &[
    ("yaml", &["y"]),
    ("copy", &["C"]),
    ("logs", &["l"]),
    ("open", &["enter", "d"]),
    ("context", &["c"]),
    ("delete", &["ctrl-d"]),
    ("quit", &["ctrl-c"]),
];

/// The presets that there are.
pub const PRESETS: &[&str] = &["default", "k9s"];

/// Which key causes what.
#[derive(Clone, Debug, PartialEq)]
pub struct Keymap {
    /// The keys of each row of the table, in its order.
    keys: Arc<Vec<Vec<Chord>>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { keys: Arc::new(TABLE.iter().map(|row| row.keys.to_vec()).collect()) }
    }
}

/// Something that is wrong with a person's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What it is, without a stop.
    pub sentence: String,
    /// The names in `[keys]` that it is about, the last in the table first;
    /// none where the preset is what is wrong.
    pub names: Vec<String>,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl Keymap {
    /// A preset with a person's own keys over it, by the names of actions.
    ///
    /// # Errors
    /// What is wrong, a sentence each: an unknown preset, action or key, or a
    /// key that would mean two things in one place.
    pub fn new(preset: &str, own: &BTreeMap<String, Vec<String>>) -> Result<Self, Vec<String>> {
        Self::of(preset, own, |_| "in [keys]".to_owned())
            .map_err(|wrongs| wrongs.into_iter().map(|wrong| wrong.sentence).collect())
    }

    /// The same, where `place` says in a few words where a person's own keys
    /// for an action stand: `in [keys], line 3`.
    ///
    /// # Errors
    /// As those of [`Keymap::new`], with the actions that each is about.
    pub fn of(
        preset: &str,
        own: &BTreeMap<String, Vec<String>>,
        place: impl Fn(&str) -> String,
    ) -> Result<Self, Vec<Wrong>> {
        let mut problems = Vec::new();
        let mut keys = Self::default().keys.to_vec();
        let mut source = vec!["by default".to_owned(); TABLE.len()];
        if !PRESETS.contains(&preset) {
            let sentence = format!("no keymap is called `{preset}`: there are {}", PRESETS.join(", "));
            problems.push(Wrong { sentence, names: Vec::new() });
        }
        let preset_keys = if preset == "k9s" { K9S } else { &[] };
        let preset_keys = preset_keys
            .iter()
            .map(|(name, keys)| ((*name).to_owned(), keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()))
            .map(|(name, keys)| (name, keys, "by the keymap k9s".to_owned()));
        let own_keys = own.iter().map(|(name, keys)| (name.clone(), keys.clone(), place(name)));
        for (name, texts, place) in preset_keys.chain(own_keys) {
            let Some(index) = TABLE.iter().position(|row| row.name == name) else {
                let nearest = nearest(&name).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                let sentence = format!("no action is called `{}`{nearest}", shown(&name));
                problems.push(Wrong { sentence, names: vec![name] });
                continue;
            };
            let mut chords = Vec::new();
            for text in texts {
                match text.parse::<Chord>() {
                    Ok(chord) => chords.push(chord),
                    Err(problem) => {
                        problems.push(Wrong { sentence: format!("{name}: {problem}"), names: vec![name.clone()] });
                    }
                }
            }
            keys[index] = chords;
            source[index] = place;
        }
        for (i, row) in TABLE.iter().enumerate() {
            for (j, other) in TABLE.iter().enumerate().skip(i + 1) {
                let together = row.spots.iter().find(|spot| other.spots.contains(spot));
                let shared = keys[i].iter().find(|chord| keys[j].contains(chord));
                if let (Some(spot), Some(chord)) = (together, shared) {
                    let sentence = format!(
                        "{chord} means both `{}` ({}) and `{}` ({}) in {}",
                        row.name,
                        source[i],
                        other.name,
                        source[j],
                        spot.title()
                    );
                    let names = [other.name, row.name].into_iter().filter(|name| own.contains_key(*name));
                    problems.push(Wrong { sentence, names: names.map(str::to_owned).collect() });
                }
            }
        }
        if problems.is_empty() { Ok(Self { keys: Arc::new(keys) }) } else { Err(problems) }
    }

    /// What a key causes in a place.
    pub fn find(&self, event: &KeyEvent, spot: Spot) -> Option<Action> {
        // Shift is in the key already (G, BackTab); terminals differ in whether they say it.
        let chord = Chord(event.code, event.modifiers.difference(KeyModifiers::SHIFT));
        let mut rows = TABLE.iter().zip(self.keys.iter());
        rows.find(|(row, keys)| row.works(spot) && keys.contains(&chord)).map(|(row, _)| row.action)
    }

    /// The keys of an action.
    pub fn keys(&self, action: Action) -> &[Chord] {
        let index = TABLE.iter().position(|row| row.action == action);
        index.and_then(|index| self.keys.get(index)).map_or(&[], Vec::as_slice)
    }

    /// The keys of a row as they are shown, with those of the rows that it
    /// tells of as well: `1-5`, `j k`. Empty where nothing is bound.
    pub fn shown(&self, row: &Row) -> String {
        let Some(start) = TABLE.iter().position(|other| other.action == row.action) else { return String::new() };
        let told = TABLE[start + 1..].iter().take_while(|other| other.help.is_empty()).count();
        let shown: Vec<String> =
            self.keys[start..=start + told].iter().filter_map(|keys| keys.first()).map(ToString::to_string).collect();
        let digits = shown.iter().enumerate().all(|(i, shown)| *shown == (i + 1).to_string());
        if shown.len() > 2 && digits { format!("1-{}", shown.len()) } else { shown.join(" ") }
    }
}

/// A text of a person's as it may stand in a sentence.
fn shown(text: &str) -> String {
    text::fit(&text::one_line(&sanitize::text(text)), 40).into_owned()
}

/// The action whose name is the nearest, if one is near.
fn nearest(name: &str) -> Option<&'static str> {
    let near = TABLE.iter().map(|row| (strsim::levenshtein(name, row.name), row.name)).min()?;
    (near.0 <= 2).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        pairs.iter().map(|(name, key)| ((*name).to_owned(), vec![(*key).to_owned()])).collect()
    }

    #[test]
    fn no_preset_gives_a_key_two_meanings_in_one_place() {
        for preset in PRESETS {
            assert_eq!(Keymap::new(preset, &BTreeMap::new()).map(|_| ()), Ok(()), "{preset}");
        }
    }

    #[test]
    fn what_is_wrong_names_both_places() {
        let problems = |pairs: &[(&str, &str)]| Keymap::new("default", &own(pairs)).unwrap_err().join("\n");
        assert_eq!(problems(&[("zoom", "s")]), "s means both `sort` (by default) and `zoom` (in [keys]) in agents");
        assert_eq!(problems(&[("zom", "s")]), "no action is called `zom`; did you mean `zoom`?");
        assert!(problems(&[("zoom", "hyper-x")]).starts_with("zoom: no key is called `hyper-x`: write"));
        assert_eq!(
            Keymap::new("vi", &BTreeMap::new()).unwrap_err(),
            ["no keymap is called `vi`: there are default, k9s"]
        );
    }

    #[test]
    fn a_problem_says_whose_keys_it_is_about() {
        let own = own(&[("zoom", "x"), ("sort", "x"), ("zom", "y")]);
        let wrongs = Keymap::of("default", &own, |name| format!("line of {name}")).unwrap_err();
        assert_eq!(wrongs[0].names, ["zom"]);
        assert_eq!(
            wrongs[1],
            Wrong {
                sentence: "x means both `sort` (line of sort) and `zoom` (line of zoom) in agents".to_owned(),
                names: vec!["zoom".to_owned(), "sort".to_owned()],
            }
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        for row in TABLE {
            for chord in row.keys {
                assert_eq!(chord.written().parse(), Ok(*chord), "{}", row.name);
            }
        }
    }

    #[test]
    fn a_key_may_be_set_and_is_shown() {
        let map = Keymap::new("default", &own(&[("zoom", "alt-f5"), ("quit", "ctrl-q")])).unwrap();
        let event = KeyEvent::new(KeyCode::F(5), KeyModifiers::ALT);
        assert_eq!(map.find(&event, Spot::Agents), Some(Action::Zoom));
        assert_eq!(map.find(&KeyEvent::from(KeyCode::Char('q')), Spot::Agents), None);
        assert_eq!(map.shown(Action::Zoom.row()), "alt-f5");
        assert_eq!(map.shown(Action::FocusAgents.row()), "1-5");
        assert_eq!(map.shown(Action::Down.row()), "j k");
        assert_eq!(map.shown(Action::WriteMode.row()), "");
    }

    #[test]
    fn capitals_are_found_with_and_without_shift() {
        let map = Keymap::default();
        let press = |modifiers| map.find(&KeyEvent::new(KeyCode::Char('G'), modifiers), Spot::Agents);
        assert_eq!(press(KeyModifiers::SHIFT), Some(Action::Last));
        assert_eq!(press(KeyModifiers::NONE), Some(Action::Last));
    }

    #[test]
    fn every_key_of_the_table_reads_as_it_would_be_written() {
        for text in ["x", "X", "ctrl-x", "ctrl-alt-x", "-", "ctrl--", "f12", "enter", "space", "pagedown", "é"] {
            assert!(text.parse::<Chord>().is_ok(), "{text}");
        }
        for text in ["", "xy", "f0", "f13", "hyper-x", "ctrl-", "\u{1b}"] {
            assert!(text.parse::<Chord>().is_err(), "{text:?}");
        }
    }
}
