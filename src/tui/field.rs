//! The pheromones of the last hour as a field: types by time.
//!
//! A cell is the strongest intensity of its type within the cell's time, of
//! what was alive then. Cells stand on a fixed grid of time, so the past does
//! not flicker: it moves by whole columns.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kgents_api::PheromoneType;
use kgents_core::decay::{Fade, GONE_BELOW};
use kgents_store::Terrarium;

/// How much time the field shows.
pub const SPAN: SignedDuration = SignedDuration::from_mins(60);

/// One type's hour.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The type.
    pub type_: PheromoneType,
    /// Intensities by column, oldest first; the last is now.
    pub cells: Vec<f64>,
    /// The pheromone that is the strongest now.
    pub strongest: Option<Fade>,
}

/// The field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// Types that were heard within the hour, in their order of declaration.
    pub rows: Vec<Row>,
    /// When the field moves by a column; `None` when nothing is in it.
    pub shifts_at: Option<Timestamp>,
    /// The second at which the first column begins, and how many each has.
    grid: (i64, i64),
}

impl Field {
    /// The time of a column, from its begin to its end.
    pub fn span(&self, column: usize) -> (Timestamp, Timestamp) {
        let (start, step) = self.grid;
        let begin = start + i64::try_from(column).unwrap_or(0) * step;
        let at = |second| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        (at(begin), at(begin + step))
    }
}

/// Works the field out for a number of columns.
pub fn field(terrarium: &Terrarium, now: Timestamp, columns: usize) -> Field {
    if columns == 0 {
        return Field::default();
    }
    let step = (SPAN.as_secs() / columns as i64).max(1);
    // The last column is the grid cell that holds now.
    let last = now.as_second().div_euclid(step);
    let first = last - columns as i64 + 1;
    let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
    let mut add = |type_: PheromoneType, fade: &Fade, died: Timestamp| {
        let place = PheromoneType::ALL.iter().position(|other| *other == type_).unwrap_or(0);
        let row = rows.entry(place).or_insert_with(|| Row { type_, cells: vec![0.0; columns], strongest: None });
        paint(row, fade, died, first * step, step, now);
    };
    for gone in terrarium.gone() {
        add(gone.type_, &gone.fade, gone.died);
    }
    for pheromone in terrarium.pheromones().values() {
        if let Ok(fade) = &pheromone.fade {
            add(pheromone.held.object.spec.type_, fade, fade.gone_at());
        }
    }
    let rows: Vec<Row> = rows.into_values().filter(|row| row.cells.iter().any(|cell| *cell > 0.0)).collect();
    let shifts_at = (!rows.is_empty()).then(|| Timestamp::from_second((last + 1) * step).ok()).flatten();
    Field { rows, shifts_at, grid: (first * step, step) }
}

/// Lays one pheromone over its row.
fn paint(row: &mut Row, fade: &Fade, died: Timestamp, start: i64, step: i64, now: Timestamp) {
    let columns = row.cells.len();
    let born = fade.emitted().min(now);
    let (from, to) = (born.as_second(), died.min(now).as_second());
    if to < start {
        return;
    }
    let column = |second: i64| ((second - start).div_euclid(step)).clamp(0, columns as i64 - 1) as usize;
    let (from_column, to_column) = (column(from), column(to));
    // One power a pheromone, then one product a column: at a cell's start it
    // is `fading` times what it was at the start of the cell before.
    let fading = 0.5_f64.powf(step as f64 / 60.0 / fade.half_life_minutes());
    let cell_start = start + from_column as i64 * step;
    let mut strength = if from >= cell_start {
        fade.initial()
    } else {
        Timestamp::from_second(cell_start).map_or(0.0, |at| fade.intensity(at))
    };
    for place in from_column..=to_column {
        if place > from_column {
            // The first cell may begin in the middle of its column.
            strength = if place == from_column + 1 {
                let at = Timestamp::from_second(start + place as i64 * step);
                at.map_or(0.0, |at| fade.intensity(at.max(born)))
            } else {
                strength * fading
            };
        }
        if strength >= GONE_BELOW && place + 1 < columns {
            row.cells[place] = row.cells[place].max(strength);
        }
    }
    let current = if died > now { fade.intensity(now) } else { 0.0 };
    if current > 0.0 {
        let cell = &mut row.cells[columns - 1];
        if current > *cell {
            *cell = current;
            row.strongest = Some(*fade);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgents_store::object::decode;
    use kgents_store::{Bus, Change, Kind, bus};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    async fn put(bus: &Bus, name: &str, type_: &str, emitted: i64, initial: f64, half: f64) {
        let json = serde_json::json!({
            "metadata": { "namespace": "n", "name": name, "uid": name, "resourceVersion": "1" },
            "spec": { "type": type_, "source": "s", "emittedAt": at(emitted).to_string(), "initialIntensity": initial, "halfLifeMinutes": half },
        });
        let now = decode(Kind::Pheromone, &json.to_string()).unwrap();
        bus.state(Change {
            kind: Kind::Pheromone,
            key: now.key.clone(),
            now: Some(now),
            novelty: kgents_store::Novelty::Initial,
        })
        .await;
    }

    /// Cells recomputed the slow way: the strongest at any second of the cell.
    #[tokio::test]
    async fn cells_are_what_the_timestamps_say() {
        let (bus, mut reader) = bus::new();
        let emitted = [
            ("a", "WARNING", -3000, 0.9, 5.0),
            ("b", "WARNING", -600, 0.5, 5.0),
            ("c", "DREAM", -7000, 1.0, 120.0),
            ("d", "WARNING", -20, 0.3, 1.0),
        ];
        for (name, type_, second, initial, half) in emitted {
            put(&bus, name, type_, second, initial, half).await;
        }
        let mut terrarium = Terrarium::default();
        let now = at(7);
        terrarium.apply(reader.drain(100), now);
        terrarium.tick(now);
        let columns = 57;
        let field = field(&terrarium, now, columns);
        let step = 3600 / columns as i64;
        let first = now.as_second().div_euclid(step) - columns as i64 + 1;
        assert_eq!(field.rows.len(), 2);
        for row in &field.rows {
            for (place, cell) in row.cells.iter().enumerate() {
                let (from, to) = ((first + place as i64) * step, (first + place as i64 + 1) * step);
                let seconds = if place + 1 == columns { now.as_second()..now.as_second() + 1 } else { from..to };
                let mut expected = 0.0_f64;
                for second in seconds {
                    let time = Timestamp::from_second(second).unwrap();
                    for (_, type_, born, initial, half) in emitted {
                        if type_ == row.type_.as_str() && at(born) <= time {
                            expected = expected.max(Fade::new(initial, half, at(born), None).unwrap().intensity(time));
                        }
                    }
                }
                assert!((cell - expected).abs() < 1e-9, "{} {place}: {cell} {expected}", row.type_);
            }
        }
    }

    #[test]
    fn no_columns_and_nothing_alive_are_no_field() {
        assert_eq!(field(&Terrarium::default(), at(0), 0), Field::default());
        let field = field(&Terrarium::default(), at(0), 80);
        assert!(field.rows.is_empty() && field.shifts_at.is_none());
    }
}
