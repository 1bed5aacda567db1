//! Reading a theme's file: what is right in it, and all that is wrong.

use kgents_store::sanitize;
use ratatui::style::{Color, Modifier};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Role;
use super::colour::{self, Rgb};
use super::palette::{NAMES, Palette};
use crate::text;

/// What stands at the top of a file.
const TOP: [&str; 5] = ["ansi", "base", "field", "roles", "weight"];
/// What stands in its table `field`.
const FIELD: [&str; 2] = ["ansi", "ramp"];
/// Cells of a text from the file in a message.
const CELLS: usize = 60;

/// The sixteen colours and that of the terminal itself, as a file names them.
const ANSI: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// What may be said by weight.
const WEIGHTS: [(&str, Modifier); 4] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
];

/// How a file names the sixteen colours, that of the terminal itself first.
pub fn ansi_names() -> Vec<&'static str> {
    Color::words()
}

/// How a file names the weights.
pub fn weight_names() -> Vec<&'static str> {
    Modifier::words()
}

/// Something that is wrong with a theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The byte of the text where it is.
    pub offset: usize,
    /// What it is.
    pub sentence: String,
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The colours; where something is wrong, not all of them are meant.
    pub palette: Palette,
    /// All that is wrong, in the order of the text.
    pub faults: Vec<Fault>,
}

pub(super) fn read(name: &str, text: &str) -> Reading {
    let mut reader = Reader { palette: Palette::blank(name), faults: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => reader.root(table.get_ref()),
        Err(error) => {
            let words = quoted(error.message());
            reader.fault(error.span().map_or(0, |span| span.start), format!("this is not TOML: {words}"));
        }
    }
    let Reader { palette, mut faults } = reader;
    faults.sort_by_key(|fault| fault.offset);
    Reading { palette, faults }
}

type Value<'a> = Spanned<DeValue<'a>>;

struct Reader {
    palette: Palette,
    faults: Vec<Fault>,
}

impl Reader {
    fn fault(&mut self, offset: usize, sentence: String) {
        self.faults.push(Fault { offset, sentence });
    }

    fn root(&mut self, root: &DeTable<'_>) {
        for (key, _) in root {
            self.known("", key, &TOP);
        }
        // Who names a base, even a wrong one, does not mean to write all.
        let all = !root.contains_key("base");
        if let Some(base) = root.get("base").and_then(|value| self.base(value)) {
            let name = std::mem::replace(&mut self.palette, base).name;
            self.palette.name = name;
        }
        let table = |name: &str| root.get_key_value(name).map(|(key, value)| (key.span().start, value));
        self.roles(table("roles"), all);
        if all && lacks_ansi(root) {
            // What suits a light ground suits it with sixteen colours too.
            let like = if colour::is_light(self.palette.rgb(Role::Bg)) { Palette::light() } else { Palette::dark() };
            (self.palette.ansi, self.palette.ansi_ramp) = (like.ansi, like.ansi_ramp);
        }
        self.field(table("field"), all);
        self.each("ansi", root.get("ansi"), |palette, role, colour| palette.ansi[role as usize] = colour);
        self.each("weight", root.get("weight"), |palette, role, weight| palette.weight[role as usize] = weight);
    }

    /// Tells an unknown key, with the nearest of those that there are.
    fn known(&mut self, table: &str, key: &Spanned<impl AsRef<str>>, keys: &[&str]) {
        let word = key.get_ref().as_ref();
        if keys.contains(&word) {
            return;
        }
        let meant = match nearest(word, keys) {
            Some(near) => format!("did you mean `{table}{near}`?"),
            None => format!("there is {}", listed(keys, "and")),
        };
        self.fault(key.span().start, format!("unknown key `{table}{}`; {meant}", quoted(word)));
    }

    fn base(&mut self, value: &Value<'_>) -> Option<Palette> {
        let found = value.get_ref().as_str().and_then(Palette::named);
        if found.is_none() {
            self.expected("base", value, &listed(&NAMES, "or"), &NAMES);
        }
        found
    }

    fn expected(&mut self, key: &str, value: &Value<'_>, what: &str, words: &[&str]) {
        let near = value.get_ref().as_str().and_then(|word| nearest(word, words));
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let found = told(value.get_ref());
        self.fault(value.span().start, format!("{key}: expected {what}, found {found}{near}"));
    }

