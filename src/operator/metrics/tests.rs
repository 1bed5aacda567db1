use prometheus_client::encoding::text::encode;
use proptest::prelude::*;

use super::exposition::{parse, sum};
use super::*;

fn told() -> Metrics {
    let metrics = Metrics::default();
    let second = Duration::from_secs(1);
    metrics.workers("agent", 16);
    metrics.queued("agent", 3);
    metrics.queued("agent", 4);
    metrics.taken("agent", 3, second);
    metrics.busy("agent", 2);
    metrics.reconciled("agent", Outcome::Success, second);
    metrics.reconciled("agent", Outcome::RequeueAfter, second);
    metrics.reconciled("memory", Outcome::Error, second);
    metrics.retried("memory");
    metrics.called("patch", "deployments", "create", 201, second);
    metrics.called("patch", "deployments", "drift", 0, second);
    metrics.called("get", "deployments", "conflict", 404, second);
    metrics.watch_broke("pods");
    metrics.leads(true);
    metrics.event_dropped();
    metrics
}

/// A name, labels that it has, a value.
type Expected<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

#[test]
fn each_name_is_the_one_that_dashboards_ask_for() {
    let samples = parse(&told().render()).unwrap();
    let expected: [Expected<'_>; 24] = [
        ("controller_runtime_reconcile_total", &[("controller", "agent"), ("result", "success")], 1.0),
        ("controller_runtime_reconcile_total", &[("controller", "agent"), ("result", "requeue_after")], 1.0),
        ("controller_runtime_reconcile_total", &[("controller", "memory"), ("result", "error")], 1.0),
        ("controller_runtime_reconcile_errors_total", &[("controller", "memory")], 1.0),
        ("controller_runtime_reconcile_errors_total", &[("controller", "agent")], 0.0),
        ("controller_runtime_reconcile_time_seconds_count", &[("controller", "agent")], 2.0),
        ("controller_runtime_reconcile_time_seconds_sum", &[("controller", "agent")], 2.0),
        ("controller_runtime_reconcile_time_seconds_bucket", &[("controller", "agent"), ("le", "+Inf")], 2.0),
        ("controller_runtime_active_workers", &[("controller", "agent")], 2.0),
        ("controller_runtime_max_concurrent_reconciles", &[("controller", "agent")], 16.0),
        ("workqueue_depth", &[("name", "agent")], 3.0),
        ("workqueue_adds_total", &[("name", "agent")], 2.0),
        ("workqueue_retries_total", &[("name", "memory")], 1.0),
        ("workqueue_queue_duration_seconds_count", &[("name", "agent")], 1.0),
        ("workqueue_work_duration_seconds_count", &[("name", "agent")], 2.0),
        ("leader_election_master_status", &[("name", "kgents-operator")], 1.0),
        ("rest_client_requests_total", &[("code", "201"), ("method", "PATCH")], 1.0),
        ("rest_client_requests_total", &[("code", "<error>"), ("method", "PATCH")], 1.0),
        ("rest_client_requests_total", &[("code", "404"), ("method", "GET")], 1.0),
        ("rest_client_request_duration_seconds_count", &[("verb", "patch")], 2.0),
        ("kgents_api_calls_total", &[("verb", "patch"), ("resource", "deployments"), ("reason", "drift")], 1.0),
        ("kgents_watch_restarts_total", &[("resource", "pods")], 1.0),
        ("kgents_events_dropped_total", &[], 1.0),
        ("kgents_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0),
    ];
    for (name, labels, value) in expected {
        let fits = samples.iter().filter(|sample| {
            sample.name == name
                && labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|has| has == value))
        });
        let values: Vec<f64> = fits.map(|sample| sample.value).collect();
        assert_eq!(values, [value], "{name} {labels:?}");
    }
    assert!(sum(&samples, "process_resident_memory_bytes", &[]) > 100_000.0);
}

