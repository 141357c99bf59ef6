//! WebP by libwebp, through its C interface: method 2 by default (the knee: half of method 4's time for 4 % more bytes at
//! the same quality), planes of our own, alpha without loss, and a progress hook, so that a deadline ends it.
//!
//! C sees only pixels that we made, and writes only through [`append`] and, under what is clear, into planes lent to it.
#![expect(unsafe_code, reason = "libwebp has a C interface; each block says why it is sound")]

mod planes;

use super::Settings;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use libwebp_sys::{
    WebPConfig, WebPEncCSP, WebPEncode, WebPEncodingError, WebPPicture, WebPPictureFree, WebPPictureImportRGB,
    WebPPictureImportRGBA, WebPValidateConfig,
};
use planes::Planes;
use std::ffi::{c_int, c_void};
use std::marker::PhantomData;

/// libwebp's method where no effort is asked for.
const METHOD: u8 = 2;
/// libwebp's own is 50: bits go where noise hides less.
const SPATIAL_NOISE_SHAPING: c_int = 60;
/// Strength and sharpness of the deblocking filter; libwebp's own are 60 and 0.
type Filter = (c_int, c_int);
/// A little more gives the same SSIMULACRA2 for about half a percent fewer bytes where modes are chosen quickly.
const QUICK_FILTER: Filter = (80, 0);
/// From this method on edges survive that a strong filter would smooth away: 2.5 percent at this method, more at those that
/// choose coefficients by what they cost (5 and 6).
const CAREFUL: u8 = 4;
const CAREFUL_FILTER: Filter = (40, 7);

/// Encodes a picture; both sides are at most 16,383 (the caller looked).
pub(super) fn encode(bitmap: &Bitmap, settings: &Settings, watch: &Watch) -> Result<Vec<u8>, Error> {
    let config = configure(settings)?;
    let mut run = Run { bytes: Vec::new(), watch, ended: None };
    // Before the picture that they are lent to: they outlive it.
    let mut planes;
    let mut picture = Picture::new(bitmap)?;
    if settings.lossless {
        picture.import(bitmap)?;
    } else {
        planes = Planes::of(bitmap);
        picture.lend(&mut planes);
    }
    picture.0.writer = Some(append);
    picture.0.progress_hook = Some(go_on);
    let target: *mut Run<'_> = &raw mut run;
    picture.0.custom_ptr = target.cast::<c_void>();
    picture.0.user_data = target.cast::<c_void>();
    // SAFETY: `config` was validated. `picture` has either pixels of libwebp's own or planes of ours, made for the same
    // bitmap and so of its size without gaps, as the strides say; it holds those exclusively (`'p`), so libwebp may write
    // into them. Both are alive and ours alone. During the call the hooks are the only users of `run`, one at a time
    // (`thread_level` is 0: hooks come on this thread).
    let done = unsafe { WebPEncode(&raw const config, &raw mut picture.0) };
    if let Some(why) = run.ended {
        return Err(why);
    }
    if done == 0 {
        return Err(failed(picture.0.error_code));
    }
    Ok(run.bytes)
}

/// What the hooks work on during one call.
struct Run<'a> {
    bytes: Vec<u8>,
    watch: &'a Watch,
    /// Why the encoder was told to stop.
    ended: Option<Error>,
}

/// A picture: what libwebp owns of it is given back on every way out, what was lent is not touched after.
struct Picture<'p>(WebPPicture, PhantomData<&'p mut Planes>);

impl Drop for Picture<'_> {
    fn drop(&mut self) {
        // SAFETY: initialised by libwebp in `new`. It frees what libwebp has allocated for the picture, which may be nothing;
        // planes that were lent are not among that.
        unsafe { WebPPictureFree(&raw mut self.0) };
    }
}

impl<'p> Picture<'p> {
    /// Of the bitmap's size, without pixels.
    fn new(bitmap: &Bitmap) -> Result<Self, Error> {
        let blank = WebPPicture::new().map_err(|()| Error::Internal("webp: library of another version".into()))?;
        let mut picture = Self(blank, PhantomData);
        let too_large = |_| Error::Internal("webp: a side beyond the format".into());
        picture.0.width = c_int::try_from(bitmap.width()).map_err(too_large)?;
        picture.0.height = c_int::try_from(bitmap.height()).map_err(too_large)?;
        Ok(picture)
    }

