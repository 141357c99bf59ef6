//! What the config names for use in pictures: marks and fonts. Looked up by the names in a transform.
//!
//! Invariant: whatever of it a transform uses is in [`Assets::version`], and so in the key of the rendition.

use crate::error::Error;
use crate::layer::mark::Mark;
use crate::text::font::{BUNDLED, Font};
use cache_key::{AssetsVersion, Transform};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// Named marks and fonts. Cheap to clone. The [`BUNDLED`] fonts are there without being added.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    marks: BTreeMap<String, Arc<Mark>>,
    fonts: BTreeMap<String, Arc<Font>>,
}

/// The fonts that ship with this crate, read when a text first needs one.
static FONTS: LazyLock<[(&str, Arc<Font>); BUNDLED.len()]> =
    LazyLock::new(|| BUNDLED.map(|bundled| (bundled.name, Arc::new(bundled.read()))));

impl Assets {
    /// Gives a mark a name; a later one of the same name takes its place.
    pub fn add_mark(&mut self, name: impl Into<String>, mark: Mark) {
        self.marks.insert(name.into(), Arc::new(mark));
    }

    /// Gives a font a name; it takes the place of an earlier or bundled one of that name.
    pub fn add_font(&mut self, name: impl Into<String>, font: Font) {
        self.fonts.insert(name.into(), Arc::new(font));
    }

    /// The names of the marks, sorted.
    pub fn marks(&self) -> impl Iterator<Item = &str> {
        self.marks.keys().map(String::as_str)
    }

    /// The mark of a name.
    ///
    /// # Errors
    /// [`Error::NotConfigured`].
    pub(crate) fn mark(&self, name: &str) -> Result<&Arc<Mark>, Error> {
        self.marks.get(name).ok_or_else(|| Error::NotConfigured { parameter: "wm", name: name.to_owned() })
    }

    /// The fonts for a text in the order in which they are asked for a character: the one named (else the first bundled
    /// one), the other configured ones by name, the bundled ones.
    ///
    /// # Errors
    /// [`Error::NotConfigured`].
    pub(crate) fn fonts(&self, name: Option<&str>) -> Result<Vec<Arc<Font>>, Error> {
        let wished = name.unwrap_or(BUNDLED[0].name);
        let all = self.fonts.iter().map(|(name, font)| (name.as_str(), font));
        let bundled =
            FONTS.iter().map(|(name, font)| (*name, font)).filter(|(name, _)| !self.fonts.contains_key(*name));
        let all: Vec<_> = all.chain(bundled).collect();
        let Some(first) = all.iter().position(|(name, _)| *name == wished) else {
            return Err(Error::NotConfigured { parameter: "text-font", name: wished.to_owned() });
        };
        let others = all.iter().enumerate().filter(|(number, _)| *number != first).map(|(_, entry)| entry);
        Ok(std::iter::once(&all[first]).chain(others).map(|(_, font)| Arc::clone(font)).collect())
    }

    /// The content of everything that a transform uses, in all its passes; `None` where it uses nothing.
    ///
    /// # Errors
    /// [`Error::NotConfigured`] for a name that is not there.
    pub fn version(&self, transform: &Transform) -> Result<Option<AssetsVersion>, Error> {
        let mut used = Vec::new();
        let mut next = Some(transform);
        while let Some(pass) = next {
            if let Some(watermark) = &pass.watermark {
                used.push(self.mark(&watermark.name)?.version().clone());
            }
            if let Some(text) = &pass.text {
                used.extend(self.fonts(text.font.as_deref())?.iter().map(|font| font.version().clone()));
            }
            next = pass.then.as_deref();
        }
        Ok(AssetsVersion::new(&used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cache_key::{Presets, parse};

    fn version(assets: &Assets, query: &str) -> Result<Option<AssetsVersion>, Error> {
        assets.version(&parse(Some(query), &Presets::none()).expect("a valid query").transform)
    }

    #[test]
    fn only_what_is_used_counts() {
        let bare = Assets::default();
        let mut more = Assets::default();
        more.add_font("other", Font::read(dejavu::serif::regular()).expect("a font"));
        assert_eq!(version(&bare, "w=100"), Ok(None));
        assert_eq!(version(&more, "w=100"), Ok(None));
        let text = version(&bare, "text=a").expect("the bundled font");
        assert!(text.is_some());
        assert_eq!(version(&bare, "text=a&text-font=sans"), Ok(text));
        assert_eq!(version(&bare, "w=1&then=text=b"), Ok(text), "in any pass");
        assert_ne!(version(&bare, "text=a&text-font=sans-bold"), Ok(text), "the order counts");
        assert_ne!(version(&more, "text=a"), Ok(text), "any font may lend a letter");
    }

    #[test]
    fn names_that_are_not_there_are_told() {
        let bare = Assets::default();
        let missing = |parameter, name: &str| Err(Error::NotConfigured { parameter, name: name.to_owned() });
        assert_eq!(version(&bare, "wm=logo"), missing("wm", "logo"));
        assert_eq!(version(&bare, "then=text=a;text-font=x"), missing("text-font", "x"));
    }

    #[test]
    fn a_configured_font_takes_a_bundled_one_s_place() {
        let mut assets = Assets::default();
        assets.add_font("sans", Font::read(dejavu::serif::regular()).expect("a font"));
        let fonts = assets.fonts(None).expect("fonts");
        assert_eq!(fonts.len(), BUNDLED.len());
        assert_eq!(fonts[0].version(), Font::read(dejavu::serif::regular()).expect("a font").version());
    }
}
