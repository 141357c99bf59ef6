//! What happens to connections, for whoever counts.

use super::tls::Listener;
use std::time::SystemTime;

/// Something worth counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection was opened.
    Opened,
    /// A connection was closed.
    Closed,
    /// A connection was not served, or not any longer.
    Refused(Refusal),
    /// A handshake ended.
    Handshake(Handshake),
    /// Changed certificates were read: whether they could be used.
    Reloaded(bool),
    /// When the first of a listener's certificates ends.
    CertificatesEnd(Listener, SystemTime),
}

/// Why a connection is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The client has as many as it may.
    ClientLimit,
    /// A balancer did not begin it with a PROXY header.
    ProxyHeader,
    /// As many connections are open as may be.
    Connections,
    /// As many handshakes are under way as may be.
    Handshakes,
    /// It gave up more requests than it may.
    Resets,
    /// It does not take what it asked for.
    SlowReader,
    /// It does not finish what it began to ask.
    SlowHead,
}

impl Refusal {
    /// As metrics name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientLimit => "client-limit",
            Self::ProxyHeader => "proxy-header",
            Self::Connections => "connections",
            Self::Handshakes => "handshakes",
            Self::Resets => "resets",
            Self::SlowReader => "slow-reader",
            Self::SlowHead => "slow-head",
        }
    }
}

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// TLS, with all its steps.
    Full,
    /// A session of before was taken up again.
    Resumed,
    /// QUIC.
    Quic,
    /// Not in time.
    Late,
    /// Not at all.
    Failed,
}

impl Handshake {
    /// As metrics name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Resumed => "resumed",
            Self::Quic => "quic",
            Self::Late => "late",
            Self::Failed => "failed",
        }
    }
}
