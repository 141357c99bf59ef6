//! Why a query is refused, in words for the person who wrote the URL.

use std::borrow::Cow;
use std::fmt;

/// Longest part of a value that an error repeats, in characters.
const SHOWN: usize = 64;

/// A request that cannot be understood: whose fault it is, is clear (the client's), so there is only what to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The parameter at fault, by the name in the reference; `then.w` inside a further pass, `preset.card.w` inside a
    /// preset, `query` for the whole.
    pub parameter: Cow<'static, str>,
    /// The value as the URL gave it, decoded, cut to 64 characters.
    pub value: String,
    /// What would have been allowed, in words.
    pub allowed: Cow<'static, str>,
    /// The sort of fault.
    pub reason: Reason,
}

/// Sorts of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The value is not allowed.
    Value,
    /// The parameter is there twice, perhaps by two of its names.
    Duplicate,
    /// A malformed percent-escape, or bytes that are not UTF-8.
    Encoding,
    /// No such preset.
    Preset,
    /// The parameter may not stand here: in a further pass, in a preset, or beside presets on a route that has
    /// `presets-only`.
    Place,
    /// The parameter is unknown, and the route refuses unknown ones.
    Unknown,
    /// Too long, too many, too deep.
    Limit,
}

impl Reason {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Duplicate => "duplicate",
            Self::Encoding => "encoding",
            Self::Preset => "preset",
            Self::Place => "place",
            Self::Unknown => "unknown",
            Self::Limit => "limit",
        }
    }
}

impl ParseError {
    pub(crate) fn new(
        reason: Reason,
        parameter: impl Into<Cow<'static, str>>,
        value: &str,
        allowed: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { parameter: parameter.into(), value: shown(value), allowed: allowed.into(), reason }
    }

    /// The same fault, found inside something.
    pub(crate) fn inside(mut self, outer: &str) -> Self {
        self.parameter = format!("{outer}.{}", self.parameter).into();
        self
    }
}

/// The start of a text, without control characters.
pub(crate) fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parameter, value, allowed, reason } = self;
        match reason {
            Reason::Value => write!(f, "`{parameter}` cannot be \"{value}\"; allowed: {allowed}"),
            Reason::Duplicate => write!(f, "`{parameter}` is there twice; allowed: {allowed}"),
            Reason::Encoding => write!(f, "`{parameter}` has a broken escape in \"{value}\"; allowed: {allowed}"),
            Reason::Preset => write!(f, "`{parameter}`: there is no preset \"{value}\"; allowed: {allowed}"),
            Reason::Place => write!(f, "`{parameter}` may not stand here; allowed: {allowed}"),
            Reason::Unknown => write!(f, "`{parameter}` is unknown; allowed: {allowed}"),
            Reason::Limit => write!(f, "`{parameter}` is over a limit: {value}; allowed: {allowed}"),
        }
    }
}

impl std::error::Error for ParseError {}
