//! The normal form: what surely changes nothing is taken out, so that equal requests become equal values.
//!
//! Knows the meaning of each field, not how a URL spells it. Invariant: normalising twice is normalising once, and a
//! normalised transform asks for exactly the same picture. When in doubt a difference stays: a needless second
//! rendition costs bytes, a shared key for two pictures is a fault.

use crate::number::Decimal;
use crate::transform::{
    Aspect, Codec, Compass, Crop, Effects, Extent, Fit, Format, Frames, Gravity, Hdr, Metadata, Output, Pad, Quality,
    Resample, Shape, Size, Srcset, Transform,
};

impl Transform {
    /// The normal form of this transform. Parsers return it already; a value made by hand goes through here before it
    /// is compared. [`Transform::canonical`] and the keys do it themselves.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        self.normalise();
        self
    }

    /// [`Transform::normalised`] in place: a transform is large enough for moves to show on the hit path.
    pub(crate) fn normalise(&mut self) {
        self.output.normalise();
        self.normalise_pass();
        if self.cache_buster.as_deref() == Some("") {
            self.cache_buster = None;
        }
        self.then = self.then.take().and_then(later_pass);
        if self.redacts() {
            self.output.hide();
        }
    }

    /// Whether any pass makes a region unreadable.
    pub fn redacts(&self) -> bool {
        !self.shape.redact.is_empty() || self.then.as_deref().is_some_and(Self::redacts)
    }

    fn normalise_pass(&mut self) {
        if let Some(crop) = &mut self.crop {
            crop.normalise();
            if crop.is_whole() {
                self.crop = None;
            }
        }
        if self.pad == Some(Pad::default()) {
            self.pad = None;
        }
        self.extend = self.extend.map(Aspect::reduced);
        self.rotate = turn(self.rotate);
        self.effects.normalise();
        self.shape.normalise();
        if let Some(mark) = &mut self.watermark {
            mark.gravity = mark.gravity.normalised();
            mark.opacity = mark.opacity.filter(|o| *o != Decimal::ONE);
        }
        if self.text.as_ref().is_some_and(|text| text.content.is_empty()) {
            self.text = None;
        }
        if let Some(text) = &mut self.text {
            text.gravity = text.gravity.normalised();
        }
        self.size.normalise();
        self.drop_what_has_no_effect();
    }

    /// Parameters of the box that nothing here reads.
    fn drop_what_has_no_effect(&mut self) {
        let size = &mut self.size;
        let minimum = size.min_width.is_some() || size.min_height.is_some();
        // A `srcset` gives the pictures that it tells of a width.
        let one_side = size.width.is_some() || size.height.is_some() || self.output.srcset.is_some();
        if size.width.is_some() && size.height.is_some() {
            size.aspect = None; // it gives the side that is left open, and none is
        }
        if !one_side && size.aspect.is_none() && !minimum {
            self.fit = Fit::ScaleDown; // there is no box to meet
            size.enlarge = false;
            self.resample = Resample::default();
        }
        if !minimum {
            if matches!(self.fit, Fit::ScaleDown | Fit::Crop | Fit::AspectCrop) {
                size.enlarge = false; // these never enlarge
            }
            if self.fit == Fit::Contain && !size.enlarge {
                self.fit = Fit::ScaleDown; // by definition
            }
        }
        self.gravity = self.gravity.normalised();
        let crops_or_pads = matches!(self.fit, Fit::Cover | Fit::Crop | Fit::AspectCrop | Fit::Pad);
        if !crops_or_pads && self.extend.is_none() {
            self.gravity = Gravity::Centre;
        }
        let in_pixels = one_side
            || minimum
            || size.aspect.is_some()
            || self.pad.is_some()
            || self.shape.border.is_some()
            || self.shape.radius.is_some()
            || self.watermark.is_some()
            || self.text.is_some()
            || matches!(self.gravity, Gravity::Compass(..));
        if !in_pixels {
            size.dpr = None; // it multiplies pixels, and nothing is given in pixels
        }
    }
}

