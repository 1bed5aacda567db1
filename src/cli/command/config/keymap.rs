//! `kgents config keys`: the keys of the window.

use kgents_tui::action::{Row as Action, TABLE};
use kgents_tui::keymap::Keymap;
use serde_json::{Value, json};

use crate::failure::{Code, Failure};
use crate::io::Io;
use crate::keymap;
use crate::output::{self, Format};
use crate::settings::Settings;
use crate::table::{Row, Table};

pub(super) const HELP: &str = "\
Examples:
  kgents config keys
  kgents config keys --json
  KGENTS_WINDOW_KEYMAP=k9s kgents config keys
  KGENTS_KEYS_ZOOM=\"f5 z\" kgents config keys

Keys of your own stand in the configuration file, by the names of this table:
a key, a list of keys, or an empty list for none.
  [window]
  keymap = \"k9s\"
  [keys]
  zoom = \"f5\"
  quit = [\"q\", \"ctrl-q\"]
A key is written x, X, ctrl-x, alt-x, f5, enter, esc, tab, space, up, pagedown.
One that would mean two things in one place is an error that names both.";

/// Prints them as they are in force: the default ones where those that are
/// set are wrong.
pub(super) fn print(settings: &Settings, json: bool, io: &mut Io<'_>) -> Result<Code, Failure> {
    let map = keymap::of(settings).unwrap_or_else(|problems| {
        for problem in problems {
            io.note(format_args!("warning: {problem}"));
        }
        io.note("the default keys are in force meanwhile");
        Keymap::default()
    });
    let keys = |row: &Action| map.keys(row.action).iter().map(|chord| chord.written()).collect::<Vec<_>>();
    if json {
        let row = |row: &Action| {
            let spots: Vec<&str> = row.spots.iter().map(|spot| spot.title()).collect();
            json!({ "action": row.name, "keys": keys(row), "where": spots, "what": row.said() })
        };
        let rows: Vec<Value> = TABLE.iter().map(row).collect();
        return output::data(io.out, Format::Json, &json!({ "keys": rows })).map(|()| Code::Ok);
    }
    let row = |row: &Action| Row::Cells(vec![row.name.into(), keys(row).join(" "), row.places(), row.said().into()]);
    let rows: Vec<Row> = TABLE.iter().map(row).collect();
    Table::new(&["ACTION", "KEYS", "WHERE", "WHAT"]).write(io.out, &rows)?;
    Ok(Code::Ok)
}
