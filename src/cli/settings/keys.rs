//! The keys there are, as the structs say it: their schema is asked. It is
//! built only when there is something to check or to show.

use kgents_store::sanitize;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::Settings;
use crate::table;

/// The JSON schema of the file.
pub(crate) fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Settings>().to_value();
    plain(&mut schema);
    schema
}

/// Takes out what only serde needs: TOML knows no null, and the defaults of a
/// table stand at its keys.
fn plain(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    if let Some(Value::Array(types)) = map.get("type")
        && types.contains(&Value::from("null"))
        && let Some(one) = types.iter().find(|one| *one != "null").cloned()
    {
        map.insert("type".to_owned(), one);
    }
    if let Some(Value::Array(choices)) = map.get("anyOf")
        && let [Value::Object(one), Value::Object(null)] = choices.as_slice()
        && null.get("type").is_some_and(|kind| kind == "null")
    {
        let one = one.clone();
        map.remove("anyOf");
        for (name, value) in one {
            map.entry(name).or_insert(value);
        }
    }
    if map.get("default").is_some_and(|default| default.is_null() || default.is_object()) {
        map.remove("default");
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(plain);
    }
}

/// What may be given for a key.
#[derive(Debug)]
enum Shape {
    Flag,
    Text,
    Words(Vec<String>),
    /// A whole number, from the first to the second.
    Count(i64, i64),
    /// Keys of a keyboard: one, or a list.
    Chords,
}

/// The table of keys of a keyboard.
pub(crate) const CHORDS: &str = "keys";

/// A key of the file.
#[derive(Debug)]
pub(crate) struct Key {
    /// The table that it stands in, if it stands in one.
    pub(crate) table: Option<String>,
    /// Its name in there.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) description: String,
    /// What holds when nobody says anything, if the key has a value then.
    pub(crate) default: Option<Value>,
    /// Another variable that it is read from.
    pub(crate) alias: Option<String>,
    /// Whether it is a path.
    pub(crate) is_path: bool,
    is_secret: bool,
    example: Option<String>,
    shape: Shape,
}

