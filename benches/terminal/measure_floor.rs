//! What the harness itself costs, and a program that only says its version.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::it::support::user::User;
use crate::pty::Window;
use crate::report::{Budget, Unit};
use crate::{Bench, ms};

/// Runs of what takes a millisecond: many, for a median that stays.
const RUNS: usize = 50;
const LIMIT: Duration = Duration::from_secs(10);

/// `echo` in the same terminal: nothing can be faster here.
pub fn floor(bench: &mut Bench) {
    let user = User::new();
    let echo = || {
        let mut window = Window::open(&user, &["/bin/echo", "x"])?;
        let at = window.next(window.started + LIMIT).ok_or("echo said nothing")?;
        Ok(ms(at - window.started))
    };
    let seen = (0..RUNS).map(|_| echo()).collect();
    bench.report.put(("the harness", "exec to first bytes", "echo"), Unit::Ms, seen, Budget::NONE);
}

/// `--version` beside a program that does nothing, turn by turn.
pub fn version(bench: &mut Bench) {
    let mut files = vec![("true".to_owned(), "/bin/true".to_owned(), Budget::NONE)];
    for program in &bench.programs {
        let budget = if program.is_ours() { Budget::median(1.3) } else { Budget::NONE };
        files.push((program.name.clone(), program.file().to_owned(), budget));
    }
    let mut seen: Vec<Result<Vec<f64>, String>> = files.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..RUNS {
        for ((_, file, _), seen) in files.iter().zip(&mut seen) {
            let Ok(times) = seen else { continue };
            match run(file) {
                Ok(time) => times.push(time),
                Err(why) => *seen = Err(why),
            }
        }
    }
    for ((name, _, budget), seen) in files.iter().zip(seen) {
        bench.report.put(("--version", "exec to its end", name), Unit::Ms, seen, *budget);
    }
}

fn run(file: &str) -> Result<f64, String> {
    let mut command = Command::new(file);
    command.arg("--version").stdin(Stdio::null());
    let start = Instant::now();
    let output = command.output().map_err(|error| format!("{file}: {error}"))?;
    let time = ms(start.elapsed());
    if output.status.success() { Ok(time) } else { Err(format!("`{file} --version` fails: {}", output.status)) }
}
