//! `[render]`: threads, queue and the limits of one render.

use imaging::Limits;
use service::config::{Reader, Section};
use std::time::Duration;

/// The render pool.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct RenderConfig {
    pub threads: usize,
    pub nice: i32,
    pub queue: usize,
    pub queue_timeout: Duration,
    pub deadline: Duration,
    pub memory: u64,
    pub scratch: u64,
    pub limits: Limits,
}

impl RenderConfig {
    /// Render threads; 0 in the config means one per core.
    pub fn threads(&self) -> usize {
        if self.threads > 0 { self.threads } else { crate::config::cores() }
    }
}

impl Section for RenderConfig {
    const DOC: &'static str = "Making renditions: threads, queue, and the limits of one render.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            threads: r.int("threads", 0, 0..=1024, "Render threads; 0 is one per core."),
            nice: r.int("nice", 10, 0..=19, "Added to their priority value: at 10, sockets win on a full core."),
            queue: r.int(
                "queue",
                256,
                0..=100_000,
                "Renders that may wait for a thread; more are answered 503 with Retry-After.",
            ),
            queue_timeout: r.duration("queue_timeout", "5s", "10ms"..="5m", "Longest wait for a thread, then 503."),
            deadline: r.duration(
                "deadline",
                "20s",
                "100ms"..="10m",
                "Longest time for one render, checked between and inside its steps.",
            ),
            memory: r.bytes(
                "memory",
                "1GiB",
                "64MiB"..="16TiB",
                "Memory for pixels of all renders together, as predicted from the originals' headers.",
            ),
            scratch: r.bytes("scratch", "96MiB", "0B"..="16GiB", "Buffers that each render thread keeps for reuse."),
            limits: r.section::<LimitsConfig>("limits").0,
        };
        if config.limits.memory > config.memory {
            r.reject(
                "limits.memory",
                config.limits.memory,
                format!("at most render.memory ({} bytes)", config.memory),
                "",
            );
        }
        config
    }
}

struct LimitsConfig(Limits);

impl Section for LimitsConfig {
    const DOC: &'static str = "One render. Originals are judged by their headers, before any pixel exists.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self(Limits {
            source_pixels: r.int("source_pixels", 100_000_000, 1..=1_000_000_000, "Width × height of an original."),
            source_side: r.int("source_side", 30_000, 1..=65_535, "Longer side of an original, in pixels."),
            output_pixels: r.int("output_pixels", 40_000_000, 1..=1_000_000_000, "Width × height of a rendition."),
            output_side: r.int("output_side", 8_192, 1..=65_535, "Longer side of a rendition, in pixels."),
            memory: r.bytes("memory", "512MiB", "1MiB"..="16TiB", "Decoded pixels that one render may hold at once."),
            frames: r.int("frames", 2_000, 1..=1_000_000, "Frames of an animation; beyond, its first is served still."),
            frame_pixels: r.int("frame_pixels", 200_000_000, 1..=100_000_000_000, "Width × height × frames, likewise."),
        })
    }
}
