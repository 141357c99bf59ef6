//! The binary `tintype-standalone`: reads the command line, does one thing, and says by its exit status how that went.

use clap::Parser;
use std::process::ExitCode;

/// See docs/decisions/0010-allocator.md.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    standalone::cli::Arguments::parse().run()
}
