//! The canonical query of a transform: every parameter that is not at its default, by its first name, sorted.
//!
//! Invariant: for a normalised transform `t`, parsing its canonical string gives `t` again.

use super::parameter::{Group, Parameter, Support};
use super::table::{TABLE, WRITERS};
use crate::transform::Transform;

impl Transform {
    /// The one query string that stands for this transform and all that mean the same: it is hashed into keys, and
    /// parsing it gives the transform's normal form. Empty where nothing is asked.
    pub fn canonical(&self) -> String {
        let mut out = String::with_capacity(64);
        self.write_canonical(&mut out);
        out
    }

    /// Appends [`Transform::canonical`] to a buffer.
    pub fn write_canonical(&self, out: &mut String) {
        let mut transform = self.clone();
        transform.normalise();
        Pen::new('&', out).write_all(&transform, |_| true);
    }
}

/// The inside of `then=`, before it is escaped as a value: pairs with `;` between them, the next pass last.
pub(super) fn write_later_pass(pass: &Transform, out: &mut String) {
    let mut pen = Pen::new(';', out);
    pen.write_all(pass, |parameter| parameter.group != Group::Steps);
    if let Some(next) = &pass.then {
        write_later_pass(next, &mut pen.value);
        pen.write_pair("then");
    }
}

/// Writes pairs with a separator between them.
struct Pen<'a> {
    out: &'a mut String,
    start: usize,
    separator: char,
    /// The value under way: most parameters have none, and then nothing has been written yet.
    value: String,
}

impl<'a> Pen<'a> {
    fn new(separator: char, out: &'a mut String) -> Self {
        Self { start: out.len(), out, separator, value: String::with_capacity(32) }
    }

    fn write_all(&mut self, transform: &Transform, wanted: impl Fn(&Parameter) -> bool) {
        for (write, parameter) in WRITERS.iter().zip(&TABLE) {
            if wanted(parameter) && write(transform, &mut self.value) {
                self.write_pair(parameter.name);
            }
        }
    }

    /// Appends the value under way with its name.
    fn write_pair(&mut self, name: &str) {
        if self.out.len() > self.start {
            self.out.push(self.separator);
        }
        self.out.push_str(name);
        self.out.push('=');
        self.out.push_str(&self.value);
        self.value.clear();
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
