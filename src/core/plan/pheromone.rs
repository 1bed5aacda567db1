use jiff::Timestamp;
use kgents_api::Pheromone;

use super::{Config, Observed, Plan};

pub(super) fn plan(_subject: &Pheromone, _observed: &Observed, _now: Timestamp, _config: &Config) -> Plan {
    Plan::default()
}
