//! `[render]`: threads, queue and the limits of one render.

use crate::pressure::Amount;
use imaging::Limits;
use imaging::encode::avif::Engine;
use service::config::{Choice, Reader, Section};
use std::time::Duration;

/// Less is no budget to render with.
const LEAST: u64 = 64 << 20;

/// The render pool.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct RenderConfig {
    pub threads: usize,
    pub nice: i32,
    pub queue: usize,
    pub queue_timeout: Duration,
    pub quick_when_full: bool,
    pub deadline: Duration,
    pub avif_engine: Engine,
    pub memory: Amount,
    pub scratch: u64,
    pub limits: Limits,
    pub lane: LaneConfig,
}

/// `imaging`'s engines under their names.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Named(Engine);

impl Choice for Named {
    const NAMES: &'static [(&'static str, Self)] =
        &[(Engine::Libaom.name(), Self(Engine::Libaom)), (Engine::Rav1e.name(), Self(Engine::Rav1e))];
}

/// Work that nobody waits for.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct LaneConfig {
    pub threads: usize,
    pub nice: i32,
    pub memory: u64,
    pub deadline: Duration,
    pub effort: u8,
    pub quick: Duration,
    pub jobs: usize,
    pub attempts: u32,
    pub poll: Duration,
}

impl RenderConfig {
    /// Where there are `limit` bytes of memory in all: budgets in bytes, and none larger than what it is a part of.
    #[must_use]
    pub fn within(&self, limit: u64) -> Self {
        let memory = self.memory.of(limit).max(LEAST);
        let mut config = self.clone();
        config.memory = Amount::Bytes(memory);
        config.limits.memory = config.limits.memory.min(memory);
        config.lane.memory = config.lane.memory.min(memory);
        config
    }

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
            quick_when_full: r.bool(
                "quick_when_full",
                true,
                "f=auto: while the wait for a thread is above half of queue_timeout, WebP or JPEG stands in for AVIF that \
                 would take long, for ten seconds. See docs/overload.md.",
            ),
            deadline: r.duration(
                "deadline",
                "20s",
                "100ms"..="10m",
                "Longest time for one render, checked between and inside its steps.",
            ),
            avif_engine: r
                .choice(
                    "avif_engine",
                    Named(Engine::Libaom),
                    "Who encodes AVIF: libaom, in C, or rav1e, in Rust, which takes longer, and loses a little even where \
                     lossless=1 asks it not to (that is refused). Renditions of one are none of the other. See docs/quality.md.",
                )
                .0,
            memory: r.parsed(
                "memory",
                "25%",
                "Memory for pixels of all renders together, as predicted from the originals' headers: bytes, or a share of \
                 memory.limit.",
            ),
            scratch: r.bytes("scratch", "96MiB", "0B"..="16GiB", "Buffers that each render thread keeps for reuse; after two seconds without a render it gives them back."),
            limits: r.section::<LimitsConfig>("limits").0,
            lane: r.section("lane"),
        };
        if !config.avif_engine.is_built() {
            let hint = "this build was made without the feature `rav1e` of tintype-imaging";
            r.reject("avif_engine", config.avif_engine.name(), Engine::Libaom.name(), hint);
        }
        if let Some(memory) = config.memory.bytes() {
            let least = format!("at most render.memory ({memory} bytes)");
            if memory < LEAST {
                r.reject("memory", memory, "at least 64MiB", "or a share such as \"25%\"");
            }
            if r.is_set("lane.memory") && config.lane.memory > memory {
                r.reject("lane.memory", config.lane.memory, &least, "it is a share of that");
            }
            if r.is_set("limits.memory") && config.limits.memory > memory {
                r.reject("limits.memory", config.limits.memory, &least, "");
            }
        }
        config
    }
}

impl Section for LaneConfig {
    const DOC: &'static str = "What nobody waits for: AVIF that was put off (routes.deferred_avif) and warm-up. Begun only while no request waits \
        and a render thread is idle. See docs/deferred.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            threads: r.int("threads", 1, 0..=64, "Threads of its own beside render.threads; 0 turns both off."),
            nice: r.int("nice", 19, 0..=19, "As render.nice: at 19, renders that somebody waits for win."),
            memory: r.bytes(
                "memory",
                "256MiB",
                "0B"..="16TiB",
                "Its share of render.memory. What needs more is not put off but made at once.",
            ),
            deadline: r.duration("deadline", "2m", "100ms"..="1h", "Longest time for one of its renders."),
            effort: r.int(
                "effort",
                8,
                0..=10,
                "Effort of AVIF that was put off, where the URL gives none. 4 is what a request gets up to two megapixels; 8 takes five \
                 times as long, for 6 % fewer bytes.",
            ),
            quick: r.duration(
                "quick",
                "100ms",
                "0s"..="10m",
                "AVIF that is predicted to take less CPU time than this is not put off.",
            ),
            jobs: r.int("jobs", 10_000, 1..=1_000_000, "Renders that may wait; further ones are dropped and counted."),
            attempts: r.int("attempts", 3, 1..=100, "How often one is begun, if instances die over it, before it is given up."),
            poll: r.duration(
                "poll",
                "1s",
                "10ms"..="1h",
                "How often an idle instance looks into the queue that the fleet shares in Redis (cache.redis).",
            ),
        }
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
