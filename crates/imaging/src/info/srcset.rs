//! The same picture in several widths, for pages that let the browser choose: which there are, and how large they come
//! out. Pure geometry: no pixel is decoded, and no URL is known.
//!
//! Invariant: no candidate is wider than what the transform takes of the original, and no two have the same size.

use crate::error::Error;
use crate::geometry::{self, Seen};
use crate::pipeline::{self, Pass};
use crate::probe::Probe;
use crate::setup::Setup;
use cache_key::Decimal;
use cache_key::transform::{Fit, Format, Length, Srcset, Transform};
use std::num::NonZeroU32;

/// What `srcset=auto` means: widths of usual screens and of halves of them, in pixels.
const USUAL: [u32; 13] = [160, 240, 320, 480, 640, 800, 960, 1280, 1600, 1920, 2560, 3200, 3840];
/// The longest side that `w` and `h` can say.
const LONGEST: f64 = 65_535.0;

/// One width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Pixels of the result across.
    pub width: u32,
    /// Pixels of the result down.
    pub height: u32,
    /// What makes it: the transform that was asked for with another size, its format left to the client.
    pub transform: Transform,
}

/// The widths that `transform` asks for, in ascending order; those above what there is of the original become that. Empty
/// where it has no `srcset`.
///
/// # Errors
/// [`Error::Impossible`] with `trim`, whose sizes only pixels tell, and for what cannot be planned; [`Error::TooLarge`]
/// where all candidates are.
pub fn candidates(source: &Probe, transform: &Transform, setup: &Setup) -> Result<Vec<Candidate>, Error> {
    let Some(srcset) = &transform.output.srcset else { return Ok(Vec::new()) };
    if std::iter::successors(Some(transform), |pass| pass.then.as_deref()).any(|pass| pass.trim.is_some()) {
        return Err(Error::Impossible("with `trim` the sizes of a `srcset` are not known beforehand".into()));
    }
    let upright = pipeline::upright(transform, source.orientation).size((source.width, source.height));
    let most = natural(upright, transform)?;
    let widths: Vec<u32> = match srcset {
        Srcset::Auto => USUAL.iter().copied().filter(|width| *width < most).chain([most]).take(USUAL.len()).collect(),
        Srcset::Widths(widths) => widths.iter().map(|width| width.get().min(most)).collect(),
    };
    let (mut all, mut refusal): (Vec<Candidate>, _) = (Vec::new(), None);
    for width in widths {
        match candidate(upright, transform, width, setup) {
            Ok(found) => all.push(found),
            Err(error @ Error::TooLarge { .. }) => refusal = Some(error),
            Err(error) => return Err(error),
        }
    }
    all.retain(|candidate| candidate.width <= most);
    all.sort_by_key(|candidate| (candidate.width, candidate.height));
    all.dedup_by_key(|candidate| candidate.width);
    match refusal {
        Some(error) if all.is_empty() => Err(error),
        _ => Ok(all),
    }
}

/// How wide the part of the original is that the first pass takes, after its turn. Where a box cuts, it is the largest of
/// its shape: all candidates shall have that.
fn natural(upright: (u32, u32), transform: &Transform) -> Result<u32, Error> {
    let taken = Transform { crop: transform.crop, ..Transform::default() };
    let (mut width, mut height) = geometry::plan(upright, &taken, Seen::default())?.size;
    if matches!(transform.fit, Fit::Cover | Fit::Crop | Fit::AspectCrop)
        && !transform.size.enlarge
        && let Some(shape) = shape(transform)
    {
        // Casts of floats saturate.
        let widest = (f64::from(height) * shape).round() as u32;
        let highest = (f64::from(width) / shape).round() as u32;
        (width, height) = (width.min(widest).max(1), height.min(highest).max(1));
    }
    let half_turn = 180 * Decimal::SCALE;
    let lies = transform.rotate.scaled().rem_euclid(half_turn) == half_turn / 2;
    Ok(if lies { height } else { width })
}

/// Width by height of the box, where it has two sides.
fn shape(transform: &Transform) -> Option<f64> {
    let size = &transform.size;
    let sides = pixels(size.width).zip(pixels(size.height)).map(|(width, height)| width / height);
    sides.or(size.aspect.map(|aspect| f64::from(aspect.width.get()) / f64::from(aspect.height.get())))
}

fn pixels(side: Option<Length>) -> Option<f64> {
    match side {
        Some(Length::Px(side)) => Some(f64::from(side.get())),
        Some(Length::Auto) | None => None,
    }
}

/// The one that comes closest to `width`: what is put round the picture, a turn, or a box of another shape make it differ
/// from what `w` says.
fn candidate(upright: (u32, u32), transform: &Transform, width: u32, setup: &Setup) -> Result<Candidate, Error> {
    const TRIES: usize = 3;
    let wanted = f64::from(width);
    let mut side = wanted;
    let mut best: Option<Candidate> = None;
    for _ in 0..TRIES {
        let sized = sized(transform, side);
        let passes = pipeline::plan(upright, &sized, setup)?;
        let (across, down) = passes.last().map_or(upright, Pass::size);
        if best.as_ref().is_none_or(|best| across.abs_diff(width) < best.width.abs_diff(width)) {
            best = Some(Candidate { width: across, height: down, transform: sized });
        }
        if across == width {
            break;
        }
        side = (side * wanted / f64::from(across)).clamp(1.0, LONGEST);
    }
    best.ok_or_else(|| Error::Internal("no width was tried".into()))
}