    /// Whole pixels, which libwebp works on without loss.
    fn import(&mut self, bitmap: &Bitmap) -> Result<(), Error> {
        self.0.use_argb = 1;
        let spread;
        let (pixels, channels) = match bitmap.layout() {
            Layout::Gray => {
                spread = bitmap.pixels().iter().flat_map(|&value| [value; 3]).collect::<Vec<u8>>();
                (spread.as_slice(), 3)
            }
            layout => (bitmap.pixels(), layout.channels()),
        };
        // At most 16,383 (the caller looked), times at most 4.
        let stride = self.0.width * channels as c_int;
        // SAFETY: the bitmap's invariant is `width × height × channels` bytes, `stride` is one row of them; libwebp
        // reads `height` rows of `width` pixels and keeps no pointer.
        let imported = unsafe {
            match channels {
                4 => WebPPictureImportRGBA(&raw mut self.0, pixels.as_ptr(), stride),
                _ => WebPPictureImportRGB(&raw mut self.0, pixels.as_ptr(), stride),
            }
        };
        if imported == 0 { Err(failed(self.0.error_code)) } else { Ok(()) }
    }

    /// Planes of the same bitmap, which libwebp works on with loss, where they are.
    fn lend(&mut self, planes: &'p mut Planes) {
        self.0.colorspace = if planes.alpha.is_some() { WebPEncCSP::WEBP_YUV420A } else { WebPEncCSP::WEBP_YUV420 };
        let [blue, red] = &mut planes.chroma;
        self.0.y = planes.luma.as_mut_ptr();
        self.0.u = blue.as_mut_ptr();
        self.0.v = red.as_mut_ptr();
        self.0.y_stride = self.0.width;
        // Half, rounded up.
        self.0.uv_stride = self.0.width - self.0.width / 2;
        if let Some(alpha) = &mut planes.alpha {
            self.0.a = alpha.as_mut_ptr();
            self.0.a_stride = self.0.width;
        }
    }
}

fn configure(settings: &Settings) -> Result<WebPConfig, Error> {
    let mut config = WebPConfig::new().map_err(|()| Error::Internal("webp: library of another version".into()))?;
    let method = settings.effort.map_or(METHOD, |effort| (effort.min(10) * 6 + 5) / 10);
    config.method = method.into();
    config.lossless = settings.lossless.into();
    config.quality = if settings.lossless {
        // Here it is effort: libwebp's levels go from 0 to 100.
        settings.effort.map_or(25.0, |effort| f32::from(effort.min(10)) * 10.0)
    } else {
        settings.quality.into()
    };
    // Alpha is compressed without loss, by effort.
    config.alpha_filtering = if method >= 4 { 2 } else { 1 };
    config.thread_level = 0;
    let filter = if method < CAREFUL { QUICK_FILTER } else { CAREFUL_FILTER };
    (config.filter_strength, config.filter_sharpness) = filter;
    config.sns_strength = SPATIAL_NOISE_SHAPING;
    // SAFETY: reads a configuration that libwebp initialised.
    match unsafe { WebPValidateConfig(&raw const config) } {
        0 => Err(Error::Internal("webp: settings out of range".into())),
        _ => Ok(config),
    }
}

/// Takes encoded bytes. Returns 0 to stop the encoder.
unsafe extern "C" fn append(data: *const u8, size: usize, picture: *const WebPPicture) -> c_int {
    // SAFETY: libwebp passes the picture whose `custom_ptr` `encode` set to its `Run`, which outlives the call and
    // which no one else uses meanwhile.
    let run = unsafe { &mut *(*picture).custom_ptr.cast::<Run<'_>>() };
    if size == 0 {
        return 1;
    }
    if run.bytes.try_reserve(size).is_err() {
        run.ended = Some(Error::Internal("webp: out of memory".into()));
        return 0;
    }
    // SAFETY: libwebp passes `size` readable bytes at `data`, not null as `size` is not 0.
    run.bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(data, size) });
    1
}

/// Asks the watch. Returns 0 to stop the encoder.
unsafe extern "C" fn go_on(_percent: c_int, picture: *const WebPPicture) -> c_int {
    // SAFETY: as in `append`, by `user_data`.
    let run = unsafe { &mut *(*picture).user_data.cast::<Run<'_>>() };
    match run.watch.check() {
        Ok(()) => 1,
        Err(why) => {
            run.ended = Some(why);
            0
        }
    }
}

fn failed(code: WebPEncodingError) -> Error {
    Error::Internal(format!("webp: {code:?}"))
}
