//! Pixels in memory: 8 bits a channel, rows without gaps, alpha not premultiplied.

/// The channels of a pixel, in their order in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Luminance.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, straight alpha.
    Rgba,
}

impl Layout {
    /// Bytes of one pixel.
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// A picture: `width × height × channels` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitmap {
    width: u32,
    height: u32,
    layout: Layout,
    pixels: Vec<u8>,
}

impl Bitmap {
    /// Takes pixels that are already there.
    ///
    /// # Panics
    /// If a side is 0 or the length is not `width × height × channels`: the caller computed it wrongly.
    pub fn new(width: u32, height: u32, layout: Layout, pixels: Vec<u8>) -> Self {
        assert!(width > 0 && height > 0, "a bitmap has no empty side");
        assert_eq!(
            pixels.len(),
            width as usize * height as usize * layout.channels(),
            "pixels fill the bitmap exactly"
        );
        Self { width, height, layout, pixels }
    }

    /// Pixels per row.
    pub fn width(&self) -> u32 {
        self.width
    }
    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }
    /// The channels.
    pub fn layout(&self) -> Layout {
        self.layout
    }
    /// Row after row from the top.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
    /// The same, to change in place.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }
    /// Gives the memory back, for reuse.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}
