//! Entropy decoding of sequential scans (T.81 F.2): straight into the strip where one scan has all components, into
//! the coefficients where it has not. Invariant: damage ends a restart interval at worst; every block gets a value.

use crate::Error;
use crate::bits::Bits;
use crate::coefficients::{Coefficients, Dequantiser, wanted};
use crate::frame::Frame;
use crate::header::State;
use crate::huffman::{AcTable, DcTable, SYMBOL_BITS};
use crate::kernel::{Block, tuned};
use crate::pairs::{PAIR_BITS, PairTable};
use crate::plan::{Plan, Plane};
use crate::scan::Scan;
use crate::strip::{Output, Strip};

/// Counts MCUs to the next restart marker and remembers damage.
#[derive(Debug)]
struct Restarts {
    interval: u32,
    left: u32,
    expected: u8,
    /// Nothing more can be read up to the next marker.
    dead: bool,
    /// Everything so far was whole.
    whole: bool,
}

impl Restarts {
    fn new(interval: u32) -> Self {
        Self::behind(interval, 0)
    }

    /// Behind so many markers.
    fn behind(interval: u32, markers: u32) -> Self {
        Self { interval, left: interval, expected: (markers & 7) as u8, dead: false, whole: true }
    }

    /// To be called before every MCU. Gives whether an interval begins: predictions start anew.
    #[inline(always)]
    fn before(&mut self, bits: &mut Bits<'_>) -> bool {
        if self.interval == 0 {
            return false;
        }
        if self.left > 0 {
            self.left -= 1;
            return false;
        }
        self.left = self.interval - 1;
        self.dead = !bits.restart(self.expected);
        self.whole &= !self.dead;
        self.expected = (self.expected + 1) & 7;
        true
    }

    /// To be called after every MCU; `good`: all its codes were.
    #[inline(always)]
    fn after(&mut self, bits: &Bits<'_>, good: bool) {
        if !good || (bits.ended() && bits.overrun()) {
            self.whole = false;
            self.dead |= bits.overrun();
        }
    }

    /// Whether nothing can follow in this scan.
    fn over(&self) -> bool {
        self.dead && self.interval == 0
    }
}

/// Tables of a component in a scan.
struct Coded {
    index: usize,
    dc: DcTable,
    ac: AcTable,
    pairs: PairTable,
}

fn tables(scan: &Scan, state: &State) -> Result<Vec<Coded>, Error> {
    let coded = |part: &crate::scan::ScanComponent| {
        let dc = DcTable::new(&state.tables.dc(part.dc_table))?;
        let ac = AcTable::with_skip(&state.tables.ac(part.ac_table));
        Ok(Coded { index: part.index, dc, pairs: PairTable::new(&ac), ac })
    };
    scan.components.iter().map(coded).collect()
}

/// Reads a block's DC difference into `prediction`. Gives whether its code was good.
#[inline(always)]
fn read_dc(bits: &mut Bits<'_>, table: &DcTable, prediction: &mut i32) -> bool {
    bits.ensure(SYMBOL_BITS);
    let symbol = table.read(bits);
    *prediction = prediction.wrapping_add(symbol.value);
    !symbol.bad
}

/// Reads a block's AC coefficients: those up to `keep` are put, the rest passed over. Gives the last one that was put
/// (0: none) and whether all codes were good.
#[inline(always)]
fn read_ac(bits: &mut Bits<'_>, table: &AcTable, keep: u32, mut put: impl FnMut(u32, i32)) -> (u32, bool) {
    let mut k = 0;
    while k < keep {
        bits.ensure(SYMBOL_BITS);
        let symbol = table.read(bits);
        let next = k + symbol.advance;
        if next > 63 {
            return (k, !symbol.bad);
        }
        put(next, symbol.value);
        k = next;
    }
    (k, table.skip(bits, k))
}

