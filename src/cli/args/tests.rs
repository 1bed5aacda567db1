use clap::error::ErrorKind;
use clap::{Command as Clap, CommandFactory};

use super::*;

fn read(line: &str) -> Result<Cli, clap::Error> {
    Cli::read(words(line))
}

/// Splits a line as a shell does, as far as examples need it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut open) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => (quote, open) = (Some(c), true),
            (c, Some(end)) if c == end => quote = None,
            (c, None) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                    open = false;
                }
            }
            (c, _) => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    words
}

#[test]
fn the_tree_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn what_is_right_is_read() {
    for line in [
        "kgents observe",
        "kgents observe --plain --utc",
        "kgents observe --json -n x",
        "kgents observe --snapshot --size 80x24 --ascii --no-mouse",
        "kgents status --json --wait",
        "kgents status --wait=2m --context x",
        "kgents agents",
        "kgents ag",
        "kgents agent ls -o wide",
        "kgents -n x agents -l app=x,!y -w",
        "kgents agents list -o json",
        "kgents agents -o json list",
        "kgents agents describe b-gent -o yaml",
        "kgents agents describe b-gent --json",
        "kgents agent run --name b-gent --genus psi --safemode",
        "kgents agent d-gent --state /x --listen [::]:0",
        "kgents agents placeholder --log-level debug",
        "kgents ph --json",
        "kgents pheromones -A",
        "kgents prop describe x -n y",
        "kgents memories",
        "kgents mem describe x",
        "kgents umwelts -o name",
        "kgents doctor",
        "kgents -n x doctor --json --layer kube",
        "kgents operator run",
        "kgents operator run --once --dry-run -o json -l team=red --concurrency 4 -n x",
        "kgents operator run --leader-elect false --metrics-addr none --lease-duration 5s",
        "kgents operator run --metrics-addr :0 --agent-image a:1 --cortex-url http://c:1 --allow-chaos --lease-namespace y",
        "kgents operator status -o json --metrics-addr 127.0.0.1:1",
        "kgents operator rbac -o yaml -n x --lease-namespace y",
        "kgents --operator",
        "kgents --operator --once -n x",
        "kgents -n x --operator",
        "kgents memory compost",
        "kgents memory compost --yes -A -o json",
        "kgents mem ls",
        "kgents signal emit WARNING",
        "kgents signal emit warning '-5 degrees' --intensity 0 --half-life 500ms --ttl 1h --name x -o name",
        "kgents signal sense --type WARNING --type dream --source x --target y --above 0.2 --json",
        "kgents crd print",
        "kgents crd print agents Proposal mem umwelts.kgents.io",
        "kgents crd install --wait-limit 1m",
        "kgents crd verify",
        "kgents crd diff --kubeconfig /x",
        "kgents version --json --client",
        "kgents config",
        "kgents config show --json",
        "kgents config --json",
        "kgents config path",
        "kgents config schema",
        "kgents config themes --json",
        "kgents observe --theme light",
        "kgents config check",
        "kgents config check x.toml --config y.toml",
        "kgents --layer ghost --cortex unix:/run/c.sock status",
        "kgents completions bash",
        "kgents man",
        "kgents man crd install",
        "kgents man --dir x",
        "kgents --request-timeout 500ms --as ann --as-group a --as-group b status",
        "kgents status --log-level kgents_source=trace,warn --log-file /tmp/x",
    ] {
        if let Err(error) = read(line) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn what_is_wrong_is_a_usage_error_that_helps() {
    for (line, expected) in [
        ("kgents agents -n x -A", "cannot be used with"),
        ("kgents -n x agents -A", "cannot be used with"),
        ("kgents -A observe -n x", "cannot be used with"),
        ("kgents status --as-group a", "needs '--as"),
        ("kgents agents -n ''", "a value is required"),
        ("kgents agents -l =x", "no label key"),
        ("kgents agents -o xml", "table, wide, name, json, yaml"),
        ("kgents agents -o yaml --json", "cannot be used with"),
        ("kgents agents describe", "NAME"),
        ("kgents agent run --genus B", "--name"),
        ("kgents agent run --name x --genus ZZ", "is none of A, B"),
        ("kgents agent d-gent --listen 8081", "write it as 0.0.0.0:8080"),
        ("kgents observe --plain --json", "cannot be used with"),
        ("kgents observe --size 80x24", "--snapshot"),
        ("kgents observe --snapshot --size 80", "120x40"),
        ("kgents status --wait=soon", "no duration"),
        ("kgents status --request-timeout 5", "unit is missing"),
        ("kgents status --request-timeout 0s", "longer than nothing"),
        ("kgents status --log-level kgents=loud", "write it as"),
        ("kgents status --layer cloud", "grpc, ghost, kube"),
        ("kgents status --cortex cortex:x", "a port is a number"),
        ("kgents signal emit", "TYPE"),
        ("kgents signal emit WARN", "METAPHOR, WARNING, MEMORY"),
        ("kgents signal emit WARN", "REVIEW_REQUEST"),
        ("kgents signal emit WARNING --intensity 1.5", "from 0 to 1"),
        ("kgents signal emit WARNING --intensity -0.5", "from 0 to 1"),
        ("kgents signal emit WARNING --intensity NaN", "from 0 to 1"),
        ("kgents signal emit WARNING --half-life 0s", "longer than nothing"),
        ("kgents signal emit WARNING --half-life -5m", "longer than nothing"),
        ("kgents signal emit WARNING --half-life 5", "unit is missing"),
        ("kgents signal sense --above 2", "from 0 to 1"),
        ("kgents crd print agens", "agents, pheromones"),
        ("kgents observ", "observe"),
        ("kgents completions tcsh", "bash"),
    ] {
        let error = read(line).expect_err(line);
        assert!(error.use_stderr() && error.exit_code() == 2, "{line}");
        let text = error.to_string();
        assert!(text.starts_with("error: "), "{line}: {text}");
        assert!(text.contains(expected), "{line}: {text}");
    }
}

#[test]
fn nothing_said_is_help_and_wrong_usage() {
    let error = read("kgents").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand);
    assert_eq!(error.exit_code(), 2);
    assert_eq!(read("kgents --version").unwrap_err().to_string(), format!("kgents {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(read("kgents agents --help").unwrap_err().exit_code(), 0);
}

#[test]
fn the_flags_say_where_to_look() {
    let source = |line: &str| {
        let mut global = read(line).unwrap().global;
        global.set(crate::settings::of_flags(&global));
        global.source()
    };
    assert_eq!(
        source("kgents --context c status -n x --kubeconfig /k --as ann --as-group g --request-timeout 2s"),
        kgents_source::Options {
            kubeconfig: Some("/k".into()),
            context: Some("c".into()),
            namespace: Some("x".into()),
            all_namespaces: false,
            as_user: Some("ann".into()),
            as_groups: vec!["g".into()],
            request_timeout: Some(Duration::from_secs(2)),
            ghost: kgents_source::ghost_folder(),
            keep_ghost: true,
            ..kgents_source::Options::default()
        }
    );
    assert_eq!(source("kgents status").request_timeout, Some(Duration::from_secs(5)));
    assert!(source("kgents -A status").all_namespaces);
}

/// The help of a command and of all below it.
fn helps(command: &Clap) -> Vec<(String, String)> {
    let path = command.get_bin_name().unwrap_or("kgents").to_owned();
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let below = command.get_subcommands().filter(|sub| sub.get_name() != "help").flat_map(helps);
    std::iter::once((path, after)).chain(below).collect()
}

#[test]
fn every_command_has_examples_and_each_of_them_is_read() {
    let mut root = Cli::command();
    root.build();
    for (path, help) in helps(&root) {
        let lines: Vec<&str> = help
            .lines()
            .filter_map(|line| line.strip_prefix("  "))
            .filter(|line| line.starts_with("kgents "))
            .collect();
        let is_plain = path.ends_with(" list") || path.ends_with(" describe");
        assert!(is_plain || !lines.is_empty(), "{path} has no example");
        for line in lines {
            let line = line.split(" #").next().unwrap();
            let line = line.split(" | ").next().unwrap();
            if let Err(error) = read(line) {
                panic!("{path}: {line}: {error}");
            }
        }
    }
}

#[test]
fn who_asks_for_help_or_mends_the_file_needs_no_good_one() {
    let wants = |line: &str| read(line).unwrap().command.wants_settings();
    for line in ["status", "observe", "agents", "crd verify", "version", "config", "config show", "signal sense"] {
        assert!(wants(&format!("kgents {line}")), "{line}");
    }
    let free =
        ["completions bash", "man", "dev fixtures", "version --client", "config path", "config schema", "config check"];
    let programs = ["agent run --name x --genus B", "agent d-gent", "agent placeholder"];
    for line in free.into_iter().chain(["crd print", "doctor"]).chain(programs) {
        assert!(!wants(&format!("kgents {line}")), "{line}");
    }
}

#[test]
fn the_flag_operator_is_the_command_where_a_command_would_stand() {
    let rewritten = |line: &str| {
        let args = with_operator(words(line).into_iter().map(OsString::from));
        args.into_iter().map(|arg| arg.into_string().unwrap()).collect::<Vec<_>>().join(" ")
    };
    for (line, expected) in [
        ("kgents --operator", "kgents operator run"),
        ("kgents --operator --once -o json", "kgents operator run --once -o json"),
        ("kgents -n x --operator --once", "kgents -n x operator run --once"),
        ("kgents -nx -A --operator", "kgents -nx -A operator run"),
        ("kgents -An x --operator", "kgents -An x operator run"),
        ("kgents --context=a --kubeconfig b --operator", "kgents --context=a --kubeconfig b operator run"),
        ("kgents --operator --operator", "kgents operator run --operator"),
        // There it is something else.
        ("kgents observe --operator", "kgents observe --operator"),
        ("kgents -n --operator", "kgents -n --operator"),
        ("kgents --context --operator", "kgents --context --operator"),
        ("kgents -- --operator", "kgents -- --operator"),
        ("kgents - --operator", "kgents - --operator"),
        ("kgents --operators", "kgents --operators"),
        ("kgents", "kgents"),
    ] {
        assert_eq!(rewritten(line), expected, "{line}");
    }
    let (flag, command) = (read("kgents -n x --operator --once"), read("kgents -n x operator run --once"));
    assert_eq!(format!("{:?}", flag.unwrap()), format!("{:?}", command.unwrap()));
    assert_eq!(read("kgents observe --operator").unwrap_err().kind(), ErrorKind::UnknownArgument);
}
