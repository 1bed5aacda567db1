//! What was found, for programs.

use kgents_source::SourceError;
use kgents_source::checkup::{CrdCheck, LayerCheck, OperatorCheck, Right, Standing};
use serde_json::{Value, json};

use super::findings::{self, cluster};
use super::{Facts, Finding, OURS};
use crate::settings::file::Problem;
use crate::settings::shown;

/// The contract: `{version, platform, speaks, layers, rights, crds, operator,
/// clock, ghost, terminal, limits, config, findings}`.
pub(super) fn answer(facts: &Facts, findings: &[Finding]) -> Value {
    let checkup = &facts.checkup;
    json!({
        "version": OURS,
        "platform": format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        "speaks": checkup.speaks,
        "layers": checkup.layers.iter().map(|check| layer(check, facts)).collect::<Vec<_>>(),
        "rights": checkup.rights.iter().map(right).collect::<Vec<_>>(),
        "crds": checkup.crds.iter().map(crd).collect::<Vec<_>>(),
        "operator": operator(facts),
        "clock": clock(facts),
        "ghost": ghost(facts),
        "terminal": facts.terminal,
        "limits": facts.limits,
        "config": config(facts),
        "findings": findings,
    })
}

fn layer(check: &LayerCheck, facts: &Facts) -> Value {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (up, latency, version, instance, error) = match &check.standing {
        Standing::NotAsked => (None, None, None, None, None),
        Standing::Up { latency, version, instance } => {
            (Some(true), Some(latency.as_millis() as u64), some(version), instance.clone(), None)
        }
        Standing::Down(error) => (Some(false), None, None, None, Some(error)),
    };
    json!({
        "layer": check.layer,
        "address": some(&check.address),
        "context": check.context,
        "up": up,
        "latency_ms": latency,
        "version": version,
        "instance": instance,
        "error": error.map(ToString::to_string),
        "hint": error.and_then(|error| findings::next(check.layer, error, facts)),
        "notes": check.notes,
    })
}

fn right(right: &Right) -> Value {
    let Right { resource, verb, namespace, answer, check } = right;
    json!({
        "resource": resource,
        "verb": verb,
        "namespace": namespace,
        "allowed": answer.as_ref().ok(),
        "error": answer.as_ref().err().map(ToString::to_string),
        "hint": (!matches!(answer, Ok(true))).then_some(check),
    })
}

fn crd(check: &CrdCheck) -> Value {
    let (state, said) = cluster::state(check);
    json!({
        "name": check.name,
        "state": state.as_str().replace(' ', "_"),
        "text": said,
        "error": check.answer.as_ref().err().map(ToString::to_string),
        "hint": cluster::next(check, state),
    })
}

/// `{standing, lease_namespace, holder, version, renewed, lease_seconds,
/// metrics, config, scope, problem, hint}`; null where nobody was asked.
fn operator(facts: &Facts) -> Value {
    let Some(OperatorCheck { operator, at }) = &facts.checkup.operator else { return Value::Null };
    let mut answer = json!(operator);
    answer["standing"] = json!(operator.standing(*at));
    answer
}

fn clock(facts: &Facts) -> Value {
    let skew = facts.checkup.clock.as_ref().and_then(|clock| clock.as_ref().ok());
    let error = facts.checkup.clock.as_ref().and_then(|clock| clock.as_ref().err());
    json!({
        "of": skew.map(|skew| skew.of),
        "skew_ms": skew.map(|skew| skew.by.as_millis() as i64),
        "error": error.map(ToString::to_string),
    })
}

fn ghost(facts: &Facts) -> Value {
    let ghost = &facts.checkup.ghost;
    let mut answer = ghost.status.as_ref().and_then(|status| serde_json::to_value(status).ok()).unwrap_or(json!({
        "path": ghost.path, "exists": false, "areas": [], "problems": [],
    }));
    if let Some(answer) = answer.as_object_mut() {
        let error = ghost.error.as_ref();
        answer.insert("writable".to_owned(), json!(ghost.is_writable));
        answer.insert("free_bytes".to_owned(), json!(ghost.free_bytes));
        answer.insert("error".to_owned(), json!(error.map(ToString::to_string)));
        let hint = error.and_then(|error: &SourceError| findings::next(kgents_store::Layer::Ghost, error, facts));
        answer.insert("hint".to_owned(), json!(hint));
    }
    answer
}

fn config(facts: &Facts) -> Value {
    let config = &facts.config;
    let problem = |Problem { place, position, sentence, .. }: &Problem| {
        let (line, column) = position.unzip();
        json!({ "place": place, "line": line, "column": column, "message": sentence })
    };
    json!({
        "path": config.place.as_ref().map(|place| shown(&place.path)),
        "exists": config.keys.is_some(),
        "good": config.problems.is_empty(),
        "problems": config.problems.iter().map(problem).collect::<Vec<_>>(),
        "warnings": config.warnings,
        "log": facts.log.as_ref().ok(),
    })
}
