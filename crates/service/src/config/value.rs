//! The kinds of value a key can have: how each is read, checked, shown and printed.
//!
//! Invariant: nothing is clamped or guessed; a value outside its range is an error that names the range.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use toml::Value;

use super::layer::{Entry, Node};
use super::page::BOOLEAN;
use super::reader::{Declared, Fault, Reader};
use super::units::{DURATION_FORM, SIZE_FORM, format_bytes, format_duration, parse_bytes, parse_duration};

/// A value that is one of a few names, such as `disabled`, `optional`, `required`.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every name with its value; each value once.
    const NAMES: &'static [(&'static str, Self)];
}

/// A text that is never printed: neither by `Debug`, nor in errors, nor in the effective configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret that came from elsewhere than the configuration.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself. The name is long so that it is seen in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Whole numbers that a key can have.
pub trait Number: Copy + Display + PartialOrd + TryFrom<i64> {}
impl<N: Copy + Display + PartialOrd + TryFrom<i64>> Number for N {}

impl Reader<'_> {
    /// `true` or `false`.
    pub fn bool(&mut self, key: &'static str, default: bool, doc: &'static str) -> bool {
        let declared = declare(key, doc, BOOLEAN, &default);
        self.with_default(declared, default, read_bool, bool::to_string)
    }

    /// `true` or `false`, or left out.
    pub fn optional_bool(&mut self, key: &'static str, example: bool, doc: &'static str) -> Option<bool> {
        let declared = declare(key, doc, BOOLEAN, &example);
        self.optional(declared, read_bool, bool::to_string)
    }

    /// A whole number within a range.
    pub fn int<N: Number>(&mut self, key: &'static str, default: N, range: RangeInclusive<N>, doc: &'static str) -> N {
        let declared = declare(key, doc, range_text(&range), &default);
        self.with_default(declared, default, |entry| read_int(entry, &range), N::to_string)
    }

    /// A whole number that may be left out.
    pub fn optional_int<N: Number>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<N>,
        example: N,
        doc: &'static str,
    ) -> Option<N> {
        let declared = declare(key, doc, range_text(&range), &example);
        self.optional(declared, |entry| read_int(entry, &range), N::to_string)
    }

    /// A list of whole numbers, each within a range: `[1, 2]`; in the environment and in `--set` also `1,2`.
    pub fn ints<N: Number>(
        &mut self,
        key: &'static str,
        default: &[N],
        range: RangeInclusive<N>,
        doc: &'static str,
    ) -> Vec<N> {
        let shown = |list: &[N]| format!("[{}]", list.iter().map(N::to_string).collect::<Vec<_>>().join(", "));
        let declared = declare(key, doc, range_text(&range), &shown(default));
        let one = |text: &str| text.trim().parse().ok().and_then(|value: i64| N::try_from(value).ok());
        let read = |entry: &Entry| match (&entry.node, &entry.raw) {
            (Node::List(entries), _) => entries.iter().map(|entry| read_int(entry, &range)).collect(),
            (_, Some(raw)) => {
                let numbers = raw.split(',').map(|text| one(text).filter(|value| range.contains(value)));
                numbers.collect::<Option<Vec<N>>>().ok_or_else(Fault::default)
            }
            _ => Err(Fault { problem: Some("is a list: write it in [ ]".into()), hint: None }),
        };
        self.with_default(declared, default.to_vec(), read, |list| shown(list))
    }

    /// A number within a range; ratios are written as `0.8`.
    pub fn float(&mut self, key: &'static str, default: f64, range: RangeInclusive<f64>, doc: &'static str) -> f64 {
        let declared = declare(key, doc, range_text(&range), &Value::Float(default));
        let read = |entry: &Entry| match entry.node {
            Node::Leaf(Value::Float(value)) if range.contains(&value) => Ok(value),
            #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 the range check still decides as written")]
            Node::Leaf(Value::Integer(value)) if range.contains(&(value as f64)) => Ok(value as f64),
            _ => Err(Fault::default()),
        };
        self.with_default(declared, default, read, |value| Value::Float(*value).to_string())
    }

    /// A time span, such as `"10s"`. The default and the range are written the same way.
    pub fn duration(
        &mut self,
        key: &'static str,
        default: &'static str,
        range: RangeInclusive<&'static str>,
        doc: &'static str,
    ) -> Duration {
        let declared = declare(key, doc, text_range(&range), &quoted(default));
        let read = duration_within(&range);
        self.with_default(declared, declared_duration(default), read, |value| quoted(&format_duration(*value)))
    }

    /// A time span that may be left out.
    pub fn optional_duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<&'static str>,
        example: &'static str,
        doc: &'static str,
    ) -> Option<Duration> {
        let declared = declare(key, doc, text_range(&range), &quoted(example));
        self.optional(declared, duration_within(&range), |value| quoted(&format_duration(*value)))
    }

    /// A size in bytes, such as `"512MiB"` or `1048576`. The default and the range are written the same way.
    pub fn bytes(
        &mut self,
        key: &'static str,
        default: &'static str,
        range: RangeInclusive<&'static str>,
        doc: &'static str,
    ) -> u64 {
        let declared = declare(key, doc, text_range(&range), &quoted(default));
        self.with_default(declared, declared_bytes(default), bytes_within(&range), |value| {
            quoted(&format_bytes(*value))
        })
    }

    /// A size in bytes that may be left out.
    pub fn optional_bytes(
        &mut self,
        key: &'static str,
        range: RangeInclusive<&'static str>,
        example: &'static str,
        doc: &'static str,
    ) -> Option<u64> {
        let declared = declare(key, doc, text_range(&range), &quoted(example));
        self.optional(declared, bytes_within(&range), |value| quoted(&format_bytes(*value)))
    }

    /// One of the names of `E`.
    pub fn choice<E: Choice>(&mut self, key: &'static str, default: E, doc: &'static str) -> E {
        let declared = declare(key, doc, choice_names::<E>(), &choice_text(&default));
        self.with_default(declared, default, read_choice, choice_text)
    }

    /// One of the names of `E`, or left out.
    pub fn optional_choice<E: Choice>(&mut self, key: &'static str, example: E, doc: &'static str) -> Option<E> {
        let declared = declare(key, doc, choice_names::<E>(), &choice_text(&example));
        self.optional(declared, read_choice, choice_text)
    }

    /// Any text.
    pub fn string(&mut self, key: &'static str, default: &'static str, doc: &'static str) -> String {
        self.parsed(key, default, doc)
    }

    /// Any text that may be left out.
    pub fn optional_string(&mut self, key: &'static str, example: &'static str, doc: &'static str) -> Option<String> {
        self.optional_parsed(key, example, doc)
    }

    /// A text that is parsed by its type: an address, a path, a colour. The type's error is shown to the user.
    ///
    /// # Panics
    /// Where the default in the code does not parse.
    pub fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
        default: &'static str,
        doc: &'static str,
    ) -> T {
        let declared = declare(key, doc, "", &quoted(default));
        let fallback = (parse_declared(default), default.to_owned());
        self.with_default(declared, fallback, |entry| read_parsed(entry, default), |(_, text)| quoted(text)).0
    }

    /// As [`parsed`](Self::parsed), but the key has no default and must be there. `example` is shown where it is not.
    pub fn required<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
        example: &'static str,
        doc: &'static str,
    ) -> T {
        let declared = declare(key, doc, "", &quoted(example));
        let read = self.optional(declared.clone(), |entry| read_parsed(entry, example), |(_, text)| quoted(text));
        if read.is_none() && !self.is_set(key) {
            self.missing(&declared);
        }
        read.map_or_else(|| parse_declared(example), |(value, _)| value)
    }

    /// As [`parsed`](Self::parsed), but the key may be left out.
    pub fn optional_parsed<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
        example: &'static str,
        doc: &'static str,
    ) -> Option<T> {
        let declared = declare(key, doc, "", &quoted(example));
        self.optional(declared, |entry| read_parsed(entry, example), |(_, text)| quoted(text)).map(|(value, _)| value)
    }

    /// A list of texts, each parsed by its type: `["a", "b"]`; in the environment and in `--set` also `a,b`.
    ///
    /// # Panics
    /// Where a default in the code does not parse.
    pub fn list<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
        default: &[&'static str],
        doc: &'static str,
    ) -> Vec<T> {
        let shown = |texts: &[String]| Value::Array(texts.iter().cloned().map(Value::String).collect()).to_string();
        let texts: Vec<String> = default.iter().map(|text| (*text).to_owned()).collect();
        let declared = declare(key, doc, "", &shown(&texts));
        let example = declared.example.clone();
        let fallback = (default.iter().map(|text| parse_declared(text)).collect(), texts);
        self.with_default(declared, fallback, |entry| read_list(entry, &example), |(_, texts)| shown(texts)).0
    }

    /// A text that must not be seen, such as a key or a password. Never printed.
    pub fn secret(&mut self, key: &'static str, doc: &'static str) -> Option<Secret> {
        let mut declared = declare(key, doc, "", &"\"…\"");
        declared.secret = true;
        let entry = self.take(key);
        let secret = entry.as_ref().and_then(read_text).map(Secret);
        if let (Some(entry), None) = (&entry, &secret) {
            self.fail(&declared, entry, Fault { problem: Some("is a text in quotes".into()), hint: None });
        }
        self.note(declared, None);
        secret
    }

    fn with_default<V>(
        &mut self,
        declared: Declared,
        default: V,
        read: impl Fn(&Entry) -> Result<V, Fault>,
        show: impl Fn(&V) -> String,
    ) -> V {
        let value = self.read_key(&declared, read).unwrap_or(default);
        self.note(declared, Some(show(&value)));
        value
    }

    fn optional<V>(
        &mut self,
        declared: Declared,
        read: impl Fn(&Entry) -> Result<V, Fault>,
        show: impl Fn(&V) -> String,
    ) -> Option<V> {
        let value = self.read_key(&declared, read);
        self.note(declared, value.as_ref().map(show));
        value
    }

    fn read_key<V>(&mut self, declared: &Declared, read: impl Fn(&Entry) -> Result<V, Fault>) -> Option<V> {
        let entry = self.take(declared.key)?;
        read(&entry).map_err(|fault| self.fail(declared, &entry, fault)).ok()
    }
}

