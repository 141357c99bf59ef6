//! What a URL says besides the transform: how the answer is handed over, and the seal that signing put on it.
//! None of this is in a rendition's key.

/// Longest list of `tags`, as CloudFront and Cloudflare read them.
pub const MAX_TAGS: usize = 50;
/// Longest tag, in bytes.
pub const MAX_TAG_BYTES: usize = 256;
/// Longest file name for a download, in bytes.
pub const MAX_FILE_NAME_BYTES: usize = 255;

/// `dl`, `tags`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Delivery {
    /// `dl`: the answer is to be saved, not shown.
    pub download: Option<Download>,
    /// `tags`, in the URL's order, without repeats: visible ASCII, no commas.
    pub tags: Vec<String>,
}

/// `dl[=file name]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Download {
    /// The name to save as: no `/`, `\` or control characters. `None`: the source's own name.
    pub file_name: Option<String>,
}

/// `exp`, `kid`, `s` as found, not verified: only `signature::Verifier` makes them mean something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seal {
    /// `exp`: Unix seconds after which the URL is void; `max-age` must not outlast it.
    pub expires: Option<u64>,
    /// `kid`: which key signed.
    pub key_id: Option<String>,
    /// `s`: the signature, base64url.
    pub signature: Option<String>,
}

impl Delivery {
    /// Reads a comma-separated list of tags.
    pub(crate) fn parse_tags(text: &str) -> Option<Vec<String>> {
        let mut tags: Vec<String> = Vec::new();
        if text.is_empty() {
            return Some(tags);
        }
        for tag in text.split(',') {
            let visible = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_graphic());
            if !visible || tag.len() > MAX_TAG_BYTES {
                return None;
            }
            if !tags.iter().any(|known| known == tag) {
                if tags.len() == MAX_TAGS {
                    return None;
                }
                tags.push(tag.to_owned());
            }
        }
        Some(tags)
    }
}

impl Download {
    /// Reads the value of `dl`: `0` is none, empty or `1` is without a name.
    pub(crate) fn parse(text: &str) -> Option<Option<Self>> {
        match text {
            "0" => Some(None),
            "" | "1" => Some(Some(Self::default())),
            "." | ".." => None,
            name if name.len() > MAX_FILE_NAME_BYTES => None,
            name if name.chars().any(|c| c.is_control() || c == '/' || c == '\\') => None,
            name => Some(Some(Self { file_name: Some(name.to_owned()) })),
        }
    }
}
