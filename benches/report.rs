//! Figures, as a table for people or as one JSON document.

use serde_json::{Value, json};

/// What a figure is counted in.
#[derive(Clone, Copy)]
pub enum Unit {
    Ms,
    Seconds,
    /// A second.
    Rate,
    /// That has a fraction: a ratio, an average.
    Number,
    Bytes,
    Megabytes,
    MegabytesPerMinute,
    Percent,
    Count,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::Seconds => "s",
            Self::Rate => "/s",
            Self::Bytes => "bytes",
            Self::Megabytes => "MB",
            Self::MegabytesPerMinute => "MB/min",
            Self::Percent => "%",
            Self::Count | Self::Number => "",
        }
    }

    fn write(self, figure: f64) -> String {
        match self {
            Self::Bytes | Self::Count | Self::Rate => format!("{figure:.0}"),
            Self::Megabytes => format!("{figure:.1}"),
            Self::Ms | Self::Seconds | Self::Number | Self::MegabytesPerMinute | Self::Percent => {
                format!("{figure:.2}")
            }
        }
    }
}

/// What was asked for; all of it holds or the budget is missed.
#[derive(Clone, Copy, Default)]
pub struct Budget {
    pub median: Option<f64>,
    pub p95: Option<f64>,
    pub max: Option<f64>,
}

impl Budget {
    /// None was set.
    pub const NONE: Self = Self { median: None, p95: None, max: None };

    /// At most this, usually.
    pub const fn median(most: f64) -> Self {
        Self { median: Some(most), ..Self::NONE }
    }

    /// At most this, always.
    pub const fn max(most: f64) -> Self {
        Self { max: Some(most), ..Self::NONE }
    }

    fn parts(&self) -> impl Iterator<Item = (&'static str, f64, usize)> {
        let parts = [("median", self.median, 50), ("p95", self.p95, 95), ("max", self.max, 100)];
        parts.into_iter().filter_map(|(name, most, percent)| Some((name, most?, percent)))
    }

    fn write(&self, unit: Unit) -> String {
        let parts: Vec<String> = self.parts().map(|(name, most, _)| format!("{name} <= {most}")).collect();
        if parts.is_empty() { String::new() } else { format!("{} {}", parts.join(", "), unit.name()) }
    }
}

/// One figure of one program.
struct Row {
    group: String,
    name: String,
    program: String,
    unit: Unit,
    /// What was measured, in order of size; or why there is nothing.
    seen: Result<Vec<f64>, String>,
    budget: Budget,
}

impl Row {
    fn missed(&self) -> bool {
        let Ok(seen) = &self.seen else { return false };
        self.budget.parts().any(|(_, most, percent)| percentile(seen, percent) > most)
    }

    fn quantiles(seen: &[f64]) -> [f64; 5] {
        [0, 50, 95, 99, 100].map(|percent| percentile(seen, percent))
    }

    fn json(&self) -> Value {
        let mut row = json!({ "group": self.group, "name": self.name, "program": self.program });
        match &self.seen {
            Ok(seen) => {
                let [min, median, p95, p99, max] = Self::quantiles(seen);
                row["unit"] = self.unit.name().into();
                row["n"] = seen.len().into();
                row["min"] = min.into();
                row["median"] = median.into();
                row["p95"] = p95.into();
                row["p99"] = p99.into();
                row["max"] = max.into();
                for (name, most, _) in self.budget.parts() {
                    row["budget"][name] = most.into();
                    row["missed"] = self.missed().into();
                }
            }
            Err(why) => row["why_not"] = why.as_str().into(),
        }
        row
    }
}

/// All that was measured.
pub struct Report {
    /// What it was measured on.
    pub about: Value,
    /// The same in a line.
    pub head: String,
    rows: Vec<Row>,
    json: bool,
}

impl Report {
    pub fn new(head: String, about: Value, json: bool) -> Self {
        Self { about, head, rows: Vec::new(), json }
    }

    /// Puts a figure down.
    pub fn put(&mut self, place: (&str, &str, &str), unit: Unit, seen: Result<Vec<f64>, String>, budget: Budget) {
        let (group, name, program) = place;
        let seen = seen.and_then(|mut seen| {
            seen.sort_by(f64::total_cmp);
            if seen.is_empty() { Err("nothing was seen".to_owned()) } else { Ok(seen) }
        });
        let row = Row { group: group.into(), name: name.into(), program: program.into(), unit, seen, budget };
        self.rows.push(row);
    }

    /// Prints all of it.
    pub fn print(&self) {
        if self.json {
            let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
            println!("{}", json!({ "about": self.about, "figures": rows }));
            return;
        }
        println!("\n{}", self.head);
        let (mut group, mut name) = ("", "");
        for row in &self.rows {
            if row.group != group {
                println!("\n{:<42}{:>9}{:>9}{:>9}{:>9}{:>9}", row.group, "min", "median", "p95", "p99", "max");
                name = "";
            }
            let label = if row.name == name { "" } else { &row.name };
            (group, name) = (&row.group, &row.name);
            print!("  {label:<29} {:<10}", row.program);
            match &row.seen {
                Ok(seen) => {
                    let [min, median, p95, p99, max] = Row::quantiles(seen).map(|figure| row.unit.write(figure));
                    let figures = format!("{min:>9}{median:>9}{p95:>9}{p99:>9}{max:>9}");
                    let mark = if row.missed() { "  MISSED" } else { "" };
                    let line = format!("{figures} {:<7} {}{mark}", row.unit.name(), row.budget.write(row.unit));
                    println!("{}", line.trim_end());
                }
                Err(why) => println!("{:>9}  {why}", "—"),
            }
        }
        let missed = self.rows.iter().filter(|row| row.missed()).count();
        println!("\nbudgets missed: {missed}");
    }
}

/// The figure that so many per cent are not above: the nearest rank.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted[rank.saturating_sub(1)]
}
