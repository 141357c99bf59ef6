//! Buffers that outlive a render: page faults of fresh memory cost a quarter of a full decode.

use fast_image_resize::Resizer;

/// More help than this is not asked for: the worker itself would wait for its own part.
pub(crate) const MOST_HELPERS: usize = 3;

/// A worker's own buffers. Not shared: each thread of the pool has one.
#[derive(Debug)]
pub struct Scratch {
    idle: Vec<Vec<u8>>,
    /// Keeps its own buffers; they count.
    resizer: Resizer,
    /// Likewise.
    jpeg: jpeg::Workspace,
    /// Bytes that may stay idle between renders.
    keep: usize,
    /// Threads that have nothing else to do.
    helpers: usize,
}

impl Scratch {
    /// Keeps at most `keep` bytes between renders.
    pub fn new(keep: usize) -> Self {
        Self { idle: Vec::new(), resizer: Resizer::new(), jpeg: jpeg::Workspace::default(), keep, helpers: 0 }
    }

    /// An empty one with the same limit, for after a panic: what was borrowed then is lost.
    pub fn fresh(&self) -> Self {
        Self { helpers: self.helpers, ..Self::new(self.keep) }
    }

    /// Lets so many threads beside the worker's own be used by the renders to come, as far as something can be done side
    /// by side: the answer is the same, and comes sooner. None at first; for who has cores that are idle.
    pub fn set_helpers(&mut self, threads: usize) {
        self.helpers = threads.min(MOST_HELPERS);
    }

    /// As [`Self::set_helpers`] said.
    pub(crate) fn helpers(&self) -> usize {
        self.helpers
    }

    /// A buffer of exactly `len` bytes. **Its content is arbitrary** (an earlier picture's, even): whoever takes it
    /// writes every byte, or clears what it leaves.
    pub fn take(&mut self, len: usize) -> Vec<u8> {
        let best =
            (0..self.idle.len()).filter(|&i| self.idle[i].capacity() >= len).min_by_key(|&i| self.idle[i].capacity());
        let mut buffer = best.map(|i| self.idle.swap_remove(i)).unwrap_or_default();
        buffer.resize(len, 0);
        buffer
    }

    /// A buffer of exactly `len` bytes that `write` has written wholly; where that fails, the memory is kept.
    ///
    /// # Errors
    /// What `write` returns.
    pub(crate) fn filled<E>(
        &mut self,
        len: usize,
        write: impl FnOnce(&mut [u8], &mut Self) -> Result<(), E>,
    ) -> Result<Vec<u8>, E> {
        let mut buffer = self.take(len);
        match write(&mut buffer, self) {
            Ok(()) => Ok(buffer),
            Err(error) => {
                self.give(buffer);
                Err(error)
            }
        }
    }

    /// The resampler, with the memory of earlier pictures as long as that stays within what may be kept.
    pub(crate) fn resizer(&mut self) -> &mut Resizer {
        if self.resizer.size_of_internal_buffers() > self.keep {
            self.resizer.reset_internal_buffers();
        }
        &mut self.resizer
    }

    /// What the JPEG decoder works in, with the memory of earlier pictures as long as that stays within what may be kept.
    pub(crate) fn jpeg(&mut self) -> &mut jpeg::Workspace {
        if self.jpeg.len() > self.keep {
            self.jpeg = jpeg::Workspace::default();
        }
        &mut self.jpeg
    }

    /// Lets go of what the JPEG decoder worked in where that may not be kept: it is not needed any more.
    pub(crate) fn decoded(&mut self) {
        self.jpeg();
    }

    /// Takes a buffer back. The largest are dropped first when more than `keep` bytes would stay idle.
    pub fn give(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() <= self.keep {
            self.idle.push(buffer);
        }
        while self.idle.iter().map(Vec::capacity).sum::<usize>() > self.keep {
            let largest = (0..self.idle.len()).max_by_key(|&i| self.idle[i].capacity());
            largest.map(|i| self.idle.swap_remove(i));
        }
    }
}