/// The same, two at a time and straight into the block. Gives whether there was any, and whether all codes were good.
#[inline(always)]
fn read_pairs(
    part: &Coded,
    bits: &mut Bits<'_>,
    keep: u32,
    dequantiser: &Dequantiser,
    block: &mut Block,
) -> (bool, bool) {
    let mut k = 0;
    while k < keep {
        bits.ensure(PAIR_BITS);
        let pair = part.pairs.look(bits.window());
        if pair.bits() == 0 {
            bits.ensure(SYMBOL_BITS);
            let symbol = part.ac.read(bits);
            let next = k + symbol.advance;
            if next > 63 {
                return (k > 0, !symbol.bad);
            }
            dequantiser.put(block, next, symbol.value);
            k = next;
            continue;
        }
        let (first, value) = pair.first();
        let (second, other) = pair.second();
        // A block that is full needs no end: the second symbol is the next block's.
        if k + first >= 63 {
            bits.consume(pair.first_bits());
            dequantiser.put(block, k + first, value);
            return (k + first == 63 || k > 0, true);
        }
        bits.consume(pair.bits());
        // The second first: where there is none, the first takes its place.
        dequantiser.put(block, k + second, other);
        dequantiser.put(block, k + first, value);
        k += second;
    }
    (true, part.ac.skip(bits, k))
}

/// What a streamed decode needs.
#[derive(Clone, Copy)]
pub(crate) struct Stream<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) plan: &'a Plan,
    pub(crate) scan: &'a Scan,
    pub(crate) state: &'a State,
    pub(crate) dequantisers: &'a [Dequantiser],
    /// Restart markers before the data that is read: it begins with the interval behind them.
    pub(crate) markers: u32,
}

impl Stream<'_> {
    /// Decodes the one scan that has all components, from `bits` into `out`. Gives whether it was whole.
    pub(crate) fn run(
        &self,
        bits: Bits<'_>,
        strip: &mut Strip<'_>,
        cancelled: &dyn Fn() -> bool,
        out: Output<'_>,
    ) -> Result<bool, Error> {
        tuned(
            #[inline(always)]
            || self.walk(bits, strip, cancelled, out),
        )
    }

    #[inline(always)]
    fn walk(
        &self,
        mut bits: Bits<'_>,
        strip: &mut Strip<'_>,
        cancelled: &dyn Fn() -> bool,
        mut out: Output<'_>,
    ) -> Result<bool, Error> {
        let coded = tables(self.scan, self.state)?;
        let mut predictions = [0i32; 4];
        let mut restarts = Restarts::behind(self.state.restart, self.markers);
        let width = u64::from(self.frame.mcus_w);
        let begin = u64::from(self.markers) * u64::from(self.state.restart);
        // A frame has fewer rows than 2^16, and a row fewer MCUs.
        let (begin, mut skipped) = ((begin / width) as u32, (begin % width) as u32);
        for row in begin..self.plan.rows.1 {
            if cancelled() {
                return Err(Error::Cancelled);
            }
            let visible = row >= self.plan.rows.0;
            for column in std::mem::take(&mut skipped)..self.frame.mcus_w {
                if restarts.before(&mut bits) {
                    predictions = [0; 4];
                }
                if restarts.dead {
                    if visible {
                        self.grey(column, strip);
                    }
                    continue;
                }
                let good = self.mcu(&coded, &mut bits, &mut predictions, column, visible, strip);
                restarts.after(&bits, good);
            }
            if visible {
                out.take(row, strip);
            }
        }
        Ok(restarts.whole)
    }

    #[inline(always)]
    fn mcu(
        &self,
        coded: &[Coded],
        bits: &mut Bits<'_>,
        predictions: &mut [i32; 4],
        column: u32,
        visible: bool,
        strip: &mut Strip<'_>,
    ) -> bool {
        let mut good = true;
        // A copy, whose address nobody takes: it stays in registers.
        let mut own = *bits;
        for part in coded {
            let (plane, dequantiser) = (&self.plan.planes[part.index], &self.dequantisers[part.index]);
            let prediction = &mut predictions[part.index & 3];
            for y in 0..plane.v {
                for x in column * plane.h..(column + 1) * plane.h {
                    let visible = visible && wanted(plane, x);
                    good &= block(part, &mut own, prediction, plane, dequantiser, (x, y), visible, strip);
                }
            }
        }
        *bits = own;
        good
    }

    fn grey(&self, column: u32, strip: &mut Strip<'_>) {
        for plane in &self.plan.planes {
            for y in 0..plane.v {
                for x in column * plane.h..(column + 1) * plane.h {
                    if wanted(plane, x) {
                        strip.flat(plane, x, y, 0);
                    }
                }
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the innermost call: all of it stays in registers")]
#[inline(always)]
fn block(
    part: &Coded,
    bits: &mut Bits<'_>,
    prediction: &mut i32,
    plane: &Plane,
    dequantiser: &Dequantiser,
    (x, y): (u32, u32),
    visible: bool,
    strip: &mut Strip<'_>,
) -> bool {
    let mut good = read_dc(bits, &part.dc, prediction);
    let dc = dequantiser.value(0, i32::from(*prediction as i16));
    if !visible || plane.keep == 0 {
        good &= part.ac.skip(bits, 0);
        if visible {
            strip.flat(plane, x, y, dc);
        }
        return good;
    }
    let block = strip.slot(plane);
    let (any, ac_good) = read_pairs(part, bits, plane.keep, dequantiser, block);
    if !any {
        strip.flat(plane, x, y, dc);
    } else {
        block[0] = dc;
        strip.push(plane, x, y);
    }
    good & ac_good
}

/// A scan of some components, and what reading it needs.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) scan: &'a Scan,
    pub(crate) state: &'a State,
    pub(crate) cancelled: &'a dyn Fn() -> bool,
}

/// Decodes a scan of some components into the coefficients. Gives where it ended and whether it was whole.
pub(crate) fn collect(
    scanned: Part<'_>,
    bits: Bits<'_>,
    coefficients: &mut Coefficients<'_>,
) -> Result<(usize, bool), Error> {
    let coded = tables(scanned.scan, scanned.state)?;
    let mut predictions = [0i32; 4];
    let walk = Walk::new(scanned.frame, scanned.scan);
    walk.visit(scanned, bits, |bits, anew, column, row| {
        if anew {
            predictions = [0; 4];
        }
        let mut good = true;
        for (part, (h, v)) in coded.iter().zip(&walk.factors) {
            for (x, y) in blocks(column, row, *h, *v) {
                let prediction = &mut predictions[part.index & 3];
                good &= read_dc(bits, &part.dc, prediction);
                let mut stored = coefficients.block(part.index, x, y);
                stored.set(0, *prediction as i16);
                let (_, ac_good) = read_ac(bits, &part.ac, 63, |k, value| {
                    if value != 0 {
                        stored.set(k, value as i16);
                    }
                });
                good &= ac_good;
            }
        }
        good
    })
}

/// The MCUs of a scan: a component alone has MCUs of one block, and only as many as hold pixels (T.81 A.2).
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) columns: u32,
    pub(crate) rows: u32,
    /// Blocks of each of the scan's components in an MCU.
    pub(crate) factors: Vec<(u32, u32)>,
}

