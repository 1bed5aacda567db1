//! The themes there are: those that come with us, and those in the
//! configuration directory.

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::sync::Arc;

use kgents_tui::theme::{self, NAMES, Palette, Rgb};

use crate::failure::{Code, Failure};
use crate::settings::environment::Env;
use crate::settings::file::{self, Place, Problem};
use crate::settings::{keys, shown};

/// The theme that follows the terminal's background.
pub(crate) const AUTO: &str = "auto";

/// A colour as a file has it.
pub(crate) fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Where themes are looked for.
#[derive(Clone, Debug)]
pub(crate) struct Themes {
    folder: Option<PathBuf>,
}

/// Why there is no such theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Nobody knows it.
    Unknown(String),
    /// Its file is bad.
    File(Problem),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(sentence) => f.write_str(sentence),
            Self::File(problem) => problem.fmt(f),
        }
    }
}

impl Themes {
    /// Those of a user with this environment.
    pub(crate) fn of(env: &Env) -> Self {
        Self { folder: file::folder(env).map(|folder| folder.join("themes")) }
    }

    /// The file that a theme stands in, whether or not it is there; `None` for
    /// one of ours, and for what is no name.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        let is_ours = name == AUTO || NAMES.contains(&name);
        // No way out of the folder, and nothing that a shell hides.
        let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
        if is_ours || !is_name {
            return None;
        }
        self.folder.as_ref().map(|folder| folder.join(format!("{name}.toml")))
    }

    /// The colours of a theme; `None` for those that follow the terminal.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Arc<Palette>>, Wrong> {
        if name == AUTO {
            return Ok(None);
        }
        if let Some(ours) = Palette::named(name) {
            return Ok(Some(Arc::new(ours)));
        }
        let unknown = || Wrong::Unknown(self.unknown(name));
        let path = self.file(name).ok_or_else(unknown)?;
        let text = Place { path: path.clone(), named_by: None }.read().map_err(Wrong::File)?.ok_or_else(unknown)?;
        let theme::Reading { palette, faults } = Palette::read(name, &text);
        match faults.into_iter().next() {
            None => Ok(Some(Arc::new(palette))),
            Some(fault) => Err(Wrong::File(Problem::new(shown(&path), fault.sentence).at(&text, fault.offset))),
        }
    }

    /// The same for who opens a window whatever is wrong: the problem as it is
    /// told, where somebody names the theme.
    pub(crate) fn choose(&self, name: &str, named_by: impl Display) -> Result<Option<Arc<Palette>>, Problem> {
        self.find(name).map_err(|wrong| match wrong {
            Wrong::Unknown(sentence) => Problem::new(named_by.to_string(), format!("window.theme: {sentence}")),
            Wrong::File(problem) => problem,
        })
    }

    /// Whether a flag may name this theme. A bad file is no wrong usage.
    pub(crate) fn check_flag(&self, name: &str) -> Result<(), Failure> {
        match self.find(name) {
            Err(Wrong::Unknown(sentence)) => {
                Err(Failure::new(format!("--theme: {sentence}")).hint("kgents config themes").code(Code::Usage))
            }
            _ => Ok(()),
        }
    }

    /// The names of the themes in the configuration directory that are not
    /// ours, in their order.
    pub(crate) fn own(&self) -> Vec<String> {
        let entries = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let name = |entry: std::fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            let name = name.strip_suffix(".toml")?;
            self.file(name).map(|_| name.to_owned())
        };
        let mut names: Vec<String> = entries.into_iter().flatten().filter_map(|entry| name(entry.ok()?)).collect();
        names.sort();
        names
    }

    fn unknown(&self, name: &str) -> String {
        let own = self.own();
        let known: Vec<&str> = [AUTO].into_iter().chain(NAMES).chain(own.iter().map(String::as_str)).collect();
        let near = theme::nearest(name, &known).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        let known: Vec<String> = known.into_iter().map(keys::one_line).collect();
        format!("there is no theme \"{}\", but {}.{near}", keys::one_line(name), keys::listed(&known, "and"))
    }
}

#[cfg(test)]
mod tests;
