//! How the window is to look: by flags, settings and files, now and whenever
//! one of these files changes.

use std::fmt::Display;

use tokio::sync::watch;

use crate::keymap;
use crate::settings::environment::Env;
use crate::settings::{Origin, Reload, Settings, Window};
use crate::themes::Themes;

/// What the flags say of the window: they win over what is set.
#[derive(Clone)]
pub(super) struct Flags {
    pub(super) no_mouse: bool,
    pub(super) utc: bool,
    pub(super) ascii: bool,
    pub(super) write: bool,
    pub(super) theme: Option<String>,
}

/// Whether nothing moves that does not have to. Over SSH each frame is a
/// packet, so there it is the default.
pub(super) fn calm(window: &Window, env: &Env) -> bool {
    window.reduce_motion.unwrap_or(env.ssh)
}

impl Flags {
    pub(super) fn over(&self, settings: &Window) -> Window {
        let Window { mouse, utc, ascii, theme, write, keymap, reduce_motion } = settings;
        Window {
            mouse: *mouse && !self.no_mouse,
            utc: *utc || self.utc,
            ascii: *ascii || self.ascii,
            theme: self.theme.as_ref().unwrap_or(theme).clone(),
            write: *write || self.write,
            keymap: *keymap,
            reduce_motion: *reduce_motion,
        }
    }

    /// Who names the theme.
    pub(super) fn origin(&self, settings: &Settings) -> Origin {
        match self.theme {
            Some(_) => Origin::Flag("--theme"),
            None => settings.origin("window.theme").clone(),
        }
    }
}

/// A problem as a sentence, and another that says what holds meanwhile.
pub(super) fn told(problem: &impl Display, meanwhile: &str) -> String {
    let problem = problem.to_string();
    let stop = if problem.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{problem}{stop} {meanwhile}")
}

/// Several sentences as one text.
pub(super) fn one(sentences: impl Iterator<Item = String>) -> Option<String> {
    Some(sentences.collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}

/// Reads the configuration file and that of the theme again each time that one
/// of them changes, for ever.
pub(super) async fn reload(
    mut file: Reload,
    flags: Flags,
    was: kgents_tui::Options,
    changes: watch::Sender<kgents_tui::Settings>,
) {
    let env = Env::system();
    let themes = Themes::of(&env);
    loop {
        file.changed().await;
        match file.again() {
            Some(Ok(settings)) => {
                let window = flags.over(&settings.window);
                let reduce_motion = calm(&window, &env);
                let Window { utc, ascii, theme, .. } = window;
                file.watch(themes.file(&theme));
                let chosen = themes.choose(&theme, flags.origin(&settings));
                let keys = keymap::of(&settings);
                changes.send_modify(|shown| {
                    // What cannot be read leaves the colours as they are.
                    let palette = chosen.as_ref().map_or_else(|_| shown.options.palette.clone(), Clone::clone);
                    let keymap = keys.as_ref().map_or_else(|_| shown.options.keymap.clone(), Clone::clone);
                    shown.options = kgents_tui::Options { utc, ascii, palette, keymap, reduce_motion, ..was.clone() };
                    let keys = keys.err().and_then(|wrong| keymap::first(&wrong));
                    let keys = keys.map(|problem| told(&problem, "The keys stay as they were."));
                    let theme = chosen.err().map(|problem| told(&problem, "The theme stays as it was."));
                    shown.problem = one(keys.into_iter().chain(theme));
                });
            }
            Some(Err(problem)) => changes.send_modify(|settings| {
                settings.problem = Some(told(&problem, "What was set before stays."));
            }),
            None => {}
        }
    }
}
