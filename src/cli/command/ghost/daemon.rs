//! Keeping the Ghost current until stopped.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kgents_core::freshness::Area;
use kgents_source::ghost::{self, Keep, Kept, Written};
use kgents_source::{Options, clock};
use kgents_store::watch::Link;
use kgents_store::{Terrarium, bus};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::failure::{Code, Failure};
use crate::follow::{self, Follow};
use crate::io::{self, Io};
use crate::output;
use crate::runtime::block_on;
use crate::table::one_line;

/// How long the disk may take for what is known at the end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Follows everything and keeps the Ghost current, until stopped.
pub(super) fn run(
    options: Options,
    folder: PathBuf,
    every: Duration,
    json: bool,
    io: &mut Io<'_>,
) -> Result<Code, Failure> {
    block_on(async {
        let (bus, reader) = bus::new();
        let (bus, tap) = bus.tapped();
        let (cancel, stop) = (CancellationToken::new(), CancellationToken::new());
        let (told, mut kept) = watch::channel(Kept::Waiting);
        // A long interval is also how seldom what is calm is written.
        let keep = Keep { every, told: Some(told), ..Keep::default() };
        let keeper = tokio::spawn(ghost::keep(tap, folder, keep, stop.clone()));
        tokio::spawn(follow::supervise(options, bus, cancel.clone()));
        let mut follow = Follow::on(reader, cancel, io::interrupted());
        let mut teller = Teller { json, ..Teller::default() };
        let ended = loop {
            let lines = tokio::select! {
                news = follow.next() => match news {
                    Some(_) => teller.hear(&follow.terrarium),
                    None => break Ok(Code::Ok),
                },
                Ok(()) = kept.changed() => teller.kept(&kept.borrow_and_update()),
            };
            let now = clock::now();
            let told = lines.iter().try_for_each(|line| teller.write(line, now, io));
            if let Err(error) = told.and_then(|()| io.out.flush().map_err(Failure::from)) {
                break Err(error);
            }
        };
        stop.cancel();
        if timeout(LAST_WORDS, keeper).await.is_err() {
            io.note("warning: the disk kept us waiting, so the Ghost has not got the last of it");
        }
        ended
    })
}

/// One thing to tell.
struct Line {
    state: &'static str,
    words: String,
    more: Value,
}

/// Tells what is otherwise than it was.
#[derive(Default)]
struct Teller {
    json: bool,
    /// That nothing live answers was said.
    waits: bool,
    /// How the keeping stood, without what differs with each write.
    stood: Option<Kept>,
    /// Why areas are left as they are, as it was told.
    left: BTreeMap<Area, String>,
}

impl Teller {
    /// What there is to tell of who answers.
    fn hear(&mut self, terrarium: &Terrarium) -> Vec<Line> {
        let live = terrarium.is_live();
        let layer = terrarium.layer();
        match terrarium.link() {
            Link::Down { error, hint, .. } if !live && !self.waits => {
                self.waits = true;
                let more = json!({ "why": error, "hint": hint });
                vec![Line { state: "waiting", words: format!("nothing live answers, so it waits: {error}"), more }]
            }
            _ if live && self.waits => {
                self.waits = false;
                let name = layer.map_or("", kgents_store::Layer::as_str);
                vec![Line { state: "live", words: format!("{name} answers again"), more: json!({ "layer": layer }) }]
            }
            _ => Vec::new(),
        }
    }

    /// What there is to tell of the keeping.
    fn kept(&mut self, kept: &Kept) -> Vec<Line> {
        let now = match kept {
            Kept::Written(_) => Kept::Written(Written::default()),
            other => other.clone(),
        };
        let same = self.stood.replace(now.clone()) == Some(now);
        let mut lines = Vec::new();
        match kept {
            Kept::Written(written) => {
                if !same && !written.areas.is_empty() {
                    let words = format!("keeps {} current", written.path.display());
                    lines.push(Line { state: "written", words, more: json!({ "path": written.path }) });
                }
                let left: BTreeMap<Area, String> = written.left.iter().cloned().collect();
                for (area, why) in left.iter().filter(|(area, why)| self.left.get(*area) != Some(*why)) {
                    let words = format!("{} stays as it is: {why}", area.as_str());
                    lines.push(Line { state: "left", words, more: json!({ "area": area, "why": why }) });
                }
                self.left = left;
            }
            _ if same => {}
            Kept::Waiting => {}
            Kept::Barred(why) => {
                lines.push(Line { state: "barred", words: why.clone(), more: json!({ "why": why }) });
            }
            Kept::Held { pid } => {
                let who = pid.map(|pid| format!(": pid {pid}")).unwrap_or_default();
                let words = format!("another process keeps it{who}; it is tried again");
                lines.push(Line { state: "held", words, more: json!({ "pid": pid }) });
            }
            Kept::Failing(why) => {
                let words = format!("it cannot be written; it is tried again: {why}");
                lines.push(Line { state: "failing", words, more: json!({ "why": why }) });
            }
        }
        lines
    }

    fn write(&self, line: &Line, now: Timestamp, io: &mut Io<'_>) -> Result<(), Failure> {
        if self.json {
            let mut value = json!({ "at": now, "state": line.state });
            if let (Some(value), Some(more)) = (value.as_object_mut(), line.more.as_object()) {
                value.extend(more.clone());
            }
            return output::line(io.out, &value);
        }
        let at = now.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string();
        Ok(writeln!(io.out, "{at} {}", one_line(&line.words))?)
    }
}
