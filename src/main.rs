//! The binary `tintype`: reads the command line, does one thing, and says by its exit status how that went.

use clap::Parser;
use std::process::ExitCode;

/// jemalloc gives a burst's memory back within seconds; the system's allocator keeps it, or faults it in anew for every
/// picture (docs/decisions/0010-allocator.md).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match tintype::cli::Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("tintype: {failure}");
            failure.into()
        }
    }
}
