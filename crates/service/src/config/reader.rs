//! Reads the tree of layers into typed sections, and notes every declaration on the way.
//!
//! One call per key gives its value, its checks, its error texts and its line in the printed configuration, so that
//! these cannot disagree. Invariant: reading never stops at a fault; each fault is noted, and a stand-in is returned.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::error::{ConfigError, Source};
use super::layer::{Entry, Node, Table, merge_into_list, parse_toml};
use super::page::{Item, Key, Page};

/// A part of a configuration: one TOML table, declared by reading it.
pub trait Section: Sized {
    /// What the section is for: the comment above its header.
    const DOC: &'static str;

    /// Declares and reads every key. Called also without any file, to print the defaults.
    fn read(reader: &mut Reader<'_>) -> Self;
}

/// Reads one table. See the [module](super) for how it is used.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(super) notes: &'a mut Notes,
    path: String,
    table: Table,
    page: Page,
    errors_before: usize,
}

/// What is gathered over all sections.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) errors: Vec<ConfigError>,
    declared: BTreeSet<String>,
    seen: BTreeMap<String, Source>,
    unknown: Vec<usize>,
}

/// What one key declares of itself.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) key: &'static str,
    pub(super) doc: &'static str,
    pub(super) allowed: String,
    pub(super) example: String,
    pub(super) secret: bool,
}

/// What is wrong with a value, beyond its being outside what is allowed.
#[derive(Debug, Default)]
pub(super) struct Fault {
    pub(super) problem: Option<String>,
    pub(super) hint: Option<String>,
}

/// Reads a whole tree as `T`.
pub(super) fn read_root<T: Section>(table: Table, notes: &mut Notes) -> (T, Page) {
    read_section(table, String::new(), notes)
}

fn read_section<S: Section>(table: Table, path: String, notes: &mut Notes) -> (S, Page) {
    let errors_before = notes.errors.len();
    let page = Page { doc: S::DOC, items: Vec::new() };
    let mut reader = Reader { notes, path, table, page, errors_before };
    let section = S::read(&mut reader);
    (section, reader.finish())
}