/// The transform with a box of this width in pixels of the result; one that gives the result its shape keeps that.
fn sized(asked: &Transform, width: f64) -> Transform {
    let mut transform = asked.clone();
    transform.output.format = Format::Auto;
    transform.output.srcset = None;
    let across = width / asked.size.dpr.map_or(1.0, Decimal::to_f64);
    // A cast of a float saturates.
    let side = |pixels: f64| NonZeroU32::new(pixels.round().min(LONGEST) as u32).unwrap_or(NonZeroU32::MIN);
    let down = pixels(asked.size.width).zip(pixels(asked.size.height)).map(|(w, h)| Length::Px(side(across * h / w)));
    transform.size.width = Some(Length::Px(side(across)));
    transform.size.height = down;
    if matches!(transform.fit, Fit::ScaleDown | Fit::Contain | Fit::Outside) {
        // The result has the picture's shape, whatever the box is.
        (transform.size.height, transform.size.aspect) = (None, None);
    }
    if transform.fit == Fit::AspectCrop {
        // The same cut, but scaled.
        transform.fit = Fit::Crop;
    }
    transform.normalised()
}

#[cfg(test)]
mod tests {
    use super::candidates;
    use crate::{Error, Limits, Probe, Setup, probe};
    use cache_key::{Presets, parse};

    fn source(width: u16, height: u16) -> Probe {
        let [w, h] = [width.to_le_bytes(), height.to_le_bytes()];
        let file = [b"GIF89a".as_slice(), &w, &h, &[0, 0, 0, b';']].concat();
        probe(&file, &Limits::default()).expect("a header")
    }

    fn of(source: &Probe, query: &str) -> Result<Vec<(u32, u32, String)>, Error> {
        let transform = parse(Some(query), &Presets::none()).expect("a valid query").transform;
        let all = candidates(source, &transform, &Setup::default())?;
        Ok(all.into_iter().map(|c| (c.width, c.height, c.transform.canonical())).collect())
    }

    fn sizes(query: &str) -> Vec<(u32, u32)> {
        of(&source(1000, 600), query).expect("sizes").into_iter().map(|(width, height, _)| (width, height)).collect()
    }

    #[test]
    fn never_wider_than_the_original() {
        assert_eq!(sizes("f=json&srcset=320,640,4000,5000"), [(320, 192), (640, 384), (1000, 600)]);
        let usual = [(160, 96), (240, 144), (320, 192), (480, 288), (640, 384), (800, 480), (960, 576), (1000, 600)];
        assert_eq!(sizes("f=json&srcset=auto"), usual);
        assert_eq!(sizes("f=json&srcset=auto&crop=0,0,200,100"), [(160, 80), (200, 100)]);
        assert_eq!(sizes("f=json&srcset=400,800&rot=90"), [(400, 667), (600, 1000)]);
        assert_eq!(sizes("f=json&w=100"), [], "nothing asked, nothing told");
    }

    #[test]
    fn shapes_are_kept() {
        assert_eq!(sizes("f=json&srcset=320,640&ar=16:9&fit=cover"), [(320, 180), (640, 360)]);
        assert_eq!(sizes("f=json&srcset=320,640&w=50&h=50&fit=cover"), [(320, 320), (600, 600)]);
        assert_eq!(sizes("f=json&srcset=640&ar=2:1&fit=crop&rot=90&w=9"), [(500, 1000)]);
        assert_eq!(sizes("f=json&srcset=320&w=160&h=90&fit=aspect-crop"), [(320, 180)]);
        assert_eq!(sizes("f=json&srcset=320&w=500&h=100"), [(320, 192)], "the picture, not its box");
        assert_eq!(sizes("f=json&srcset=320&w=400&h=300&fit=pad"), [(320, 240)]);
        assert_eq!(sizes("f=json&srcset=320&h=300"), [(320, 192)]);
        assert_eq!(sizes("f=json&srcset=320&pad=10"), [(320, 200)], "with what lies round it");
        assert_eq!(sizes("f=json&srcset=100,200&then=w=50"), [(50, 30)], "one size, one candidate");
    }

    #[test]
    fn pixels_are_those_of_the_result() {
        let all = of(&source(1000, 600), "f=json&srcset=320,641&dpr=2&q=50&w=9").expect("sizes");
        assert_eq!(all[0], (320, 192, "dpr=2&f=auto&q=50&w=160".into()));
        assert_eq!((all[1].0, all[1].2.as_str()), (642, "dpr=2&f=auto&q=50&w=321"), "whole CSS pixels");
    }

    #[test]
    fn what_is_told_is_what_is_made() {
        let source = source(333, 777);
        for query in ["ar=3:1&fit=cover", "rot=90&border=3,red", "rot=30", "w=7&h=9&fit=fill&dpr=1.5", "extend=2:1"] {
            for (width, height, canonical) in of(&source, &format!("f=json&srcset=auto&{query}")).expect("sizes") {
                let transform = parse(Some(&canonical), &Presets::none()).expect("its own URL").transform;
                let upright = (source.width, source.height);
                let passes = crate::pipeline::plan(upright, &transform, &Setup::default()).expect("a plan");
                assert_eq!(passes.last().map(crate::pipeline::Pass::size), Some((width, height)), "{canonical}");
                assert!(width <= 777, "{canonical}");
            }
        }
    }

    #[test]
    fn what_only_pixels_tell_is_refused() {
        let source = source(1000, 600);
        assert!(matches!(of(&source, "f=json&srcset=auto&trim"), Err(Error::Impossible(_))));
        assert!(matches!(of(&source, "f=json&srcset=auto&then=trim=3"), Err(Error::Impossible(_))));
    }
}
