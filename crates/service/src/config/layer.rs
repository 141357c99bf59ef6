//! The layers of a configuration as one tree: file, then environment, then command line, each value with its place.
//!
//! Knows no keys: what a value means, and whether its key exists, is the reader's affair.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Value;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Source};

/// What environment variables of the configuration begin with; two underscores part the tables.
pub const ENVIRONMENT_PREFIX: &str = "TINTYPE__";

pub(super) type Table = BTreeMap<String, Entry>;

/// A value, with the place where it was written.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) node: Node,
    pub(super) source: Source,
    /// The text as given, for values that were not written in TOML (environment, command line).
    pub(super) raw: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Leaf(Value),
    List(Vec<Entry>),
    Table(Table),
}

impl Entry {
    /// The value as TOML; for texts that people read.
    pub(super) fn shown(&self) -> String {
        self.raw.clone().unwrap_or_else(|| self.to_toml().to_string())
    }

    fn to_toml(&self) -> Value {
        match &self.node {
            Node::Leaf(value) => value.clone(),
            Node::List(list) => Value::Array(list.iter().map(Entry::to_toml).collect()),
            Node::Table(table) => {
                Value::Table(table.iter().map(|(key, entry)| (key.clone(), entry.to_toml())).collect())
            }
        }
    }
}

/// Parses TOML text; every syntax error is reported, and what could be read is returned beside them.
pub(super) fn parse_toml(text: &str, place: &dyn Fn(usize) -> Source) -> (Table, Vec<ConfigError>) {
    let (table, faults) = DeTable::parse_recoverable(text);
    let errors = faults
        .iter()
        .map(|fault| {
            let start = fault.span().map_or(0, |span| span.start);
            ConfigError::new("", place(line_of(text, start))).problem(fault.message())
        })
        .collect();
    (convert_table(table.get_ref(), text, place), errors)
}

/// Parses the configuration file.
pub(super) fn parse_file(path: &Path, text: &str) -> (Table, Vec<ConfigError>) {
    parse_toml(text, &|line| Source::File { path: path.to_owned(), line })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn convert_table(table: &DeTable<'_>, text: &str, place: &dyn Fn(usize) -> Source) -> Table {
    table
        .iter()
        .map(|(key, value)| {
            // The key's line: for a table that is its header, for a value the line a person looks for.
            let source = place(line_of(text, key.span().start));
            (key.get_ref().to_string(), convert(value.get_ref(), source, text, place))
        })
        .collect()
}

fn convert(value: &DeValue<'_>, source: Source, text: &str, place: &dyn Fn(usize) -> Source) -> Entry {
    let node = match value {
        DeValue::String(value) => Node::Leaf(Value::String(value.to_string())),
        DeValue::Integer(value) => Node::Leaf(match i64::from_str_radix(value.as_str(), value.radix()) {
            Ok(number) => Value::Integer(number),
            // Beyond 64 bits: kept as text, so that the reader can show it in its range error.
            Err(_) => Value::String(value.to_string()),
        }),
        DeValue::Float(value) => Node::Leaf(match value.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => Value::String(value.to_string()),
        }),
        DeValue::Boolean(value) => Node::Leaf(Value::Boolean(*value)),
        DeValue::Datetime(value) => Node::Leaf(Value::Datetime(*value)),
        DeValue::Array(list) => Node::List(
            list.iter()
                .map(|item| {
                    let source = place(line_of(text, item.span().start));
                    convert(item.get_ref(), source, text, place)
                })
                .collect(),
        ),
        DeValue::Table(table) => Node::Table(convert_table(table, text, place)),
    };
    Entry { node, source, raw: None }
}

/// Lays one `dotted.key`, with a value as text, over the tree.
pub(super) fn overlay(table: &mut Table, path: &[String], text: &str, source: &Source) -> Result<(), Box<ConfigError>> {
    put(table, path, parse_value(text, source), &[])
}

