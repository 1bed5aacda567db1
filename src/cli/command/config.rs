//! `kgents config`: what is set, where it comes from, and what may be set.

use std::path::PathBuf;
use std::sync::Arc;

use kgents_store::sanitize;
use kgents_tui::ColourLevel;
use kgents_tui::theme::{self, NAMES, Palette, Role};
use serde_json::{Value, json};

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::io::{self, Io};
use crate::output::{self, Format};
use crate::settings::environment::Env;
use crate::settings::file::{self, Place, Problem};
use crate::settings::{Origin, Settings, keys, shown};
use crate::table::{NOTHING, Row, Table};
use crate::themes::{AUTO, Themes, Wrong, hex};

const HELP: &str = "\
Examples:
  kgents config                        # what holds, and who says so
  kgents config path                   # the file that is read
  kgents config check                  # all that is wrong with it
  kgents config schema                 # every key, as JSON schema for editors
  kgents config themes                 # what window.theme may be
  kgents config keys                   # the keys of the window as they are in force
  KGENTS_WINDOW_UTC=true kgents config # each key has a variable too

A default is overruled by the file, that by the environment, that by a flag.
The file is that of --config, else $KGENTS_CONFIG, else kgents/config.toml in
$XDG_CONFIG_HOME, else in ~/.config.";

const THEMES_HELP: &str = "\
Examples:
  kgents config themes
  kgents config themes --json
  kgents observe --theme light
  KGENTS_WINDOW_THEME=mono kgents observe

A theme of your own is a file kgents/themes/NAME.toml beside the configuration
file in $XDG_CONFIG_HOME, else in ~/.config. It may begin with base = \"dark\"
and say only what is to be otherwise:
  base = \"dark\"
  [roles]
  moss = \"#8fd18a\"";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

/// What is done.
#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Print each key, its value and where that comes from.
    #[command(
        after_help = "Examples:\n  kgents config show\n  kgents config show --json\n\nOf a token only whether it is set is printed."
    )]
    Show,
    /// Print the path of the file, whether it is there or not.
    #[command(after_help = "Examples:\n  kgents config path")]
    Path,
    /// Print the JSON schema of the file.
    #[command(after_help = "Examples:\n  kgents config schema")]
    Schema,
    /// Print the themes of the window, and where each comes from.
    #[command(after_help = THEMES_HELP)]
    Themes,
    /// Print the keys of the window as they are in force.
    #[command(after_help = keymap::HELP)]
    Keys,
    /// Print all that is wrong with the file, with line and column.
    #[command(
        after_help = "Examples:\n  kgents config check\n  kgents config check ./config.toml\n\nExit codes: 0 when nothing is wrong, else 1."
    )]
    Check {
        /// The file [default: that which is read].
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,
    },
}

impl Args {
    /// Whether the settings are to be read before it runs. The others are what
    /// one asks when they are bad.
    pub(crate) const fn is_show(&self) -> bool {
        matches!(self.action, None | Some(Action::Show | Action::Keys))
    }
}

/// Shows, checks or explains.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let env = Env::system();
    let place = Place::of(global.config.as_deref(), &env);
    match &args.action {
        None | Some(Action::Show) => show(global.settings(), place.as_ref(), args.json, io),
        Some(Action::Path) => path(place.as_ref(), args.json, io),
        Some(Action::Schema) => output::data(io.out, Format::Json, &keys::schema()).map(|()| Code::Ok),
        Some(Action::Themes) => themes(&Themes::of(&env), args.json, io),
        Some(Action::Keys) => keymap::print(global.settings(), args.json, io),
        Some(Action::Check { path }) => {
            let named = path.clone().map(|path| Place { path, named_by: Some("the command") });
            check(named.or(place).as_ref(), &env, args.json, io)
        }
    }
}

/// One key as it is shown.
struct Line {
    key: keys::Key,
    value: Option<Value>,
    origin: Origin,
}

/// The keys and what holds for them. A token is written as `(set)`.
fn lines(settings: &Settings) -> Result<Vec<Line>, Failure> {
    let mut tree = serde_json::to_value(settings)
        .map_err(|error| Failure::new(format!("the settings cannot be written down: {error}")))?;
    kgents_store::sanitize::value(&mut tree);
    let line = |key: keys::Key| {
        let table = key.table.as_ref().map_or(Some(&tree), |table| tree.get(table));
        let value = table.and_then(|table| table.get(&key.name)).cloned();
        Line { value, origin: settings.origin(&key.full()).clone(), key }
    };
    // Of the keys of the keyboard those that somebody set: `config keys` has all.
    let is_told = |line: &Line| !line.key.is_chord() || line.origin != Origin::Default;
    Ok(keys::all().into_iter().map(line).filter(is_told).collect())
}

fn show(settings: &Settings, place: Option<&Place>, json: bool, io: &mut Io<'_>) -> Result<Code, Failure> {
    let lines = lines(settings)?;
    if json {
        let line = |Line { key, value, origin }: &Line| {
            let at = (*origin != Origin::Default).then(|| origin.to_string());
            json!({
                "key": key.full(), "value": value, "from": origin.word(), "at": at,
                "default": key.default, "variable": key.variable(), "description": key.description,
            })
        };
        let settings: Vec<Value> = lines.iter().map(line).collect();
        let answer = json!({ "file": place.map(|place| shown(&place.path)), "settings": settings });
        return output::data(io.out, Format::Json, &answer).map(|()| Code::Ok);
    }
    let row = |Line { key, value, origin }: &Line| {
        let value = match value {
            None => NOTHING.to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            Some(other) => other.to_string(),
        };
        Row::Cells(vec![key.full(), value, origin.to_string()])
    };
    let rows: Vec<Row> = lines.iter().map(row).collect();
    Table::new(&["KEY", "VALUE", "FROM"]).write(io.out, &rows)?;
    Ok(Code::Ok)
}

