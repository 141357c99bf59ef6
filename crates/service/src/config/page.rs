//! What a section declared, and the commented TOML that is printed from it.
//!
//! Knows nothing of where values come from. Invariant: what is printed reads back to the same values; a key without a
//! value, and a secret, are printed as comments.

use std::fmt::Write as _;

const WIDTH: usize = 110;

/// What a boolean allows: goes without saying in a file, but not in an error.
pub(super) const BOOLEAN: &str = "true or false";

/// One section, in the order of its declarations.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) doc: &'static str,
    pub(super) items: Vec<Item>,
}

#[derive(Debug)]
pub(super) enum Item {
    Key(Key),
    /// A table; `absent` where it is optional and not there, so that its page only shows what could be.
    Section {
        key: &'static str,
        page: Page,
        absent: bool,
    },
    /// An array of tables; `absent` as above, with one page that shows an entry.
    Tables {
        key: &'static str,
        pages: Vec<Page>,
        absent: bool,
    },
    /// A table whose keys the user names.
    Map {
        key: &'static str,
        doc: &'static str,
        entries: Vec<(String, String)>,
        example: &'static str,
    },
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) key: &'static str,
    pub(super) doc: &'static str,
    pub(super) allowed: String,
    /// The value as TOML; `None` where the key is optional and absent, or secret.
    pub(super) value: Option<String>,
    /// What a value may look like, as TOML, for keys without one.
    pub(super) example: String,
}

impl Page {
    pub(super) fn render(&self) -> String {
        let mut out = String::new();
        comment(&mut out, self.doc);
        if self.items.iter().any(|item| matches!(item, Item::Key(_))) {
            out.push('\n');
        }
        self.body(&mut out, "", false);
        out
    }

    fn body(&self, out: &mut String, path: &str, absent: bool) {
        for item in &self.items {
            if let Item::Key(key) = item {
                key.line(out, absent);
            }
        }
        for item in &self.items {
            match item {
                Item::Key(_) => {}
                Item::Section { key, page, absent: inner } => {
                    page.table(out, &join(path, key), ("[", "]"), absent || *inner);
                }
                Item::Tables { key, pages, absent: inner } => {
                    for page in pages {
                        page.table(out, &join(path, key), ("[[", "]]"), absent || *inner);
                    }
                }
                Item::Map { key, doc, entries, example } => {
                    out.push('\n');
                    comment(out, doc);
                    let hash = if absent { "# " } else { "" };
                    let _ = writeln!(out, "{hash}[{}]", join(path, key));
                    if entries.is_empty() {
                        let _ = writeln!(out, "# {example}");
                    }
                    for (key, value) in entries {
                        let _ = writeln!(out, "{} = {value}", quoted_key(key));
                    }
                }
            }
        }
    }

    fn table(&self, out: &mut String, path: &str, (open, close): (&str, &str), absent: bool) {
        let has_keys = self.items.iter().any(|item| matches!(item, Item::Key(_)));
        if has_keys || open == "[[" || absent || self.items.is_empty() {
            out.push('\n');
            comment(out, self.doc);
            let hash = if absent { "# " } else { "" };
            let _ = writeln!(out, "{hash}{open}{path}{close}");
        }
        self.body(out, path, absent);
    }
}

impl Key {
    fn line(&self, out: &mut String, absent: bool) {
        let doc = match self.allowed.as_str() {
            "" | BOOLEAN => self.doc.to_owned(),
            allowed => format!("{} ({allowed})", self.doc.trim_end_matches('.')),
        };
        comment(out, &doc);
        let _ = match &self.value {
            Some(value) if !absent => writeln!(out, "{} = {value}", self.key),
            Some(value) => writeln!(out, "# {} = {value}", self.key),
            None => writeln!(out, "# {} = {}", self.key, self.example),
        };
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn quoted_key(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { key.to_owned() } else { toml::Value::String(key.to_owned()).to_string() }
}

/// Writes a text as comment lines, broken at words.
fn comment(out: &mut String, text: &str) {
    for paragraph in text.lines() {
        let mut column = 0;
        for word in paragraph.split_whitespace() {
            let length = word.chars().count() + 1;
            if column == 0 || column + length > WIDTH {
                out.push_str(if column == 0 { "#" } else { "\n#" });
                column = 1;
            }
            out.push(' ');
            out.push_str(word);
            column += length;
        }
        out.push_str(if column == 0 { "#\n" } else { "\n" });
    }
}
