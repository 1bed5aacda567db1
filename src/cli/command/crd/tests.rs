use serde_json::json;

use super::*;

fn installed(change: impl Fn(&mut serde_json::Value)) -> Vec<Crd> {
    kgents_api::crd::all()
        .iter()
        .map(|crd| {
            let mut value = serde_json::to_value(crd).unwrap();
            value["status"] =
                json!({ "conditions": [{ "type": "Established", "status": "True", "lastTransitionTime": null }] });
            change(&mut value);
            serde_json::from_value(value).unwrap()
        })
        .collect()
}

fn judged(cluster: &[Crd]) -> Verdict {
    judge(&kgents_api::crd::all()[0], cluster.first())
}

#[test]
fn what_is_installed_and_established_is_good() {
    assert!(judged(&installed(|_| {})).is_good());
}

#[test]
fn what_is_missing_or_not_established_says_so() {
    assert_eq!(judged(&[]).trouble.as_deref(), Some("not installed"));
    let refused = installed(|crd| {
        crd["status"]["conditions"] = json!([{ "type": "NamesAccepted", "status": "False", "message": "taken" }]);
    });
    assert_eq!(judged(&refused).trouble.as_deref(), Some("not established: taken"));
    let changed = installed(|crd| crd["spec"]["scope"] = json!("Cluster"));
    let verdict = judged(&changed);
    assert_eq!((verdict.trouble.as_deref(), verdict.differences.len()), (None, 1));
    assert!(matches!(ended(&[verdict]), Err(Failure::Said { code: Code::Failed, .. })));
}

#[test]
fn every_spelling_of_a_name_is_known() {
    for text in ["agents", "Agent", "agent", "ag", "agents.kgents.io"] {
        assert_eq!(find(text).as_deref(), Ok("agents.kgents.io"), "{text}");
    }
    assert!(find("agens").unwrap_err().contains("agents, pheromones"));
}

#[test]
fn what_is_printed_is_all_of_it_as_documents() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    print(&[], &mut Io { out: &mut out, err: &mut err }).unwrap();
    let text = crate::testing::text(out);
    assert_eq!(text.split("---\n").filter(|part| !part.is_empty()).count(), 5);
    for part in text.split("---\n").filter(|part| !part.is_empty()) {
        let value: serde_json::Value = serde_saphyr::from_str(part).unwrap();
        assert_eq!(value["kind"], "CustomResourceDefinition");
    }
    let mut out = Vec::new();
    print(&["proposals.kgents.io".into()], &mut Io { out: &mut out, err: &mut err }).unwrap();
    assert_eq!(crate::testing::text(out).matches("---\n").count(), 1);
}

#[test]
fn only_the_spec_and_the_labels_make_an_update() {
    let crd = kgents_api::crd::all().remove(0);
    let mut was = crd.clone();
    was.metadata.resource_version = Some("1".into());
    assert_eq!(became(None, &crd), "created");
    assert_eq!(became(Some(&was), &crd), "unchanged");
    was.metadata.generation = Some(1);
    assert_eq!(became(Some(&was), &crd), "updated");
}
