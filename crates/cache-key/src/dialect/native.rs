//! The native dialect: `?w=800&h=600&fit=cover&f=auto`.
//!
//! Knows the grammar and nothing of routes, originals or engines. Invariant: whatever the query, the answer is a
//! normalised [`Transform`] or a [`ParseError`] that names the parameter, its value and what is allowed; unknown names
//! are reported and change nothing.

mod canonical;
mod colour;
mod delivery;
mod draft;
mod layers;
mod output;
mod parameter;
mod place;
mod reference;
mod shape;
mod size;
mod table;
#[cfg(test)]
mod tests;
mod value;

pub use canonical::not_implemented;
pub use parameter::{Group, Parameter, Support};
pub use reference::reference;

use crate::delivery::{Delivery, Seal};
use crate::error::{ParseError, Reason, shown};
use crate::percent::{Plus, decode};
use crate::presets::{MAX_PRESET_DEPTH, Presets};
use crate::transform::Transform;
use draft::Draft;
use parameter::Action;
use std::borrow::Cow;
use std::collections::BTreeMap;
use table::Bits;

/// Longest query, in bytes, before decoding.
pub const MAX_QUERY_BYTES: usize = 8192;
/// Most parameters in a query, unknown ones included; and in each further pass.
pub const MAX_PARAMETERS: usize = 64;
/// Most passes: the first, and three by `then`.
pub const MAX_PASSES: usize = 4;
/// Most presets named by one request.
pub const MAX_PRESETS: usize = 8;
/// Unknown names that are reported; further ones are ignored all the same.
pub const MAX_UNKNOWN: usize = 16;

/// A query, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What is asked of the engine, in its normal form.
    pub transform: Transform,
    /// How the answer is handed over.
    pub delivery: Delivery,
    /// The presets that the URL named, in its order.
    pub presets: Vec<String>,
    /// Names that mean nothing here, shortened, for a debug header. They have changed nothing.
    pub unknown: Vec<String>,
    /// The signing parameters as found.
    pub seal: Seal,
}

impl Parsed {
    /// Refuses unknown names, as signed routes do.
    ///
    /// # Errors
    /// The first unknown name, with [`Reason::Unknown`].
    pub fn refuse_unknown(&self) -> Result<(), ParseError> {
        match self.unknown.first() {
            None => Ok(()),
            Some(name) => Err(ParseError::new(Reason::Unknown, name.clone(), "", "the parameters in the reference")),
        }
    }
}

/// Every parameter, sorted by name.
pub fn parameters() -> &'static [Parameter] {
    &table::TABLE
}

/// Reads a raw query, without its `?`, percent-escapes undecoded. Names and values are decoded exactly once, with `+`
/// as a space.
///
/// # Errors
/// See [`Reason`].
pub fn parse(query: Option<&str>, presets: &Presets) -> Result<Parsed, ParseError> {
    let query = query.unwrap_or_default();
    if query.len() > MAX_QUERY_BYTES {
        let found = format!("{} bytes", query.len());
        return Err(ParseError::new(Reason::Limit, "query", &found, format!("at most {MAX_QUERY_BYTES} bytes")));
    }
    let mut draft = Draft::default();
    apply_all(presets.fallback(), &mut draft)?;
    let used = if presets.is_empty() { Vec::new() } else { apply_named_presets(query, presets, &mut draft)? };
    let mut unknown = Vec::new();
    let mut seen = Seen::default();
    for pair in Pairs::new(query, b'&') {
        let Pair { name, value } = pair?;
        let Some(row) = seen.row(&name)? else {
            note_unknown(&name, &mut unknown);
            continue;
        };
        let parameter = table::parameter(row);
        if presets.only() && !matches!(parameter.group, Group::Presets | Group::Delivery | Group::Signing) {
            let allowed = "`p`, parameters of delivery and of signing: this route has presets only";
            return Err(ParseError::new(Reason::Place, parameter.name, &value, allowed));
        }
        if presets.is_empty() && matches!(parameter.action, Action::Preset) {
            refuse_presets(&value)?;
        }
        apply(parameter, &value, &mut draft)?;
    }
    draft.finish();
    let Draft { transform, delivery, seal, .. } = draft;
    Ok(Parsed { transform, delivery, presets: used, unknown, seal })
}

/// Where there are no presets, so that it needs no pass of its own.
fn refuse_presets(value: &str) -> Result<(), ParseError> {
    match preset_names(value)?.next() {
        Some(name) => Err(no_preset(name, &[])),
        None => Ok(()),
    }
}

