//! libaom, for one still frame, and for frames that build on each other ([`stream`]): the only place that knows its C
//! interface.
//!
//! Invariant: the codec context is destroyed on every way out ([`Context`]'s `Drop`), and no pointer handed to libaom
//! outlives the call that it was handed to.
#![expect(unsafe_code, reason = "libaom is C")]

pub(super) mod stream;

use super::engine::{Encoder, Known, Speed, Wish};
use super::planes::{Planes, Sample, Subsampling, neutral};
use crate::error::Error;
use libaom_sys as sys;
use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;
use std::ptr;

/// The encoder.
pub(super) struct Libaom;

/// Speed 9 of eight bits, and slower ones of ten.
const fn speed(preset: u8, per_megapixel: u64) -> Speed {
    let quick = preset == 9;
    Speed { preset, quick, per_megapixel, memory: if quick { (18, 18) } else { (40, 40) } }
}

/// Speeds of [`Care::Thorough`]: frames have wider margins, and there are more of them. Memory goes up in steps with the
/// size: measured from 30 to 107 bytes a pixel more than the others', 0.1 to 4 megapixels.
const fn thorough(preset: u8, per_megapixel: u64) -> Speed {
    Speed { preset, quick: false, per_megapixel, memory: (83, 95) }
}

/// Measured on photographs; the figures are in `docs/decisions/`, 0038 and, from effort 6 on, 0099. Two megapixels
/// (1920 × 1080 and a little) of the usual effort are about 1.5 seconds of one core.
pub(super) const KNOWN: Known = Known {
    name: "libaom",
    lossless: true,
    usual: (1 << 21, 4),
    speeds: [
        speed(9, 85),
        speed(9, 85),
        speed(8, 300),
        speed(7, 540),
        speed(6, 720),
        speed(6, 720),
        thorough(6, 2_300),
        thorough(6, 2_300),
        thorough(5, 3_600),
        thorough(5, 3_600),
        thorough(4, 6_000),
    ],
};

impl<S: Sample> Encoder<S> for Libaom {
    fn still(planes: &Planes<S>, wish: Wish) -> Result<Vec<u8>, Error> {
        let Speed { preset, quick, .. } = KNOWN.speed(wish.effort);
        let settings = Settings {
            quantizer: quantizer(wish.quality, !quick),
            cpu_used: preset,
            lossless: wish.lossless,
            care: match wish.effort {
                _ if quick || wish.mask || wish.lossless => Care::Little,
                THOROUGH.. => Care::Thorough,
                _ => Care::Usual,
            },
        };
        encode_still(planes, settings)
    }
}

/// libavif's mapping of its quality to AV1's quantizer index of 0–63, bent so that a dial looks alike at every effort
/// (the mean SSIMULACRA2 at 60 and at 77): finer than libavif's where the encoder is quick, by a fourth at 60, coarser
/// where it is careful, by a fifth at 60. 0 is kept for lossless.
fn quantizer(quality: u8, careful: bool) -> u8 {
    let distance = f64::from(100 - quality.clamp(1, 100)) / 100.0;
    let bent = if careful { 1.32 - 0.32 * distance } else { 0.7 + 0.3 * distance * distance };
    (distance * 63.0 * bent).round().clamp(1.0, 63.0) as u8
}

/// What is chosen per picture.
#[derive(Clone, Copy, Debug)]
struct Settings {
    /// 1–63 (0 would be lossless).
    quantizer: u8,
    /// 0–9, more is faster.
    cpu_used: u8,
    lossless: bool,
    care: Care,
}

/// What libaom is told of how to choose. More than a little is for colours: what was measured on photographs is worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Little,
    Usual,
    /// As a film's frame: it looks at more, and finds 4 to 9 %, in three to eight times the time.
    Thorough,
}

/// Efforts from this one on are [`Care::Thorough`].
const THOROUGH: u8 = 6;

