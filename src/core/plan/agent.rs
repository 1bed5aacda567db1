use jiff::Timestamp;
use kgents_api::Agent;

use super::{Child, Config, Observed, Plan};

pub(super) fn plan(_subject: &Agent, _observed: &Observed, _now: Timestamp, _config: &Config) -> Plan {
    Plan::default()
}

pub(super) fn children(_subject: &Agent) -> Vec<Child> {
    Vec::new()
}
