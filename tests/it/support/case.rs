//! From a function to a test that libtest-mimic runs.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use libtest_mimic::{Failed, Trial};

use super::cluster::{self, Own};
use super::garden::Garden;
use super::node::{self, Node};
use super::place::Place;

/// One test.
pub struct Case {
    /// What libtest-mimic runs.
    pub trial: Trial,
    /// It can run only where this can be had.
    pub need: Option<Need>,
}

/// What cannot be had everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// An API server.
    Cluster,
    /// A node that runs real pods, with its cluster.
    Node,
}

impl Need {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Cluster, Self::Node];

    /// Why it cannot be had here, with what to do about it; `None` if it can.
    pub fn lack(self) -> Option<String> {
        match self {
            Self::Cluster => cluster::lack(),
            Self::Node => node::lack(),
        }
    }
}

/// The tests of a module: `cases![one, another]`.
macro_rules! cases {
    ($($test:ident),+ $(,)?) => {
        vec![$($crate::support::case::case(concat!(module_path!(), "::", stringify!($test)), $test)),+]
    };
}
pub(crate) use cases;

/// Makes a test of a function. `path` is its path in this crate.
pub fn case<Takes, T: Test<Takes>>(path: &'static str, test: T) -> Case {
    let path = path.split_once("::").map_or(path, |(_crate, path)| path);
    let name = path.rsplit("::").next().unwrap_or(path);
    Case { trial: Trial::test(path, move || caught(|| test.run(name))), need: T::NEED }
}

/// A function that is a test. `Takes` is what it takes; it tells the
/// implementations apart and is never named.
pub trait Test<Takes>: Send + 'static {
    /// What it needs that cannot be had everywhere.
    const NEED: Option<Need>;
    /// Runs it, with what it takes.
    fn run(self, name: &str);
}

/// Takes nothing.
pub struct Nothing;

impl<F: FnOnce() + Send + 'static> Test<Nothing> for F {
    const NEED: Option<Need> = None;
    fn run(self, _: &str) {
        self();
    }
}

impl<F: FnOnce(&Place) + Send + 'static> Test<Place> for F {
    const NEED: Option<Need> = Some(Need::Cluster);
    fn run(self, name: &str) {
        self(&Place::new(name));
    }
}

impl<F: FnOnce(&Garden) + Send + 'static> Test<Garden> for F {
    const NEED: Option<Need> = Some(Need::Cluster);
    fn run(self, name: &str) {
        self(&Garden::new(name));
    }
}

impl<F: FnOnce(Own) + Send + 'static> Test<Own> for F {
    const NEED: Option<Need> = Some(Need::Cluster);
    fn run(self, _: &str) {
        self(Own::new());
    }
}

impl<F: FnOnce(&Node) + Send + 'static> Test<Node> for F {
    const NEED: Option<Need> = Some(Need::Node);
    fn run(self, name: &str) {
        self(&Node::new(name));
    }
}

thread_local! {
    /// Whether this thread runs a test at the moment.
    static TESTS: Cell<bool> = const { Cell::new(false) };
    /// Where the test of this thread panicked.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the panics of tests for their results: printed as they happen, those
/// of tests that run side by side would stand in each other's output.
pub fn catch_panics() {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if TESTS.get() {
            PLACE.set(info.location().map(ToString::to_string).unwrap_or_default());
        } else {
            tell(info);
        }
    }));
}

fn caught(test: impl FnOnce()) -> Result<(), Failed> {
    TESTS.set(true);
    let ended = catch_unwind(AssertUnwindSafe(test));
    TESTS.set(false);
    ended.map_err(|panic| format!("{}:\n{}", PLACE.take(), message(&*panic)).into())
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked")
}
