//! Load that k6 and wrk do not make: HTTP/3, hits under overload, thousands of idle connections, bursts, and the long soak.
//!
//! Each subcommand starts a server of its own (the binary that it is given), says what it measured, and ends with 1 where a
//! budget is not kept. Budgets are ratios and counts, beside the scenario that they are for.

mod ask;
mod burst;
mod crowd;
mod edge;
mod overload;
mod peer;
mod sample;
mod soak;
mod visitor;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// The program's arguments.
#[derive(Debug, Parser)]
#[command(about = "Load scenarios with budgets, against a server of their own")]
struct Arguments {
    /// The server: a release build.
    #[arg(long, value_name = "FILE", default_value = "target/release/tintype")]
    binary: PathBuf,
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// Mixed traffic with faults for a long time: flat memory, no leak of connections, files or tasks.
    Soak(soak::Options),
    /// Hits while twice as many pictures are asked for as can be made.
    Overload(overload::Options),
    /// Thousands of idle connections beside a thousand busy ones.
    Crowd(crowd::Options),
    /// Memory after a burst of large pictures.
    Burst(burst::Options),
    /// One picture again and again, from a server that runs already: requests a second, p50 and p99.
    Ask(ask::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Scenario::Ask(options) = &arguments.scenario {
        // Several threads; the others need one for what all visitors share.
        return match ask::run(options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let verdict = runtime.block_on(async {
        match &arguments.scenario {
            Scenario::Soak(options) => soak::run(&arguments.binary, options).await,
            Scenario::Overload(options) => overload::run(&arguments.binary, options).await,
            Scenario::Crowd(options) => crowd::run(&arguments.binary, options).await,
            Scenario::Burst(options) => burst::run(&arguments.binary, options).await,
            Scenario::Ask(_) => unreachable!("it has ended already"),
        }
    });
    verdict.tell()
}
