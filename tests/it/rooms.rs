//! The shape of the workspace: who imports whom, which packages come with
//! that, and that every file belongs to a crate.

mod files;
mod licence;

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::support::case::{Case, cases};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    let own = cases![
        imports_follow_the_architecture,
        every_package_of_ours_is_mit_and_stays_here,
        one_tls_provider_and_no_openssl,
        every_licence_in_the_linux_tree_is_on_the_list,
    ];
    [own, files::cases(), licence::cases()].into_iter().flatten().collect()
}

/// What one of our packages may depend on.
struct Rule {
    package: &'static str,
    /// The packages of ours that it may import.
    ours: &'static [&'static str],
    /// The packages of others that it must not.
    never: &'static [&'static str],
}

/// What draws. Only the window may have it.
const DRAWING: &[&str] = &["ratatui", "crossterm"];
/// What does IO or knows a clock.
const IO: &[&str] = &["tokio", "tokio-util", "ratatui", "crossterm", "http", "hyper", "reqwest", "rustls", "rustix"];

/// The paragraph "Who may import whom" of the architecture. A room that is
/// not here is not allowed anything, so a new one has to be written down.
const RULES: &[Rule] = &[
    Rule { package: "kgents-api", ours: &[], never: IO },
    Rule { package: "kgents-core", ours: &["kgents-api"], never: IO },
    Rule { package: "kgents-store", ours: &["kgents-api", "kgents-core"], never: DRAWING },
    Rule { package: "kgents-wire", ours: &[], never: DRAWING },
    Rule {
        package: "kgents-source",
        ours: &["kgents-api", "kgents-core", "kgents-store", "kgents-wire"],
        never: DRAWING,
    },
    Rule {
        package: "kgents-cortex",
        ours: &["kgents-api", "kgents-core", "kgents-store", "kgents-wire"],
        never: &["ratatui", "crossterm", "kube", "kube-client"],
    },
    Rule { package: "kgents-operator", ours: &["kgents-api", "kgents-core", "kgents-source"], never: DRAWING },
    Rule {
        package: "kgents-cell",
        ours: &["kgents-api", "kgents-core"],
        never: &["ratatui", "crossterm", "kube", "kube-client"],
    },
    Rule { package: "kgents-dev", ours: &["kgents-api", "kgents-core", "kgents-store"], never: DRAWING },
    Rule {
        package: "kgents-tui",
        ours: &["kgents-api", "kgents-core", "kgents-store"],
        never: &["kube", "kube-client", "kube-runtime", "tonic", "hyper", "reqwest"],
    },
    Rule {
        package: "kgents-cli",
        ours: &[
            "kgents-api",
            "kgents-cell",
            "kgents-core",
            "kgents-cortex",
            "kgents-dev",
            "kgents-operator",
            "kgents-source",
            "kgents-store",
            "kgents-tui",
        ],
        never: DRAWING,
    },
    Rule { package: "kgents", ours: &["kgents-cli"], never: DRAWING },
];

/// Crypto that must not stand beside ring: two providers in one process are
/// two panics, and OpenSSL has to be on the machine.
const OTHER_CRYPTO: &[&str] = &["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls", "boring-sys"];

/// The licences that may enter.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "0BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CC0-1.0",
    "MPL-2.0",
];

/// Our packages, as they are declared.
fn declared() -> Metadata {
    MetadataCommand::new().current_dir(crate::support::root()).no_deps().exec().unwrap()
}

/// All packages that are built for Linux, ours and the tests' among them.
fn resolved() -> Metadata {
    let options = ["--locked", "--filter-platform", "x86_64-unknown-linux-gnu"].map(str::to_owned);
    MetadataCommand::new().current_dir(crate::support::root()).other_options(options).exec().unwrap()
}

fn imports_follow_the_architecture() {
    let metadata = declared();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let rules: BTreeMap<&str, &Rule> = RULES.iter().map(|rule| (rule.package, rule)).collect();
    let wrong: Vec<String> = metadata.packages.iter().flat_map(|package| trespasses(package, &ours, &rules)).collect();
    assert!(wrong.is_empty(), "architecture.md does not allow this:\n{}", wrong.join("\n"));
    for rule in RULES {
        assert!(ours.contains(rule.package), "there is no package {} any more: take its rule away", rule.package);
    }
}

/// The imports of a package that its rule does not allow.
fn trespasses(package: &Package, ours: &BTreeSet<&str>, rules: &BTreeMap<&str, &Rule>) -> Vec<String> {
    let Some(rule) = rules.get(package.name.as_str()) else {
        return vec![format!("{} has no rule: add one to RULES in tests/it/rooms.rs", package.name)];
    };
    let is_allowed =
        |name: &str| if ours.contains(name) { rule.ours.contains(&name) } else { !rule.never.contains(&name) };
    let dependencies = package.dependencies.iter();
    // The integration tests of the root package may look into any room.
    let judged = dependencies.filter(|found| rule.package != "kgents" || found.kind != DependencyKind::Development);
    judged
        .filter(|found| !is_allowed(&found.name))
        .map(|found| format!("{} imports {} ({} dependency)", package.name, found.name, found.kind))
        .collect()
}

fn every_package_of_ours_is_mit_and_stays_here() {
    for package in declared().packages {
        assert_eq!(package.license.as_deref(), Some("MIT"), "the licence of {}", package.name);
        assert_eq!(package.publish, Some(Vec::new()), "{} could be published by mistake", package.name);
    }
}

fn one_tls_provider_and_no_openssl() {
    let metadata = resolved();
    let names: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    assert!(names.contains("ring"), "ring is the provider that should be here");
    let others: Vec<&&str> = OTHER_CRYPTO.iter().filter(|name| names.contains(**name)).collect();
    assert!(others.is_empty(), "{others:?} entered: see who brings it with cargo tree -i");
}

fn every_licence_in_the_linux_tree_is_on_the_list() {
    let metadata = resolved();
    assert!(metadata.packages.len() > 100, "the tree is not complete");
    let wrong: Vec<String> = metadata
        .packages
        .iter()
        .filter_map(|package| {
            let text = package.license.as_deref().unwrap_or("no licence");
            match licence::is_allowed(text, LICENCES) {
                Ok(true) => None,
                Ok(false) => Some(format!("{} {}: {text}", package.name, package.version)),
                Err(problem) => Some(format!("{} {}: {text:?}: {problem}", package.name, package.version)),
            }
        })
        .collect();
    assert!(wrong.is_empty(), "licences that are not on the list:\n{}", wrong.join("\n"));
}
