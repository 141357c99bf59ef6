//! Who a request belongs to: W3C Trace Context (`traceparent`) and AWS X-Ray (`X-Amzn-Trace-Id`), read and written.
//!
//! Invariant: what is not exactly of the form counts as absent; nothing of it is passed on.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// A place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Never 0.
    pub trace: u128,
    /// Never 0.
    pub span: u64,
    /// Whether it is recorded.
    pub sampled: bool,
}

/// Which fields name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// `traceparent`.
    W3c,
    /// `X-Amzn-Trace-Id`.
    Xray,
}

/// The field of [`Propagation::W3c`].
pub const TRACEPARENT: &str = "traceparent";
/// The field of [`Propagation::Xray`].
pub const XRAY: &str = "x-amzn-trace-id";

impl Propagation {
    /// The field's name.
    pub const fn field(self) -> &'static str {
        match self {
            Self::W3c => TRACEPARENT,
            Self::Xray => XRAY,
        }
    }

    /// The caller's place.
    pub fn read(self, text: &str) -> Option<Context> {
        match self {
            Self::W3c => Context::from_traceparent(text),
            Self::Xray => Context::from_xray(text),
        }
    }

    /// For those whom we call.
    pub fn write(self, context: Context) -> String {
        let Context { trace, span, sampled } = context;
        let sampled = u8::from(sampled);
        match self {
            Self::W3c => format!("00-{trace:032x}-{span:016x}-{sampled:02x}"),
            Self::Xray => {
                let (time, rest) = (trace >> 96, trace & ((1 << 96) - 1));
                format!("Root=1-{time:08x}-{rest:024x};Parent={span:016x};Sampled={sampled}")
            }
        }
    }
}

impl Context {
    /// A new trace; not yet a span of it.
    pub fn root(now: SystemTime, sampled: bool) -> Self {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(1, |since| since.as_secs());
        // X-Ray wants the time in front; to others it is as good as any number.
        let trace = u128::from(seconds as u32) << 96 | u128::from(random()) << 32 | u128::from(random() as u32);
        Self { trace: trace | 1, span: random(), sampled }
    }

    /// A span below this one.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: random(), ..self }
    }

    /// Version 00, and of later ones what they share with it (W3C Trace Context §4.3).
    fn from_traceparent(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(5, '-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let version = hex(version, 2)?;
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace, span, flags) = (hex(trace, 32)?, hex(span, 16)? as u64, hex(flags, 2)?);
        (trace != 0 && span != 0).then_some(Self { trace, span, sampled: flags & 1 == 1 })
    }

    fn from_xray(text: &str) -> Option<Self> {
        let (mut trace, mut span, mut sampled) = (None, None, false);
        for pair in text.split(';').take(16) {
            let (name, value) = pair.trim().split_once('=')?;
            match name {
                "Root" => {
                    let (time, rest) = value.strip_prefix("1-")?.split_once('-')?;
                    trace = Some(hex(time, 8)? << 96 | hex(rest, 24)?);
                }
                "Parent" => span = Some(hex(value, 16)? as u64),
                "Sampled" => sampled = value == "1",
                _ => {}
            }
        }
        // A load balancer names a root only: its span is none that anybody records.
        let context = Self { trace: trace?, span: span.unwrap_or_else(random), sampled };
        (context.trace != 0 && context.span != 0).then_some(context)
    }
}

/// Exactly so many lower-case digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let fine = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    fine.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// Never 0; not to be guessed from others.
pub(super) fn random() -> u64 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    STATE.hash_one(NEXT.fetch_add(1, Ordering::Relaxed)).max(1)
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const W3C: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

    #[test]
    fn what_others_write_is_read_and_written_back() {
        let context = Propagation::W3c.read(W3C).unwrap();
        assert_eq!((context.trace, context.span), (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7));
        assert!(context.sampled);
        assert_eq!(Propagation::W3c.write(context), W3C);
        let xray = format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1");
        let context = Propagation::Xray.read(&xray).unwrap();
        assert_eq!(Propagation::Xray.write(context), xray);
        assert_eq!(Propagation::W3c.write(context), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
        assert!(!Propagation::Xray.read(&format!("Self=1-67891233-abc;{ROOT};Lineage=25:x")).unwrap().sampled);
        assert!(
            Propagation::W3c.read(&W3C.replace("00-4", "cc-4").replace("-01", "-01-more")).is_some(),
            "a later version"
        );
    }

    #[test]
    fn all_else_counts_as_absent() {
        let zeros = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        let upper = W3C.replace('f', "F");
        let more = format!("{W3C}-00");
        for text in ["", "00", &W3C[..54], zeros, &upper, &more, &W3C.replace("00-4", "ff-4"), "00-é-é-é"] {
            assert_eq!(Propagation::W3c.read(text), None, "{text}");
        }
        for text in
            ["", "Parent=53995c3f42cd8ad8", "Root=1-5759e988-bd86", "Root", "Root=2-5759e988-bd862e3fe1be46a994272793"]
        {
            assert_eq!(Propagation::Xray.read(text), None, "{text}");
        }
    }

    #[test]
    fn new_traces_begin_with_the_time() {
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(0x5759_e988);
        let (one, two) = (Context::root(now, true), Context::root(now, true));
        assert!(one.trace != two.trace && one.trace >> 96 == 0x5759_e988);
        assert!(one.child().span != one.span && one.child().trace == one.trace);
    }
}
