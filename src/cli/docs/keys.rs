//! `docs/keys.md`.

use std::collections::BTreeMap;

use kgents_tui::action::TABLE;
use kgents_tui::keymap::Keymap;

use super::{ORIGIN, code, table};

/// What stands above the table.
const BEFORE: &str = "\
# Keys

`kgents config keys` prints this table as it is in force for you; `?` in the window shows the keys of the place where
you are, `:` does anything by its name.

Two keymaps come with `kgents`: `default`, and `k9s` for those whose hands know it
(`window.keymap = \"k9s\"`). Keys of your own stand over them in the [configuration file](configuration.md), by the
names of the first column: a key, a list of keys, or an empty list for none.

```toml
[window]
keymap = \"default\"

[keys]
zoom = \"f5\"
quit = [\"q\", \"ctrl-q\"]
sort = []
```

A key is written `x`, `X`, `ctrl-x`, `alt-x`, `f5`, `enter`, `esc`, `tab`, `backtab`, `space`, `up`, `down`, `left`,
`right`, `pageup`, `pagedown`, `home`, `end`, `insert`, `delete` or `backspace`. One that would mean two things in one
place is an error that names both; until it is mended the default keys hold. A change of the file counts at once, in an
open window too.

While you type (a filter, a search, a line of talk), letters are letters: `enter` keeps or sends, `esc` leaves.
Where a window is too small for all that a dialog would send, `pageup`, `pagedown` and the wheel scroll it.

";

/// What stands below it.
const AFTER: &str = "
`every pane` is agents, pheromones, proposals, thoughts and chat.

## The mouse

A click focuses a pane and selects a row; a second one on the same row opens it. The wheel scrolls. A line between two
panes is dragged; a double click on it puts it back. `--no-mouse` leaves the mouse to the terminal.
";

/// The page.
pub(super) fn page() -> String {
    let default = Keymap::default();
    // That it is good, a test of the keymap holds.
    let k9s = Keymap::new("k9s", &BTreeMap::new()).unwrap_or_default();
    let rows = TABLE.iter().map(|row| {
        let keys = |map: &Keymap| {
            map.keys(row.action).iter().map(|chord| code(&chord.written())).collect::<Vec<_>>().join(" ")
        };
        let own = keys(&default);
        let other = keys(&k9s);
        let other = if other == own { String::new() } else { other };
        vec![code(row.name), own, other, row.places(), row.said().to_owned()]
    });
    let rows = table(&["action", "keys", "k9s, where another", "where", "what it does"], rows);
    format!("{ORIGIN}\n{BEFORE}{rows}{AFTER}")
}
