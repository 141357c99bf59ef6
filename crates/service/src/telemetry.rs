//! Logs: what is logged, in which form, and a writer that never holds up a request.
//!
//! Knows the shape of no event. Invariant: a thread that logs never waits for the log's reader; when that is too slow,
//! lines are dropped and counted, and the count is logged.

mod budget;
mod lines;
mod writer;

use std::fmt;
use std::io::IsTerminal as _;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::TryInitError;

use crate::config::{Choice, Reader, Section};
use crate::otlp;
pub use budget::Budget;
pub use lines::{Lines, Sink};
use writer::LogWriter;
pub use writer::{LogGuard, dropped_lines};

/// The environment variables that override `log.filter`, the first that is set winning.
const FILTER_VARIABLES: [&str; 2] = ["TINTYPE_LOG", "RUST_LOG"];

/// The `[log]` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// What is logged.
    pub filter: LogFilter,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One line of text, in colour on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

/// A level, or levels by module, as `tracing` writes them: `info`, `info,tintype::origin=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl Choice for LogFormat {
    const NAMES: &'static [(&'static str, Self)] = &[("auto", Self::Auto), ("text", Self::Text), ("json", Self::Json)];
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        EnvFilter::builder().parse(text).map_err(|error| error.to_string())?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Section for Log {
    const DOC: &'static str = "Logs, on standard error.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            format: r.choice("format", LogFormat::Auto, "Text or JSON; auto is text on a terminal, else JSON."),
            filter: r.parsed(
                "filter",
                // What the AWS SDK tries in vain before it finds credentials is said once, in words of ours.
                "info,aws_config=error",
                "A level, or levels by module such as \"info,tintype::origin=debug\"; TINTYPE_LOG and RUST_LOG override it.",
            ),
        }
    }
}

/// Logs could not be set up.
#[derive(Debug)]
pub enum TelemetryError {
    /// The environment variable of this name does not parse.
    Filter {
        /// The variable.
        variable: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// Logs are set up already.
    Twice(TryInitError),
    /// The thread that writes could not be started.
    Thread(std::io::Error),
}

impl fmt::Display for TelemetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter { variable, problem } => write!(f, "environment variable {variable}: {problem}"),
            Self::Twice(error) => write!(f, "logs are set up already: {error}"),
            Self::Thread(error) => write!(f, "the log's thread cannot be started: {error}"),
        }
    }
}

impl std::error::Error for TelemetryError {}

/// Sets up logs for the whole process, and where `spans` are given gathers those of requests. Keep the guard until the
/// end: dropping it writes out what is queued.
///
/// # Errors
/// [`TelemetryError`], also when called twice.
pub fn init(log: &Log, spans: Option<otlp::Spans>) -> Result<LogGuard, TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt as _;
    let terminal = std::io::stderr().is_terminal();
    let json = match log.format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let filter = filter(log, |name| std::env::var(name).ok())?;
    let (writer, guard) = LogWriter::start(std::io::stderr(), json).map_err(TelemetryError::Thread)?;
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    subscriber(filter, json, colour, writer, spans).try_init().map_err(TelemetryError::Twice)?;
    log_panics();
    Ok(guard)
}

fn filter(log: &Log, variable: impl Fn(&str) -> Option<String>) -> Result<EnvFilter, TelemetryError> {
    let set = FILTER_VARIABLES.iter().find_map(|name| Some((*name, variable(name).filter(|text| !text.is_empty())?)));
    let (name, text) = set.unwrap_or(("log.filter", log.filter.to_string()));
    let problem = |error: tracing_subscriber::filter::ParseError| error.to_string();
    EnvFilter::builder()
        .parse(text)
        .map_err(problem)
        .map_err(|problem| TelemetryError::Filter { variable: name, problem })
}

fn subscriber(
    filter: EnvFilter,
    json: bool,
    colour: bool,
    writer: LogWriter,
    spans: Option<otlp::Spans>,
) -> Box<dyn tracing::Subscriber + Send + Sync> {
    // Spans of requests' steps are for the collector: nobody shall pay for formatting them here.
    let filter = match format!("{}=off", otlp::TARGET).parse() {
        Ok(off) => filter.add_directive(off),
        Err(_) => filter,
    };
    let spans = spans.map(|layer| layer.with_filter(filter_fn(|of| of.target() == otlp::TARGET)));
    let registry = tracing_subscriber::registry().with(spans);
    let lines = tracing_subscriber::fmt::layer().with_ansi(colour).with_writer(writer);
    if json {
        let lines = lines.json().flatten_event(true).with_current_span(true).with_span_list(false);
        Box::new(registry.with(lines.with_filter(filter)))
    } else {
        Box::new(registry.with(lines.with_target(false).with_filter(filter)))
    }
}

/// Panics become lines of the log, a few a second at most; what they say on standard error by themselves is of no form.
fn log_panics() {
    static BUDGET: Budget = Budget::new(5, 20);
    std::panic::set_hook(Box::new(|panic| {
        let Some(unsaid) = BUDGET.spend() else { return };
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload_as_str().unwrap_or("no message");
        let thread = std::thread::current();
        tracing::error!(place, text, thread = thread.name().unwrap_or_default(), unsaid, "panicked");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(json: bool, filter_text: &str) -> String {
        let sink = Sink::default();
        let (writer, guard) = LogWriter::start(sink.clone(), json).unwrap();
        let subscriber = subscriber(EnvFilter::new(filter_text), json, false, writer, None);
        tracing::subscriber::with_default(subscriber, || {
            let _span = tracing::info_span!("request", id = 7).entered();
            tracing::info!(status = 200, "served");
            tracing::debug!("hidden");
        });
        drop(guard);
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn lines_are_text_or_json_and_filtered() {
        let text = logged(false, "info");
        assert!(text.contains("INFO request{id=7}: served status=200\n"), "{text}");
        assert!(!text.contains("hidden"));
        let json = logged(true, "debug");
        let lines: Vec<&str> = json.lines().collect();
        assert_eq!(lines.len(), 2, "{json}");
        assert!(lines[0].starts_with('{') && lines[0].contains("\"message\":\"served\",\"status\":200"), "{json}");
        assert!(lines[0].contains("\"span\":{\"id\":7,\"name\":\"request\"}"), "{json}");
    }

    #[test]
    fn the_environment_overrides_the_filter() {
        let log = crate::config::load::<Log>(None, [], &[]).unwrap().config;
        assert_eq!(filter(&log, |_| None).unwrap().to_string(), "aws_config=error,info");
        let set = |wanted: &'static str| move |name: &str| (name == wanted).then(|| "warn".to_owned());
        assert_eq!(filter(&log, set("RUST_LOG")).unwrap().to_string(), "warn");
        let both = |name: &str| Some(if name == "RUST_LOG" { "warn" } else { "trace" }.to_owned());
        assert_eq!(filter(&log, both).unwrap().to_string(), "trace");
        let wrong = filter(&log, |_| Some("a=b=c".into())).unwrap_err().to_string();
        assert!(wrong.starts_with("environment variable TINTYPE_LOG: "), "{wrong}");
    }

    #[test]
    fn a_wrong_filter_is_a_fault_of_the_configuration() {
        let errors = crate::config::load::<Log>(None, [], &["filter=a=b=c".into(), "format=xml".into()]).unwrap_err();
        let text = errors.to_string();
        assert!(text.contains("filter = a=b=c") && text.contains("\"auto\", \"text\", \"json\""), "{text}");
    }
}
