//! `tintype import`: a folder of any size, with one bar; interrupted by Ctrl-C or a kill it goes on when it is started again.

use super::{ServerArguments, plain, print_json, wait};
use crate::cli::Failure;
use clap::Args;
use client::{Import, Outcome, Step, Summary};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Failures that are told by name at the end.
const TOLD: usize = 20;
/// Without a terminal, a line for each so many files.
const LINE: u64 = 500;

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArguments {
    /// The folder; pictures in folders below it too.
    folder: PathBuf,
    /// What published names begin with, such as archive/2026; the rest is the name below the folder.
    #[arg(long, default_value = "", value_name = "FOLDER")]
    prefix: String,
    /// Uploads at once.
    #[arg(long, short, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32), value_name = "COUNT")]
    jobs: u8,
    /// Where it is written down how far the import is, so that it can go on; in the folder itself where it is left out.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// What was done as JSON, one line for each file and one for the whole.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

pub(in crate::cli) fn import(arguments: &ImportArguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let prefix = arguments.prefix.trim_matches('/');
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let import = Import {
        folder: arguments.folder.clone(),
        prefix,
        at_once: usize::from(arguments.jobs),
        journal: arguments.journal.clone(),
    };
    let bar = Arc::new(Bar::new(arguments.json));
    let listening = Arc::clone(&bar);
    let summary = wait(async move {
        let stop = Arc::new(AtomicBool::new(false));
        let on_signal = Arc::clone(&stop);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                on_signal.store(true, Ordering::Relaxed);
                eprintln!("\nfinishing what is being sent; the same command goes on from there");
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        });
        Ok(import.run(&client, stop, move |step| listening.take(&step)).await?)
    })?;
    bar.end();
    told(arguments.json, &summary)
}

/// The bar, or lines in its place.
struct Bar {
    bar: ProgressBar,
    json: bool,
}

impl Bar {
    fn new(json: bool) -> Self {
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let form = "[{bar:30}] {pos} of {len} files, {msg}{per_sec}, {eta} left";
        let style = ProgressStyle::with_template(form).expect("the template is sound").progress_chars("##.");
        Self { bar: ProgressBar::with_draw_target(Some(0), target).with_style(style), json }
    }

    fn take(&self, step: &Step) {
        match step {
            Step::Counted { files, .. } => self.bar.set_length(*files as u64),
            Step::Sent(_) => self.bar.tick(),
            Step::Ended { path, bytes, outcome } => {
                self.bar.inc(1);
                let (word, reason) = match outcome {
                    Outcome::Sent => ("sent", None),
                    Outcome::There => ("there", None),
                    Outcome::Failed(failure) => ("failed", Some(failure.to_string())),
                };
                if self.json {
                    println!("{}", json!({ "path": path, "bytes": bytes, "outcome": word, "reason": reason }));
                } else if let Some(reason) = reason {
                    self.bar.suspend(|| eprintln!("{}: {reason}", plain(path)));
                }
                let done = self.bar.position();
                if self.bar.is_hidden() && !self.json && done.is_multiple_of(LINE) {
                    eprintln!("{done} of {} files", self.bar.length().unwrap_or_default());
                }
            }
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn told(as_json: bool, summary: &Summary) -> Result<(), Failure> {
    let Summary { sent, there, failed, interrupted } = summary;
    if as_json {
        print_json(&json!({ "sent": sent, "there": there, "failed": failed.len(), "interrupted": interrupted }))?;
    } else {
        println!("{sent} sent, {there} were there already, {} failed", failed.len());
        for (path, failure) in failed.iter().take(TOLD) {
            eprintln!("failed: {}: {failure}", plain(path));
        }
        if failed.len() > TOLD {
            eprintln!("and {} more", failed.len() - TOLD);
        }
    }
    match (interrupted, failed.len()) {
        (true, _) => Err(Failure::Failed("interrupted: the same command goes on from here".to_owned())),
        (false, 0) => Ok(()),
        (false, failed) => {
            Err(Failure::Failed(format!("{failed} could not be imported; the same command tries them again")))
        }
    }
}
