
//! stub until merged
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use jiff::Timestamp;
use kgents_store::{Kind, Thought, Layer};
use kgents_store::object::Decoded;
use kgents_store::watch::Scene;
pub struct Ghost;
#[derive(Default)]
pub struct Memory { pub scene: Scene, pub kinds: BTreeMap<Kind, Remembered>, pub thoughts: Vec<Thought>, pub thoughts_as_of: Option<Timestamp>, pub source: Option<Layer>, pub problems: Vec<Problem> }
pub struct Remembered { pub objects: Vec<Decoded>, pub as_of: Timestamp }
#[derive(Clone, Debug)]
pub struct Problem { pub path: PathBuf, pub what: String }
impl std::fmt::Display for Problem { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{}: {}", self.path.display(), self.what) } }
impl Ghost {
    pub fn of(_: &Path, _: &str) -> Self { Self }
    pub fn any(_: &Path) -> Option<Self> { None }
    pub fn path(&self) -> &Path { Path::new("") }
    pub fn read(&self, _: Option<&str>) -> Memory { Memory::default() }
}
pub fn folder(_: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> { None }
