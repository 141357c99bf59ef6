//! The public face: headers in, pixels out. Chooses between streaming one scan and collecting many.
//! Invariants: the output buffer is written wholly or the result is an error; memory is checked before it is taken;
//! what scans may cost in all is bounded by the frame.

use crate::bits::Bits;
use crate::coefficients::{Coefficients, Dequantiser};
use crate::error::{Error, Limits};
use crate::frame::{Coding, Info, Sampling};
use crate::header::{Header, State};
use crate::kernel::Kernels;
use crate::plan::{Layout, Plan, Region, Scale};
use crate::scan::Scan;
use crate::segment::{self, EOI, SOS};
use crate::sequential::{self, Stream};
use crate::strip::{Output, Strip};
use crate::{frame::Frame, progressive};

/// Scans that are looked at; real files have about ten.
const MAX_SCANS: usize = 1000;
/// How often a block may be visited, in the mean over the frame. With all bits of all bands apart, T.81 allows some
/// 900 visits; encoders use 5.
const MAX_VISITS: u64 = 100;

/// Memory that outlives a decode: its pages are paid for once. It holds what an earlier picture left.
#[derive(Debug, Default)]
pub struct Workspace {
    strip: Vec<u8>,
    masks: Vec<u64>,
    values: Vec<i16>,
}

impl Workspace {
    /// Bytes that it holds.
    pub fn len(&self) -> usize {
        self.strip.capacity() + 8 * self.masks.capacity() + 2 * self.values.capacity()
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
        Ok(Self { bytes, header, limits: *limits, scale: Scale::Full, region: None })
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
            return strip;
        }
        let (masks, values) = Coefficients::len(&self.header.frame, plan);
        strip + 8 * masks as u64 + 2 * values as u64
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
    /// row of MCUs, in every scan. May be called again.
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
        let Workspace { strip, masks, values } = workspace;
        let strip = room(strip, Strip::len(&plan));
        let mut strip = Strip::new(&plan, Kernels::detect(), self.header.colour, strip);
        let complete = if self.streams() {
            self.stream(&plan, &mut strip, cancelled, out)?
        } else {
            let (mask_len, value_len) = Coefficients::len(&self.header.frame, &plan);
            let (masks, values) = (room(masks, mask_len), room(values, value_len));
            let mut coefficients = Coefficients::new(&self.header.frame, &plan, masks, values);
            let mut collector = Collector::new(self, &plan, cancelled);
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
        cancelled: &dyn Fn() -> bool,
        out: Output<'_>,
    ) -> Result<bool, Error> {
        let Header { frame, scan, state, data, .. } = &self.header;
        let mut dequantisers = Vec::with_capacity(frame.components.len());
        for (component, plane) in frame.components.iter().zip(&plan.planes) {
            let steps = state.tables.quant[usize::from(component.quant & 3)];
            let steps = steps.ok_or(Error::Malformed("a quantisation table is missing"))?;
            dequantisers.push(Dequantiser::new(steps, plane.size));
        }
        let stream = Stream { frame, plan, scan, state, dequantisers: &dequantisers, cancelled };
        stream.run(Bits::new(self.bytes, *data), strip, out)
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

/// Walks the scans of a file that has several.
struct Collector<'d> {
    bytes: &'d [u8],
    header: &'d Header<'d>,
    plan: &'d Plan,
    cancelled: &'d dyn Fn() -> bool,
    state: State,
    /// Each component's steps, as they were when it first appeared.
    steps: [Option<[u16; 64]>; 4],
    /// Visits to blocks that are still allowed.
    visits: u64,
    whole: bool,
}

impl<'d> Collector<'d> {
    fn new(decoder: &'d Decoder<'d>, plan: &'d Plan, cancelled: &'d dyn Fn() -> bool) -> Self {
        let Decoder { bytes, header, .. } = decoder;
        let visits = header.frame.blocks() * MAX_VISITS;
        Self { bytes, header, plan, cancelled, state: header.state.clone(), steps: [None; 4], visits, whole: true }
    }