#[test]
fn no_sample_is_of_a_family_that_is_not_declared() {
    let text = told().render();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let declared: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for sample in parse(&text).unwrap() {
        let family = ["_total", "_count", "_sum", "_bucket", "_info", ""]
            .iter()
            .filter_map(|end| sample.name.strip_suffix(end))
            .find(|family| declared.contains(family));
        assert!(family.is_some(), "{}", sample.name);
    }
}

#[test]
fn what_is_odd_is_read_and_what_is_wrong_is_refused() {
    let read = parse(
        "a{b=\"c,d=}\\\"\\\\\\n\\x\", e = \"\" } +Inf 123 # {x=\"y\"} 1\n\n# a comment\r\nx:y\t-1.5e3\r\nn NaN\n",
    );
    let read = read.unwrap();
    assert_eq!(read[0].labels["b"], "c,d=}\"\\\n\\x");
    assert_eq!((read[0].labels["e"].as_str(), read[0].value), ("", f64::INFINITY));
    assert_eq!((read[1].name.as_str(), read[1].value), ("x:y", -1500.0));
    assert!(read[2].value.is_nan());
    for wrong in [
        "a",
        "a{",
        "a{b",
        "a{b=c} 1",
        "a{b=\"c} 1",
        "a{b=\"c\"",
        "a{b=\"c\"}",
        "a x",
        "1a 1",
        "a{} inf",
        "a{b=\"1\" c=\"2\"} 1",
        "a{b=\"1\",b=\"2\"} 1",
        "a{1=\"1\"} 1",
        "{} 1",
        "<html> 1",
        "é 1",
    ] {
        assert_eq!(parse(&format!("ok 1\n{wrong}\n")).unwrap_err().line, 2, "{wrong}");
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Any {
    one: String,
    other: String,
}

/// Whether two figures are one: what is written whole is read whole.
fn same(one: f64, other: f64) -> bool {
    one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
}

proptest! {
    /// What prometheus-client writes is read as it was meant.
    #[test]
    fn what_is_written_is_read(
        rows in proptest::collection::btree_map((any::<String>(), "[a-z{}=,\"\\\\\n ]*"), 0..u64::MAX, 0..8),
        level in any::<f64>(),
        times in proptest::collection::vec(0.0..100.0, 0..8),
    ) {
        let mut registry = Registry::default();
        let (family, gauge, histogram) =
            (Family::<Any, Counter>::default(), Gauge::<f64, std::sync::atomic::AtomicU64>::default(), seconds());
        registry.register("rows", "Rows, \"quoted\" \\ and\nbroken", family.clone());
        registry.register("level", "A level", gauge.clone());
        registry.register("times_seconds", "Times", histogram.clone());
        for ((one, other), value) in &rows {
            family.get_or_create(&Any { one: one.clone(), other: other.clone() }).inc_by(*value);
        }
        gauge.set(level);
        for time in &times {
            histogram.observe(*time);
        }
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        // The help of prometheus-client is not escaped: that line is ours to avoid.
        let text = text.replace(" and\nbroken.", ".");
        let samples = parse(&text).unwrap();
        for ((one, other), value) in &rows {
            let found = sum(&samples, "rows_total", &[("one", one), ("other", other)]);
            prop_assert!(same(found, *value as f64), "{} {}", found, text);
        }
        prop_assert_eq!(samples.iter().filter(|sample| sample.name == "rows_total").count(), rows.len());
        let found = samples.iter().find(|sample| sample.name == "level").unwrap().value;
        prop_assert!(same(found, level), "{} {}", found, text);
        prop_assert!(same(sum(&samples, "times_seconds_count", &[]), times.len() as f64));
    }

    /// Whatever is read, it is read or refused.
    #[test]
    fn nothing_breaks_it(text in any::<String>(), line in "[a-z{}=,\"\\\\ 0-9.#\n]{0,80}") {
        let _ = parse(&text);
        let _ = parse(&line);
    }
}
