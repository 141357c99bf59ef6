//! What an entry can be purged by: its original, its work (original and transform), its tags, the beginning of its path.
//!
//! Owns the digests under which purges are known. Does not know which purges there were. Invariant: equal things have
//! equal scopes on every instance and in every release; tags are told apart without regard to case, as CDNs do.

/// Longest path that is kept with an entry, in bytes; of a longer one the beginning, which is all that prefixes need.
pub const MAX_PATH: usize = 4096;

/// Something that can be purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    kind: u8,
    /// Of a prefix: its bytes.
    length: u16,
    digest: [u8; 16],
}

const ALL: u8 = 0;
const SOURCE: u8 = 1;
const WORK: u8 = 2;
const TAG: u8 = 3;
const PREFIX: u8 = 4;

impl Scope {
    /// Bytes of a scope as it is sent.
    pub const BYTES: usize = 19;

    /// Everything.
    pub const ALL: Self = Self { kind: ALL, length: 0, digest: [0; 16] };

    /// All that is made of one original. `origin` is the name that cache keys have.
    pub fn source(origin: &str, path: &str) -> Self {
        Self { kind: SOURCE, length: 0, digest: digest(SOURCE, &[origin, path]) }
    }

    /// One transform of it, in all formats.
    pub fn work(origin: &str, path: &str, transform: &str) -> Self {
        Self { kind: WORK, length: 0, digest: digest(WORK, &[origin, path, transform]) }
    }

    /// All that bears the tag.
    pub fn tag(tag: &str) -> Self {
        Self { kind: TAG, length: 0, digest: digest(TAG, &[&tag.to_ascii_lowercase()]) }
    }

    /// All of an origin whose path begins so. Longer than [`MAX_PATH`]: what it is cut to.
    pub fn prefix(origin: &str, prefix: &str) -> Self {
        let prefix = cut(prefix);
        Self { kind: PREFIX, length: prefix.len() as u16, digest: digest(PREFIX, &[origin, prefix]) }
    }

    /// Whether it is [`Self::ALL`].
    pub const fn is_all(self) -> bool {
        self.kind == ALL
    }

    /// Bytes of the prefix that it is, if it is one.
    pub const fn prefix_length(self) -> Option<u16> {
        if self.kind == PREFIX { Some(self.length) } else { None }
    }

    /// As it is sent.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [self.kind; Self::BYTES];
        bytes[1..3].copy_from_slice(&self.length.to_le_bytes());
        bytes[3..].copy_from_slice(&self.digest);
        bytes
    }

    /// As it was sent. `None` for what this release does not know.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, digest) = bytes.split_at_checked(3)?;
        let known =
            Self { kind: head[0], length: u16::from_le_bytes([head[1], head[2]]), digest: digest.try_into().ok()? };
        (known.kind <= PREFIX && (known.kind == PREFIX || known.length == 0)).then_some(known)
    }
}

/// Length-prefixed, so that no two lists of texts run into each other.
fn digest(kind: u8, parts: &[&str]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"tintype scope 1").update(&[kind]);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    short
}

fn cut(path: &str) -> &str {
    &path[..path.floor_char_boundary(MAX_PATH)]
}

/// What one entry can be purged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    origin: Box<str>,
    path: Box<str>,
    tags: Box<[Box<str>]>,
    work: Option<Scope>,
    /// All but prefixes: those are many, and only asked for where such a purge was.
    scopes: Box<[Scope]>,
}

impl Label {
    /// Of a rendition: its original, its canonical transform, its tags.
    pub fn new(origin: &str, path: &str, transform: &str, tags: impl Iterator<Item: Into<Box<str>>>) -> Self {
        let source = Scope::source(origin, path);
        Self::with(origin, path, Some(source), Some(Scope::work(origin, path, transform)), tags)
    }

    /// As it was stored.
    pub(super) fn restore(origin: &str, path: &str, work: Option<[u8; 16]>, tags: Vec<String>) -> Self {
        let work = work.map(|digest| Scope { kind: WORK, length: 0, digest });
        // Of a path that was cut the source is not known: it is never shorter than the limit allows.
        let source = (!origin.is_empty() && path.len() < MAX_PATH - 3).then(|| Scope::source(origin, path));
        Self::with(origin, path, source, work, tags.into_iter())
    }

