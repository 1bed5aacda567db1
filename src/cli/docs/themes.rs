//! `docs/themes.md`.

use kgents_tui::theme::{NAMES, Palette, Role, about, ansi_names, weight_names};

use super::{ORIGIN, code, table};
use crate::themes::{AUTO, hex};

/// A theme as somebody may write it; a test holds that it is right.
pub(super) const EXAMPLE: &str = "\
# Where it takes what it does not say.
base = \"dark\"

[roles]
moss = \"#8fd18a\"
focus = \"#8fd18a\"

# What is said by weight besides.
[weight]
coral = \"bold underlined\"

# The heatmap, from nothing to full strength: nine colours, and four of the sixteen.
[field]
ramp = [\"#0e1411\", \"#14241c\", \"#1c3a2c\", \"#2f5a3c\", \"#4c7d4c\", \"#7ba35a\", \"#a9c46b\", \"#d3e08a\", \"#fbffd0\"]
ansi = [\"default\", \"green\", \"bright-green\", \"bright-white\"]

# Where a terminal has sixteen colours. They are its own.
[ansi]
moss = \"bright-green\"
";

/// The page.
pub(super) fn page() -> String {
    let names: Vec<Vec<String>> = NAMES.iter().map(|name| vec![code(name), about(name).unwrap_or_default()]).collect();
    let ours = table(&["name", "what it is"], names);
    let palettes: Vec<Palette> = NAMES.iter().filter_map(|name| Palette::named(name)).collect();
    let mut head = vec!["role", "what it means"];
    head.extend(NAMES);
    let roles = Role::ALL.into_iter().map(|role| {
        let colours = palettes.iter().map(|palette| code(&hex(palette.rgb(role))));
        [code(role.key()), role.said().to_owned()].into_iter().chain(colours).collect()
    });
    let roles = table(&head, roles);
    let list = |words: Vec<&str>| words.into_iter().map(code).collect::<Vec<_>>().join(", ");
    let (colours, weights) = (list(ansi_names()), list(weight_names()));
    format!(
        "{ORIGIN}
# Themes

`kgents observe --theme light`, or `window.theme = \"light\"` in the [configuration file](configuration.md).
`{AUTO}`, which holds where nobody says anything, is `dark` or `light` as the terminal's background is.
`kgents config themes` shows those that there are, in their colours.

{ours}
Colour never carries meaning alone: with `NO_COLOR`, or on a terminal without colours, weight and signs say the same.

## One of your own

A theme is a file `themes/NAME.toml` beside the configuration file, so below `~/.config/kgents`; its name is that of the
file. It is read again while a window is open, whenever it changes. What is wrong with it is told by line and column, by
the window and by `kgents config check`.

```toml
{EXAMPLE}```

With a `base` (one of the five above) a file says only what is to be otherwise. Without one it has every role and the
ramp; the sixteen colours may then be left out. A colour of `[roles]` is written `#rrggbb`; one of `[ansi]` and of
`field.ansi` is {colours}. A weight is {weights}, or several of them.

## Roles

A role is what a colour means. Text keeps a contrast of 4.5 to 1 on every ground in the themes that come with `kgents`;
labels in the heatmap take the ink that keeps it.

{roles}"
    )
}
