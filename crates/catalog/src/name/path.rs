//! The published name of an asset inside its tenant, as URLs have it once unescaped.
//!
//! Knows no file system and no bucket. Invariant: nothing that could leave a folder, or that two stores would read
//! differently, is a path.

super::text! {
    /// A published name, such as `cats/tom.jpg`.
    AssetPath, "path",
    "1 to 512 bytes, segments parted by / that are neither empty nor . or .., without control characters and \\",
    sound,
    min_length = 1, max_length = 512,
    pattern = "^(?!\\.{1,2}(/|$))[^/\\\\\\x00-\\x1f\\x7f-\\x9f]+(/(?!\\.{1,2}(/|$))[^/\\\\\\x00-\\x1f\\x7f-\\x9f]+)*$",
    example = "cats/tom.jpg"
}

super::text! {
    /// What paths may begin with: empty, or the beginning of a path, such as `cats/`.
    PathPrefix, "prefix of paths",
    "up to 512 bytes, not beginning with /, no segments that are empty or . or .., without control characters and \\",
    beginning,
    max_length = 512,
    pattern = "^((?!\\.{1,2}/)[^/\\\\\\x00-\\x1f\\x7f-\\x9f]+(/(?!\\.{1,2}/)[^/\\\\\\x00-\\x1f\\x7f-\\x9f]+)*/)?[^/\\\\\\x00-\\x1f\\x7f-\\x9f]*$",
    example = "cats/"
}

/// In bytes. With the tenant it fits into keys of S3 (1024) and of DynamoDB's indexes (1024).
const MOST: usize = 512;

fn sound(text: &str) -> bool {
    let segment = |part: &str| !matches!(part, "" | "." | "..");
    text.len() <= MOST && text.split('/').all(segment) && !text.contains(odd)
}

fn beginning(text: &str) -> bool {
    // The last segment may be the beginning of one: `..` may become `..a`.
    let (whole, _) = text.rsplit_once('/').unwrap_or(("a", text));
    text.len() <= MOST && sound(whole) && !text.contains(odd)
}

fn odd(c: char) -> bool {
    c.is_control() || c == '\\'
}

impl AssetPath {
    /// The last segment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl PathPrefix {
    /// Whether a path begins so.
    #[must_use]
    pub fn covers(&self, path: &AssetPath) -> bool {
        path.0.starts_with(&self.0)
    }

    /// What sorts behind every path that begins so, byte by byte; `None`: nothing does.
    #[must_use]
    pub fn end(&self) -> Option<String> {
        // The last character that has one behind it is raised, and what follows is cut off.
        let mut text = self.0.clone();
        while let Some(last) = text.pop() {
            let mut behind = u32::from(last)..=u32::from(char::MAX);
            behind.next();
            if let Some(above) = behind.find_map(char::from_u32) {
                text.push(above);
                return Some(text);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_that_cannot_leave() {
        for text in ["a", "cats/tom.jpg", "ä/ö.png", "a b/c", "...", "a/.b", &"x".repeat(512)] {
            assert_eq!(text.parse::<AssetPath>().unwrap().as_str(), text);
        }
        for text in ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\0", "a\nb", "a\\b", &"x".repeat(513)]
        {
            assert!(text.parse::<AssetPath>().is_err(), "{text:?}");
        }
        assert_eq!("cats/tom.jpg".parse::<AssetPath>().unwrap().name(), "tom.jpg");
    }

    #[test]
    fn prefixes() {
        for text in ["", "c", "cats/", "cats/t", ".", "..", "a/.."] {
            assert!(text.parse::<PathPrefix>().is_ok(), "{text:?}");
        }
        for text in ["/", "/a", "a//", "../a", "a/./", "a\n"] {
            assert!(text.parse::<PathPrefix>().is_err(), "{text:?}");
        }
        assert_eq!("".parse::<PathPrefix>().unwrap().end(), None);
        assert_eq!("cats/".parse::<PathPrefix>().unwrap().end().as_deref(), Some("cats0"));
    }

    proptest! {
        #[test]
        fn the_end_of_a_prefix_parts_what_begins_so(prefix in "[a-c\u{d7ff}\u{10ffff}]{0,3}", path in "[a-d\u{d7ff}\u{10ffff}]{1,5}") {
            let (prefix, path): (PathPrefix, AssetPath) = (prefix.parse().unwrap(), path.parse().unwrap());
            let below = prefix.end().is_none_or(|end| path.as_str() < end.as_str());
            prop_assert_eq!(prefix.covers(&path), path.as_str() >= prefix.as_str() && below);
        }
    }
}
