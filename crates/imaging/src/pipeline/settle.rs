//! Passes that hang on what is in the picture (`trim`, `g=smart`, `g=entropy`, `g=face`) are planned anew once it can be looked
//! at, and with them all that follow. The limits hold as they do for the others.

use super::{Pass, Start, run};
use crate::bitmap::Bitmap;
use crate::decode::Delivered;
use crate::error::Error;
use crate::geometry::{self, Seen};
use crate::limits::Watch;
use crate::op::orient::Turn;
use crate::scratch::Scratch;
use crate::setup::Setup;
use crate::sight::{View, cuts, is_seen};
use std::borrow::Cow;

/// Looks at the first picture where a pass asks for it; an animation's other frames are treated as that one. The bitmap
/// is changed only by `redact`: nothing is looked at that nobody may see. For a further pass that has to look, the
/// passes before it are done on a copy.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Impossible`]; what operations and `watch` say.
pub fn settle(
    passes: &mut [Pass<'_>],
    bitmap: &mut Bitmap,
    start: &Start,
    setup: &Setup,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<(), Error> {
    let (Some(last), Some(first)) = (passes.iter().rposition(Pass::needs_look), passes.first()) else {
        return Ok(());
    };
    let mut size = first.plan.source;
    let mut start = Cow::Borrowed(start);
    let mut copy: Option<Bitmap> = None;
    for (index, pass) in passes.iter_mut().enumerate() {
        let picture = copy.as_mut().unwrap_or(bitmap);
        if let Some(redact) = pass.redact(&start) {
            redact.black_out(picture);
        }
        let seen = if pass.needs_look() { look(pass, picture, &start, watch)? } else { Seen::default() };
        *pass = Pass { layers: std::mem::take(&mut pass.layers), ..Pass::new(size, pass.transform, seen)? };
        pass.is_settled = true;
        pass.check(&setup.limits)?;
        size = pass.size();
        if index < last {
            let picture = copy.take().unwrap_or_else(|| bitmap.clone());
            let operations = pass.operations(start.into_owned());
            copy = Some(run(&operations, picture, watch, scratch)?);
        }
        let delivered = Delivered::Part { x: 0, y: 0, whole: size };
        start = Cow::Owned(Start { delivered, turn: Turn::default(), profile: None });
    }
    copy.into_iter().for_each(|copy| scratch.give(copy.into_pixels()));
    Ok(())
}

fn look(pass: &Pass<'_>, bitmap: &Bitmap, start: &Start, watch: &Watch) -> Result<Seen, Error> {
    // A decoder resizes only what nobody has to look at.
    let Delivered::Part { x, y, whole } = start.delivered else { return Ok(Seen::default()) };
    let view = View { bitmap, origin: (x, y), whole, turn: start.turn, profile: start.profile.as_deref() };
    let (transform, size) = (pass.transform, pass.plan.source);
    let mut seen = Seen::default();
    if let Some(trim) = transform.trim {
        seen.trimmed = view.trimmed(trim, size, watch)?;
    }
    let plan = geometry::plan(size, transform, seen)?;
    if is_seen(transform.gravity) && cuts(&plan) {
        seen.focus = view.focus(transform.gravity, &plan, watch)?;
    }
    Ok(seen)
}
