//! One scan read by several threads: intervals between restart markers begin anew, so that groups of MCU rows can be
//! decoded side by side, and are handed over in their order. Knows no entropy coding.
//! Invariants: the lines are those of one thread, since files whose markers are not exactly those that they should have
//! are left to one; memory is what [`Groups::memory`] says.

use crate::bits::Bits;
use crate::error::Error;
use crate::frame::{Colour, Frame};
use crate::header::State;
use crate::kernel::Kernels;
use crate::plan::{Layout, Plan};
use crate::segment;
use crate::sequential::Stream;
use crate::strip::{Output, Strip};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

/// Below so many blocks one thread is done before others have begun.
const WORTH_IT: u64 = 1 << 15;
/// Bytes of lines that a group has at most, if more than one row of MCUs.
const GROUP: usize = 512 << 10;
/// Lines of each thread that wait to be taken, or are being written: groups.
const EACH: usize = 2;

/// Rows of MCUs that a thread reads at a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    from: u32,
    to: u32,
}

/// How the needed rows are shared out.
#[derive(Debug)]
pub(crate) struct Groups<'a> {
    frame: &'a Frame,
    plan: &'a Plan,
    /// MCUs between restart markers.
    interval: u32,
    /// Rows of MCUs in a group.
    rows: u32,
    threads: usize,
    /// Bytes of a line.
    line: usize,
}

impl<'a> Groups<'a> {
    /// For `helpers` threads beside this one; `None` where that would gain nothing.
    pub(crate) fn new(frame: &'a Frame, plan: &'a Plan, state: &State, colour: Colour, helpers: usize) -> Option<Self> {
        if helpers == 0 || state.restart == 0 || frame.blocks() < WORTH_IT {
            return None;
        }
        let line = plan.region.width as usize * Layout::of(colour).channels();
        // Many lines: what a group reads and another needs as well, up to an interval and a row, shall be little.
        let most = (GROUP / (line * plan.lines as usize).max(1)).max(1) as u32;
        let needed = plan.rows.1 - plan.rows.0;
        let even = needed.div_ceil(helpers as u32 * 4 + 4);
        let groups =
            Self { frame, plan, interval: state.restart, rows: most.min(even).max(1), threads: helpers + 1, line };
        let waste = u64::from(state.restart) / u64::from(frame.mcus_w);
        (needed > groups.rows && waste <= u64::from(groups.rows)).then_some(groups)
    }

    fn all(&self) -> impl Iterator<Item = Group> + use<> {
        let (rows, end) = (self.rows, self.plan.rows.1);
        (self.plan.rows.0..end).step_by(rows as usize).map(move |from| Group { from, to: (from + rows).min(end) })
    }

    /// The row that a group has to begin with, so that filters see the row above its first.
    fn begin(&self, group: Group) -> u32 {
        let above = group.from > self.plan.rows.0 && self.plan.lag() > 0;
        group.from - u32::from(above)
    }

    /// The intervals before the one in which a group begins.
    fn markers(&self, group: Group) -> u32 {
        // Fewer than all intervals, which are fewer than blocks: 2^28.
        (u64::from(self.begin(group)) * u64::from(self.frame.mcus_w) / u64::from(self.interval)) as u32
    }

    /// Bytes that its lines take.
    fn buffer(&self) -> usize {
        (self.rows * self.plan.lines + self.plan.lag()) as usize * self.line
    }

    /// Bytes that all threads need, beside the strip of the one that asks.
    pub(crate) fn memory(&self) -> u64 {
        (self.threads * (Strip::len(self.plan) + EACH * self.buffer())) as u64
    }

    /// Where in the file each group's interval begins, the first at `data`. `None` if the markers are not exactly those
    /// that there should be: then only reading one interval after the other tells what belongs where.
    fn positions(&self, bytes: &[u8], data: usize) -> Option<Vec<usize>> {
        let mcus = u64::from(self.frame.mcus_w) * u64::from(self.frame.mcus_h);
        let markers = mcus.div_ceil(self.interval.into()) - 1;
        let mut wanted = self.all().map(|group| self.markers(group)).peekable();
        let (mut found, mut at) = (Vec::new(), data);
        for passed in 0..=u32::try_from(markers).ok()? {
            if passed > 0 {
                let (position, marker) = segment::find_marker(bytes, at)?;
                if marker != 0xD0 | ((passed - 1) & 7) as u8 {
                    return None;
                }
                at = position + 2;
            }
            while wanted.next_if_eq(&passed).is_some() {
                found.push(at);
            }
        }
        let (_, next) = segment::find_marker(bytes, at)?;
        (!segment::is_restart(next)).then_some(found)
    }

    /// Lines that a group gives: from, to.
    fn lines(&self, group: Group) -> (u32, u32) {
        let first = if group.from == self.plan.rows.0 { self.plan.region.y } else { self.plan.until(group.from - 1) };
        (first, self.plan.until(group.to - 1).max(first))
    }
}

