//! Who makes the cluster what the custom resources say.

use kgents_core::age;
use kgents_source::checkup::OperatorCheck;
use kgents_store::planned::Standing;

use super::super::{Facts, OURS};
use super::{Finding, Severity, finding};

/// What its Lease says, and whether it is of our version.
pub(super) fn all(facts: &Facts) -> Vec<Finding> {
    let Some(OperatorCheck { operator, at }) = &facts.checkup.operator else { return Vec::new() };
    let of = |severity, name: &str, text: String| finding(severity, "operator", name, text);
    let (who, place) = (operator.who(*at), &operator.lease_namespace);
    let problem = operator.problem.as_deref().unwrap_or_default();
    let leader = match operator.standing(*at) {
        Standing::Leads | Standing::Elsewhere => {
            let age = operator.renewed.map(|renewed| age::text(at.duration_since(renewed))).unwrap_or_default();
            of(Severity::Ok, "leader", format!("{who}, Lease in {place} renewed {age} ago"))
        }
        Standing::Silent => of(Severity::Problem, "leader", format!("{who}, in {place}: nothing is reconciled")),
        Standing::Nobody => of(Severity::Note, "leader", format!("{who} in {place}")),
        Standing::Unknown => of(Severity::Note, "leader", format!("not known: {problem}")),
    };
    let mut found = vec![Finding { next: operator.next(*at), ..leader }];
    if let Some(version) = operator.version.as_deref().filter(|version| *version != OURS) {
        let text = format!("operator {version} is not of this version, {OURS}: plans shown here may not be its own");
        found.push(of(Severity::Problem, "version", text));
    }
    if !problem.is_empty() && !operator.is_unknown {
        found.push(of(Severity::Note, "config", problem.to_owned()));
    }
    found
}
