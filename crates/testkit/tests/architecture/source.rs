//! Rust files as lists of path mentions (`crate::cache::Tier`, `StatusCode`), taken from tokens: comments and strings do
//! not count, arguments of macros do. Items under `#[cfg(test)]` are left out: tests may compose what they like.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::fs;
use std::path::{Path, PathBuf};

/// One file of the workspace.
pub(crate) struct Source {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A path as written, made absolute where it starts with `crate`, `self` or `super`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) path: String,
    pub(crate) line: usize,
}

/// Every `.rs` file below the folders that hold Rust code.
pub(crate) fn all(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["src", "crates", "benches", "tests", "examples", "fuzz"] {
        walk(&root.join(folder), &mut found);
    }
    found.sort();
    let relative = |file: &Path| file.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
    let read = |file: PathBuf| Source {
        path: relative(&file),
        text: fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display())),
    };
    found.into_iter().map(read).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

impl Source {
    /// The paths that the file names, keywords and method calls (as `.name`) among them.
    ///
    /// # Errors
    /// When the text is not Rust.
    pub(crate) fn mentions(&self) -> Result<Vec<Mention>, String> {
        let tokens: TokenStream = self.text.parse().map_err(|e| format!("{}: {e}", self.path))?;
        let mut out = Vec::new();
        scan(tokens, &module_of(&self.path), &mut out);
        Ok(out)
    }
}

/// `src/origin/file.rs` → `[origin, file]`; `src/lib.rs` → `[]`.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.split_once("src/").map_or(path, |(_, rest)| rest).trim_end_matches(".rs");
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

fn scan(tokens: TokenStream, module: &[String], out: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if is_test_attribute(&tokens, at) {
            at = after_item(&tokens, at + 2);
            continue;
        }
        match &tokens[at] {
            TokenTree::Ident(name) if name == "mod" => {
                let inner =
                    module.iter().cloned().chain(tokens.get(at + 1).map(ToString::to_string)).collect::<Vec<_>>();
                if let Some(TokenTree::Group(body)) = tokens.get(at + 2) {
                    scan(body.stream(), &inner, out);
                    at += 3;
                } else {
                    at += 2;
                }
            }
            TokenTree::Ident(_) => at = path_at(&tokens, at, &[], module, out),
            TokenTree::Punct(dot) if dot.as_char() == '.' => {
                if let Some(TokenTree::Ident(method)) = tokens.get(at + 1) {
                    out.push(Mention { path: format!(".{method}"), line: method.span().start().line });
                    at += 1;
                }
                at += 1;
            }
            TokenTree::Group(group) => {
                scan(group.stream(), module, out);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Reads `a::b::{c, d::*}` from `at`, notes each whole path, and returns the index behind it.
fn path_at(tokens: &[TokenTree], at: usize, prefix: &[String], module: &[String], out: &mut Vec<Mention>) -> usize {
    let line = tokens[at].span().start().line;
    let mut path = prefix.to_vec();
    path.push(tokens[at].to_string());
    let mut next = at + 1;
    while is_colon(tokens.get(next)) && is_colon(tokens.get(next + 1)) {
        match tokens.get(next + 2) {
            Some(TokenTree::Ident(name)) => path.push(name.to_string()),
            Some(TokenTree::Group(list)) if list.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = list.stream().into_iter().collect();
                let mut i = 0;
                while i < inner.len() {
                    i = if matches!(inner[i], TokenTree::Ident(_)) {
                        path_at(&inner, i, &path, module, out)
                    } else {
                        i + 1
                    };
                }
                return next + 3;
            }
            _ => break,
        }
        next += 3;
    }
    out.push(Mention { path: absolute(&path, module), line });
    next
}

fn absolute(path: &[String], module: &[String]) -> String {
    let mut base = module.to_vec();
    let mut rest = path;
    match path.first().map(String::as_str) {
        Some("self" | "super") => {
            while let Some(first) = rest.first().filter(|p| *p == "self" || *p == "super") {
                if first == "super" {
                    base.pop();
                }
                rest = &rest[1..];
            }
            base.insert(0, "crate".to_owned());
        }
        Some("tintype") => {
            base = vec!["crate".to_owned()];
            rest = &rest[1..];
        }
        _ => base.clear(),
    }
    base.into_iter().chain(rest.iter().cloned()).collect::<Vec<_>>().join("::")
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == ':')
}

/// `#[cfg(test)]`, also inside `all(…)` and `any(…)`, but not `not(test)`.
fn is_test_attribute(tokens: &[TokenTree], at: usize) -> bool {
    let (Some(TokenTree::Punct(hash)), Some(TokenTree::Group(group))) = (tokens.get(at), tokens.get(at + 1)) else {
        return false;
    };
    let text = group.stream().to_string().replace(char::is_whitespace, "");
    let words = || text.split(|c: char| !c.is_alphanumeric() && c != '_');
    hash.as_char() == '#' && text.starts_with("cfg(") && words().any(|w| w == "test") && words().all(|w| w != "not")
}

/// The index behind the item that starts at `at`: its body in braces, or its semicolon.
fn after_item(tokens: &[TokenTree], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => break,
            TokenTree::Punct(end) if end.as_char() == ';' => break,
            _ => {}
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{Source, is_test_attribute};
    use proc_macro2::{TokenStream, TokenTree};

    fn paths(path: &str, text: &str) -> Vec<String> {
        let source = Source { path: path.to_owned(), text: text.to_owned() };
        source.mentions().expect("valid Rust").into_iter().map(|m| m.path).collect()
    }

    #[test]
    fn a_path_is_found_in_uses_expressions_and_macros() {
        let text =
            "use crate::{cache::{Tier, memory::*}, origin}; fn f() { log!(a = http::StatusCode::OK); x.elapsed() }";
        let found = paths("src/handler.rs", text);
        for wanted in ["crate::cache::Tier", "crate::origin", "http::StatusCode::OK", ".elapsed"] {
            assert!(found.iter().any(|p| p == wanted), "{wanted} in {found:?}");
        }
        assert!(found.iter().any(|p| p == "crate::cache::memory"), "a glob counts as its module: {found:?}");
    }

    #[test]
    fn relative_paths_become_absolute() {
        assert_eq!(paths("src/cache/memory.rs", "super::super::origin::File"), ["crate::origin::File"]);
        assert_eq!(paths("src/cache/mod.rs", "super::origin::File"), ["crate::origin::File"]);
        assert_eq!(paths("src/cache/memory.rs", "mod a { super::super::super::origin::X }"), ["crate::origin::X"]);
        assert_eq!(paths("src/cli/url.rs", "tintype::cache::X"), ["crate::cache::X"]);
    }

    #[test]
    fn comments_strings_and_tests_do_not_count() {
        let text = "// crate::cache\n/// crate::cache\nconst A: &str = \"crate::cache\";\n#[cfg(test)]\nmod tests { use crate::cache; }\n\
                    #[cfg(test)]\nuse crate::cache::X;\nfn after() {}";
        let found = paths("src/origin/file.rs", text);
        assert!(found.iter().all(|p| !p.contains("cache")), "{found:?}");
        assert!(found.iter().any(|p| p == "after"), "the code behind the tests is read again: {found:?}");
    }

    #[test]
    fn code_that_is_not_for_tests_only_counts() {
        let tokens: Vec<TokenTree> = "#[cfg(not(test))]".parse::<TokenStream>().expect("tokens").into_iter().collect();
        assert!(!is_test_attribute(&tokens, 0));
    }
}
