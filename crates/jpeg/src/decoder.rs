//! The public face: headers in, pixels out. Chooses between streaming one scan and collecting many.
//! Invariants: the output buffer is written wholly or the result is an error; memory is checked before it is taken;
//! what scans may cost in all is bounded by the frame.

use crate::bits::Bits;
use crate::coefficients::{Coefficients, Dequantiser};
use crate::collector::Collector;
use crate::error::{Error, Limits};
use crate::frame::{Coding, Info, Sampling};
use crate::header::Header;
use crate::kernel::Kernels;
use crate::parallel::{Groups, Job};
use crate::plan::{Layout, Plan, Region, Scale};
use crate::sequential::Stream;
use crate::strip::{Output, Strip};

/// More threads than this wait for one another.
const MAX_HELPERS: usize = 15;

/// Memory that outlives a decode: its pages are paid for once. It holds what an earlier picture left.
#[derive(Debug, Default)]
pub struct Workspace {
    strip: Vec<u8>,
    masks: Vec<u64>,
    values: Vec<i16>,
    /// Of threads that helped.
    helpers: Vec<Vec<u8>>,
}

impl Workspace {
    /// Bytes that it holds.
    pub fn len(&self) -> usize {
        let helpers: usize = self.helpers.iter().map(Vec::capacity).sum();
        self.strip.capacity() + 8 * self.masks.capacity() + 2 * self.values.capacity() + helpers
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How a decode went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Every sample came from sound data. If not, the file is truncated or damaged: where nothing could be read, the
    /// picture is mid-grey, or, in a progressive file, less sharp.
    pub complete: bool,
}

/// A JPEG whose headers have been read.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    header: Header<'a>,
    limits: Limits,
    scale: Scale,
    region: Option<Region>,
    helpers: usize,
}

impl<'a> Decoder<'a> {
    /// Reads the headers up to the first scan.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Unsupported`], or [`Error::TooLarge`] if the frame has too many pixels.
    pub fn new(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let header = Header::read(bytes)?;
        let pixels = u64::from(header.frame.width) * u64::from(header.frame.height);
        if pixels > limits.max_pixels {
            return Err(Error::TooLarge { what: "pixels", value: pixels, limit: limits.max_pixels });
        }
        Ok(Self { bytes, header, limits: *limits, scale: Scale::Full, region: None, helpers: 0 })
    }

    /// What the headers tell.
    pub fn info(&self) -> Info {
        let Header { frame, colour, adobe, icc, exif, .. } = &self.header;
        let sampling =
            frame.components.iter().map(|c| Sampling { horizontal: c.h as u8, vertical: c.v as u8 }).collect();
        Info {
            width: frame.width,
            height: frame.height,
            coding: frame.coding,
            colour: *colour,
            sampling,
            adobe_transform: *adobe,
            has_icc: icc.any(),
            has_exif: exif.is_some(),
        }
    }

    /// The ICC profile, put together from its pieces; none if one is missing or it has over `limit` bytes.
    pub fn icc(&self, limit: usize) -> Option<Vec<u8>> {
        self.header.icc.assemble(limit)
    }