fn declare(key: &'static str, doc: &'static str, allowed: impl Into<String>, example: &dyn Display) -> Declared {
    Declared { key, doc, allowed: allowed.into(), example: example.to_string(), secret: false }
}

fn range_text<N: Display>(range: &RangeInclusive<N>) -> String {
    format!("{} to {}", range.start(), range.end())
}

fn text_range(range: &RangeInclusive<&'static str>) -> String {
    format!("\"{}\" to \"{}\"", range.start(), range.end())
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn parse_declared<T: FromStr<Err: Display>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("the default {text:?} that the code declares does not parse: {error}"))
}

fn declared_duration(text: &str) -> Duration {
    parse_duration(text).expect("a duration that the code declares parses")
}

fn declared_bytes(text: &str) -> u64 {
    parse_bytes(text).expect("a size that the code declares parses")
}

fn read_bool(entry: &Entry) -> Result<bool, Fault> {
    match entry.node {
        Node::Leaf(Value::Boolean(value)) => Ok(value),
        _ => Err(Fault::default()),
    }
}

fn read_int<N: Number>(entry: &Entry, range: &RangeInclusive<N>) -> Result<N, Fault> {
    let Node::Leaf(Value::Integer(value)) = entry.node else {
        let hint = matches!(entry.node, Node::Leaf(Value::String(_))).then(|| "a whole number, without quotes".into());
        return Err(Fault { problem: None, hint });
    };
    N::try_from(value).ok().filter(|value| range.contains(value)).ok_or_else(Fault::default)
}