/// A value of the environment or the command line: TOML where it parses as that, else the text itself.
fn parse_value(text: &str, source: &Source) -> Entry {
    let node = match DeValue::parse(text) {
        Ok(value) => convert(value.get_ref(), source.clone(), text, &|_| source.clone()).node,
        Err(_) => Node::Leaf(Value::String(text.to_owned())),
    };
    Entry { node, source: source.clone(), raw: Some(text.to_owned()) }
}

fn put(table: &mut Table, path: &[String], entry: Entry, parents: &[String]) -> Result<(), Box<ConfigError>> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    let here: Vec<String> = parents.iter().chain([first]).cloned().collect();
    let source = entry.source.clone();
    if rest.is_empty() {
        match table.get_mut(first) {
            Some(under) => merge(under, entry),
            None => {
                table.insert(first.clone(), entry);
            }
        }
        return Ok(());
    }
    let empty = || Entry { node: Node::Table(Table::new()), source: source.clone(), raw: None };
    let child = table.entry(first.clone()).or_insert_with(empty);
    match &mut child.node {
        Node::Table(inner) => put(inner, rest, entry, &here),
        Node::List(list) => put_in_list(list, rest, entry, &here),
        Node::Leaf(_) => Err(not_a_table(&here, &source)),
    }
}

fn put_in_list(
    list: &mut Vec<Entry>,
    path: &[String],
    entry: Entry,
    parents: &[String],
) -> Result<(), Box<ConfigError>> {
    let source = entry.source.clone();
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    let here: Vec<String> = parents.iter().chain([first]).cloned().collect();
    let length = list.len();
    let index = match first.parse::<usize>() {
        Ok(index) if index <= length => index,
        _ => {
            return Err(no_such_entry(here.join("."), source, length));
        }
    };
    if index == length {
        list.push(Entry { node: Node::Table(Table::new()), source: source.clone(), raw: None });
    }
    let Some(child) = list.get_mut(index) else { return Ok(()) };
    match (rest.is_empty(), &mut child.node) {
        (true, _) => {
            *child = entry;
            Ok(())
        }
        (false, Node::Table(inner)) => put(inner, rest, entry, &here),
        (false, _) => Err(not_a_table(&here, &source)),
    }
}

fn not_a_table(here: &[String], source: &Source) -> Box<ConfigError> {
    let error = ConfigError::new(here.join("."), source.clone());
    Box::new(error.problem("is a single value: nothing can be set below it"))
}

/// Splits `server.listen` of a `--set`, or `SERVER__LISTEN` of the environment; `None` where a part is empty.
pub(super) fn split_key(key: &str, separator: &str) -> Option<Vec<String>> {
    let parts: Vec<String> = key.split(separator).map(str::to_owned).collect();
    parts.iter().all(|part| !part.is_empty()).then_some(parts)
}

/// Lays a table of numbered entries (`origins.0.root` without a list below it) over a list of tables.
pub(super) fn merge_into_list(list: &mut Vec<Entry>, over: Table, path: &str) -> Vec<ConfigError> {
    let mut numbered: Vec<(usize, Entry)> =
        over.into_iter().filter_map(|(key, entry)| Some((key.parse().ok()?, entry))).collect();
    numbered.sort_by_key(|(index, _)| *index);
    let mut errors = Vec::new();
    for (index, entry) in numbered {
        let length = list.len();
        match list.get_mut(index) {
            Some(under) => merge(under, entry),
            None if index == length => list.push(entry),
            None => errors.push(*no_such_entry(format!("{path}.{index}"), entry.source, length)),
        }
    }
    errors
}

fn merge(under: &mut Entry, over: Entry) {
    match (&mut under.node, over.node) {
        (Node::Table(under), Node::Table(over)) => {
            for (key, entry) in over {
                match under.get_mut(&key) {
                    Some(existing) => merge(existing, entry),
                    None => {
                        under.insert(key, entry);
                    }
                }
            }
        }
        (_, node) => *under = Entry { node, source: over.source, raw: over.raw },
    }
}

fn no_such_entry(key: String, source: Source, length: usize) -> Box<ConfigError> {
    let error = ConfigError::new(key, source).problem("no such entry in the list");
    Box::new(error.allowed(format!("0 to {length}, where {length} adds one")))
}