fn path(place: Option<&Place>, json: bool, io: &mut Io<'_>) -> Result<Code, Failure> {
    let place = place.ok_or_else(homeless)?;
    let is_there = place.path.exists();
    if json {
        let answer = json!({ "path": shown(&place.path), "exists": is_there });
        output::data(io.out, Format::Json, &answer)?;
    } else {
        writeln!(io.out, "{}", shown(&place.path))?;
        if !is_there {
            io.note("there is no such file");
        }
    }
    Ok(Code::Ok)
}

/// Prints the themes there are, with what is wrong with those of one's own.
fn themes(themes: &Themes, json: bool, io: &mut Io<'_>) -> Result<Code, Failure> {
    let own = themes.own();
    let names = [AUTO].into_iter().chain(NAMES).chain(own.iter().map(String::as_str));
    let found: Vec<(&str, Option<PathBuf>, Found)> =
        names.map(|name| (name, themes.file(name), themes.find(name))).collect();
    if json {
        let theme = |(name, path, found): &(&str, Option<PathBuf>, Found)| {
            let palette = found.as_ref().ok().and_then(Option::as_deref);
            let roles = palette.map(|palette| {
                let role = |role: Role| (role.key().to_owned(), Value::from(hex(palette.rgb(role))));
                Value::Object(Role::ALL.map(role).into_iter().collect())
            });
            let ramp = palette.map(|palette| palette.field().map(hex).to_vec());
            json!({
                "name": sanitize::text(name), "path": path.as_deref().map(shown),
                "problem": found.as_ref().err().map(ToString::to_string), "roles": roles, "ramp": ramp,
            })
        };
        let themes: Vec<Value> = found.iter().map(theme).collect();
        return output::data(io.out, Format::Json, &json!({ "themes": themes })).map(|()| Code::Ok);
    }
    let level = if io::is_terminal() { io::colour() } else { ColourLevel::None };
    let row = |(name, path, found): &(&str, Option<PathBuf>, Found)| {
        let from = path.as_deref().map_or_else(|| "kgents".to_owned(), shown);
        let said = match found {
            Ok(Some(palette)) if level > ColourLevel::None => theme::swatch(palette, level),
            Ok(Some(palette)) => format!("{} on {}", hex(palette.rgb(Role::Text)), hex(palette.rgb(Role::Bg))),
            Ok(None) => "dark or light, as the terminal is".to_owned(),
            Err(wrong) => wrong.to_string(),
        };
        Row::Note(vec![sanitize::text(name).into_owned(), from], said)
    };
    let rows: Vec<Row> = found.iter().map(row).collect();
    Table::new(&["NAME", "FROM", "COLOURS"]).write(io.out, &rows)?;
    Ok(Code::Ok)
}

/// What became of looking for a theme.
type Found = Result<Option<Arc<Palette>>, Wrong>;

fn homeless() -> Failure {
    Failure::new("there is no file: neither --config, KGENTS_CONFIG, XDG_CONFIG_HOME nor HOME names one")
}

fn check(place: Option<&Place>, env: &Env, json: bool, io: &mut Io<'_>) -> Result<Code, Failure> {
    let place = place.ok_or_else(homeless)?;
    let name = shown(&place.path);
    let (text, mut problems) = match place.read() {
        Ok(text) => (text, Vec::new()),
        Err(problem) => (None, vec![problem]),
    };
    let mut set = None;
    if let Some(text) = text {
        let (layer, found) = file::parse(&text, &place.path, &keys::all(), env);
        set = Some(layer.len());
        problems.extend(found);
        if let Some((theme, origin)) = layer.text("window.theme") {
            problems.extend(Themes::of(env).choose(theme, origin).err());
        }
        problems.extend(crate::keymap::check(&text, &place.path, &layer));
    }
    if json {
        let problem = |Problem { position, sentence, .. }: &Problem| {
            let (line, column) = position.unzip();
            json!({ "line": line, "column": column, "message": sentence })
        };
        let found: Vec<Value> = problems.iter().map(problem).collect();
        output::data(io.out, Format::Json, &json!({ "path": name, "problems": found }))?;
        return Ok(if problems.is_empty() { Code::Ok } else { Code::Failed });
    }
    // The last is said by whoever runs us, as the error of any command is.
    if let Some(last) = problems.pop() {
        for problem in problems {
            io.note(format_args!("error: {problem}"));
        }
        let failure = Failure::new(last.to_string());
        return Err(match last.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        });
    }
    match set {
        None => writeln!(io.out, "{name} is not there: the defaults hold")?,
        Some(1) => writeln!(io.out, "{name} is right: it sets 1 key")?,
        Some(count) => writeln!(io.out, "{name} is right: it sets {count} keys")?,
    }
    Ok(Code::Ok)
}

mod keymap;
#[cfg(test)]
mod tests;
