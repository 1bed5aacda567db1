//! `docs/configuration.md`.

use super::{ORIGIN, code, table};
use crate::settings::keys::{self, Key};

/// A file as somebody may have it; a test holds that it is right.
pub(super) const EXAMPLE: &str = "\
layer = \"kube\"

[kube]
context = \"kind-garden\"
namespace = \"kgents-agents\"
request_timeout = \"10s\"

[ghost]
dir = \"~/.kgents/ghost\"

[window]
theme = \"light\"
keymap = \"k9s\"
utc = true
write = false

[keys]
zoom = \"f5\"
quit = [\"q\", \"ctrl-q\"]

[log]
level = \"warn,kgents=debug\"
";

/// The page.
pub(super) fn page() -> String {
    let known = keys::all();
    let tables: Vec<Option<&str>> = {
        let mut tables: Vec<_> = known.iter().filter(|key| !key.is_chord()).map(|key| key.table.as_deref()).collect();
        tables.dedup();
        tables
    };
    let mut rows = String::new();
    for name in tables {
        let heading = name.map_or_else(|| "Outside of any table".to_owned(), |name| code(&format!("[{name}]")));
        let of_table = known.iter().filter(|key| key.table.as_deref() == name);
        let table = table(&["key", "what may be given", "default", "variable", "what it is"], of_table.map(row));
        rows += &format!("## {heading}\n\n{table}\n");
    }
    format!(
        "{ORIGIN}
# Configuration

Nothing has to be set. What you say always goes into `~/.config/kgents/config.toml` (or below `$XDG_CONFIG_HOME`);
`--config PATH` or `KGENTS_CONFIG` names another file. A default is overruled by the file, that by the environment, that
by a flag. In the file `~/` is your home, and a relative path lies beside the file.

- `kgents config` prints what holds and who says so.
- `kgents config check` tells all that is wrong with the file, by line and column.
- `kgents config schema` is a JSON schema for your editor.
- An open window takes a change of `[window]` and `[keys]` at once, but for `mouse` and `write`. What was set before
  stays where the file is wrong, and the window says so.

```toml
{EXAMPLE}```

{rows}## `[keys]`

Keys of your own for the window, by the names of actions: a key (`\"f5\"`), a list of them, or an empty list for none.
[keys.md](keys.md) has the names. Each has a variable too, in which spaces stand between keys:
`KGENTS_KEYS_NEXT_PANE=\"tab ctrl-n\"`.
"
    )
}

fn row(key: &Key) -> Vec<String> {
    let default = match &key.default {
        None => String::new(),
        Some(serde_json::Value::String(text)) => code(text),
        Some(other) => code(&other.to_string()),
    };
    let variables = [Some(key.variable()), key.alias.clone()].into_iter().flatten();
    let variables: Vec<String> = variables.map(|name| code(&name)).collect();
    vec![code(&key.full()), key.kind(), default, variables.join(" or "), key.description.clone()]
}