    /// The TIFF structure of the first EXIF segment.
    pub fn exif(&self) -> Option<&'a [u8]> {
        self.header.exif
    }

    /// Sets the output's scale; a region is forgotten.
    pub fn scale(&mut self, scale: Scale) -> &mut Self {
        self.scale = scale;
        self.region = None;
        self
    }

    /// Wants only a part of the scaled picture: other blocks are passed over, rows below are not read.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is empty or not inside the picture.
    pub fn region(&mut self, region: Region) -> Result<&mut Self, Error> {
        Plan::new(&self.header.frame, self.scale, Some(region))?;
        self.region = Some(region);
        Ok(self)
    }

    /// Lets so many threads help (none at first), where that is worth it: in large files of one scan that have restart
    /// markers. The pixels are the same. The threads live as long as the decode; they take memory ([`Self::memory`]).
    pub fn helpers(&mut self, threads: usize) -> &mut Self {
        self.helpers = threads.min(MAX_HELPERS);
        self
    }

    /// Pixels of the output across and down, at the scale and region that are set.
    pub fn output_size(&self) -> (u32, u32) {
        match self.region {
            Some(region) => (region.width, region.height),
            None => (self.scale.of(self.header.frame.width), self.scale.of(self.header.frame.height)),
        }
    }

    /// The output's channels.
    pub fn output_layout(&self) -> Layout {
        Layout::of(self.header.colour)
    }

    /// Bytes of the output: rows without gaps.
    pub fn output_len(&self) -> usize {
        let (width, height) = self.output_size();
        width as usize * height as usize * self.output_layout().channels()
    }

    /// Bytes that [`Self::decode_into`] will need in its workspace, at the scale and region that are set.
    pub fn memory(&self) -> u64 {
        self.plan().map_or(u64::MAX, |plan| self.need(&plan))
    }

    fn plan(&self) -> Result<Plan, Error> {
        Plan::new(&self.header.frame, self.scale, self.region)
    }

    fn need(&self, plan: &Plan) -> u64 {
        let strip = Strip::len(plan) as u64;
        if self.streams() {
            return strip + self.groups(plan).map_or(0, |groups| groups.memory());
        }
        let (masks, values) = Coefficients::len(&self.header.frame, plan);
        strip + 8 * masks as u64 + 2 * values as u64
    }

    /// How the rows are shared out among threads, if they are.
    fn groups<'p>(&'p self, plan: &'p Plan) -> Option<Groups<'p>> {
        let Header { frame, state, colour, .. } = &self.header;
        Groups::new(frame, plan, state, *colour, self.helpers).filter(|_| self.streams())
    }

    /// Whether one scan holds everything.
    fn streams(&self) -> bool {
        let Header { frame, scan, .. } = &self.header;
        frame.coding != Coding::Progressive && scan.components.len() == frame.components.len()
    }

    /// Bytes of a band: the lines that [`Self::decode_bands`] hands over at most at once.
    pub fn band_len(&self) -> usize {
        let (width, height) = self.output_size();
        // The last row of MCUs has the line that waited for it as well.
        let lines = self.plan().map_or(height, |plan| (plan.lines + 1).min(height));
        width as usize * lines as usize * self.output_layout().channels()
    }

    /// Decodes from top to bottom through `band`, which has [`Self::band_len`] bytes: `take` is given every line once,
    /// several at a time. Else as [`Self::decode_into`].
    ///
    /// # Errors
    /// As [`Self::decode_into`].
    pub fn decode_bands(
        &self,
        workspace: &mut Workspace,
        cancelled: &dyn Fn() -> bool,
        band: &mut [u8],
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Outcome, Error> {
        if band.len() != self.band_len() {
            return Err(Error::Usage("the buffer has not a band's length"));
        }
        self.decode(workspace, cancelled, Output::Bands { band, take })
    }

    /// Decodes into `out`, which has [`Self::output_len`] bytes; every one is written. `cancelled` is asked at every
    /// row of MCUs, in every scan, and where others help at every few rows. May be called again.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::TooLarge`] if the limits do not allow [`Self::memory`]; [`Error::Usage`] if
    /// `out` has another length; [`Error::Malformed`] if the first scan's tables are missing or impossible.
    pub fn decode_into(
        &self,
        workspace: &mut Workspace,
        cancelled: &dyn Fn() -> bool,
        out: &mut [u8],
    ) -> Result<Outcome, Error> {
        if out.len() != self.output_len() {
            return Err(Error::Usage("the buffer has not the output's length"));
        }
        self.decode(workspace, cancelled, Output::Whole(out))
    }

    fn decode(
        &self,
        workspace: &mut Workspace,
        cancelled: &dyn Fn() -> bool,
        mut out: Output<'_>,
    ) -> Result<Outcome, Error> {
        let plan = self.plan()?;
        let need = self.need(&plan);
        if need > self.limits.max_memory {
            return Err(Error::TooLarge { what: "bytes of memory", value: need, limit: self.limits.max_memory });
        }
        let Workspace { strip, masks, values, helpers } = workspace;
        let strip = room(strip, Strip::len(&plan));
        let mut strip = Strip::new(&plan, Kernels::detect(), self.header.colour, strip);
        let complete = if self.streams() {
            self.stream(&plan, &mut strip, helpers, cancelled, out)?
        } else {
            let (mask_len, value_len) = Coefficients::len(&self.header.frame, &plan);
            let (masks, values) = (room(masks, mask_len), room(values, value_len));
            let mut coefficients = Coefficients::new(&self.header.frame, &plan, masks, values);
            let mut collector = Collector::new(self.bytes, &self.header, &plan, cancelled);
            collector.run(&mut coefficients)?;
            let dequantisers = collector.dequantisers();
            for row in plan.rows.0..plan.rows.1 {
                if cancelled() {
                    return Err(Error::Cancelled);
                }
                coefficients.transform(&plan, row, &dequantisers, &mut strip);
                out.take(row, &mut strip);
            }
            collector.whole
        };
        Ok(Outcome { complete })
    }

    fn stream(
        &self,
        plan: &Plan,
        strip: &mut Strip<'_>,
        helpers: &mut Vec<Vec<u8>>,
        cancelled: &dyn Fn() -> bool,
        mut out: Output<'_>,
    ) -> Result<bool, Error> {
        let Header { frame, scan, state, data, colour, .. } = &self.header;
        let mut dequantisers = Vec::with_capacity(frame.components.len());
        for (component, plane) in frame.components.iter().zip(&plan.planes) {
            let steps = state.tables.quant[usize::from(component.quant & 3)];
            let steps = steps.ok_or(Error::Malformed("a quantisation table is missing"))?;
            dequantisers.push(Dequantiser::new(steps, plane.size));
        }
        let stream = Stream { frame, plan, scan, state, dequantisers: &dequantisers, markers: 0 };
        if let Some(groups) = self.groups(plan) {
            let job = Job { groups, stream, colour: *colour, bytes: self.bytes, data: *data };
            if let Some(outcome) = job.run(helpers, cancelled, &mut |lines| out.lines(lines)) {
                return outcome;
            }
        }
        stream.run(Bits::new(self.bytes, *data), strip, cancelled, out)
    }
}

/// The first `len` elements of memory that grows when it must.
fn room<T: Clone + Default>(memory: &mut Vec<T>, len: usize) -> &mut [T] {
    if memory.len() < len {
        // A new one, not a longer one: its content need not be copied, and fresh zeroed pages cost nothing yet.
        *memory = Vec::new();
        *memory = vec![T::default(); len];
    }
    &mut memory[..len]
}
