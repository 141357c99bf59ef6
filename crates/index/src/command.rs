//! `rebuild`, `check` and `replay`: sent to the queue and followed, or done here where no server runs.
//!
//! Owns these commands' arguments, bars and words. Invariant: what is said at the end is what the job reported.

use crate::{Config, Index};
use clap::{Args, Parser, Subcommand};
use companion::arguments::ConfigArguments;
use index::check::{CheckRequest, Checked};
use index::{Indexer, Metrics, Rebuilt};
use indicatif::{ProgressBar, ProgressStyle};
use jobs::{Filter, JobId, JobKind, MOST, NewJob, Queue, QueueError, State};
use serde_json::Value;
use service::config::ConfigErrors;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// The commands that are taken here; others are those of every companion.
const OURS: [&str; 3] = ["rebuild", "check", "replay"];
/// How often a job is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How long events that are under way have before a difference counts.
const SETTLE: Duration = Duration::from_secs(3);

#[derive(Debug, Parser)]
#[command(name = "tintype-index", version, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the index anew from the catalog, while the old one is searched.
    Rebuild(Work),
    /// Compare catalog and index, record by record.
    Check {
        /// Put right what differs.
        #[arg(long)]
        repair: bool,
        #[command(flatten)]
        work: Work,
    },
    /// Make dead jobs due again.
    Replay {
        /// These; without any, all of the kind.
        #[arg(value_name = "ID")]
        ids: Vec<JobId>,
        /// Without ids: dead jobs of this kind.
        #[arg(long, default_value = "index")]
        kind: JobKind,
        #[command(flatten)]
        config: ConfigArguments,
    },
}

#[derive(Debug, Args)]
struct Work {
    /// Do it in this process, where no server has the index. Else a running server does it, and this waits for it.
    #[arg(long)]
    here: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Why it ended: the exit status, and words.
struct Failure(u8, String);

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self(3, errors.to_string())
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self(1, text)
    }
}

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        Self(1, error.to_string())
    }
}

/// Does what the command line says, where it is one of these commands.
pub(crate) fn obey(arguments: Vec<OsString>) -> Option<ExitCode> {
    let ours = arguments.get(1).is_some_and(|first| OURS.iter().any(|name| *name == *first));
    ours.then(|| {
        let arguments = Arguments::parse_from(arguments);
        match act(arguments.command) {
            Ok(code) => code,
            Err(Failure(code, text)) => {
                eprintln!("tintype-index: {text}");
                ExitCode::from(code)
            }
        }
    })
}

fn load(arguments: &ConfigArguments) -> Result<Config, ConfigErrors> {
    Ok(arguments.load::<companion::binary::Whole<Index, Config>>()?.config.own)
}

fn act(command: Command) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        match command {
            Command::Rebuild(work) => {
                let config = load(&work.config)?;
                let rebuilt = if work.here {
                    let (indexer, bar) = (here(&config).await?, bar());
                    let done =
                        indexer.rebuild(|records| show(&bar, records)).await.map_err(|failure| failure.reason)?;
                    bar.finish_and_clear();
                    done.map(Reported::Whole)
                } else {
                    follow(&config, index::rebuild_job()).await?
                };
                Ok(tell_rebuilt(rebuilt))
            }
            Command::Check { repair, work } => {
                let config = load(&work.config)?;
                let checked = if work.here {
                    let (indexer, bar) = (here(&config).await?, bar());
                    let told = |records| show(&bar, records);
                    let done = indexer.check(repair, SETTLE, told).await.map_err(|failure| failure.reason)?;
                    bar.finish_and_clear();
                    done.map(Reported::Whole)
                } else {
                    follow(&config, index::check_job(CheckRequest { repair })).await?
                };
                Ok(tell_checked(checked))
            }
            Command::Replay { ids, kind, config } => replay(&load(&config)?, ids, kind).await,
        }
    })
}

/// What is told at the end.
enum Reported<T> {
    Whole(T),
    /// The queue cannot tell.
    Sent(JobId),
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} records, {per_sec}, {elapsed}");
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

