//! What one parameter of the native dialect is, and the table of them all.
//!
//! The table is data: parsing, error texts, the canonical string, `docs/url.md` and the 501 answers all come from it.
//! A parameter is declared once, in the file of its group.

use super::draft::Draft;
use crate::transform::Transform;
use std::fmt;

/// Chapters of the reference, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Group {
    Size,
    Crop,
    Turn,
    Colour,
    Shape,
    Layers,
    Output,
    Frames,
    Profile,
    Steps,
    Presets,
    Delivery,
    Signing,
}

/// Whether this release's engine does what a parameter asks.
#[derive(Clone, Copy, Debug)]
pub enum Support {
    /// With every value.
    Whole,
    /// With no value.
    Absent,
    /// Some values are lacking.
    Partly {
        /// Those values, for the reference.
        missing: &'static str,
        /// Whether a transform uses one of them.
        lacks: fn(&Transform) -> bool,
    },
}

/// Puts a value, decoded, into the draft; `None` refuses it.
pub(super) type Set = fn(&mut Draft, &str) -> Option<()>;
/// Appends the canonical value, percent-encoded, and says whether there is one; appends nothing if there is none.
pub(super) type Write = fn(&Transform, &mut String) -> bool;

/// What becomes of a value.
#[derive(Clone, Copy)]
pub(super) enum Action {
    Set(Set),
    /// A whole further pass.
    Then,
    /// Names of presets, applied before all else.
    Preset,
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Parameter {
    /// The name in canonical URLs.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// Its chapter.
    pub group: Group,
    /// The values that are allowed, in words; errors quote it.
    pub values: &'static str,
    /// What holds without it; empty where that is "nothing".
    pub default: &'static str,
    /// One line on what it does.
    pub doc: &'static str,
    /// Whether the engine does it.
    pub support: Support,
    pub(super) action: Action,
    pub(super) write: Write,
}

impl Parameter {
    /// A row with a value of its own in the transform, done by the engine whole unless the row says otherwise.
    pub(super) const fn new(
        name: &'static str,
        group: Group,
        values: &'static str,
        doc: &'static str,
        set: Set,
        write: Write,
    ) -> Self {
        Self {
            name,
            aliases: &[],
            group,
            values,
            default: "",
            doc,
            support: Support::Whole,
            action: Action::Set(set),
            write,
        }
    }

    pub(super) const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(super) const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    pub(super) const fn action(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// The engine lacks it. Take this line out of a row when the engine has learnt it.
    pub(super) const fn absent(mut self) -> Self {
        self.support = Support::Absent;
        self
    }

    /// The engine lacks some of its values.
    pub(super) const fn lacking(mut self, missing: &'static str, lacks: fn(&Transform) -> bool) -> Self {
        self.support = Support::Partly { missing, lacks };
        self
    }

    /// Whether this transform (its first pass) asks for something here that the engine lacks.
    pub(super) fn is_lacking_for(&self, transform: &Transform) -> bool {
        match self.support {
            Support::Whole => false,
            Support::Absent => (self.write)(transform, &mut String::new()),
            Support::Partly { lacks, .. } => lacks(transform),
        }
    }
}

/// For parameters that leave no trace in the transform.
pub(super) fn not_in_transform(_: &Transform, _: &mut String) -> bool {
    false
}

/// Appends formatted text that needs no escapes; true, as a [`Write`] that has written answers.
macro_rules! put {
    ($out:expr, $($format:tt)+) => {
        $crate::dialect::native::parameter::put_text($out, format_args!($($format)+))
    };
}
pub(super) use put;

pub(super) fn put_text(out: &mut String, text: fmt::Arguments<'_>) -> bool {
    match text.as_str() {
        Some(literal) => out.push_str(literal),
        None => return fmt::Write::write_fmt(out, text).is_ok(), // writing to a `String` cannot fail
    }
    true
}

/// Appends a whole number: what most values are, and several times quicker than `put!`.
pub(super) fn put_number(out: &mut String, number: impl Into<u32>) -> bool {
    let mut rest = number.into();
    let mut digits = [0; 10];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        used += 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(digits.len() - used).map(|digit| char::from(*digit)));
    true
}

/// Appends a word that needs no escapes.
pub(super) fn put_word(out: &mut String, word: &str) -> bool {
    out.push_str(word);
    true
}
