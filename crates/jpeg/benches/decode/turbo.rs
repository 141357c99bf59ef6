//! libjpeg-turbo itself, as the system has it: its TurboJPEG interface, looked for when the bench runs (Debian and
//! Ubuntu: `libturbojpeg0`), so that nothing has to be there to build. Absent, it is left out, aloud.

use std::ffi::{CStr, c_char, c_int, c_uchar, c_ulong, c_void};

unsafe extern "C" {
    fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

const RTLD_NOW: c_int = 2;
/// `TJPF_RGB`.
const RGB: c_int = 0;

type Init = unsafe extern "C" fn() -> *mut c_void;
type Decompress = unsafe extern "C" fn(
    *mut c_void,
    *const c_uchar,
    c_ulong,
    *mut c_uchar,
    c_int,
    c_int,
    c_int,
    c_int,
    c_int,
) -> c_int;

/// A decompressor, kept from picture to picture.
pub(crate) struct Turbo {
    handle: *mut c_void,
    decompress: Decompress,
}

impl Turbo {
    /// The system's.
    pub(crate) fn new() -> Option<Self> {
        let names = [c"libturbojpeg.so.0", c"libturbojpeg.dylib"];
        // SAFETY: the names end in a zero; running the library's constructors is what is wanted.
        let library = names.into_iter().map(|name| unsafe { dlopen(name.as_ptr(), RTLD_NOW) }).find(|at| !at.is_null());
        let Some(library) = library else {
            println!("libturbojpeg is not on this system: libjpeg-turbo is left out");
            return None;
        };
        let symbol = |name: &CStr| {
            // SAFETY: the library is open and never closed, the name ends in a zero.
            let found = unsafe { dlsym(library, name.as_ptr()) };
            (!found.is_null()).then_some(found)
        };
        // SAFETY: turbojpeg.h declares these functions so, in 2.x and in 3.x.
        let (init, decompress): (Init, Decompress) = unsafe {
            (
                std::mem::transmute::<*mut c_void, Init>(symbol(c"tjInitDecompress")?),
                std::mem::transmute::<*mut c_void, Decompress>(symbol(c"tjDecompress2")?),
            )
        };
        // SAFETY: as declared.
        let handle = unsafe { init() };
        (!handle.is_null()).then_some(Self { handle, decompress })
    }

    /// Decodes to RGB at a size that is one of its scales.
    pub(crate) fn decode(&mut self, bytes: &[u8], (width, height): (u32, u32), out: &mut Vec<u8>) {
        let len = width as usize * height as usize * 3;
        out.resize(len.max(out.len()), 0);
        // SAFETY: the handle is the library's own; it reads `bytes.len()` bytes and writes rows without gaps into a
        // buffer that has room for all of them.
        let status = unsafe {
            (self.decompress)(
                self.handle,
                bytes.as_ptr(),
                bytes.len() as c_ulong,
                out.as_mut_ptr(),
                width as c_int,
                0,
                height as c_int,
                RGB,
                0,
            )
        };
        // Cameras write files that it warns of.
        assert!(status == 0 || out.iter().any(|&value| value != 0), "libjpeg-turbo decodes a good file");
    }
}
