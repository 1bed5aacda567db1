//! The file: where it is, what stands in it, and what is wrong with it.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::Env;
use super::keys::{self, Given, Key, Raw};
use super::layers::Layer;
use super::{Origin, shown};

/// How large it may be. Nobody writes that much by hand.
const LARGEST: u64 = 1024 * 1024;

/// Where the file is, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its path.
    pub(crate) path: PathBuf,
    /// The flag or variable that names it. Then it has to be there.
    pub(crate) named_by: Option<&'static str>,
}

impl Place {
    /// The file that a flag names, else `$KGENTS_CONFIG`, else that in the
    /// configuration directory. Without a home there is none.
    pub(crate) fn of(flag: Option<&Path>, env: &Env) -> Option<Self> {
        let named = |path: PathBuf, by| Some(Self { path, named_by: Some(by) });
        if let Some(path) = flag {
            return named(path.to_owned(), "--config");
        }
        if let Some(path) = &env.config {
            return named(path.into(), "KGENTS_CONFIG");
        }
        folder(env).map(|folder| Self { path: folder.join("config.toml"), named_by: None })
    }

    /// The text of the file; nothing where none has to be.
    pub(crate) fn read(&self) -> Result<Option<String>, Problem> {
        let no = |what: String| Problem::new(shown(&self.path), what);
        // Asked before it is opened: a pipe that nobody writes to would hold us.
        let kind = match std::fs::metadata(&self.path) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if is_missing(&error) => {
                return match self.named_by {
                    Some(by) => Err(no(format!("there is no such file, but {by} names it"))),
                    None => Ok(None),
                };
            }
            Err(error) => return Err(no(error.to_string())),
        };
        if kind.is_dir() {
            return Err(no("this is a folder, not a file".to_owned()));
        }
        // Who names a pipe, as a shell does for `<(...)`, wants it to be read.
        if !kind.is_file() && self.named_by.is_none() {
            return Err(no("this is no plain file".to_owned()));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&self.path)
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
            .map_err(|error| no(error.to_string()))?;
        if bytes.len() as u64 > LARGEST {
            return Err(no("this is larger than 1 MiB, so it is no configuration".to_owned()));
        }
        String::from_utf8(bytes).map(Some).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(error.as_bytes().get(..good).unwrap_or_default()).into_owned();
            no("this is not UTF-8".to_owned()).at(&before, good)
        })
    }
}

/// The configuration directory. Without a home there is none.
pub(crate) fn folder(env: &Env) -> Option<PathBuf> {
    // As the XDG specification has it, a relative path counts as none.
    let base = env.config_home.clone().filter(|path| path.is_absolute());
    let base = base.or_else(|| env.home.as_ref().map(|home| home.join(".config")));
    base.map(|base| base.join("kgents"))
}

fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file or the variable.
    pub(crate) place: String,
    /// Line and column, both from 1; columns are characters.
    pub(crate) position: Option<(usize, usize)>,
    /// What is wrong.
    pub(crate) sentence: String,
    /// What to type next, where knowing the keys helps.
    pub(crate) hint: Option<&'static str>,
}

/// Where the keys are told.
const HINT: &str = "kgents config schema";

impl Problem {
    /// A problem with a whole file.
    pub(crate) fn new(place: String, sentence: String) -> Self {
        Self { place, position: None, sentence, hint: None }
    }

    /// A problem with a key or its value.
    pub(crate) fn with_key(place: String, sentence: String) -> Self {
        Self { hint: Some(HINT), ..Self::new(place, sentence) }
    }

    /// The same at a byte of the text.
    pub(crate) fn at(mut self, text: &str, offset: usize) -> Self {
        self.position = Some(position(text, offset));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.place, self.sentence),
            None => write!(f, "{}: {}", self.place, self.sentence),
        }
    }
}

/// Line and column of a byte.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    // The mark that some editors begin a file with is not seen as a column.
    let column = line.chars().filter(|c| *c != '\u{feff}').count();
    (before.matches('\n').count() + 1, column + 1)
}

/// What tells whether a file is another than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    changed: Option<SystemTime>,
    len: u64,
    inode: u64,
}

impl Stamp {
    /// That of the file at this path; `None` where there is none.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Self { changed: metadata.modified().ok(), len: metadata.len(), inode })
    }
}

