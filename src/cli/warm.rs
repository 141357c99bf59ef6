//! `tintype warm`: has a running server make renditions before anybody asks, and shows how far it is.
//!
//! Invariant: a list of any length is handed over in parts that the server takes, one after the other.

use super::Failure;
use super::admin::{AdminArguments, NoAnswer, Server};
use crate::warm::Report;
use crate::warm::admin::PATH;
use crate::warm::list::List;
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::Method;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// Bytes of URLs in one part: the admin listener takes a mebibyte.
const PART: usize = 512 << 10;
/// How often the server is asked how far it is.
const LOOK: Duration = Duration::from_millis(250);
/// Characters of the bar.
const BAR: usize = 30;

#[derive(Debug, Args)]
pub(super) struct WarmArguments {
    /// URLs, or their paths and queries.
    urls: Vec<String>,
    /// Further URLs, one per line; `-` is standard input. Empty lines and those that begin with # do not count.
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Originals, by name: each is made with each --transform. May be repeated.
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    /// A query such as 'w=800&f=auto', for the --source. May be repeated.
    #[arg(long, value_name = "QUERY", requires = "source")]
    transform: Vec<String>,
    /// The prefix of the route of the --source, where there are several.
    #[arg(long, value_name = "PREFIX")]
    route: Option<String>,
    /// The host, where routes differ by it and URLs do not say it.
    #[arg(long)]
    host: Option<String>,
    /// For URLs with f=auto: which clients to make it for. All of them where none is named. May be repeated.
    #[arg(long, value_enum, value_name = "CLASS")]
    class: Vec<Class>,
    /// Whose pictures, where no signature says it.
    #[arg(long)]
    tenant: Option<String>,
    /// Do not wait; print the ids.
    #[arg(long)]
    detach: bool,
    /// Tell how the warm-up of this id stands.
    #[arg(long, value_name = "ID", conflicts_with_all = ["urls", "file", "source", "cancel"])]
    status: Option<String>,
    /// End the warm-up of this id early.
    #[arg(long, value_name = "ID", conflicts_with_all = ["urls", "file", "source"])]
    cancel: Option<String>,
    #[command(flatten)]
    admin: AdminArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Class {
    Avif,
    Webp,
    Baseline,
}

impl Class {
    fn name(self) -> String {
        let value = self.to_possible_value().expect("no class is left out");
        value.get_name().to_owned()
    }
}

pub(super) fn warm(arguments: &WarmArguments) -> Result<(), Failure> {
    let server = arguments.admin.server()?;
    if let Some(id) = &arguments.status {
        let report: Report = server.ask(Method::GET, &format!("{PATH}/{id}"), Bytes::new())?;
        return tell(&report);
    }
    if let Some(id) = &arguments.cancel {
        let report: Report = server.ask(Method::DELETE, &format!("{PATH}/{id}"), Bytes::new())?;
        println!("{}: {}", report.state, line(&report));
        return Ok(());
    }
    let parts = arguments.parts()?;
    let (mut failed, count) = (0, parts.len());
    for (number, part) in parts.into_iter().enumerate() {
        let body = serde_json::to_vec(&part).map_err(|error| Failure::Failed(error.to_string()))?;
        let report = begin(&server, &body.into())?;
        if arguments.detach {
            println!("{}", report.id);
            continue;
        }
        let label = if count > 1 { format!("part {} of {count}: ", number + 1) } else { String::new() };
        let report = follow(&server, report, &label)?;
        failed += report.failed;
        print_failures(&report);
        println!("{label}{}", line(&report));
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Failed(format!("{failed} could not be made"))),
    }
}

impl WarmArguments {
    fn parts(&self) -> Result<Vec<List>, Failure> {
        let mut urls = self.urls.clone();
        if let Some(file) = &self.file {
            urls.extend(read(file)?);
        }
        let plain = List {
            host: self.host.clone(),
            route: self.route.clone(),
            classes: self.class.iter().map(|class| class.name()).collect(),
            tenant: self.tenant.clone(),
            ..List::default()
        };
        let mut parts = Vec::new();
        for chunk in chunks(&self.source) {
            parts.push(List { sources: chunk, transforms: self.transform.clone(), ..plain.clone() });
        }
        for chunk in chunks(&urls) {
            parts.push(List { urls: chunk, ..plain.clone() });
        }
        if parts.is_empty() {
            return Err(Failure::Failed("nothing to do: give URLs, --file, or --source with --transform".to_owned()));
        }
        Ok(parts)
    }
}

