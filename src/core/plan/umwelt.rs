use jiff::Timestamp;
use kgents_api::Umwelt;

use super::{Child, Config, Observed, Plan};

pub(super) fn plan(_subject: &Umwelt, _observed: &Observed, _now: Timestamp, _config: &Config) -> Plan {
    Plan::default()
}

pub(super) fn children(_subject: &Umwelt) -> Vec<Child> {
    Vec::new()
}
