//! AVIF sequence: the frames go to the coder as they are, which finds out itself what changes.

use super::Reel;
use crate::bitmap::{Bitmap, Layout};
use crate::encode::Settings;
use crate::encode::avif::AvifOptions;
use crate::encode::avif::film::Film;
use crate::error::Error;
use crate::limits::Watch;
use crate::op::channels::widen;
use crate::scratch::Scratch;

pub(super) struct AvifReel(Film);

impl AvifReel {
    pub(super) fn new(settings: Settings, size: (u32, u32), plays: u32) -> Result<Self, Error> {
        let Settings { engine, quality, effort, chroma, lossless, .. } = settings;
        Film::new(size, plays, &AvifOptions { engine, quality, effort, chroma, lossless }).map(Self)
    }
}

impl Reel for AvifReel {
    fn add(&mut self, frame: Bitmap, micros: u64, watch: &Watch, scratch: &mut Scratch) -> Result<(), Error> {
        // All frames of a track are of one kind, whatever the first of them would do with.
        let frame = widen(frame, Layout::Rgba, scratch);
        let added = self.0.add(&frame, micros, watch);
        scratch.give(frame.into_pixels());
        added
    }

    fn finish(self: Box<Self>, watch: &Watch, _scratch: &mut Scratch) -> Result<Vec<u8>, Error> {
        self.0.finish(watch)
    }
}
