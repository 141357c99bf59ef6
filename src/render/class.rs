//! What a render is for: whether somebody waits for it, and who goes first.
//!
//! Knows no queue. Invariant: the order of the variants is the order of precedence.

/// What a render is for. Earlier goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A client waits for it.
    #[default]
    Live,
    /// A client has been answered with something quicker, and the next shall have this.
    Deferred,
    /// Nobody has asked yet.
    Warm,
}

impl Class {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Live, Self::Deferred, Self::Warm];

    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Deferred => "deferred",
            Self::Warm => "warm",
        }
    }
}