impl Reader<'_> {
    /// A table below this one.
    pub fn section<S: Section>(&mut self, key: &'static str) -> S {
        let table = self.take_table(key).unwrap_or_default();
        let (section, page) = read_section(table, self.dotted(key), self.notes);
        self.page.items.push(Item::Section { key, page, absent: false });
        section
    }

    /// A table that may be left out; `None` then.
    pub fn optional_section<S: Section>(&mut self, key: &'static str) -> Option<S> {
        let (section, page) = match self.take_table(key) {
            Some(table) => {
                let (section, page) = read_section(table, self.dotted(key), self.notes);
                (Some(section), page)
            }
            None => (None, describe::<S>(self.dotted(key))),
        };
        self.page.items.push(Item::Section { key, page, absent: section.is_none() });
        section
    }

    /// An array of tables, such as `[[origins]]`. `defaults` are tables as TOML text, used where the key is absent.
    /// The first table that a layer names replaces all of them; `--set origins.0.root=x` changes one in place.
    pub fn tables<S: Section>(&mut self, key: &'static str, defaults: &[&str]) -> Vec<S> {
        let here = self.dotted(key);
        self.notes.declared.insert(here.clone());
        let mut list: Vec<Entry> = defaults
            .iter()
            .map(|text| {
                let (table, faults) = parse_toml(text, &|_| Source::Default);
                self.notes.errors.extend(faults);
                Entry { node: Node::Table(table), source: Source::Default, raw: None }
            })
            .collect();
        if let Some(entry) = self.take(key) {
            match entry.node {
                Node::List(entries) => list = entries,
                Node::Table(over) if !over.is_empty() && over.keys().all(|key| key.parse::<usize>().is_ok()) => {
                    let faults = merge_into_list(&mut list, over, &here);
                    self.notes.errors.extend(faults);
                }
                _ => self.notes.errors.push(
                    ConfigError::new(&here, entry.source)
                        .problem("is a list of tables")
                        .hint(format!("write [[{here}]]")),
                ),
            }
        }
        let mut pages = Vec::new();
        let mut sections = Vec::new();
        for (index, entry) in list.into_iter().enumerate() {
            let path = format!("{here}.{index}");
            self.notes.seen.insert(path.clone(), entry.source.clone());
            if let Node::Table(table) = entry.node {
                let (section, page) = read_section(table, path, self.notes);
                sections.push(section);
                pages.push(page);
            } else {
                let error = ConfigError::new(path, entry.source.clone()).value(entry.shown());
                self.notes.errors.push(error.problem("is a table").hint(format!("write [[{here}]]")));
            }
        }
        let absent = pages.is_empty();
        if absent {
            pages.push(describe::<S>(here));
        }
        self.page.items.push(Item::Tables { key, pages, absent });
        sections
    }

    /// A table whose keys the user names, with texts as values; such as presets. `example` is a line of TOML.
    pub fn map(&mut self, key: &'static str, example: &'static str, doc: &'static str) -> BTreeMap<String, String> {
        let mut map = BTreeMap::new();
        for (name, entry) in self.take_table(key).unwrap_or_default() {
            let path = format!("{}.{name}", self.dotted(key));
            self.notes.seen.insert(path.clone(), entry.source.clone());
            match (&entry.node, &entry.raw) {
                (Node::Leaf(toml::Value::String(text)), _) | (_, Some(text)) => {
                    map.insert(name, text.clone());
                }
                _ => self.notes.errors.push(
                    ConfigError::new(path, entry.source.clone())
                        .value(entry.shown())
                        .allowed("a text in quotes")
                        .hint(format!("such as: {example}")),
                ),
            }
        }
        let entries = map.iter().map(|(name, text)| (name.clone(), toml::Value::String(text.clone()).to_string()));
        self.page.items.push(Item::Map { key, doc, entries: entries.collect(), example });
        map
    }

    /// Notes a fault that needs more than one key to see. `key` is relative to this section, and may be dotted.
    pub fn reject(&mut self, key: &str, value: impl Display, allowed: impl Into<String>, hint: impl Into<String>) {
        let here = self.dotted(key);
        let source = self.notes.seen.get(&here).cloned().unwrap_or(Source::Default);
        let error = ConfigError::new(here, source).value(value.to_string()).allowed(allowed);
        let hint = hint.into();
        self.notes.errors.push(if hint.is_empty() { error } else { error.hint(hint) });
    }

    /// Whether the key is written in any layer, rather than left to its default. Ask after reading it.
    pub fn is_set(&self, key: &str) -> bool {
        self.notes.seen.get(&self.dotted(key)).is_some_and(|source| *source != Source::Default)
    }

    /// Whether this section has no fault so far: what a check across keys may rely on.
    pub fn is_sound(&self) -> bool {
        self.notes.errors.len() == self.errors_before
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Entry> {
        let here = self.dotted(key);
        self.notes.declared.insert(here.clone());
        let entry = self.table.remove(key)?;
        self.notes.seen.insert(here, entry.source.clone());
        Some(entry)
    }

    fn take_table(&mut self, key: &'static str) -> Option<Table> {
        let entry = self.take(key)?;
        if let Node::Table(table) = entry.node {
            return Some(table);
        }
        let here = self.dotted(key);
        let error = ConfigError::new(&here, entry.source.clone()).value(entry.shown());
        self.notes.errors.push(error.problem("is a table").hint(format!("write [{here}]")));
        None
    }

    pub(super) fn note(&mut self, declared: Declared, value: Option<String>) {
        let Declared { key, doc, allowed, example, .. } = declared;
        self.page.items.push(Item::Key(Key { key, doc, allowed, value, example }));
    }

    pub(super) fn fail(&mut self, declared: &Declared, entry: &Entry, fault: Fault) {
        let mut error = ConfigError::new(self.dotted(declared.key), entry.source.clone());
        error.value = Some(if declared.secret { "[redacted]".into() } else { entry.shown() });
        error.problem = fault.problem;
        error.hint = fault.hint;
        if !declared.allowed.is_empty() {
            error = error.allowed(&declared.allowed);
        }
        self.notes.errors.push(error);
    }

    pub(super) fn missing(&mut self, declared: &Declared) {
        // The nearest place that is known: the table in which the key should stand.
        let source = self.notes.seen.get(&self.path).cloned().unwrap_or(Source::Default);
        let error = ConfigError::new(self.dotted(declared.key), source).problem("is missing, and has no default");
        self.notes.errors.push(error.hint(format!("such as: {} = {}", declared.key, declared.example)));
    }

    fn dotted(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn finish(self) -> Page {
        for (key, entry) in &self.table {
            // The value is left out: a misspelt key may well hold a secret.
            let error = ConfigError::new(self.dotted(key), entry.source.clone()).problem("unknown key");
            self.notes.unknown.push(self.notes.errors.len());
            self.notes.errors.push(error);
        }
        self.page
    }
}

/// The page of a section that is not there.
fn describe<S: Section>(path: String) -> Page {
    // Its faults are those of an empty table, which nobody wrote.
    read_section::<S>(Table::new(), path, &mut Notes::default()).1
}

impl Notes {
    /// Adds "did you mean" to unknown keys; possible only when every declaration is known.
    pub(super) fn suggest(&mut self) {
        for index in &self.unknown {
            let Some(error) = self.errors.get_mut(*index) else { continue };
            if let Some(near) = nearest(&error.key, &self.declared) {
                error.hint = Some(format!("did you mean `{near}`?"));
            }
        }
    }
}

/// The declared key that was probably meant: a near name in the same table, else the same name in another one.
fn nearest<'n>(key: &str, declared: &'n BTreeSet<String>) -> Option<&'n str> {
    let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
    let split = |path: &'n String| path.rsplit_once('.').unwrap_or(("", path));
    let siblings = declared.iter().filter(|path| split(path).0 == parent);
    let near = siblings
        .map(|path| (distance(name, split(path).1), path))
        .filter(|(distance, _)| *distance <= (name.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance);
    near.map(|(_, path)| path).or_else(|| declared.iter().find(|path| split(path).1 == name)).map(String::as_str)
}

/// Damerau-Levenshtein distance (adjacent swaps count once), of the first 64 characters.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().take(64).collect();
    let right: Vec<char> = right.chars().take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let mut best = (above[column] + usize::from(a != b)).min(above[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(0)
}