/// The steepest and the flattest of AV1's 16 matrices that are used: at high quality, at low quality.
const QUANTISER_MATRICES: (c_int, c_int) = (2, 10);

/// Encodes one key frame on this thread; the stream of OBUs.
fn encode_still<S: Sample>(planes: &Planes<S>, settings: Settings) -> Result<Vec<u8>, Error> {
    let flags = if S::BITS > 8 { sys::AOM_CODEC_USE_HIGHBITDEPTH } else { 0 };
    let thorough = settings.care == Care::Thorough;
    let usage = if thorough { sys::AOM_USAGE_GOOD_QUALITY } else { sys::AOM_USAGE_ALL_INTRA };
    let mut cfg = configuration(planes, settings, usage)?;
    cfg.g_limit = 1;
    let mut context = Context::new(&cfg, flags.into())?;
    context.dial(planes.subsampling, settings)?;
    if !settings.lossless {
        context.set(sys::AOME_SET_TUNING, sys::AOM_TUNE_SSIM as c_int)?;
        // Coarser steps for what is fine: a tenth fewer bytes at the same SSIMULACRA2 for no time.
        context.set(sys::AV1E_SET_ENABLE_QM, 1)?;
        context.set(sys::AV1E_SET_QM_MIN, QUANTISER_MATRICES.0)?;
        context.set(sys::AV1E_SET_QM_MAX, QUANTISER_MATRICES.1)?;
        // Matrices weigh cosine transforms alone, and libaom, which does not see the eye's side of it, picks others as
        // soon as they look cheaper: without those fewer bytes at the same SSIMULACRA2, in less time. Where it looks at
        // more, most of the others are forbidden rather than all.
        context.set(sys::AV1E_SET_INTRA_DCT_ONLY, (settings.care == Care::Usual).into())?;
        context.set(sys::AV1E_SET_REDUCED_TX_TYPE_SET, thorough.into())?;
        // The usage for stills has it off by itself; the other one would filter away what was paid for.
        context.set(sys::AV1E_SET_ENABLE_CDEF, 0)?;
    }
    context.encode(planes)
}

fn configuration<S: Sample>(
    planes: &Planes<S>,
    settings: Settings,
    usage: u32,
) -> Result<sys::aom_codec_enc_cfg_t, Error> {
    let mut cfg = MaybeUninit::<sys::aom_codec_enc_cfg_t>::zeroed();
    // SAFETY: the interface is a static of libaom; `cfg` is valid for writes, and libaom fills it when it returns 0.
    let status = unsafe { sys::aom_codec_enc_config_default(sys::aom_codec_av1_cx(), cfg.as_mut_ptr(), usage) };
    check(status)?;
    // SAFETY: libaom returned success, so it wrote the whole structure (and all zeroes is valid for it anyway: it is
    // made of integers and nullable pointers).
    let mut cfg = unsafe { cfg.assume_init() };
    cfg.g_w = planes.width;
    cfg.g_h = planes.height;
    cfg.g_threads = 1;
    cfg.g_lag_in_frames = 0;
    cfg.g_pass = sys::AOM_RC_ONE_PASS;
    cfg.g_profile = match planes.subsampling {
        Subsampling::Full | Subsampling::Identity => 1,
        Subsampling::Half | Subsampling::Monochrome => 0,
    };
    cfg.g_bit_depth = if S::BITS > 8 { sys::AOM_BITS_10 } else { sys::AOM_BITS_8 };
    cfg.g_input_bit_depth = S::BITS;
    cfg.monochrome = (planes.subsampling == Subsampling::Monochrome).into();
    cfg.rc_end_usage = sys::AOM_Q;
    cfg.rc_min_quantizer = 0;
    cfg.rc_max_quantizer = if settings.lossless { 0 } else { 63 };
    Ok(cfg)
}

/// An initialised encoder. Boxed: libaom keeps pointers into its own parts, and nobody promises that the context may
/// move.
struct Context(Box<sys::aom_codec_ctx_t>);

