//! How much memory this process has, read when somebody asks.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

/// `process_resident_memory_bytes`; nothing where there is no procfs.
#[derive(Debug)]
pub(super) struct Memory;

impl Collector for Memory {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(bytes) = resident() else { return Ok(()) };
        let gauge = ConstGauge::new(bytes);
        let name = "process_resident_memory_bytes";
        let metric = encoder.encode_descriptor(name, "Resident memory in bytes", None, gauge.metric_type())?;
        gauge.encode(metric)
    }
}

/// The second figure of `/proc/self/statm`, in pages (proc(5)).
fn resident() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(i64::try_from(rustix::param::page_size()).ok()?)
}
