//! The whole of the library by its public face: tokens, vectors of others, roles, and lists that agree with decisions.

mod cognito;
mod decisions;
mod reaches;
mod tokens;
mod vectors;

use access::{Clock, Door, Policies};
use jiff::Timestamp;
use std::sync::Arc;

/// A door at which it is always the same time.
fn door_at(seconds: i64) -> Door {
    let at = Timestamp::from_second(seconds).expect("a time within thousands of years");
    let clock: Clock = Arc::new(move || at);
    Door::new(Policies::builtin().expect("our own policies")).with_clock(clock)
}

/// Waits for what is ready at once, or for little.
fn now<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}