impl Context {
    fn new(cfg: &sys::aom_codec_enc_cfg_t, flags: sys::aom_codec_flags_t) -> Result<Self, Error> {
        let mut context = Box::new(MaybeUninit::<sys::aom_codec_ctx_t>::zeroed());
        // SAFETY: the context is valid for writes, `cfg` lives through the call and is copied by it; the version is the
        // one that these bindings were made from. On failure libaom releases what it took.
        let status = unsafe {
            sys::aom_codec_enc_init_ver(
                context.as_mut_ptr(),
                sys::aom_codec_av1_cx(),
                cfg,
                flags,
                sys::AOM_ENCODER_ABI_VERSION as c_int,
            )
        };
        check(status)?;
        // SAFETY: initialised by the call above; all of its fields are integers and nullable pointers.
        Ok(Self(unsafe { context.assume_init() }))
    }

    /// A control that takes one `int` or `unsigned int`.
    fn set(&mut self, control: sys::aome_enc_control_id, value: c_int) -> Result<(), Error> {
        // SAFETY: the context is initialised, and every control used in this file reads exactly one (unsigned) int.
        check(unsafe { sys::aom_codec_control(&mut *self.0, control as c_int, value) })
    }

    /// Speed, quality and the colours that planes of this kind mean.
    fn dial(&mut self, subsampling: Subsampling, settings: Settings) -> Result<(), Error> {
        self.set(sys::AOME_SET_CPUUSED, settings.cpu_used.into())?;
        self.set(sys::AOME_SET_CQ_LEVEL, settings.quantizer.into())?;
        self.set(sys::AV1E_SET_COLOR_RANGE, 1)?;
        if subsampling != Subsampling::Monochrome {
            let matrix = if subsampling == Subsampling::Identity { 0 } else { 6 };
            self.set(sys::AV1E_SET_COLOR_PRIMARIES, 1)?;
            self.set(sys::AV1E_SET_TRANSFER_CHARACTERISTICS, 13)?;
            self.set(sys::AV1E_SET_MATRIX_COEFFICIENTS, matrix)?;
        }
        if settings.lossless { self.set(sys::AV1E_SET_LOSSLESS, 1) } else { Ok(()) }
    }

    /// The frame at `time`; what libaom wrote of it so far.
    fn put<S: Sample>(&mut self, planes: &Planes<S>, time: i64) -> Result<Vec<u8>, Error> {
        // libaom skips the chroma of a monochrome frame, but it is given planes that exist.
        let (columns, rows) = planes.chroma_size();
        let gray = if planes.subsampling == Subsampling::Monochrome {
            vec![neutral::<S>(); columns as usize * rows as usize]
        } else {
            Vec::new()
        };
        let image = image(planes, &gray)?;
        // SAFETY: the context is initialised; the image points to `planes` and `gray`, which outlive the call and
        // which libaom only reads (it copies the frame).
        check(unsafe { sys::aom_codec_encode(&mut *self.0, &image, time, 1, 0) })?;
        Ok(self.packets())
    }

    fn encode<S: Sample>(&mut self, planes: &Planes<S>) -> Result<Vec<u8>, Error> {
        let mut stream = self.put(planes, 0)?;
        loop {
            // SAFETY: as above; a null image flushes the encoder.
            check(unsafe { sys::aom_codec_encode(&mut *self.0, ptr::null(), 0, 1, 0) })?;
            let more = self.packets();
            if more.is_empty() {
                break;
            }
            stream.extend(more);
        }
        if stream.is_empty() { Err(Error::Internal("libaom wrote no frame".into())) } else { Ok(stream) }
    }

