//! A file of several scans: which of them the scale needs, and all of those read into the coefficients.
//! Knows no pixels. Invariant: what scans may cost in all is bounded by the frame.

use crate::bits::Bits;
use crate::coefficients::{Coefficients, Dequantiser};
use crate::error::Error;
use crate::frame::{Coding, Frame};
use crate::header::{Header, State};
use crate::plan::Plan;
use crate::progressive;
use crate::scan::Scan;
use crate::segment::{self, EOI, SOS};
use crate::sequential::{self, Part};

/// Scans that are looked at; real files have about ten.
const MAX_SCANS: usize = 1000;
/// How often a block may be visited, in the mean over the frame. With all bits of all bands apart, T.81 allows some
/// 900 visits; encoders use 5.
const MAX_VISITS: u64 = 100;

/// Walks the scans of a file that has several.
pub(crate) struct Collector<'d> {
    bytes: &'d [u8],
    header: &'d Header<'d>,
    plan: &'d Plan,
    cancelled: &'d dyn Fn() -> bool,
    state: State,
    /// Each component's steps, as they were when it first appeared.
    steps: [Option<[u16; 64]>; 4],
    /// Visits to blocks that are still allowed.
    visits: u64,
    /// Everything so far came from sound data.
    pub(crate) whole: bool,
}

impl<'d> Collector<'d> {
    pub(crate) fn new(
        bytes: &'d [u8],
        header: &'d Header<'d>,
        plan: &'d Plan,
        cancelled: &'d dyn Fn() -> bool,
    ) -> Self {
        let visits = header.frame.blocks() * MAX_VISITS;
        Self { bytes, header, plan, cancelled, state: header.state.clone(), steps: [None; 4], visits, whole: true }
    }

    pub(crate) fn dequantisers(&self) -> Vec<Dequantiser> {
        // A component without steps has appeared in no scan, and has no coefficients either.
        let steps = self.steps.iter().map(|steps| steps.unwrap_or([1; 64]));
        self.plan.planes.iter().zip(steps).map(|(plane, steps)| Dequantiser::new(steps, plane.size)).collect()
    }

    /// Reads every scan that is needed. Damage behind the first scan's header ends the walk: what is there is used.
    pub(crate) fn run(&mut self, coefficients: &mut Coefficients<'_>) -> Result<(), Error> {
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
        let scanned = Part { frame, scan, state: &self.state, cancelled: self.cancelled };
        match frame.coding {
            Coding::Progressive => progressive::collect(scanned, bits, coefficients),
            Coding::Baseline | Coding::Extended => sequential::collect(scanned, bits, coefficients),
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
