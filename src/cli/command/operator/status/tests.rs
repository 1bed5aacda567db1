use kgents_core::plan::Config;
use kgents_operator::metrics::exposition::parse;

use super::*;

fn leads() -> Operator {
    Operator {
        lease_namespace: "kgents-system".into(),
        holder: Some("host_1".into()),
        version: Some("0.1.0".into()),
        acquired: "2026-01-01T11:00:00Z".parse().ok(),
        renewed: "2026-01-01T11:59:58Z".parse().ok(),
        transitions: Some(1),
        duration: Some(jiff::SignedDuration::from_secs(15)),
        config: Some(Config::default()),
        ..Operator::default()
    }
}

fn noon() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

fn line(lines: &[(&'static str, String)], name: &str) -> String {
    lines.iter().find(|(found, _)| *found == name).map(|(_, text)| text.clone()).unwrap_or_default()
}

#[test]
fn the_page_says_who_leads_and_how_it_goes() {
    let samples = parse(
        "controller_runtime_reconcile_total{controller=\"agent\",result=\"success\"} 5\n\
         controller_runtime_reconcile_total{controller=\"agent\",result=\"error\"} 2\n\
         controller_runtime_reconcile_errors_total{controller=\"agent\"} 2\n\
         kgents_api_calls_total{verb=\"patch\",resource=\"deployments\",reason=\"create\"} 3\n\
         kgents_api_calls_total{verb=\"get\",resource=\"leases\",reason=\"lease\"} 4\n",
    );
    let figures: Figures = Ok(samples.unwrap());
    let told = lines(&leads(), Some(&figures), noon());
    assert_eq!(line(&told, "leader"), "host_1");
    assert_eq!(line(&told, "since"), "1h ago; it changed hands once");
    assert_eq!(line(&told, "renewed"), "2s ago (a Lease of 15s)");
    assert_eq!(line(&told, "reconciles"), "7, 2 of them failed");
    assert_eq!(line(&told, "waiting"), "0, 0 at work");
    assert_eq!(line(&told, "API calls"), "7, 3 of them writes");
    assert_eq!(line(&told, "chaos"), "forbidden");
    let json = answer(&leads(), Some(&figures), noon()).unwrap();
    assert_eq!((json["standing"].as_str(), json["renewed_seconds_ago"].as_f64()), (Some("leads"), Some(2.0)));
    assert_eq!((&json["metrics_now"]["reconciles"], &json["metrics_now"]["waiting"]), (&json!(7), &json!(0)));
    assert_eq!(json["metrics_now"]["api_calls"].as_array().unwrap().len(), 2);
    assert_eq!(json["config"]["allowChaos"], false);
}

#[test]
fn metrics_that_cannot_be_had_are_told_and_no_more() {
    let told = lines(&leads(), None, noon());
    assert_eq!(line(&told, "metrics"), "none are served");
    let problem: Figures = Err("127.0.0.1:8383: refused".into());
    let told = lines(&leads(), Some(&problem), noon());
    assert_eq!(line(&told, "metrics"), "not to be had: 127.0.0.1:8383: refused");
    assert_eq!(line(&told, "reconciles"), "");
    let json = answer(&Operator { holder: None, ..leads() }, Some(&problem), noon()).unwrap();
    assert_eq!(json["metrics_now"]["error"], "127.0.0.1:8383: refused");
    assert_eq!((json["standing"].as_str(), json["next"].as_str()), (Some("nobody"), Some("kgents operator run")));
}