    fn dequantisers(&self) -> Vec<Dequantiser> {
        // A component without steps has appeared in no scan, and has no coefficients either.
        let steps = self.steps.iter().map(|steps| steps.unwrap_or([1; 64]));
        self.plan.planes.iter().zip(steps).map(|(plane, steps)| Dequantiser::new(steps, plane.size)).collect()
    }

    /// Reads every scan that is needed. Damage behind the first scan's header ends the walk: what is there is used.
    fn run(&mut self, coefficients: &mut Coefficients<'_>) -> Result<(), Error> {
        let frame = &self.header.frame;
        let needed = self.needed();
        let mut scan = self.header.scan.clone();
        let mut at = self.header.data;
        for (index, needed) in needed.into_iter().enumerate() {
            if needed {
                match self.scan(frame, &scan, at, coefficients) {
                    Ok((position, whole)) => {
                        self.whole &= whole;
                        at = position;
                    }
                    Err(Error::Cancelled) => return Err(Error::Cancelled),
                    Err(error) if index == 0 => return Err(error),
                    Err(_) => {
                        self.whole = false;
                        return Ok(());
                    }
                }
            }
            at = segment::skip_entropy(self.bytes, at);
            match next_scan(self.bytes, frame, &mut self.state, at) {
                Some(Next::Scan(following, data)) => (scan, at) = (following, data),
                Some(Next::End) => {
                    self.whole &= self.steps.iter().take(frame.components.len()).all(Option::is_some);
                    return Ok(());
                }
                None => break,
            }
        }
        self.whole = false;
        Ok(())
    }

    /// For each scan of the file, whether the scale needs it.
    fn needed(&self) -> Vec<bool> {
        let frame = &self.header.frame;
        let mut state = State::default();
        let mut scans = vec![self.header.scan.clone()];
        let mut at = segment::skip_entropy(self.bytes, self.header.data);
        while scans.len() < MAX_SCANS {
            let Some(Next::Scan(scan, data)) = next_scan(self.bytes, frame, &mut state, at) else { break };
            scans.push(scan);
            at = segment::skip_entropy(self.bytes, data);
        }
        progressive::needed(&scans, self.plan.planes.iter().map(|plane| u64::MAX >> (63 - plane.keep)).collect())
    }

    fn scan(
        &mut self,
        frame: &Frame,
        scan: &Scan,
        at: usize,
        coefficients: &mut Coefficients<'_>,
    ) -> Result<(usize, bool), Error> {
        let blocks = |c: &crate::scan::ScanComponent| {
            u64::from(frame.components[c.index].blocks_w) * u64::from(frame.components[c.index].blocks_h)
        };
        let cost: u64 = scan.components.iter().map(blocks).sum();
        self.visits = self.visits.checked_sub(cost).ok_or(Error::Malformed("too many scans"))?;
        for component in &scan.components {
            let number = usize::from(frame.components[component.index].quant & 3);
            let steps = &mut self.steps[component.index & 3];
            *steps = steps.or(self.state.tables.quant[number]);
            if steps.is_none() {
                return Err(Error::Malformed("a quantisation table is missing"));
            }
        }
        let bits = Bits::new(self.bytes, at);
        if frame.coding == Coding::Progressive {
            progressive::collect(frame, scan, &self.state, bits, coefficients, self.cancelled)
        } else {
            sequential::collect(frame, scan, &self.state, bits, coefficients, self.cancelled)
        }
    }
}

/// What follows a scan.
enum Next {
    /// Another, and where its data begins.
    Scan(Scan, usize),
    /// The end of the picture.
    End,
}

/// Reads segments from `at` to the next scan's data. Nothing: the file ends, or is damaged.
fn next_scan(bytes: &[u8], frame: &Frame, state: &mut State, mut at: usize) -> Option<Next> {
    loop {
        let segment = segment::next(bytes, at)?;
        at = segment.end;
        match segment.marker {
            EOI => return Some(Next::End),
            _ if segment.broken => return None,
            SOS => return Some(Next::Scan(Scan::read(frame, segment.payload).ok()?, at)),
            _ => state.read(&segment).ok()?,
        }
    }
}