/// The text of a string; outside TOML files, anything is one.
fn read_text(entry: &Entry) -> Option<String> {
    match (&entry.node, &entry.raw) {
        (Node::Leaf(Value::String(text)), _) | (_, Some(text)) => Some(text.clone()),
        // TOML knows dates without quotes.
        (Node::Leaf(Value::Datetime(moment)), _) => Some(moment.to_string()),
        _ => None,
    }
}

fn read_parsed<T: FromStr<Err: Display>>(entry: &Entry, example: &str) -> Result<(T, String), Fault> {
    let hint = Some(format!("such as {}", quoted(example))).filter(|_| !example.is_empty());
    let Some(text) = read_text(entry) else {
        return Err(Fault { problem: Some("is a text in quotes".into()), hint });
    };
    match text.parse() {
        Ok(value) => Ok((value, text)),
        Err(error) => Err(Fault { problem: Some(error.to_string()), hint }),
    }
}

fn read_list<T: FromStr<Err: Display>>(entry: &Entry, example: &str) -> Result<(Vec<T>, Vec<String>), Fault> {
    let hint = Some(format!("such as {example}")).filter(|_| example != "[]");
    let texts: Vec<String> = match (&entry.node, &entry.raw) {
        (Node::List(entries), _) => match entries.iter().map(read_text).collect() {
            Some(texts) => texts,
            None => return Err(Fault { problem: Some("is a list of texts in quotes".into()), hint }),
        },
        (_, Some(raw)) => raw.split(',').map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect(),
        _ => return Err(Fault { problem: Some("is a list: write it in [ ]".into()), hint }),
    };
    let mut values = Vec::new();
    for text in &texts {
        match text.parse() {
            Ok(value) => values.push(value),
            Err(error) => return Err(Fault { problem: Some(format!("{text:?}: {error}")), hint }),
        }
    }
    Ok((values, texts))
}