    fn with(
        origin: &str,
        path: &str,
        source: Option<Scope>,
        work: Option<Scope>,
        tags: impl Iterator<Item: Into<Box<str>>>,
    ) -> Self {
        let tags: Box<[Box<str>]> = tags.map(Into::into).collect();
        let own = source.into_iter().chain(work);
        let scopes = own.chain(tags.iter().map(|tag| Scope::tag(tag))).collect();
        Self { origin: origin.into(), path: cut(path).into(), tags, work, scopes }
    }

    /// What it is made of and tagged with.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The scope of the first `length` bytes of its path; `None` where it has fewer, or no character ends there.
    pub fn prefix(&self, length: u16) -> Option<Scope> {
        let prefix = self.path.get(..usize::from(length))?;
        (!self.origin.is_empty()).then(|| Scope::prefix(&self.origin, prefix))
    }

    /// The origin's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The original's path; its beginning, if it is very long.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its tags.
    pub fn tags(&self) -> &[Box<str>] {
        &self.tags
    }

    /// The digest of its work.
    pub(super) fn work(&self) -> Option<[u8; 16]> {
        self.work.map(|scope| scope.digest)
    }

    /// Bytes in memory, roughly.
    pub fn weight(&self) -> usize {
        let tags: usize = self.tags.iter().map(|tag| 16 + tag.len()).sum();
        96 + self.origin.len() + self.path.len() + tags + self.scopes.len() * size_of::<Scope>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_what_they_were_in_every_release() {
        let hex = |scope: Scope| scope.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(Scope::source("a", "b")), PINNED);
        assert_ne!(Scope::source("ab", "c"), Scope::source("a", "bc"));
        assert_ne!(Scope::work("a", "b", ""), Scope::source("a", "b"));
        assert_eq!(Scope::tag("Sale"), Scope::tag("sALE"));
    }

    const PINNED: &str = "010000f33793eb619334218c8c0f561f3be323";

    #[test]
    fn they_come_back_as_they_were_sent() {
        for scope in [Scope::ALL, Scope::tag("x"), Scope::prefix("a", "b/c"), Scope::source("a", "b")] {
            assert_eq!(Scope::from_bytes(&scope.to_bytes()), Some(scope));
        }
        let mut unknown = Scope::ALL.to_bytes();
        unknown[0] = 9;
        assert_eq!((Scope::from_bytes(&unknown), Scope::from_bytes(&unknown[..5])), (None, None));
        assert_eq!(Scope::from_bytes(&[0; 20]), None);
    }

    #[test]
    fn a_label_has_the_prefixes_of_its_path() {
        let label = Label::new("web", "2024/ä.jpg", "w=1", ["Sale"].into_iter());
        assert_eq!(label.prefix(5), Some(Scope::prefix("web", "2024/")));
        assert_eq!(label.prefix(0), Some(Scope::prefix("web", "")));
        assert_eq!((label.prefix(6), label.prefix(99)), (None, None), "no character ends there; too long");
        let scopes = [Scope::source("web", "2024/ä.jpg"), Scope::work("web", "2024/ä.jpg", "w=1"), Scope::tag("sale")];
        assert_eq!(label.scopes(), scopes);
        assert_eq!(Label::default().prefix(0), None, "a label of nothing is purged by nothing");
    }

    #[test]
    fn what_was_stored_is_purged_by_the_same() {
        let label = Label::new("web", "a/b.jpg", "w=1", ["one", "two"].into_iter());
        let tags = label.tags().iter().map(|tag| tag.clone().into_string()).collect();
        assert_eq!(Label::restore(label.origin(), label.path(), label.work(), tags), label);
        let long = "x".repeat(MAX_PATH + 100);
        let label = Label::new("web", &long, "", std::iter::empty::<&str>());
        assert_eq!(label.prefix(MAX_PATH as u16), Some(Scope::prefix("web", &long)));
    }
}