    /// The colours of the roles. Without a base each has to be there.
    fn roles(&mut self, table: Option<(usize, &Value<'_>)>, all: bool) {
        let offset = table.map_or(0, |(offset, _)| offset);
        let value = table.map(|(_, value)| value);
        self.each("roles", value, |palette, role, rgb| palette.roles[role as usize] = rgb);
        let given = |role: &Role| {
            value.and_then(|value| value.get_ref().as_table()).is_some_and(|table| table.contains_key(role.key()))
        };
        let missing: Vec<&str> = Role::ALL.iter().filter(|role| !given(role)).map(|role| role.key()).collect();
        if all && !missing.is_empty() {
            let missing = match value {
                None => "are no colours".to_owned(),
                Some(_) => format!("is no {}", listed(&missing, "or")),
            };
            self.fault(
                offset,
                format!("roles: there {missing}; write them, or base = \"dark\" to take them from there"),
            );
        }
    }

    /// What the heatmap is drawn with. Without a base the ramp has to be there.
    fn field(&mut self, table: Option<(usize, &Value<'_>)>, all: bool) {
        let mut has_ramp = false;
        if let Some(entries) = table.and_then(|(_, value)| self.table("field", value)) {
            for (key, value) in entries {
                match key.get_ref().as_ref() {
                    "ramp" => {
                        has_ramp = true;
                        if let Some(ramp) = self.list("field.ramp", value) {
                            self.palette.ramp = ramp;
                        }
                    }
                    "ansi" => {
                        if let Some(ramp) = self.list("field.ansi", value) {
                            self.palette.ansi_ramp = ramp;
                        }
                    }
                    _ => self.known("field.", key, &FIELD),
                }
            }
        }
        if all && !has_ramp {
            // Where it stands nowhere, what is wrong with the roles is told first.
            let offset = table.map_or_else(|| self.faults.last().map_or(0, |fault| fault.offset), |(offset, _)| offset);
            self.fault(
                offset,
                "field: there is no ramp; write its colours, or base = \"dark\" to take it from there".to_owned(),
            );
        }
    }

    /// Reads a table with a value for each of some roles.
    fn each<T: Written>(&mut self, name: &str, value: Option<&Value<'_>>, set: fn(&mut Palette, Role, T)) {
        let Some(entries) = value.and_then(|value| self.table(name, value)) else { return };
        let keys = Role::ALL.map(Role::key);
        for (key, value) in entries {
            let role = Role::ALL.into_iter().find(|role| role.key() == key.get_ref().as_ref());
            let Some(role) = role else {
                self.known(&format!("{name}."), key, &keys);
                continue;
            };
            match value.get_ref().as_str().and_then(T::read) {
                Some(read) => set(&mut self.palette, role, read),
                None => self.expected(&format!("{name}.{}", role.key()), value, &T::what(), &T::words()),
            }
        }
    }

    /// Reads a list of so many.
    fn list<T: Written, const N: usize>(&mut self, name: &str, value: &Value<'_>) -> Option<[T; N]> {
        let Some(items) = value.get_ref().as_array() else {
            self.expected(name, value, &format!("a list of {N} colours"), &[]);
            return None;
        };
        let before = self.faults.len();
        let mut read = Vec::with_capacity(N);
        for item in items {
            match item.get_ref().as_str().and_then(T::read) {
                Some(one) => read.push(one),
                None => self.expected(name, item, &T::what(), &T::words()),
            }
        }
        if self.faults.len() > before {
            return None;
        }
        let count = read.len();
        let read = read.try_into().ok();
        if read.is_none() {
            self.fault(
                value.span().start,
                format!("{name}: expected {N} colours, from nothing to full strength, found {count}"),
            );
        }
        read
    }

    fn table<'a, 'b>(&mut self, name: &str, value: &'a Value<'b>) -> Option<&'a DeTable<'b>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.expected(name, value, "a table", &[]);
        }
        table
    }
}

/// Whether some of the sixteen colours are not said.
fn lacks_ansi(root: &DeTable<'_>) -> bool {
    let table = |name: &str| root.get(name).and_then(|value| value.get_ref().as_table());
    let field = table("field").is_some_and(|field| field.contains_key("ansi"));
    !field || table("ansi").is_none_or(|table| Role::ALL.iter().any(|role| !table.contains_key(role.key())))
}

/// What is written as a text.
trait Written: Copy {
    /// What it says, if it is one.
    fn read(text: &str) -> Option<Self>;
    /// What is expected where it is none.
    fn what() -> String;
    /// The words that there are for it.
    fn words() -> Vec<&'static str>;
}

impl Written for Rgb {
    fn read(text: &str) -> Option<Self> {
        colour::hex(text)
    }

    fn what() -> String {
        "a colour such as \"#7fc77a\"".to_owned()
    }

    fn words() -> Vec<&'static str> {
        Vec::new()
    }
}

impl Written for Color {
    fn read(text: &str) -> Option<Self> {
        ANSI.iter().find(|(name, _)| *name == text).map(|(_, colour)| *colour)
    }

    fn what() -> String {
        "a colour such as \"green\", \"bright-green\" or \"default\"".to_owned()
    }

    fn words() -> Vec<&'static str> {
        ANSI.map(|(name, _)| name).to_vec()
    }
}

impl Written for Modifier {
    fn read(text: &str) -> Option<Self> {
        text.split_whitespace().try_fold(Self::empty(), |all, word| {
            WEIGHTS.iter().find(|(name, _)| *name == word).map(|(_, weight)| all | *weight)
        })
    }

    fn what() -> String {
        format!("{}, or several of them", listed(&Self::words(), "or"))
    }

    fn words() -> Vec<&'static str> {
        WEIGHTS.map(|(name, _)| name).to_vec()
    }
}

/// What a value is, for a message.
fn told(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.is_empty() => "an empty text".to_owned(),
        DeValue::String(text) => format!("\"{}\"", quoted(text)),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Integer(figure) => quoted(&figure.to_string()),
        DeValue::Float(figure) => quoted(&figure.to_string()),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// A text from the file as it may stand in a message.
fn quoted(text: &str) -> String {
    text::fit(&text::one_line(&sanitize::text(text)), CELLS).into_owned()
}

/// The word that was most likely meant.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).clamp(1, 3);
    known
        .iter()
        .map(|known| (strsim::osa_distance(&word, known), *known))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// `a, b or c`.
fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
