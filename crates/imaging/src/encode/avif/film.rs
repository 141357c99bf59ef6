//! An image sequence while it is coded: each frame that comes in is coded at once, and only what is coded is kept.
//!
//! Alpha has a track of its own, begun with the first frame that needs it: the frames before it get alpha that is opaque
//! everywhere, which costs a few bytes each. Invariant: both tracks have a frame for each that came in.

use super::aom::stream::{NANOSECONDS_OF_FRAME, Stream, Wish, nanoseconds};
use super::container::Place;
use super::planes::{Planes, Subsampling};
use super::sequence::{self, Sequence};
use super::{AvifOptions, Coded, obu};
use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::limits::Watch;
use cache_key::transform::Chroma;

/// A sequence that is being coded.
pub(crate) struct Film {
    size: (u16, u16),
    plays: u32,
    options: AvifOptions,
    /// What the first frame is taken for, and with it all.
    drawn: Option<bool>,
    color: Track,
    alpha: Track,
    micros: Vec<u64>,
    data: Vec<u8>,
}

/// What is coded of one kind of planes.
#[derive(Default)]
struct Track {
    /// The encoder, and what its first frame says of all.
    begun: Option<(Stream, Coded)>,
    frames: Vec<Place>,
}

impl Film {
    /// A sequence of frames of `size` that plays so often (0: for ever).
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a side above 65,535.
    pub(crate) fn new(size: (u32, u32), plays: u32, options: &AvifOptions) -> Result<Self, Error> {
        let side = |side: u32| {
            let (what, limit) = ("longer side of an AVIF sequence", u16::MAX.into());
            u16::try_from(side).map_err(|_| Error::TooLarge { what, value: side.into(), limit })
        };
        Ok(Self {
            size: (side(size.0)?, side(size.1)?),
            plays,
            options: *options,
            drawn: None,
            color: Track::default(),
            alpha: Track::default(),
            micros: Vec::new(),
            data: Vec::new(),
        })
    }

    /// Codes the next frame, which is seen for `micros` and has the size of all. `watch` is asked before each coded frame.
    ///
    /// # Errors
    /// What [`Watch::check`] returns, and [`Error::Internal`] when libaom fails.
    pub(crate) fn add(&mut self, frame: &Bitmap, micros: u64, watch: &Watch) -> Result<(), Error> {
        let drawn = *self.drawn.get_or_insert_with(|| is_drawn(frame));
        let AvifOptions { quality, effort, lossless, .. } = self.options;
        let wish = Wish { quality, effort: effort.unwrap_or(EFFORT), lossless, drawn };
        // They have edges and areas.
        let mask = Wish { drawn: true, ..wish };
        let alpha = Planes::<u8>::of_alpha(frame);
        if alpha.is_some() || self.alpha.begun.is_some() {
            let solid = || opaque(frame.width(), frame.height());
            while self.alpha.frames.len() < self.micros.len() {
                self.alpha.add(&solid(), mask, &mut self.data, watch)?;
            }
            self.alpha.add(&alpha.unwrap_or_else(solid), mask, &mut self.data, watch)?;
        }
        let color = Planes::<u8>::of_color(frame, self.subsampling());
        self.color.add(&color, wish, &mut self.data, watch)?;
        self.micros.push(micros);
        Ok(())
    }

    /// Whole colours are for who asks: at speeds for many frames they take up to twice the bytes.
    fn subsampling(&self) -> Subsampling {
        match (self.options.lossless, self.options.chroma) {
            (true, _) => Subsampling::Identity,
            (false, Chroma::C444) => Subsampling::Full,
            (false, Chroma::Auto | Chroma::C420) => Subsampling::Half,
        }
    }

    /// The whole file. There was at least one frame.
    ///
    /// # Errors
    /// As [`Film::add`].
    pub(crate) fn finish(self, watch: &Watch) -> Result<Vec<u8>, Error> {
        watch.check()?;
        let subsampling = self.subsampling();
        let Self { size, plays, color, alpha, micros, data, .. } = self;
        let color = color.told().ok_or_else(|| Error::Internal("an AVIF sequence without frames".into()))?;
        let (alpha, micros, data) = (alpha.told(), &micros, &data);
        sequence::write(&Sequence { size, subsampling, micros, plays, color, alpha, data })
    }
}