fn show(bar: &ProgressBar, records: u64) -> bool {
    bar.set_position(records);
    true
}

async fn here(config: &Config) -> Result<Indexer, String> {
    let catalog =
        catalog::open(&config.catalog, &aws::Aws::new()).await.map_err(|error| format!("catalog: {error}"))?;
    let finder = config.finder.open().map_err(|error| format!("finder: {error}; without --here a server does it"))?;
    Ok(Indexer::new(catalog, finder.finder, config.index.policy(), Metrics::default()))
}

async fn queue(config: &Config) -> Result<Arc<dyn Queue>, String> {
    config.jobs.open(&aws::Aws::new()).await.map_err(|error| format!("jobs: {error}"))
}

/// Sends a job and waits for its end.
async fn follow<T: serde::de::DeserializeOwned>(config: &Config, job: NewJob) -> Result<Option<Reported<T>>, Failure> {
    let queue = queue(config).await?;
    let ids = queue.send(vec![job]).await?;
    let id = *ids.first().ok_or_else(|| "the queue gave no id".to_owned())?;
    let bar = bar();
    loop {
        let seen = match queue.get(id).await {
            Err(QueueError::Refused(_)) => return Ok(Some(Reported::Sent(id))),
            seen => seen?,
        };
        let Some(seen) = seen else { return Err(format!("the job {id} is gone without a report").into()) };
        let progress = seen.progress.unwrap_or(Value::Null);
        show(&bar, progress.get("records").and_then(Value::as_u64).unwrap_or(0));
        match seen.state {
            State::Done => {
                bar.finish_and_clear();
                let report = serde_json::from_value(progress).map_err(|error| error.to_string())?;
                return Ok(Some(Reported::Whole(report)));
            }
            State::Dead => return Err(format!("it failed: {}", seen.reason.unwrap_or_default()).into()),
            State::Cancelled => return Ok(None),
            State::Ready | State::Delayed | State::Running => tokio::time::sleep(LOOK).await,
        }
    }
}

fn sent(id: JobId) -> ExitCode {
    println!("sent as {id}; this queue cannot tell of it, the server's log does");
    ExitCode::SUCCESS
}

fn cancelled() -> ExitCode {
    eprintln!("tintype-index: it was cancelled, and nothing has changed");
    ExitCode::FAILURE
}

fn tell_rebuilt(rebuilt: Option<Reported<Rebuilt>>) -> ExitCode {
    match rebuilt {
        None => cancelled(),
        Some(Reported::Sent(id)) => sent(id),
        Some(Reported::Whole(Rebuilt { records, live, refused, generation, seconds })) => {
            println!(
                "{records} records in {seconds:.1} s: {live} can be found, {refused} were refused; now {generation}"
            );
            if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

fn tell_checked(checked: Option<Reported<Checked>>) -> ExitCode {
    let checked = match checked {
        None => return cancelled(),
        Some(Reported::Sent(id)) => return sent(id),
        Some(Reported::Whole(checked)) => checked,
    };
    println!("{checked}");
    if checked.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn replay(config: &Config, ids: Vec<JobId>, kind: JobKind) -> Result<ExitCode, Failure> {
    let queue = queue(config).await?;
    let mut all = 0;
    if ids.is_empty() {
        let filter = Filter { states: vec![State::Dead], kinds: vec![kind], tenant: None };
        let mut after = None;
        loop {
            // Onwards: what dies again meanwhile is not replayed again.
            let dead: Vec<JobId> = queue.jobs(&filter, after, MOST).await?.into_iter().map(|job| job.id).collect();
            let Some(last) = dead.last() else { break };
            after = Some(*last);
            all += queue.replay(&dead).await?;
        }
    } else {
        for some in ids.chunks(MOST) {
            all += queue.replay(some).await?;
        }
    }
    println!("{all} due again");
    Ok(ExitCode::SUCCESS)
}