/// All keys, those of no table first, else by table and name.
pub(crate) fn all() -> Vec<Key> {
    let schema = schema();
    let mut keys = Vec::new();
    for (name, property) in properties(&schema) {
        if property.get("properties").is_some() {
            keys.extend(properties(property).map(|(key, property)| Key::of(Some(name), key, property)));
        } else {
            keys.push(Key::of(None, name, property));
        }
    }
    keys.sort_by(|a, b| (&a.table, &a.name).cmp(&(&b.table, &b.name)));
    keys
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

impl Key {
    fn of(table: Option<&String>, name: &str, schema: &Value) -> Self {
        let text = |key: &str| schema.get(key).and_then(Value::as_str).map(str::to_owned);
        let list = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
        let words: Vec<String> = list("oneOf")
            .filter_map(|choice| choice.get("const"))
            .chain(list("enum"))
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect();
        let shape = match text("type").as_deref() {
            _ if table.is_some_and(|table| table == CHORDS) => Shape::Chords,
            Some("boolean") => Shape::Flag,
            Some("integer") => {
                let bound = |key: &str| schema.get(key).and_then(Value::as_i64);
                Shape::Count(bound("minimum").unwrap_or(0), bound("maximum").unwrap_or(i64::MAX))
            }
            _ if words.is_empty() => Shape::Text,
            _ => Shape::Words(words),
        };
        Self {
            table: table.cloned(),
            name: name.to_owned(),
            description: text("description").unwrap_or_default(),
            default: schema.get("default").cloned(),
            alias: text("x-variable"),
            is_path: text("format").is_some_and(|format| format == "path"),
            is_secret: schema.get("writeOnly").is_some_and(|secret| secret == true),
            example: list("examples").find_map(|example| example.as_str().map(str::to_owned)),
            shape,
        }
    }

    /// One of the table of keys, by a name that nobody may know.
    pub(crate) fn chord(name: &str) -> Self {
        Self::of(Some(&CHORDS.to_owned()), name, &Value::Null)
    }

    /// Its whole name, such as `kube.context`.
    pub(crate) fn full(&self) -> String {
        match &self.table {
            Some(table) => format!("{table}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// The variable that it is read from.
    pub(crate) fn variable(&self) -> String {
        format!("KGENTS_{}", self.full().replace(['.', '-'], "_").to_uppercase())
    }

    /// Whether it is true or false.
    pub(crate) const fn is_flag(&self) -> bool {
        matches!(self.shape, Shape::Flag)
    }

    /// Whether it is a number.
    pub(crate) const fn is_count(&self) -> bool {
        matches!(self.shape, Shape::Count(..))
    }

    /// Whether it names a key of a keyboard.
    pub(crate) const fn is_chord(&self) -> bool {
        matches!(self.shape, Shape::Chords)
    }

    /// What may be given for it, in a word or two.
    pub(crate) fn kind(&self) -> String {
        match &self.shape {
            Shape::Flag => "true or false".to_owned(),
            Shape::Text if self.is_path => "path".to_owned(),
            Shape::Text => "text".to_owned(),
            Shape::Words(words) => listed(words, "or"),
            Shape::Count(..) => "whole number".to_owned(),
            Shape::Chords => "text or list of texts".to_owned(),
        }
    }

    /// Reads what was given for it, or says what is wrong with that.
    pub(crate) fn read(&self, raw: &Raw<'_>) -> Result<Given, String> {
        let found = || raw.told(self.is_secret);
        match (&self.shape, raw) {
            (Shape::Flag, Raw::Flag(flag)) => Ok(Given::Flag(*flag)),
            (Shape::Count(least, most), Raw::Figure(figure)) => match figure.parse::<i64>() {
                Ok(count) if (*least..=*most).contains(&count) => Ok(Given::Count(count)),
                _ => Err(format!("expected {}, found {}", self.expected(), found())),
            },
            (Shape::Chords, Raw::Text(text)) if !text.is_empty() => Ok(Given::Chords(vec![(*text).to_owned()])),
            (Shape::Chords, Raw::Texts(texts)) => Ok(Given::Chords(texts.clone())),
            (Shape::Words(words), Raw::Text(text)) if words.iter().any(|word| word == text) => {
                Ok(Given::Text((*text).to_owned()))
            }
            (Shape::Words(words), Raw::Text(text)) => {
                let near = nearest(text, words.iter().map(String::as_str));
                let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                Err(format!("expected {}, found {}{near}", self.expected(), found()))
            }
            (Shape::Text, Raw::Text(text)) if !text.is_empty() => match self.probe(text) {
                Ok(()) => Ok(Given::Text((*text).to_owned())),
                // What is wrong with an address or a token is said without it.
                Err(why) if self.is_secret || text.contains('@') => Err(why),
                Err(why) => Err(format!("{why}; found {}", found())),
            },
            _ => Err(format!("expected {}, found {}", self.expected(), found())),
        }
    }

    fn expected(&self) -> String {
        match (&self.shape, &self.example) {
            (Shape::Flag, _) => "true or false".to_owned(),
            (Shape::Words(words), _) => listed(words, "or"),
            (Shape::Count(least, most), _) => format!("a whole number from {least} to {most}"),
            (Shape::Text, Some(example)) => format!("a text such as \"{example}\""),
            (Shape::Text, None) => "a text".to_owned(),
            (Shape::Chords, _) => "a key such as \"f5\", or a list of keys".to_owned(),
        }
    }

    /// Lets the structs read a text.
    fn probe(&self, text: &str) -> Result<(), String> {
        let mut file = Map::from_iter([(self.name.clone(), Value::from(text))]);
        if let Some(table) = &self.table {
            file = Map::from_iter([(table.clone(), file.into())]);
        }
        serde_json::from_value::<Settings>(json!(file))
            .map(drop)
            .map_err(|error| table::one_line(&sanitize::text(&error.to_string())).into_owned())
    }
}

/// What somebody gave for a key.
#[derive(Clone, Debug)]
pub(crate) enum Raw<'a> {
    /// true or false.
    Flag(bool),
    /// A text.
    Text(&'a str),
    /// A number or a date, as it was written.
    Figure(String),
    /// A list of nothing but texts.
    Texts(Vec<String>),
    /// Something that is made of others, with its article.
    Whole(&'static str),
}

impl Raw<'_> {
    /// What it is, for a message. Of a secret only its kind is told.
    pub(crate) fn told(&self, is_secret: bool) -> String {
        match self {
            Self::Whole(what) => (*what).to_owned(),
            Self::Texts(_) => "an array".to_owned(),
            Self::Text("") => "an empty text".to_owned(),
            Self::Flag(_) if is_secret => "true or false".to_owned(),
            Self::Text(_) if is_secret => "a text".to_owned(),
            Self::Figure(_) if is_secret => "a number".to_owned(),
            Self::Flag(flag) => flag.to_string(),
            Self::Text(text) => format!("\"{}\"", one_line(text)),
            Self::Figure(figure) => one_line(figure),
        }
    }
}

/// What a key is given, when it is right.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Given {
    /// true or false.
    Flag(bool),
    /// A text.
    Text(String),
    /// A whole number.
    Count(i64),
    /// Keys of a keyboard.
    Chords(Vec<String>),
}

/// Cells of a text in a message.
const CELLS: usize = 60;

/// A text from outside as it may stand in a message.
pub(crate) fn one_line(text: &str) -> String {
    let clean = sanitize::text(text);
    table::cut(&table::one_line(&clean), CELLS).into_owned()
}

/// The word that was most likely meant.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let limit = (word.chars().count() / 3).clamp(1, 3);
    known
        .map(|known| (strsim::osa_distance(&word, &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// `a, b or c`.
pub(crate) fn listed<T: AsRef<str>>(words: &[T], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., end] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", first.join(", "), end.as_ref())
        }
    }
}
