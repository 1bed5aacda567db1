use jiff::Timestamp;
use kgents_api::Memory;

use super::{Child, Config, Observed, Plan};

pub(super) fn plan(_subject: &Memory, _observed: &Observed, _now: Timestamp, _config: &Config) -> Plan {
    Plan::default()
}

pub(super) fn children(_subject: &Memory) -> Vec<Child> {
    Vec::new()
}
