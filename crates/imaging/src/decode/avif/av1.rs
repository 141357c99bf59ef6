//! rav1d (as `re_rav1d`, see docs/decisions/0007-avif-decoder.md), frame by frame: the only place that knows its
//! C-like interface. A panic in there would abort the process: nothing can catch it.
//!
//! Invariant: what was opened is closed and what was lent is given back on every way out (the `Drop`s below), on one
//! thread, and no sample is read outside of the rows that the picture states.
#![expect(unsafe_code, reason = "rav1d is Rust, but its public interface is dav1d's C interface")]

use crate::error::Error;
use rav1d::include::dav1d::data::Dav1dData;
use rav1d::include::dav1d::dav1d::{Dav1dContext, Dav1dSettings};
use rav1d::include::dav1d::headers as h;
use rav1d::include::dav1d::picture::Dav1dPicture;
use rav1d::src::lib as ffi;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// How chroma is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sampling {
    Monochrome,
    /// 4:2:0.
    Half,
    /// 4:2:2.
    HalfWidth,
    /// 4:4:4.
    Full,
}

/// A row of samples.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    Eight(&'a [u8]),
    /// 10 or 12 bits in the low end.
    More(&'a [u16]),
}

/// What the sequence header says of colours, as code points of ITU-T H.273.
#[derive(Clone, Copy, Debug)]
pub(super) struct Colors {
    pub(super) primaries: u8,
    pub(super) transfer: u8,
    pub(super) matrix: u8,
    pub(super) full_range: bool,
}

/// A decoded frame, film grain applied.
pub(super) struct Frame {
    picture: Dav1dPicture,
    sampling: Sampling,
    colors: Colors,
}

/// Decodes the first frame that is shown (of a layered picture the highest layer of the operating point).
///
/// # Errors
/// [`Error::Malformed`] when the stream is damaged or its frame has more than `max_pixels`.
pub(super) fn decode_still(data: &[u8], operating_point: u8, max_pixels: u32) -> Result<Frame, Error> {
    Decoder::open(operating_point, max_pixels)?.show(data)
}

/// A decoder for frames that build on each other.
pub(super) struct Stream(Decoder);

impl Stream {
    /// For frames of at most `max_pixels`.
    pub(super) fn open(max_pixels: u32) -> Result<Self, Error> {
        Ok(Self(Decoder::open(0, max_pixels)?))
    }

    /// The frame that the next sample shows.
    ///
    /// # Errors
    /// As [`decode_still`].
    pub(super) fn frame(&mut self, data: &[u8]) -> Result<Frame, Error> {
        self.0.show(data)
    }
}

fn damaged(why: &str) -> Error {
    Error::Malformed(format!("AVIF: {why}"))
}

struct Decoder(Option<Dav1dContext>);

impl Decoder {
    fn open(operating_point: u8, max_pixels: u32) -> Result<Self, Error> {
        let mut settings = MaybeUninit::<Dav1dSettings>::uninit();
        // SAFETY: the pointer is valid for one write of the whole structure, which is what the function does.
        unsafe { ffi::dav1d_default_settings(NonNull::from(&mut settings).cast()) };
        // SAFETY: written by the call above.
        let mut settings = unsafe { settings.assume_init() };
        settings.n_threads = 1;
        settings.max_frame_delay = 1;
        settings.apply_grain = 1;
        settings.all_layers = 0;
        settings.operating_point = i32::from(operating_point.min(31));
        // 0 would mean "no limit".
        settings.frame_size_limit = max_pixels.max(1);
        // It would write to the standard error stream; its type has no public name, hence by bytes.
        // SAFETY: the logger is a `repr(C)` pair of a nullable pointer and a nullable function pointer without `Drop`:
        // all zeroes is "no cookie, no callback", which rav1d takes as "no logger".
        unsafe { (&raw mut settings.logger).write_bytes(0, 1) };
        let mut context = None;
        // SAFETY: both pointers are valid: one for a write of the context, one for a read of the settings.
        let result = unsafe { ffi::dav1d_open(Some(NonNull::from(&mut context)), Some(NonNull::from(&mut settings))) };
        match context {
            Some(_) if result.0 == 0 => Ok(Self(context)),
            _ => Err(Error::Internal(format!("rav1d does not open: {}", result.0))),
        }
    }

    /// The first frame that `data` shows.
    fn show(&mut self, data: &[u8]) -> Result<Frame, Error> {
        let mut input = Input::copy(data)?;
        // Each round sends all of the input, or as much as yields a picture; a unit of AV1 has at least one byte.
        for _ in 0..data.len() {
            let sent = self.send(&mut input);
            match self.picture()? {
                Some(picture) => return Frame::new(picture),
                None if sent? && input.is_empty() => break,
                None => {}
            }
        }
        Err(damaged("AV1 data without a frame to show"))
    }

    /// Whether all was taken that was given; `false` when a picture has to be fetched first.
    fn send(&mut self, input: &mut Input) -> Result<bool, Error> {
        if input.is_empty() {
            return Ok(true);
        }
        // SAFETY: the context is open; `input.0` is a live `Dav1dData` that rav1d itself made, valid for read and write.
        let result = unsafe { ffi::dav1d_send_data(self.0, Some(NonNull::from(&mut input.0))) };
        match result.0 {
            0 => Ok(true),
            code if is_later(code) => Ok(false),
            _ => Err(damaged("AV1 data that cannot be decoded, or a frame larger than stated")),
        }
    }