/// In parts of at most [`PART`] bytes.
fn chunks(all: &[String]) -> Vec<Vec<String>> {
    let (mut chunks, mut bytes) = (Vec::<Vec<String>>::new(), PART);
    for text in all {
        bytes += text.len() + 8;
        if bytes > PART {
            chunks.push(Vec::new());
            bytes = text.len() + 8;
        }
        chunks.last_mut().expect("one was begun").push(text.clone());
    }
    chunks
}

/// The lines of a file that say something.
pub(super) fn read(file: &Path) -> Result<Vec<String>, Failure> {
    let mut text = String::new();
    let result = match file == Path::new("-") {
        true => std::io::stdin().read_to_string(&mut text),
        false => std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text)),
    };
    result.map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

/// Waits for room where the server has none.
fn begin(server: &Server, body: &Bytes) -> Result<Report, Failure> {
    loop {
        match server.ask(Method::POST, PATH, body.clone()) {
            Err(NoAnswer::Refused(429, text)) => {
                eprintln!("{text}");
                sleep(4 * LOOK);
            }
            result => return Ok(result?),
        }
    }
}

/// Shows progress until the end: a bar on a terminal, else a line for each tenth.
fn follow(server: &Server, mut report: Report, label: &str) -> Result<Report, Failure> {
    let terminal = std::io::stderr().is_terminal();
    let mut told = 0;
    while !matches!(report.state.as_str(), "done" | "cancelled") {
        sleep(LOOK);
        report = server.ask(Method::GET, &format!("{PATH}/{}", report.id), Bytes::new())?;
        let ended = report.total - report.waiting - report.running;
        let share = |of: usize| (ended * of).checked_div(report.total).unwrap_or(of);
        if terminal {
            let bar: String = (0..BAR).map(|at| if at < share(BAR) { '#' } else { '.' }).collect();
            eprint!("\r{label}[{bar}] {:3} % {}\x1b[K", share(100), line(&report));
            std::io::stderr().flush()?;
        } else if share(10) > told {
            told = share(10);
            eprintln!("{label}{} % {}", 10 * told, line(&report));
        }
    }
    if terminal {
        eprint!("\r\x1b[K");
    }
    Ok(report)
}

fn tell(report: &Report) -> Result<(), Failure> {
    println!("{}: {}", report.state, line(report));
    print_failures(report);
    Ok(())
}

fn line(report: &Report) -> String {
    let Report { total, waiting, running, failed, .. } = report;
    let done = report.done.iter().map(|(name, count)| format!("{count} {name}"));
    let rest = [(*running, "running"), (*waiting, "waiting"), (*failed, "failed")];
    let rest = rest.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
    format!("{total} renditions: {}", done.chain(rest).collect::<Vec<_>>().join(", "))
}

fn print_failures(report: &Report) {
    for failure in &report.failures {
        let class = failure.class.as_ref().map(|class| format!(" ({class})")).unwrap_or_default();
        eprintln!("failed: {}{class}: {}", failure.url, failure.error);
    }
    let more = report.failed - report.failures.len().min(report.failed);
    if more > 0 {
        eprintln!("and {more} more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_come_in_parts_and_nothing_is_lost() {
        let all: Vec<String> = (0..20_000).map(|n| format!("/img/{n:040}.jpg?w=100")).collect();
        let parts = chunks(&all);
        assert!(parts.len() > 1 && parts.iter().all(|part| !part.is_empty()));
        assert!(parts.iter().all(|part| part.iter().map(|url| url.len() + 8).sum::<usize>() <= PART));
        assert_eq!(parts.concat(), all);
        assert!(chunks(&[]).is_empty());
        assert_eq!(chunks(&["x".repeat(2 * PART)]).len(), 1, "the server says what it thinks of it");
    }
}
