//! Work that runs side by side, and the share of all of it that is done.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{file_failure, not_started};
use crate::{Failure, Project, Result};

/// Time between two lines that tell the share.
const PAUSE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(100);
/// So many lines of a failed command's output are shown.
const LAST_LINES: usize = 40;

/// What a task does.
pub type Work<'a> = Box<dyn FnOnce(&Report) -> Result<()> + Send + 'a>;

/// A part of the work.
pub struct Task<'a> {
    /// What it brings, as in "the kernel program".
    pub name: &'static str,
    /// About how many seconds it takes on two cores where nothing is there yet: its part in the share that is told.
    pub seconds: u32,
    /// About how many crates it compiles.
    pub crates: usize,
    /// What it does; runs its commands by [`Report::run`].
    pub work: Work<'a>,
}

/// How far a task is. One that finds everything done never starts.
#[derive(Default)]
struct State {
    started: bool,
    finished: bool,
    compiled: usize,
    /// The crate that is being compiled.
    latest: String,
}

/// Takes notice of what a task's commands say.
pub struct Report<'a> {
    project: &'a Project,
    name: &'static str,
    state: Mutex<State>,
}

impl Report<'_> {
    /// Runs a command to its end. Its output goes to a file below `target/setup`, from which the crates are counted.
    ///
    /// # Errors
    /// If it can't be started or doesn't succeed, with the end of its output; `problem` and `advice` say what that means.
    pub fn run(&self, command: &mut Command, problem: &str, advice: &str) -> Result<()> {
        self.state().started = true;
        let folder = self.project.path("target/setup");
        let path = folder.join(format!("{}.log", self.name.replace(' ', "-")));
        let unwritten = |error| file_failure("write", &path, &error);
        let mut log = fs::create_dir_all(&folder).and_then(|()| File::create(&path)).map_err(unwritten)?;
        let output = log.try_clone().map_err(unwritten)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| not_started(command, &error))?;
        for line in child.stderr.take().into_iter().map(BufReader::new).flat_map(|stderr| stderr.split(b'\n')) {
            let line = line.map_err(|error| file_failure("read", &path, &error))?;
            let line = String::from_utf8_lossy(&line);
            writeln!(log, "{line}").map_err(unwritten)?;
            let line = line.trim_start();
            let rest = line.strip_prefix("Compiling ").or(line.strip_prefix("Checking "));
            if let Some(rest) = rest {
                let mut state = self.state();
                state.compiled += 1;
                state.latest = rest.split(' ').next().unwrap_or_default().to_owned();
            }
        }
        let status = child.wait().map_err(|error| not_started(command, &error))?;
        if status.success() {
            return Ok(());
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n  ");
        Err(Failure::new(format!("{problem} ({status}):\n  {end}\n"), advice))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does all tasks at once, tells every ten seconds how much is done, and gives the first failure.
pub fn side_by_side(project: &Project, tasks: Vec<Task>) -> Result<()> {
    let plan: Vec<_> = tasks.iter().map(|task| (task.seconds, task.crates)).collect();
    let reports: Vec<_> =
        tasks.iter().map(|task| Report { project, name: task.name, state: Mutex::default() }).collect();
    let all_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let running: Vec<_> = tasks
            .into_iter()
            .zip(&reports)
            .map(|(task, report)| {
                scope.spawn(move || {
                    let result = (task.work)(report);
                    report.state().finished = true;
                    result
                })
            })
            .collect();
        scope.spawn(|| {
            let mut told = Instant::now();
            while !all_done.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                if told.elapsed() >= PAUSE {
                    told = Instant::now();
                    println!("    {}", line(&plan, &reports));
                }
            }
        });
        let results: Vec<_> = running.into_iter().map(thread::ScopedJoinHandle::join).collect();
        all_done.store(true, Ordering::Relaxed);
        let died = |_| Err(Failure::new("a part of the set-up ended early", "read the message above"));
        results.into_iter().try_for_each(|result| result.unwrap_or_else(died))
    })
}

/// As in "37 % done; the kernel program: crate 120 of 274, ra_ap_hir".
fn line(plan: &[(u32, usize)], reports: &[Report]) -> String {
    let (mut all, mut done, mut parts) = (0.0, 0.0, Vec::new());
    for (&(seconds, crates), report) in plan.iter().zip(reports) {
        let state = report.state();
        if !state.started {
            continue;
        }
        let share = match (state.finished, crates) {
            (true, _) => 1.0,
            (false, 0) => 0.0,
            (false, crates) => state.compiled.saturating_sub(1).min(crates) as f64 / crates as f64,
        };
        all += f64::from(seconds);
        done += f64::from(seconds) * share;
        if state.finished {
            continue;
        }
        let name = report.name;
        parts.push(match state.compiled {
            0 => name.to_owned(),
            count => format!("{name}: crate {count} of {}, {}", crates.max(count), state.latest),
        });
    }
    format!("{:.0} % done; {}", 100.0 * done / f64::max(all, 1.0), parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::{line, side_by_side, Report, State, Task};
    use crate::{Failure, Project};
    use std::sync::Mutex;

    fn report<'a>(project: &'a Project, name: &'static str, compiled: usize, finished: bool) -> Report<'a> {
        let latest = "dfdx".to_owned();
        let state = Mutex::new(State { started: true, finished, compiled, latest });
        Report { project, name, state }
    }

    #[test]
    fn the_share_is_weighted_by_seconds_and_leaves_out_what_was_there() {
        let project = Project::find();
        let mut reports = vec![report(&project, "a", 51, false), report(&project, "b", 0, true)];
        reports.push(Report { project: &project, name: "c", state: Mutex::default() });
        let plan = [(300, 100), (100, 0), (600, 10)];
        assert_eq!(line(&plan, &reports), "62 % done; a: crate 51 of 100, dfdx");
    }

    #[test]
    fn all_tasks_are_done_though_one_fails() {
        let ran = Mutex::new(Vec::new());
        let task = |name, fails: bool| Task {
            name,
            seconds: 1,
            crates: 0,
            work: Box::new({
                let ran = &ran;
                move |_: &Report| {
                    ran.lock().expect("no panic").push(name);
                    if fails {
                        Err(Failure::new(name, "try again"))
                    } else {
                        Ok(())
                    }
                }
            }),
        };
        let tasks = vec![task("fails", true), task("works", false)];
        let failure = side_by_side(&Project::find(), tasks).expect_err("a failure");
        assert!(failure.to_string().contains("error: fails"), "{failure}");
        assert_eq!(ran.lock().expect("no panic").len(), 2);
    }
}
