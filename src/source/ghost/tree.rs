//! Which tree belongs to which context.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::layout::{CONTEXTS, HEADS};
use super::{envelope, name, open};

/// The tree of one context below the Ghost's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ghost {
    path: PathBuf,
    context: Option<String>,
}

/// The folder of the Ghost: `$KGENTS_GHOST_DIR`, else `~/.kgents/ghost`.
/// `None` when there is no home.
pub fn folder(env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("KGENTS_GHOST_DIR").or_else(|| Some(set("HOME")?.join(".kgents").join("ghost")))
}

/// Whose a tree can be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Nothing in it says so: the first who syncs may have it.
    Nobody,
    /// The context that it names.
    Context(String),
    /// It cannot be told, for what is there may not be read.
    Unknown,
}

/// Whose a tree is.
pub(super) fn owner(tree: &Path) -> Owner {
    let mut barred = false;
    for head in HEADS {
        match open::text(&tree.join(head)) {
            Ok(text) => {
                if let Some(context) = text.as_deref().and_then(envelope::context) {
                    return Owner::Context(context);
                }
            }
            Err(_) => barred = true,
        }
    }
    if barred { Owner::Unknown } else { Owner::Nobody }
}

impl Ghost {
    /// The tree of a context: the root tree if it names this context or there
    /// is none yet, else the one below `contexts`.
    pub fn of(folder: &Path, context: &str) -> Self {
        let root = match owner(folder) {
            Owner::Nobody => true,
            Owner::Context(owner) => owner == context,
            Owner::Unknown => false,
        };
        let path = if root { folder.to_owned() } else { folder.join(CONTEXTS).join(name::context(context)) };
        Self { path, context: Some(context.to_owned()) }
    }

    /// The root tree, whichever context it belongs to, for when nobody knows
    /// which context is meant. `None` if there is none.
    pub fn any(folder: &Path) -> Option<Self> {
        Some(Self::at(folder)).filter(Self::exists)
    }

    /// Whether anything was ever written there.
    pub fn exists(&self) -> bool {
        HEADS.iter().any(|head| self.path.join(head).symlink_metadata().is_ok())
    }

    /// A tree given as a folder, such as a fixture.
    pub fn at(path: &Path) -> Self {
        let context = match owner(path) {
            Owner::Context(context) => Some(context),
            Owner::Nobody | Owner::Unknown => None,
        };
        Self { path: path.to_owned(), context }
    }

    /// The folder of the tree.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The context that it is about, where that is known.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }
}
