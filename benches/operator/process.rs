//! What a process costs, as Linux tells it.

/// A process that is measured.
#[derive(Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// Seconds of CPU that it has used.
    pub fn cpu(self) -> Result<f64, String> {
        let stat = self.read("stat")?;
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).ok_or("no such field");
        // utime and stime, in hundredths (USER_HZ is 100 wherever Linux runs).
        Ok((ticks(11)? + ticks(12)?) / 100.0)
    }

    /// Megabytes that are resident: now (`VmRSS`) or at most until now (`VmHWM`).
    pub fn megabytes(self, field: &str) -> Result<f64, String> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let line = line.ok_or("it has ended")?;
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().map_err(|_| format!("{field}:{line}"))?;
        Ok(kibibytes * 1_024.0 / 1e6)
    }

    fn read(self, file: &str) -> Result<String, String> {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.0)).map_err(|error| format!("{file}: {error}"))
    }
}