fn apply(parameter: &Parameter, value: &str, draft: &mut Draft) -> Result<(), ParseError> {
    match parameter.action {
        Action::Set(set) => {
            set(draft, value).ok_or_else(|| ParseError::new(Reason::Value, parameter.name, value, parameter.values))
        }
        Action::Then => {
            draft.transform.then = later_pass(value, 2)?;
            Ok(())
        }
        Action::Preset => Ok(()), // applied before all else
    }
}

fn apply_all(settings: &[Setting], draft: &mut Draft) -> Result<(), ParseError> {
    settings.iter().try_for_each(|setting| apply(table::parameter(setting.row), &setting.value, draft))
}

fn apply_named_presets(query: &str, presets: &Presets, draft: &mut Draft) -> Result<Vec<String>, ParseError> {
    let mut used = Vec::new();
    for pair in Pairs::new(query, b'&') {
        let Pair { name, value } = pair?;
        if !is_preset_name(&name) {
            continue;
        }
        for name in preset_names(&value)? {
            let Some(settings) = presets.get(name) else {
                return Err(no_preset(name, &presets.names()));
            };
            apply_all(settings, draft)?;
            used.push(name.to_owned());
        }
    }
    Ok(used)
}

fn is_preset_name(name: &str) -> bool {
    table::row(name).is_some_and(|row| matches!(table::parameter(row).action, Action::Preset))
}

fn preset_names(value: &str) -> Result<impl Iterator<Item = &str>, ParseError> {
    let count = value.split(',').count();
    if count > MAX_PRESETS {
        let allowed = format!("at most {MAX_PRESETS} presets");
        return Err(ParseError::new(Reason::Limit, "p", &format!("{count} presets"), allowed));
    }
    Ok(value.split(',').filter(|name| !name.is_empty()))
}

fn no_preset(name: &str, known: &[&str]) -> ParseError {
    let allowed = if known.is_empty() { "none: there are no presets".to_owned() } else { known.join(", ") };
    ParseError::new(Reason::Preset, "p", name, allowed)
}

/// One parameter of a preset, its name looked up and its value decoded.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    row: u8,
    value: Box<str>,
}

/// Whether a URL can name something of the config so: a preset, a mark, a font.
pub fn is_name(text: &str) -> bool {
    value::name(text).is_some()
}

/// A preset spelt out: what it includes first, then its own parameters, all of them checked.
pub(crate) fn compile_preset(
    name: &str,
    sources: &BTreeMap<String, String>,
    depth: usize,
) -> Result<Vec<Setting>, ParseError> {
    if depth > MAX_PRESET_DEPTH {
        let allowed = format!("presets that include others at most {MAX_PRESET_DEPTH} deep, and never themselves");
        return Err(ParseError::new(Reason::Limit, "p", name, allowed));
    }
    let Some(source) = sources.get(name) else {
        return Err(no_preset(name, &sources.keys().map(String::as_str).collect::<Vec<_>>()));
    };
    let (mut included, mut own) = (Vec::new(), Vec::new());
    let mut seen = Seen::default();
    for pair in Pairs::new(source, b'&') {
        let Pair { name, value } = pair?;
        let Some(row) = seen.row(&name)? else {
            return Err(ParseError::new(Reason::Unknown, shown(&name), &value, "the parameters in the reference"));
        };
        let parameter = table::parameter(row);
        if parameter.group == Group::Signing {
            let allowed = "any but those of signing";
            return Err(ParseError::new(Reason::Place, parameter.name, &value, allowed));
        }
        if is_preset_name(&name) {
            for name in preset_names(&value)? {
                included.extend(compile_preset(name, sources, depth + 1)?);
            }
        } else {
            own.push(Setting { row, value: value.into() });
        }
    }
    apply_all(&own, &mut Draft::default())?;
    included.extend(own);
    Ok(included)
}

