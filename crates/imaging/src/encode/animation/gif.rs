//! Animated GIF: each frame is the smallest rectangle that changes, with nothing where nothing changes, in colours of its
//! own; frames whose colours all are the first one's share its palette.
//!
//! GIF cannot replace a pixel by nothing: where one disappears, the frame before is told to clear its place. So a frame
//! is written when the next one is known.

use super::Reel;
use super::delta::{Rect, same};
use super::pace::Pace;
use crate::bitmap::{Bitmap, Layout};
use crate::encode::Settings;
use crate::encode::palette::{Alpha, Indexed, MOST, Palette, Wish, quantise};
use crate::error::Error;
use crate::limits::Watch;
use crate::op::channels::widen;
use crate::scratch::Scratch;
use gif::{DisposalMethod, Encoder, Frame, Repeat};
use std::borrow::Cow;
use std::collections::HashMap;

/// A delay has 16 bits, in hundredths of a second.
const LONGEST: u64 = 0xFFFF;

/// Where the colours of the first frame's palette stand.
type Shared = HashMap<[u8; 4], u8>;

pub(super) struct GifReel {
    quality: u8,
    size: (u16, u16),
    plays: u32,
    pace: Pace,
    /// Begun with the first frame, whose palette is everybody's.
    file: Option<(Encoder<Vec<u8>>, Shared)>,
    /// What is seen before the pending frame is drawn.
    below: Option<Bitmap>,
    pending: Option<(Bitmap, u16)>,
}

impl GifReel {
    pub(super) fn new(settings: Settings, size: (u32, u32), plays: u32) -> Result<Self, Error> {
        let side = |side: u32| u16::try_from(side).map_err(|_| Error::Internal("gif: a side beyond the format".into()));
        Ok(Self {
            quality: if settings.lossless { 100 } else { settings.quality },
            size: (side(size.0)?, side(size.1)?),
            plays,
            pace: Pace::new(10_000),
            file: None,
            below: None,
            pending: None,
        })
    }

    /// Writes the pending frame, now that what follows is known.
    fn write(&mut self, next: Option<&Bitmap>, watch: &Watch, scratch: &mut Scratch) -> Result<(), Error> {
        watch.check()?;
        let Some((frame, delay)) = self.pending.take() else { return Ok(()) };
        // Where something disappears, this frame has to have been, to take it away.
        let vanishes = |now: [u8; 4], next: [u8; 4]| now[3] != 0 && next[3] == 0;
        let clear = next.and_then(|next| Rect::bounding(&frame, next, vanishes));
        let mut place = match &self.below {
            None => Rect::all(&frame),
            Some(below) => Rect::bounding(below, &frame, |a, b| !same(a, b)).unwrap_or(Rect::DOT),
        };
        if let Some(clear) = clear {
            place = place.union(clear);
        }
        let pixels = match &self.below {
            None => place.cut(&frame, scratch),
            Some(below) => place.cut_changes(below, &frame, scratch),
        };
        let indexed = self.index(&pixels, watch);
        scratch.give(pixels.into_pixels());
        let dispose = if clear.is_some() { DisposalMethod::Background } else { DisposalMethod::Keep };
        self.put(place, indexed?, dispose, delay)?;
        let mut seen = frame;
        if clear.is_some() {
            place.clear(&mut seen);
        }
        if let Some(below) = self.below.replace(seen) {
            scratch.give(below.into_pixels());
        }
        Ok(())
    }

    /// The pixels in the first frame's colours where they have no others (then the palette is empty), else in their own.
    fn index(&self, pixels: &Bitmap, watch: &Watch) -> Result<Indexed, Error> {
        let shared = self.file.as_ref().and_then(|(_, shared)| {
            let pixels = pixels.pixels().as_chunks::<4>().0;
            pixels.iter().map(|pixel| shared.get(pixel).copied()).collect::<Option<Vec<u8>>>()
        });
        if let Some(indices) = shared {
            return Ok(Indexed { palette: Palette { colours: Vec::new() }, indices });
        }
        quantise(pixels, Wish { colours: MOST, quality: self.quality, alpha: Alpha::Bit }, watch)
    }

    fn put(&mut self, place: Rect, indexed: Indexed, dispose: DisposalMethod, delay: u16) -> Result<(), Error> {
        let failed = |error: gif::EncodingError| Error::Internal(format!("gif: {error}"));
        let flat = |palette: &Palette| palette.colours.iter().flat_map(|c| [c[0], c[1], c[2]]).collect::<Vec<u8>>();
        let side = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        let Indexed { palette, indices } = indexed;
        let mut own = None;
        let (encoder, shared) = match &mut self.file {
            Some(file) => {
                own = (!palette.colours.is_empty()).then(|| flat(&palette));
                file
            }
            None => {
                // Later frames leave out what did not change: they can share a palette that has nothing in it.
                let mut colours = palette.colours.clone();
                if palette.transparent().is_none() && colours.len() < MOST {
                    colours.push([0; 4]);
                }
                let table = flat(&Palette { colours: colours.clone() });
                let mut encoder = Encoder::new(Vec::new(), self.size.0, self.size.1, &table).map_err(failed)?;
                match self.plays {
                    1 => {}
                    0 => encoder.set_repeat(Repeat::Infinite).map_err(failed)?,
                    // The file tells how often it is repeated.
                    plays => encoder.set_repeat(Repeat::Finite(side(plays as usize - 1))).map_err(failed)?,
                }
                let shared = colours.into_iter().zip(0..=u8::MAX).collect();
                self.file.insert((encoder, shared))
            }
        };
        let transparent = match &own {
            Some(_) => palette.transparent(),
            None => shared.get(&[0; 4]).copied(),
        };
        let frame = Frame {
            delay,
            dispose,
            transparent,
            left: side(place.left),
            top: side(place.top),
            width: side(place.width),
            height: side(place.height),
            palette: own,
            buffer: Cow::Owned(indices),
            ..Frame::default()
        };
        encoder.write_frame(&frame).map_err(failed)
    }
}

impl Reel for GifReel {
    fn add(&mut self, frame: Bitmap, micros: u64, watch: &Watch, scratch: &mut Scratch) -> Result<(), Error> {
        let mut frame = widen(frame, Layout::Rgba, scratch);
        // What GIF cannot hold is decided before frames are compared.
        for pixel in frame.pixels_mut().as_chunks_mut::<4>().0 {
            if pixel[3] < 128 {
                *pixel = [0; 4];
            } else {
                pixel[3] = u8::MAX;
            }
        }
        self.write(Some(&frame), watch, scratch)?;
        let delay = u16::try_from(self.pace.next(micros).min(LONGEST)).unwrap_or(u16::MAX);
        self.pending = Some((frame, delay));
        Ok(())
    }

    fn finish(mut self: Box<Self>, watch: &Watch, scratch: &mut Scratch) -> Result<Vec<u8>, Error> {
        self.write(None, watch, scratch)?;
        if let Some(below) = self.below {
            scratch.give(below.into_pixels());
        }
        let (encoder, _) = self.file.ok_or_else(|| Error::Internal("gif: no frame".into()))?;
        encoder.into_inner().map_err(|error| Error::Internal(format!("gif: {error}")))
    }
}