/// Reads the text of a file: what is right in it, and all that is wrong, in
/// the order in which it stands there.
pub(crate) fn parse(text: &str, path: &Path, keys: &[Key], env: &Env) -> (Layer, Vec<Problem>) {
    let mut reader = Reader { text, path, keys, env, layer: Layer::default(), problems: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => reader.root(table.get_ref()),
        Err(error) => {
            let words = keys::one_line(error.message());
            reader.problem(error.span().map_or(0, |span| span.start), format!("this is not TOML: {words}"));
        }
    }
    let Reader { layer, mut problems, .. } = reader;
    let name = |key: &str| key.to_owned();
    if let Some((second, sentence)) = layer.clash(name) {
        problems.push((second, sentence));
    }
    problems.sort_by_key(|(offset, _)| *offset);
    let told = |(offset, sentence)| Problem::with_key(shown(path), sentence).at(text, offset);
    (layer, problems.into_iter().map(told).collect())
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    keys: &'a [Key],
    env: &'a Env,
    layer: Layer,
    problems: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn problem(&mut self, offset: usize, sentence: String) {
        self.problems.push((offset, sentence));
    }

    fn root(&mut self, root: &DeTable<'_>) {
        for (name, value) in root {
            if self.keys.iter().any(|key| key.table.as_deref() == Some(name.get_ref())) {
                self.table(name.get_ref(), value);
            } else {
                self.entry(None, name, value);
            }
        }
    }

    fn table(&mut self, table: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(entries) => entries.iter().for_each(|(name, value)| self.entry(Some(table), name, value)),
            other => {
                let found = raw(other).told(false);
                self.problem(value.span().start, format!("{table}: expected a table, found {found}"));
            }
        }
    }

    fn entry(&mut self, table: Option<&str>, name: &Spanned<impl AsRef<str>>, value: &Spanned<DeValue<'_>>) {
        let word = name.get_ref().as_ref();
        let keys = self.keys;
        let found = keys.iter().find(|key| key.table.as_deref() == table && key.name == word);
        // Which actions there are, the keymap tells.
        let unknown = (found.is_none() && table == Some(keys::CHORDS)).then(|| Key::chord(word));
        let Some(key) = found.or(unknown.as_ref()) else {
            return self.problem(name.span().start, self.unknown(table, word, value.get_ref().is_table()));
        };
        let offset = value.span().start;
        match key.read(&raw(value.get_ref())).and_then(|given| self.placed(key, given)) {
            Ok(given) => {
                let start = name.span().start;
                let (line, _) = position(self.text, start);
                // What is wrong with a key of the keyboard may lie in another line.
                let offset = if key.is_chord() { start } else { offset };
                self.layer.set(key.full(), given, Origin::File(self.path.to_owned(), line), offset);
            }
            Err(sentence) => self.problem(offset, format!("{}: {sentence}", keys::one_line(&key.full()))),
        }
    }

    /// A path as it is meant in the file: `~/` is the home, and a relative one
    /// lies beside the file.
    fn placed(&self, key: &Key, given: Given) -> Result<Given, String> {
        let Given::Text(text) = &given else { return Ok(given) };
        if !key.is_path {
            return Ok(given);
        }
        let path = match text.strip_prefix("~/") {
            Some(rest) => match &self.env.home {
                Some(home) => home.join(rest),
                None => return Err("~ stands for the home, but HOME is not set".to_owned()),
            },
            None => self.path.parent().unwrap_or(Path::new("")).join(text),
        };
        match path.into_os_string().into_string() {
            Ok(text) => Ok(Given::Text(text)),
            Err(_) => Err("the folder is not named in UTF-8: write a path that begins with /".to_owned()),
        }
    }

    fn unknown(&self, table: Option<&str>, word: &str, is_table: bool) -> String {
        let here: Vec<&str> = self.beside(table);
        let others = || self.keys.iter().filter(|key| key.name == word && key.table.as_deref() != table);
        // Some actions are called as keys are.
        let elsewhere = others().find(|key| !key.is_chord()).or_else(|| others().next());
        let full = |word: &str| match table {
            Some(table) => format!("{table}.{word}"),
            None => word.to_owned(),
        };
        let meant = match keys::nearest(word, here.iter().copied()) {
            Some(near) => format!("did you mean `{}`?", full(near)),
            None => match elsewhere {
                Some(key) if !is_table => format!("did you mean `{}`?", key.full()),
                _ => format!("there is {}", keys::listed(&here, "and")),
            },
        };
        let what = if is_table { "table" } else { "key" };
        format!("unknown {what} `{}`; {meant}", full(&keys::one_line(word)))
    }

    /// What may stand where a key is unknown.
    fn beside(&self, table: Option<&str>) -> Vec<&str> {
        let inside = self.keys.iter().filter(|key| key.table.as_deref() == table).map(|key| key.name.as_str());
        let mut names: Vec<&str> = inside.collect();
        if table.is_none() {
            names.extend(self.keys.iter().filter_map(|key| key.table.as_deref()));
            names.dedup();
        }
        names
    }
}

fn raw<'a>(value: &'a DeValue<'_>) -> Raw<'a> {
    match value {
        DeValue::String(text) => Raw::Text(text),
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Integer(figure) => Raw::Figure(figure.to_string()),
        DeValue::Float(figure) => Raw::Figure(figure.to_string()),
        DeValue::Datetime(date) => Raw::Figure(date.to_string()),
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map_or(Raw::Whole("an array"), Raw::Texts)
        }
        DeValue::Table(_) => Raw::Whole("a table"),
    }
}
