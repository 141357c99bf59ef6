//! WebP by libwebp, through its C interface: method 2 by default (the knee: half of method 4's time for 3.5 % more
//! bytes at the same quality), alpha without loss, and a progress hook, so that a deadline ends it.
//!
//! C sees only pixels that we made, and writes only through [`append`].
#![expect(unsafe_code, reason = "libwebp has a C interface; each block says why it is sound")]

use super::Settings;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use libwebp_sys::{
    WebPConfig, WebPEncode, WebPEncodingError, WebPPicture, WebPPictureFree, WebPPictureImportRGB,
    WebPPictureImportRGBA, WebPValidateConfig,
};
use std::ffi::{c_int, c_void};

/// libwebp's method where no effort is asked for.
const METHOD: u8 = 2;
/// libwebp's own is 60; a little more deblocking gives the same SSIMULACRA2 for about half a percent fewer bytes.
const FILTER_STRENGTH: c_int = 80;

/// Encodes a picture; both sides are at most 16,383 (the caller looked).
pub(super) fn encode(bitmap: &Bitmap, settings: &Settings, watch: &Watch) -> Result<Vec<u8>, Error> {
    let config = configure(settings)?;
    let mut run = Run { bytes: Vec::new(), watch, ended: None };
    let mut picture = Picture::import(bitmap, settings.lossless)?;
    picture.0.writer = Some(append);
    picture.0.progress_hook = Some(go_on);
    let target: *mut Run<'_> = &raw mut run;
    picture.0.custom_ptr = target.cast::<c_void>();
    picture.0.user_data = target.cast::<c_void>();
    // SAFETY: `config` was validated and `picture` filled by libwebp itself, both alive and ours alone. During the
    // call the hooks are the only users of `run`, one at a time (`thread_level` is 0: hooks come on this thread).
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

/// A picture whose planes libwebp owns, given back on every way out.
struct Picture(WebPPicture);

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: initialised by libwebp in `import`; freeing a picture without planes is allowed.
        unsafe { WebPPictureFree(&raw mut self.0) };
    }
}

impl Picture {
    fn import(bitmap: &Bitmap, lossless: bool) -> Result<Self, Error> {
        let blank = WebPPicture::new().map_err(|()| Error::Internal("webp: library of another version".into()))?;
        let mut picture = Self(blank);
        let too_large = |_| Error::Internal("webp: a side beyond the format".into());
        let (width, height) = (bitmap.width(), bitmap.height());
        picture.0.width = c_int::try_from(width).map_err(too_large)?;
        picture.0.height = c_int::try_from(height).map_err(too_large)?;
        // Without loss libwebp works on ARGB; else it converts to YUV 4:2:0 on the way in.
        picture.0.use_argb = c_int::from(lossless);
        let spread;
        let (pixels, channels) = match bitmap.layout() {
            Layout::Gray => {
                spread = bitmap.pixels().iter().flat_map(|&value| [value; 3]).collect::<Vec<u8>>();
                (spread.as_slice(), 3)
            }
            layout => (bitmap.pixels(), layout.channels()),
        };
        let stride = c_int::try_from(width as usize * channels).map_err(too_large)?;
        // SAFETY: the bitmap's invariant is `width × height × channels` bytes, `stride` is one row of them; libwebp
        // reads `height` rows of `width` pixels and keeps no pointer.
        let imported = unsafe {
            match channels {
                4 => WebPPictureImportRGBA(&raw mut picture.0, pixels.as_ptr(), stride),
                _ => WebPPictureImportRGB(&raw mut picture.0, pixels.as_ptr(), stride),
            }
        };
        if imported == 0 { Err(failed(picture.0.error_code)) } else { Ok(picture) }
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
    config.filter_strength = FILTER_STRENGTH;
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
