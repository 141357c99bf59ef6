//! What is asked of Redis: a command with its arguments, or a script with its keys.
//!
//! Invariant: what must not happen twice says so ([`Ask::once`]); all else may be said again over another connection.

use redis::{Cmd, ToRedisArgs};

/// What an answer can be read as: numbers, bytes, options, lists and tuples of them.
pub use redis::FromRedisValue as Answer;

/// One command.
#[derive(Clone, Debug)]
pub struct Ask {
    pub(super) command: Cmd,
    pub(super) again: bool,
}

impl Ask {
    /// The command called `name`, without arguments.
    pub fn new(name: &str) -> Self {
        Self { command: redis::cmd(name), again: true }
    }

    /// A Lua script, which runs in one piece. Its keys (`KEYS[1]` …) have one hash tag; arguments (`ARGV[1]` …) follow.
    pub fn script(text: &str, keys: &[Vec<u8>]) -> Self {
        let mut ask = Self::new("EVAL").arg(text).arg(keys.len());
        for key in keys {
            ask.command.arg(&key[..]);
        }
        ask
    }

    /// One more argument: a number, a text, `&[u8]`.
    #[must_use]
    pub fn arg(mut self, value: impl ToRedisArgs) -> Self {
        self.command.arg(value);
        self
    }

    /// Not said again where a connection broke before the answer: it may have been done. In a cluster the client decides
    /// by itself.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.again = false;
        self
    }
}