    fn picture(&mut self) -> Result<Option<Dav1dPicture>, Error> {
        let mut picture = Dav1dPicture::default();
        // SAFETY: the context is open; the picture is valid for a write. Its former content is empty: nothing leaks.
        let result = unsafe { ffi::dav1d_get_picture(self.0, Some(NonNull::from(&mut picture))) };
        if result.0 == 0 {
            return Ok(Some(picture));
        }
        // Also where there is none an empty one was written.
        release(&mut picture);
        if is_later(result.0) {
            Ok(None)
        } else {
            Err(damaged("AV1 data that cannot be decoded, or a frame larger than stated"))
        }
    }
}

/// Gives back what `dav1d_get_picture` has written; the picture is empty afterwards.
fn release(picture: &mut Dav1dPicture) {
    // SAFETY: the picture is one that `dav1d_get_picture` has written, or empty; it is valid for read and write.
    unsafe { ffi::dav1d_picture_unref(Some(NonNull::from(&mut *picture))) };
    // An empty picture is left behind, which owns an empty list of messages that nobody else frees.
    if let Some(list) = picture.itut_t35_ref.take() {
        // SAFETY: the reference was made from an `Arc` by the call above, and is taken out, so it is freed once.
        drop(unsafe { list.into_arc() });
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the context came from `dav1d_open` and is closed once; rav1d leaves `None` behind.
        unsafe { ffi::dav1d_close(Some(NonNull::from(&mut self.0))) };
    }
}

/// dav1d says "later" by the negated errno `EAGAIN`.
fn is_later(code: i32) -> bool {
    let error = std::io::Error::from_raw_os_error(code.saturating_neg());
    error.kind() == std::io::ErrorKind::WouldBlock
}

struct Input(Dav1dData);

impl Input {
    fn copy(data: &[u8]) -> Result<Self, Error> {
        let mut input = Self(Dav1dData::default());
        if data.is_empty() {
            return Err(damaged("an empty AV1 picture"));
        }
        // SAFETY: `input.0` is valid for a write, and was empty.
        let start = unsafe { ffi::dav1d_data_create(Some(NonNull::from(&mut input.0)), data.len()) };
        if start.is_null() {
            return Err(Error::Internal("no memory for AV1 data".into()));
        }
        // SAFETY: rav1d has just allocated `data.len()` bytes there, which nobody else can see yet.
        unsafe { start.copy_from_nonoverlapping(data.as_ptr(), data.len()) };
        Ok(input)
    }

    fn is_empty(&self) -> bool {
        self.0.data.is_none() || self.0.sz == 0
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // SAFETY: made by rav1d, or empty; it is valid for read and write and not used afterwards.
        unsafe { ffi::dav1d_data_unref(Some(NonNull::from(&mut self.0))) };
    }
}

impl Frame {
    fn new(mut picture: Dav1dPicture) -> Result<Self, Error> {
        let sampling = match picture.p.layout {
            h::DAV1D_PIXEL_LAYOUT_I400 => Sampling::Monochrome,
            h::DAV1D_PIXEL_LAYOUT_I420 => Sampling::Half,
            h::DAV1D_PIXEL_LAYOUT_I422 => Sampling::HalfWidth,
            _ => Sampling::Full,
        };
        // SAFETY: the sequence header is owned by the picture, which is alive, and is only read.
        let colors = picture.seq_hdr.map(|header| unsafe { header.as_ref() }).map(|header| Colors {
            primaries: header.pri as u8,
            transfer: header.trc as u8,
            matrix: header.mtrx as u8,
            full_range: header.color_range != 0,
        });
        match colors {
            Some(colors) => Ok(Self { picture, sampling, colors }),
            None => {
                release(&mut picture);
                Err(damaged("a frame without a sequence header"))
            }
        }
    }

    pub(super) fn width(&self) -> u32 {
        self.picture.p.w.unsigned_abs()
    }

    pub(super) fn height(&self) -> u32 {
        self.picture.p.h.unsigned_abs()
    }

    /// 8, 10 or 12.
    pub(super) fn bits(&self) -> u32 {
        self.picture.p.bpc.unsigned_abs()
    }

    pub(super) fn sampling(&self) -> Sampling {
        self.sampling
    }

    pub(super) fn colors(&self) -> Colors {
        self.colors
    }

    /// Samples of row `y` of plane 0 (luma), 1 or 2. `None` when there is no such plane or row.
    pub(super) fn row(&self, plane: usize, y: u32) -> Option<Row<'_>> {
        let (width, height) = match (plane, self.sampling) {
            (0, _) | (1 | 2, Sampling::Full) => (self.width(), self.height()),
            (1 | 2, Sampling::Half) => (self.width().div_ceil(2), self.height().div_ceil(2)),
            (1 | 2, Sampling::HalfWidth) => (self.width().div_ceil(2), self.height()),
            _ => return None,
        };
        let start = (*self.picture.data.get(plane)?)?;
        if y >= height {
            return None;
        }
        let stride = *self.picture.stride.get(plane.min(1))?;
        let offset = stride.checked_mul(isize::try_from(y).ok()?)?;
        let width = width as usize;
        // SAFETY: rav1d's default allocator gives every plane `height` rows of `stride` bytes, of which the first
        // `width` samples are the picture's: bytes for 8 bits a sample, aligned 16-bit words for more (rows are aligned
        // to 64 bytes). All of them were written when the frame was decoded, nobody writes to them any more, and they
        // live as long as the picture, which the result borrows.
        unsafe {
            let row = start.as_ptr().byte_offset(offset);
            Some(if self.bits() == 8 {
                Row::Eight(std::slice::from_raw_parts(row.cast(), width))
            } else {
                Row::More(std::slice::from_raw_parts(row.cast(), width))
            })
        }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        release(&mut self.picture);
    }
}
