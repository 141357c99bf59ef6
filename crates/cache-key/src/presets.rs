//! Named parameters from the config, checked once when it is loaded.
//!
//! Knows no files. Invariant: a preset that stands here parses; what it includes is already spelt out in it.

use crate::dialect::native::{Setting, compile_preset};
use crate::error::{ParseError, Reason};
use std::collections::{BTreeMap, HashMap};

/// The preset that applies to every request of a route, under all else.
pub const DEFAULT_PRESET: &str = "default";
/// How deep presets may include others by `p=`.
pub const MAX_PRESET_DEPTH: usize = 4;

/// The presets of a route.
#[derive(Clone, Debug, Default)]
pub struct Presets {
    named: HashMap<String, Vec<Setting>>,
    only: bool,
}

impl Presets {
    /// No presets, and every parameter allowed.
    pub fn none() -> Self {
        Self::default()
    }

    /// Presets by name, each written as a query (`w=400&fit=cover`); they may include each other by `p=`. The one
    /// called `default` applies to every request. With `only`, requests may name presets, delivery and signing
    /// parameters and nothing else.
    ///
    /// # Errors
    /// A name that is not 1–64 of `A–Z a–z 0–9 . _ -` or is there twice, parameters that do not parse, are unknown or
    /// belong to the signature, and presets that include themselves or go too deep; `parameter` then starts with
    /// `preset.` and the name.
    pub fn new<I, N, P>(entries: I, only: bool) -> Result<Self, ParseError>
    where
        I: IntoIterator<Item = (N, P)>,
        N: Into<String>,
        P: AsRef<str>,
    {
        let mut sources = BTreeMap::new();
        for (name, parameters) in entries {
            let name = name.into();
            if !crate::dialect::native::is_name(&name) {
                return Err(ParseError::new(Reason::Value, "preset", &name, "1–64 of `A–Z a–z 0–9 . _ -`"));
            }
            if sources.insert(name.clone(), parameters.as_ref().to_owned()).is_some() {
                return Err(ParseError::new(Reason::Duplicate, format!("preset.{name}"), &name, "one of each name"));
            }
        }
        let mut named = HashMap::with_capacity(sources.len());
        for name in sources.keys() {
            let settings = compile_preset(name, &sources, 0).map_err(|e| e.inside(&format!("preset.{name}")))?;
            named.insert(name.clone(), settings);
        }
        Ok(Self { named, only })
    }

    /// Whether requests are held to presets.
    pub fn only(&self) -> bool {
        self.only
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.named.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[Setting]> {
        self.named.get(name).map(Vec::as_slice)
    }

    pub(crate) fn fallback(&self) -> &[Setting] {
        if self.is_empty() { &[] } else { self.get(DEFAULT_PRESET).unwrap_or_default() }
    }
}