/// A pass after the first: without output, and left out where it does nothing.
fn later_pass(mut pass: Box<Transform>) -> Option<Box<Transform>> {
    pass.output = Output::default();
    pass.normalise_pass();
    pass.frames = Frames::default();
    pass.cache_buster = None;
    let next = pass.then.take().and_then(later_pass);
    if *pass == Transform::default() {
        return next;
    }
    pass.then = next;
    Some(pass)
}

/// Degrees into 0 ≤ d < 360.
fn turn(degrees: Decimal) -> Decimal {
    Decimal::from_scaled(degrees.scaled().rem_euclid(360 * Decimal::SCALE))
}

impl Size {
    fn normalise(&mut self) {
        self.dpr = self.dpr.filter(|d| *d != Decimal::ONE);
        self.aspect = self.aspect.map(Aspect::reduced);
        self.min_width = self.min_width.filter(|m| m.get() > 1);
        self.min_height = self.min_height.filter(|m| m.get() > 1);
    }
}

impl Crop {
    pub(crate) fn normalise(&mut self) {
        for extent in [&mut self.x, &mut self.y] {
            if *extent == Extent::Fraction(Decimal::ZERO) {
                *extent = Extent::Px(0);
            }
        }
    }

    fn is_whole(self) -> bool {
        let (origin, all) = (Extent::Px(0), Extent::Fraction(Decimal::ONE));
        self == Self { x: origin, y: origin, width: all, height: all }
    }
}

impl Gravity {
    fn normalised(self) -> Self {
        if self == Self::Compass(Compass::Centre, 0, 0) { Self::Centre } else { self }
    }
}

impl Effects {
    fn normalise(&mut self) {
        self.blur = self.blur.filter(|b| *b != Decimal::ZERO);
        self.sharpen = self.sharpen.filter(|s| *s != Decimal::ZERO);
        self.pixelate = self.pixelate.filter(|p| p.get() > 1);
        self.gamma = self.gamma.filter(|g| *g != Decimal::ONE);
        self.hue %= 360;
    }
}

impl Shape {
    fn normalise(&mut self) {
        self.redact.iter_mut().for_each(Crop::normalise);
        if self.mask.is_some() {
            self.radius = None; // the mask is the outline
        }
    }
}

impl Output {
    /// Nothing that shows the original: metadata hold previews and captions, a gain map is the picture once more.
    fn hide(&mut self) {
        if self.metadata == Metadata::Keep {
            self.metadata = Metadata::Copyright;
        }
        self.hdr = Hdr::Sdr;
    }

    fn normalise(&mut self) {
        match self.format {
            Format::Image(codec) => self.keep_quality_of(codec),
            // The pictures whose URLs are told are encoded.
            Format::Json if self.srcset.is_some() => {
                if let Some(Srcset::Widths(widths)) = &mut self.srcset {
                    widths.sort_unstable();
                    widths.dedup();
                }
                return;
            }
            Format::Json | Format::BlurHash | Format::ThumbHash => {
                // No picture is encoded, so nothing of its encoding counts.
                *self = Self {
                    format: self.format,
                    colour_space: self.colour_space,
                    hdr: self.hdr,
                    metadata: self.metadata,
                    ..Self::default()
                };
            }
            Format::Source | Format::Auto => {}
        }
        self.srcset = None;
    }

    /// With one codec only its own quality counts, and `q` gives way to it.
    fn keep_quality_of(&mut self, codec: Codec) {
        let own = match codec {
            Codec::Avif => self.quality_avif,
            Codec::Webp => self.quality_webp,
            Codec::Jpeg => self.quality_jpeg,
            Codec::Jxl => self.quality_jxl,
            Codec::Png | Codec::Gif => None,
        };
        if let Some(dial) = own {
            self.quality = Quality::Dial(dial);
        }
        (self.quality_avif, self.quality_webp, self.quality_jpeg, self.quality_jxl) = (None, None, None, None);
    }
}
