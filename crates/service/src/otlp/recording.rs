//! Which requests are recorded.
//!
//! Knows no request but its head. Invariant: where one is not recorded nothing is made.

use super::{Context, OtlpConfig, Propagation, chance, enter};
use http::HeaderMap;
use tracing::Span;

/// Which requests are recorded: those whose caller says so, and a share of those whose caller says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Recording {
    propagation: Propagation,
    share: f64,
}

impl Recording {
    /// `None` where traces go nowhere.
    #[must_use]
    pub fn new(config: &OtlpConfig) -> Option<Self> {
        let on = config.endpoint.is_some() && config.traces;
        on.then_some(Self { propagation: config.propagation, share: config.sample })
    }

    /// The span that `make` makes, below the caller's, where the request is recorded; else none.
    pub fn begin(self, headers: &HeaderMap, make: impl FnOnce() -> Span) -> Span {
        let named = headers.get(self.propagation.field()).and_then(|value| value.to_str().ok());
        let caller: Option<Context> = named.and_then(|text| self.propagation.read(text));
        if !caller.map_or_else(|| chance(self.share), |caller| caller.sampled) {
            return Span::none();
        }
        enter(caller, make)
    }
}
