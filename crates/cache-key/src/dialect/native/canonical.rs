//! The canonical query of a transform: every parameter that is not at its default, by its first name, sorted.
//!
//! Invariant: for a normalised transform `t`, parsing its canonical string gives `t` again.

use super::parameter::{Group, Support};
use super::table::TABLE;
use crate::transform::Transform;

impl Transform {
    /// The one query string that stands for this transform and all that mean the same: it is hashed into keys, and
    /// parsing it gives the transform's normal form. Empty where nothing is asked.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    /// Appends [`Transform::canonical`] to a buffer.
    pub fn write_canonical(&self, out: &mut String) {
        let transform = self.clone().normalised();
        let start = out.len();
        for parameter in &TABLE {
            write_pair(parameter.name, '&', start, out, |out| (parameter.write)(&transform, out));
        }
    }
}

/// The inside of `then=`, before it is escaped as a value: pairs with `;` between them, the next pass last.
pub(super) fn write_later_pass(pass: &Transform, out: &mut String) {
    let start = out.len();
    for parameter in TABLE.iter().filter(|p| p.group != Group::Steps) {
        write_pair(parameter.name, ';', start, out, |out| (parameter.write)(pass, out));
    }
    if let Some(next) = &pass.then {
        write_pair("then", ';', start, out, |out| {
            write_later_pass(next, out);
            true
        });
    }
}

fn write_pair(name: &str, separator: char, start: usize, out: &mut String, value: impl FnOnce(&mut String) -> bool) {
    let before = out.len();
    if before > start {
        out.push(separator);
    }
    out.push_str(name);
    out.push('=');
    if !value(out) {
        out.truncate(before);
    }
}

/// The first parameter (in the order of names) in use that this release's engine lacks, wholly or for the value asked;
/// to be answered with 501.
pub fn not_implemented(transform: &Transform) -> Option<&'static str> {
    let lacking = |pass: &Transform| {
        let mut rows = TABLE.iter().filter(|p| !matches!(p.support, Support::Whole));
        rows.find(|p| p.is_lacking_for(pass)).map(|p| p.name)
    };
    let mut pass = Some(transform);
    while let Some(this) = pass {
        if let Some(name) = lacking(this) {
            return Some(name);
        }
        pass = this.then.as_deref();
    }
    None
}