    fn packets(&mut self) -> Vec<u8> {
        let mut stream = Vec::new();
        let mut position: sys::aom_codec_iter_t = ptr::null();
        loop {
            // SAFETY: the context is initialised and `position` is libaom's own, begun at null.
            let packet = unsafe { sys::aom_codec_get_cx_data(&mut *self.0, &mut position) };
            // SAFETY: libaom returns null at the end, else a packet valid until the next call on this context.
            let Some(packet) = (unsafe { packet.as_ref() }) else { break };
            if packet.kind == sys::AOM_CODEC_CX_FRAME_PKT {
                // SAFETY: for this kind `frame` is the member that was written; its buffer holds `sz` bytes until the
                // next call on this context, and it is copied here.
                stream.extend(unsafe {
                    std::slice::from_raw_parts(packet.data.frame.buf.cast::<u8>().cast_const(), packet.data.frame.sz)
                });
            }
        }
        stream
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once. The status only says whether the context was valid.
        unsafe { sys::aom_codec_destroy(&mut *self.0) };
    }
}

/// libaom's view of the planes. It borrows them without saying so: the caller keeps both alive while it is in use.
fn image<S: Sample>(planes: &Planes<S>, gray: &[S]) -> Result<sys::aom_image_t, Error> {
    let format = match planes.subsampling {
        Subsampling::Monochrome | Subsampling::Half => sys::AOM_IMG_FMT_I420,
        Subsampling::Full | Subsampling::Identity => sys::AOM_IMG_FMT_I444,
    };
    let mut image = MaybeUninit::<sys::aom_image_t>::zeroed();
    let (format, wide) =
        if S::BITS > 8 { (format | sys::AOM_IMG_FMT_HIGHBITDEPTH as sys::aom_img_fmt_t, 2) } else { (format, 1) };
    assert!(size_of::<S>() == wide, "libaom reads two bytes of a deep sample, else one");
    let luma = planes.luma.as_ptr().cast_mut().cast::<u8>();
    // SAFETY: `image` is valid for writes; the data pointer is only stored, and what libaom derives from it for the
    // chroma planes is replaced below.
    let wrapped = unsafe { sys::aom_img_wrap(image.as_mut_ptr(), format, planes.width, planes.height, 1, luma) };
    if wrapped.is_null() {
        return Err(Error::Internal("libaom refuses a picture of this size".into()));
    }
    // SAFETY: zeroed at first and then filled by libaom; integers and nullable pointers only.
    let mut image = unsafe { image.assume_init() };
    let (columns, rows) = planes.chroma_size();
    let chroma: [&[S]; 2] = match planes.subsampling {
        Subsampling::Monochrome => [gray, gray],
        _ => [&planes.chroma[0], &planes.chroma[1]],
    };
    assert!(planes.luma.len() == planes.width as usize * planes.height as usize, "luma fills its plane");
    assert!(chroma.iter().all(|c| c.len() == columns as usize * rows as usize), "chroma fills its planes");
    image.planes = [luma, chroma[0].as_ptr().cast_mut().cast(), chroma[1].as_ptr().cast_mut().cast()];
    image.stride = [planes.width, columns, columns].map(|samples| samples as c_int * wide as c_int);
    image.monochrome = (planes.subsampling == Subsampling::Monochrome).into();
    image.bit_depth = S::BITS;
    image.range = 1;
    Ok(image)
}

fn check(status: sys::aom_codec_err_t) -> Result<(), Error> {
    if status == sys::AOM_CODEC_OK {
        return Ok(());
    }
    // SAFETY: libaom returns a static string for every status, also for unknown ones.
    let text = unsafe { CStr::from_ptr(sys::aom_codec_err_to_string(status)) };
    Err(Error::Internal(format!("libaom: {}", text.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::quantizer;

    #[test]
    fn the_dial_is_libavifs_and_never_reaches_lossless() {
        assert_eq!([1, 50, 60, 75, 99, 100].map(|q| quantizer(q, false)), [62, 24, 19, 11, 1, 1]);
        assert_eq!([1, 50, 60, 75, 99, 100].map(|q| quantizer(q, true)), [63, 37, 30, 20, 1, 1]);
    }
}
