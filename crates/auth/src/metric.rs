//! What is counted of people and keys.
//!
//! Knows no names: labels have few values, all of them ours. Invariant: what is counted is also in the audit log or follows from
//! it; these numbers are for alarms, not for accounts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    outcome: &'static str,
}

/// Counters. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    sign_ins: Family<Labels, Counter>,
    refreshes: Family<Labels, Counter>,
    ended: Counter,
    keys: Family<Labels, Counter>,
    decisions: Family<Labels, Counter>,
}

/// What came of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignIn {
    Done,
    /// Wrong, unknown, or locked.
    Failed,
    /// Not looked at.
    LockedOut,
}

/// What came of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresh {
    Done,
    /// Exchanged a moment ago, and once more.
    Repeated,
    /// Somebody has a copy.
    Reused,
    Over,
}

impl Metrics {
    /// Lets them be seen. Once in a process.
    pub fn register(&self, registry: &mut Registry) {
        let Self { sign_ins, refreshes, ended, keys, decisions } = self.clone();
        registry.register("auth_sign_ins", "Sign-ins by outcome: done, failed, locked-out", sign_ins);
        let help = "Refresh tokens exchanged, by outcome: done, repeated (within the grace), reused (the session is ended), over";
        registry.register("auth_refreshes", help, refreshes);
        registry.register("auth_sessions_ended", "Sessions that were ended before their time", ended);
        registry.register("auth_keys", "API keys that were looked up, by outcome: accepted, refused", keys);
        let help = "Decisions on what callers of auth may do there, by outcome: allowed, denied";
        registry.register("auth_decisions", help, decisions);
    }

    pub(crate) fn signed_in(&self, what: SignIn) {
        let outcome = match what {
            SignIn::Done => "done",
            SignIn::Failed => "failed",
            SignIn::LockedOut => "locked-out",
        };
        self.sign_ins.get_or_create(&Labels { outcome }).inc();
    }

    pub(crate) fn refreshed(&self, what: Refresh) {
        let outcome = match what {
            Refresh::Done => "done",
            Refresh::Repeated => "repeated",
            Refresh::Reused => "reused",
            Refresh::Over => "over",
        };
        self.refreshes.get_or_create(&Labels { outcome }).inc();
    }

    pub(crate) fn ended(&self, sessions: usize) {
        self.ended.inc_by(sessions as u64);
    }

    pub(crate) fn key(&self, accepted: bool) {
        let outcome = if accepted { "accepted" } else { "refused" };
        self.keys.get_or_create(&Labels { outcome }).inc();
    }

    pub(crate) fn decided(&self, allowed: bool) {
        let outcome = if allowed { "allowed" } else { "denied" };
        self.decisions.get_or_create(&Labels { outcome }).inc();
    }
}
