//! A mark laid over the picture, once or all over it.

use super::Operation;
use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::layer::mark::Mark;
use crate::layer::position::corner;
use crate::limits::Watch;
use crate::scratch::Scratch;
use crate::setup::Setup;
use cache_key::Transform;
use cache_key::transform::{self, Compass, Gravity};
use std::sync::Arc;

/// Sizes and places depend on the picture that it is laid over.
#[derive(Clone, Debug)]
pub struct Watermark {
    /// What is laid over.
    pub mark: Arc<Mark>,
    /// Where, how large, how opaque.
    pub settings: transform::Watermark,
    /// Multiplies offsets and the mark's own size.
    pub dpr: f64,
}

impl Watermark {
    /// What a pass asks for, with the mark that its name stands for.
    ///
    /// # Errors
    /// [`Error::NotConfigured`].
    pub(crate) fn of(transform: &Transform, setup: &Setup) -> Result<Option<Self>, Error> {
        let Some(settings) = transform.watermark.clone() else { return Ok(None) };
        let mark = Arc::clone(setup.assets.mark(&settings.name)?);
        let dpr = transform.size.dpr.map_or(1.0, cache_key::Decimal::to_f64);
        Ok(Some(Self { mark, settings, dpr }))
    }

    /// The mark's size on a picture: by `scale` of its width, else the mark's own times `dpr`; made smaller where it
    /// would be larger than the picture.
    fn size(&self, picture: (u32, u32)) -> (u32, u32) {
        let own = self.mark.size();
        let (width, height) = (f64::from(own.0), f64::from(own.1));
        let wished = match self.settings.scale {
            Some(scale) => scale.to_f64() * f64::from(picture.0) / width,
            None => self.dpr,
        };
        let ratio = wished.min(f64::from(picture.0) / width).min(f64::from(picture.1) / height);
        let side = |own: f64, most: u32| ((own * ratio).round() as u32).clamp(1, most);
        (side(width, picture.0), side(height, picture.1))
    }
}

impl Operation for Watermark {
    fn name(&self) -> &'static str {
        "watermark"
    }

    fn apply(&self, bitmap: Bitmap, _watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let picture = (bitmap.width(), bitmap.height());
        let size = self.size(picture);
        let mut layer = self.mark.scaled(size, scratch)?;
        if let Some(opacity) = self.settings.opacity {
            layer.fade(opacity.to_f64());
        }
        let (gravity, dpr) = (self.settings.gravity, self.dpr);
        let bitmap = if self.settings.tile {
            let (compass, dx, dy) = match gravity {
                Gravity::Compass(compass, dx, dy) => (compass, dx, dy),
                _ => (Compass::Centre, 0, 0),
            };
            // Between tiles the offsets are the gap; the gravity says which tile is whole.
            let at = match gravity {
                Gravity::Compass(..) => corner(picture, size, Gravity::Compass(compass, 0, 0), dpr),
                gravity => corner(picture, size, gravity, dpr),
            };
            let gap = |offset: i32| (f64::from(offset.max(0)) * dpr).round() as u32;
            layer.tile(bitmap, at, (gap(dx), gap(dy)), scratch)
        } else {
            layer.over(bitmap, corner(picture, size, gravity, dpr), scratch)
        };
        scratch.give(layer.pixels);
        Ok(bitmap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitmap::Layout;
    use crate::encode::{Settings, encode};
    use cache_key::Decimal;
    use cache_key::transform::Codec;

    fn mark(width: u32, height: u32, pixel: [u8; 4]) -> Arc<Mark> {
        let bitmap = Bitmap::new(width, height, Layout::Rgba, pixel.repeat((width * height) as usize));
        let settings = Settings::new(Codec::Png, 100);
        let file = encode(bitmap, &settings, &Watch::new(), &mut Scratch::new(0)).expect("encoded");
        Arc::new(Mark::read(&file).expect("a mark"))
    }

    fn operation(mark: Arc<Mark>, gravity: Gravity, scale: Option<i64>, dpr: f64) -> Watermark {
        let scale = scale.map(Decimal::from_scaled);
        let settings = transform::Watermark { name: "m".into(), gravity, scale, opacity: None, tile: false };
        Watermark { mark, settings, dpr }
    }

    fn black(width: u32, height: u32) -> Bitmap {
        Bitmap::new(width, height, Layout::Rgb, vec![0; (width * height * 3) as usize])
    }

    /// The box of what is not black: left, top, right, bottom, the last two outside of it.
    fn ink(bitmap: &Bitmap) -> (u32, u32, u32, u32) {
        let width = bitmap.width();
        let lit = bitmap.pixels().as_chunks::<3>().0.iter().zip(0..).filter(|(pixel, _)| **pixel != [0; 3]);
        lit.map(|(_, i)| (i % width, i / width))
            .fold((u32::MAX, u32::MAX, 0, 0), |b, (x, y)| (b.0.min(x), b.1.min(y), b.2.max(x + 1), b.3.max(y + 1)))
    }

    #[test]
    fn size_follows_the_picture_or_the_mark() {
        let red = mark(10, 5, [255, 0, 0, 255]);
        let size = |scale, dpr, picture| operation(Arc::clone(&red), Gravity::Centre, scale, dpr).size(picture);
        assert_eq!(size(None, 1.0, (100, 100)), (10, 5));
        assert_eq!(size(None, 2.0, (100, 100)), (20, 10));
        assert_eq!(size(Some(2_500), 2.0, (200, 100)), (50, 25));
        assert_eq!(size(Some(1), 1.0, (100, 100)), (1, 1), "never nothing");
        assert_eq!(size(Some(10_000), 1.0, (100, 20)), (40, 20), "never larger than the picture");
        assert_eq!(size(None, 1.0, (4, 100)), (4, 2));
    }

    #[test]
    fn it_lies_where_it_is_told() {
        let red = mark(10, 5, [255, 0, 0, 255]);
        let placed = operation(red, Gravity::Compass(Compass::SouthEast, 3, 4), None, 2.0);
        let result = placed.apply(black(100, 60), &Watch::new(), &mut Scratch::new(1 << 20)).expect("laid over");
        assert_eq!(ink(&result), (74, 42, 94, 52));
    }

    #[test]
    fn opacity_and_tiles() {
        let white = mark(4, 4, [255, 255, 255, 255]);
        let mut all = operation(white, Gravity::Compass(Compass::NorthWest, 4, 12), None, 1.0);
        all.settings.tile = true;
        all.settings.opacity = Some(Decimal::from_scaled(5_000));
        let result = all.apply(black(16, 16), &Watch::new(), &mut Scratch::new(1 << 20)).expect("laid over");
        let lit = result.pixels().as_chunks::<3>().0.iter().filter(|pixel| **pixel == [128; 3]).count();
        assert_eq!((lit, ink(&result)), (2 * 16, (0, 0, 12, 4)));
    }

    #[test]
    fn what_is_no_picture_is_no_mark() {
        assert!(matches!(Mark::read(b"no picture"), Err(Error::Unsupported(_))));
        let long = Bitmap::new(4_097, 1, Layout::Gray, vec![0; 4_097]);
        let settings = Settings::new(Codec::Png, 100);
        let file = encode(long, &settings, &Watch::new(), &mut Scratch::new(0)).expect("encoded");
        assert!(matches!(Mark::read(&file), Err(Error::TooLarge { limit: 4_096, .. })));
    }
}