impl Walk {
    pub(crate) fn new(frame: &Frame, scan: &Scan) -> Self {
        if let [only] = scan.components.as_slice() {
            let component = &frame.components[only.index];
            return Self { columns: component.blocks_w, rows: component.blocks_h, factors: vec![(1, 1)] };
        }
        let factors = scan.components.iter().map(|c| (frame.components[c.index].h, frame.components[c.index].v));
        Self { columns: frame.mcus_w, rows: frame.mcus_h, factors: factors.collect() }
    }

    /// Has every MCU read that can be: `read` is told whether an interval begins, the column and the row, and says
    /// whether all codes were good. Gives where the scan ended and whether it was whole.
    #[inline(always)]
    pub(crate) fn visit(
        &self,
        scanned: Part<'_>,
        mut bits: Bits<'_>,
        mut read: impl FnMut(&mut Bits<'_>, bool, u32, u32) -> bool,
    ) -> Result<(usize, bool), Error> {
        let mut restarts = Restarts::new(scanned.state.restart);
        for row in 0..self.rows {
            if (scanned.cancelled)() {
                return Err(Error::Cancelled);
            }
            for column in 0..self.columns {
                let anew = restarts.before(&mut bits);
                if !restarts.dead {
                    let good = read(&mut bits, anew, column, row);
                    restarts.after(&bits, good);
                }
            }
            if restarts.over() {
                break;
            }
        }
        Ok((bits.position(), restarts.whole))
    }
}

/// The blocks of an MCU, in their order.
#[inline(always)]
pub(crate) fn blocks(column: u32, row: u32, h: u32, v: u32) -> impl Iterator<Item = (u32, u32)> {
    (row * v..(row + 1) * v).flat_map(move |y| (column * h..(column + 1) * h).map(move |x| (x, y)))
}