impl Track {
    fn add(&mut self, planes: &Planes<u8>, wish: Wish, data: &mut Vec<u8>, watch: &Watch) -> Result<(), Error> {
        watch.check()?;
        let unit = match &mut self.begun {
            Some((stream, _)) => stream.frame(planes)?,
            None => {
                let mut stream = Stream::open(planes, wish)?;
                let unit = stream.frame(planes)?;
                let missing = || Error::Internal("libaom wrote no header of a sequence".into());
                let sequence = obu::moving_sequence(&unit).ok_or_else(missing)?;
                self.begun = Some((stream, Coded { data: Vec::new(), depth: 8, sequence }));
                unit
            }
        };
        let unit = obu::without_temporal_delimiter(&unit);
        let place =
            |length: usize| u32::try_from(length).map_err(|_| Error::Internal("an AVIF of more than 4 GiB".into()));
        self.frames.push(Place { offset: place(data.len())?, length: place(unit.len())? });
        data.extend(unit);
        Ok(())
    }

    fn told(&self) -> Option<sequence::Track<'_>> {
        self.begun.as_ref().map(|(_, look)| sequence::Track { look, frames: &self.frames })
    }
}

/// The effort where none is asked.
const EFFORT: u8 = 4;

/// What a frame costs, in nanoseconds of one core; measured, rounded up. Half of it is the alpha's.
pub(crate) fn expected_nanoseconds(pixels: u64, effort: Option<u8>, alpha: bool) -> u64 {
    let one = pixels * nanoseconds(effort.unwrap_or(EFFORT)) + NANOSECONDS_OF_FRAME;
    if alpha { 2 * one } else { one }
}

/// What the encoders hold while frames of so many pixels are coded: the frames that others refer to, and tables.
pub(crate) const fn expected_bytes(pixels: u64, alpha: bool) -> u64 {
    let one = pixels * 40 + (3 << 19);
    if alpha { 2 * one } else { one }
}

/// Whether a picture is a drawing or a screen: most of its squares have hardly a colour more than one. Photographs have
/// such squares too, in a sky or a black margin, and dithered ones hardly any.
fn is_drawn(frame: &Bitmap) -> bool {
    const SIDE: usize = 16;
    const FEW: usize = 4;
    let (width, channels) = (frame.width() as usize, frame.layout().channels());
    let (mut squares, mut drawn) = (0, 0);
    for rows in frame.pixels().chunks(SIDE * width * channels) {
        for left in (0..width).step_by(SIDE) {
            let columns = left * channels..width.min(left + SIDE) * channels;
            let rows = rows.chunks(width * channels).filter_map(|row| row.get(columns.clone()));
            let mut colours: Vec<&[u8]> = Vec::with_capacity(FEW + 1);
            for pixel in rows.flat_map(|row| row.chunks(channels)) {
                if colours.len() <= FEW && !colours.contains(&pixel) {
                    colours.push(pixel);
                }
            }
            squares += 1;
            drawn += usize::from(colours.len() <= FEW);
        }
    }
    drawn * 10 >= squares * 6
}

/// The alpha of a frame that has none.
fn opaque(width: u32, height: u32) -> Planes<u8> {
    let luma = vec![u8::MAX; width as usize * height as usize];
    Planes { width, height, subsampling: Subsampling::Monochrome, luma, chroma: [Vec::new(), Vec::new()] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitmap::Layout;

    #[test]
    fn drawings_are_told_from_photographs() {
        let picture = |colour: fn(u32, u32) -> u8| {
            let pixels = (0..70 * 50).flat_map(|i| [colour(i % 70, i / 70); 3]).collect();
            Bitmap::new(70, 50, Layout::Rgb, pixels)
        };
        assert!(is_drawn(&picture(|x, y| if x > y { 200 } else { 3 })));
        assert!(!is_drawn(&picture(|x, y| (x * 3 + y) as u8)));
        // A third of it is a slope.
        assert!(is_drawn(&picture(|x, _| if x < 22 { (x * 9) as u8 } else { 9 })));
    }
}