fn duration_within(range: &RangeInclusive<&'static str>) -> impl Fn(&Entry) -> Result<Duration, Fault> {
    let range = declared_duration(range.start())..=declared_duration(range.end());
    move |entry| match read_text(entry).as_deref().map(parse_duration) {
        Some(Some(value)) if range.contains(&value) => Ok(value),
        Some(Some(_)) => Err(Fault::default()),
        _ => Err(Fault { problem: None, hint: Some(format!("write {DURATION_FORM}")) }),
    }
}

fn bytes_within(range: &RangeInclusive<&'static str>) -> impl Fn(&Entry) -> Result<u64, Fault> {
    let range = declared_bytes(range.start())..=declared_bytes(range.end());
    move |entry| {
        let value = match &entry.node {
            Node::Leaf(Value::Integer(value)) => u64::try_from(*value).ok(),
            _ => read_text(entry).as_deref().and_then(parse_bytes),
        };
        match value {
            Some(value) if range.contains(&value) => Ok(value),
            Some(_) => Err(Fault::default()),
            None => Err(Fault { problem: None, hint: Some(format!("write {SIZE_FORM}")) }),
        }
    }
}

fn choice_names<E: Choice>() -> String {
    E::NAMES.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(", ")
}

fn choice_text<E: Choice>(value: &E) -> String {
    E::NAMES.iter().find(|(_, named)| named == value).map_or_else(String::new, |(name, _)| quoted(name))
}

fn read_choice<E: Choice>(entry: &Entry) -> Result<E, Fault> {
    let text = read_text(entry).ok_or_else(Fault::default)?;
    let found = E::NAMES.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let near = E::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
        Fault { problem: None, hint: near.map(|(name, _)| format!("did you mean {}?", quoted(name))) }
    })
}