/// What the threads share.
pub(crate) struct Job<'a> {
    pub(crate) groups: Groups<'a>,
    /// As one thread would use it.
    pub(crate) stream: Stream<'a>,
    pub(crate) colour: Colour,
    pub(crate) bytes: &'a [u8],
    /// Where the scan's data begins.
    pub(crate) data: usize,
}

/// A group's lines, and whether they were whole.
type Read = Result<(Vec<u8>, bool), Error>;

/// A thread at work: it gives its memory back.
struct Hand<'scope> {
    thread: ScopedJoinHandle<'scope, Vec<Vec<u8>>>,
    /// Buffers that it may fill.
    spare: SyncSender<Vec<u8>>,
    /// Those that it has filled.
    read: Receiver<Read>,
}

impl Job<'_> {
    /// Decodes; `take` is given every line once, in their order. Gives whether all was whole, or `None` if the file has
    /// to be read by one thread: then nothing has been taken. `idle` are buffers of any length, which it gives back.
    pub(crate) fn run(
        &self,
        idle: &mut Vec<Vec<u8>>,
        cancelled: &dyn Fn() -> bool,
        take: &mut dyn FnMut(&[u8]),
    ) -> Option<Result<bool, Error>> {
        let positions = self.groups.positions(self.bytes, self.data)?;
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let mut hands = Vec::with_capacity(self.groups.threads);
            for number in 0..self.groups.threads {
                let (spare, spares) = sync_channel(EACH);
                let (done, read) = sync_channel::<Read>(EACH);
                let strip = idle.pop().unwrap_or_default();
                for _ in 0..EACH {
                    // There is room for as many.
                    let _sent = spare.try_send(idle.pop().unwrap_or_default());
                }
                let (stop, positions) = (&stop, &positions);
                let work = move || self.work(number, positions, strip, &spares, &done, stop);
                // Without this thread its groups would be missing: everybody stops.
                match thread::Builder::new().name(format!("jpeg-{number}")).spawn_scoped(scope, work) {
                    Ok(thread) => hands.push(Hand { thread, spare, read }),
                    Err(_) => {
                        stop.store(true, Ordering::Relaxed);
                        return None;
                    }
                }
            }
            let outcome = self.collect(&hands, cancelled, take);
            stop.store(true, Ordering::Relaxed);
            for Hand { thread, spare, read } in hands {
                drop((spare, read));
                match thread.join() {
                    Ok(memory) => idle.extend(memory),
                    Err(panic) => resume_unwind(panic),
                }
            }
            Some(outcome)
        })
    }

    fn collect(
        &self,
        hands: &[Hand<'_>],
        cancelled: &dyn Fn() -> bool,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, Error> {
        let mut whole = true;
        for (_, Hand { spare, read, .. }) in self.groups.all().zip(hands.iter().cycle()) {
            if cancelled() {
                return Err(Error::Cancelled);
            }
            // A thread that is gone has panicked, which comes out when it is joined.
            let (lines, sound) = read.recv().unwrap_or(Err(Error::Cancelled))?;
            whole &= sound;
            if !lines.is_empty() {
                take(&lines);
            }
            let _last = spare.try_send(lines);
        }
        Ok(whole)
    }

    /// Every so manieth group from `number` on. Gives its memory back.
    fn work(
        &self,
        number: usize,
        positions: &[usize],
        mut strip: Vec<u8>,
        spares: &Receiver<Vec<u8>>,
        done: &SyncSender<Read>,
        stop: &AtomicBool,
    ) -> Vec<Vec<u8>> {
        strip = sized(strip, Strip::len(self.groups.plan), Strip::len(self.groups.plan));
        for (group, &at) in self.groups.all().zip(positions).skip(number).step_by(self.groups.threads) {
            let Ok(lines) = spares.recv() else { break };
            let (first, end) = self.groups.lines(group);
            let mut lines = sized(lines, (end - first) as usize * self.groups.line, self.groups.buffer());
            let plan = Plan { rows: (self.groups.begin(group), group.to), ..self.groups.plan.clone() };
            let mut strip = Strip::new(&plan, Kernels::detect(), self.colour, &mut strip).going_on_at(first);
            let cancelled = || stop.load(Ordering::Relaxed);
            let stream = Stream { plan: &plan, markers: self.groups.markers(group), ..self.stream };
            let read = stream.run(Bits::new(self.bytes, at), &mut strip, &cancelled, Output::Whole(&mut lines));
            let failed = read.is_err();
            if done.send(read.map(|whole| (lines, whole))).is_err() || failed {
                break;
            }
        }
        let mut memory = vec![strip];
        memory.extend(spares.try_iter());
        memory
    }
}

/// `len` bytes of any content, in memory that never has to grow beyond `most`.
fn sized(mut memory: Vec<u8>, len: usize, most: usize) -> Vec<u8> {
    if memory.capacity() < most {
        memory = Vec::with_capacity(most);
    }
    memory.resize(len, 0);
    memory
}