/// The passes from the `number`th on, from the inside of a `then=`. Each value is escaped on its own there, so that a
/// text may hold `;`; a piece that starts with no letter belongs to the value before it, as `redact` needs.
fn later_pass(text: &str, number: usize) -> Result<Option<Box<Transform>>, ParseError> {
    if number > MAX_PASSES {
        let found = format!("{number} passes");
        return Err(ParseError::new(Reason::Limit, "then", &found, format!("at most {MAX_PASSES} passes")));
    }
    let (own, next) = split_next(text);
    let mut draft = Draft::default();
    let mut seen = Seen::default();
    for pair in Pairs::new(own, b';') {
        let Pair { name, value } = pair.map_err(|e| e.inside("then"))?;
        let Some(row) = seen.row(&name).map_err(|e| e.inside("then"))? else {
            // Nothing outside could strip an unknown name in here, as a CDN strips those of a query.
            let allowed = "the parameters in the reference";
            return Err(ParseError::new(Reason::Unknown, shown(&name), &value, allowed).inside("then"));
        };
        let parameter = table::parameter(row);
        if !belongs_to_later_passes(parameter.group) {
            let allowed = "parameters of size, crop, turn, colour, shape and layers in a further pass";
            return Err(ParseError::new(Reason::Place, parameter.name, &value, allowed).inside("then"));
        }
        apply(parameter, &value, &mut draft).map_err(|e| e.inside("then"))?;
    }
    draft.transform.then = match next {
        Some(next) => later_pass(next, number + 1)?,
        None => None,
    };
    draft.finish();
    Ok(Some(Box::new(draft.transform)))
}

const fn belongs_to_later_passes(group: Group) -> bool {
    matches!(group, Group::Size | Group::Crop | Group::Turn | Group::Colour | Group::Shape | Group::Layers)
}

/// Splits off a `then=`, which takes all that follows it.
fn split_next(text: &str) -> (&str, Option<&str>) {
    if let Some(next) = text.strip_prefix("then=") {
        return ("", Some(next));
    }
    match text.split_once(";then=") {
        Some((own, next)) => (own, Some(next)),
        None => (text, None),
    }
}

/// The rows met so far.
#[derive(Default)]
struct Seen(Bits);

impl Seen {
    /// The row of a name, unless it is unknown; an error if it was there before.
    fn row(&mut self, name: &str) -> Result<Option<u8>, ParseError> {
        let Some(row) = table::row(name) else { return Ok(None) };
        let bit: Bits = 1 << row;
        if self.0 & bit != 0 {
            return Err(ParseError::new(Reason::Duplicate, table::parameter(row).name, "", "once at most"));
        }
        self.0 |= bit;
        Ok(Some(row))
    }
}

fn note_unknown(name: &str, unknown: &mut Vec<String>) {
    if unknown.len() < MAX_UNKNOWN {
        // Visible ASCII, so that it can stand in a header.
        let safe = |c: char| if c.is_ascii_graphic() && c != ',' { c } else { '?' };
        unknown.push(name.chars().take(32).map(safe).collect());
    }
}

struct Pair<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

/// The pairs of a query, decoded; empty ones are skipped.
struct Pairs<'a> {
    rest: &'a str,
    separator: u8,
    count: usize,
}

impl<'a> Pairs<'a> {
    fn new(query: &'a str, separator: u8) -> Self {
        Self { rest: query, separator, count: 0 }
    }

    /// The next raw pair that is not empty.
    fn next_raw(&mut self) -> Option<&'a str> {
        while !self.rest.is_empty() {
            let bytes = self.rest.as_bytes();
            let ends = |at: &usize| {
                let continues =
                    self.separator == b';' && bytes.get(at + 1).is_some_and(|b| b.is_ascii_digit() || *b == b'.');
                !continues
            };
            let separators = bytes.iter().enumerate().filter(|(_, b)| **b == self.separator).map(|(at, _)| at);
            let end = { separators }.find(ends).unwrap_or(bytes.len());
            // Both sides of an ASCII byte are whole characters.
            let raw = self.rest.get(..end).unwrap_or_default();
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if !raw.is_empty() {
                return Some(raw);
            }
        }
        None
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<Pair<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let raw = self.next_raw()?;
        self.count += 1;
        if self.count > MAX_PARAMETERS {
            self.rest = "";
            let allowed = format!("at most {MAX_PARAMETERS} parameters");
            return Some(Err(ParseError::new(Reason::Limit, "query", &format!("{} parameters", self.count), allowed)));
        }
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        let decoded = |part: &'a str| {
            decode(part, Plus::Space).map_err(|_| {
                let allowed = "escapes of UTF-8 as `%` and two hexadecimal digits; `%25` for `%`";
                ParseError::new(Reason::Encoding, shown(name), part, allowed)
            })
        };
        Some(decoded(name).and_then(|name| Ok(Pair { name, value: decoded(value)? })))
    }
}
