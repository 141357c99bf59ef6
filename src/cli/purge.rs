//! `tintype purge`: has a running server forget renditions and originals, and tell the fleet and the CDN.
//!
//! Invariants: a list of any length is handed over in parts that the server takes; what was not done is said, and is exit
//! status 1.

use super::Failure;
use super::admin::{AdminArguments, Server};
use super::warm::read;
use crate::purge::MOST;
use clap::Args;
use http::Method;
use serde_json::{Map, Value, json};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// Bytes of one part: the admin listener takes a mebibyte.
const PART: usize = 512 << 10;

#[derive(Debug, Args)]
pub(super) struct PurgeArguments {
    /// URLs, or their paths and queries: all renditions of the originals that they name.
    urls: Vec<String>,
    /// Further URLs, one per line; `-` is standard input. Empty lines and those that begin with # do not count.
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Of each URL only the rendition that it asks for, in all formats of f=auto; the original stays known.
    #[arg(long)]
    only: bool,
    /// Originals by their path at the origin: all renditions. May be repeated.
    #[arg(long, value_name = "PATH")]
    source: Vec<String>,
    /// The prefix of the route of the --source.
    #[arg(long, value_name = "PREFIX", requires = "source", conflicts_with = "origin")]
    route: Option<String>,
    /// The name of the origin of the --source.
    #[arg(long, value_name = "NAME", requires = "source")]
    origin: Option<String>,
    /// Everything that bears this tag, as in Cache-Tag. May be repeated.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Everything whose URL's path begins so. May be repeated.
    #[arg(long, value_name = "PREFIX")]
    prefix: Vec<String>,
    /// Everything.
    #[arg(long)]
    all: bool,
    /// Only tell what would be purged.
    #[arg(long)]
    dry_run: bool,
    /// Print the server's answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

/// What all parts came to.
#[derive(Default)]
struct Sum {
    purged: u64,
    removed: u64,
    originals: u64,
    disk: u64,
    queued: u64,
    failures: Vec<String>,
}

pub(super) fn purge(arguments: &PurgeArguments) -> Result<(), Failure> {
    let things = arguments.things()?;
    let server = arguments.admin.server()?;
    let parts = parts(&things);
    let terminal = std::io::stderr().is_terminal() && parts.len() > 1;
    let (mut sum, mut done) = (Sum::default(), 0);
    for part in parts {
        let answer = arguments.ask(&server, part)?;
        if arguments.json {
            println!("{answer:#}");
        }
        sum.add(&answer);
        done += part.len();
        if terminal {
            eprint!("\r{done} of {} ({} %)\x1b[K", things.len(), 100 * done / things.len());
            std::io::stderr().flush()?;
        }
    }
    if terminal {
        eprint!("\r\x1b[K");
    }
    if !arguments.json {
        println!("{}", sum.line(arguments.dry_run));
    }
    match sum.failures.as_slice() {
        [] => Ok(()),
        failures => Err(Failure::Failed(failures.join("\n  "))),
    }
}

impl PurgeArguments {
    /// What is named, each with its field.
    fn things(&self) -> Result<Vec<(&'static str, Value)>, Failure> {
        let mut urls = self.urls.clone();
        if let Some(file) = &self.file {
            urls.extend(read(file)?);
        }
        let source = |path: &String| match (&self.route, &self.origin) {
            (Some(route), _) => Ok(json!({"route": route, "path": path})),
            (None, Some(origin)) => Ok(json!({"origin": origin, "path": path})),
            (None, None) => Err(Failure::Failed("--source needs --route or --origin beside it".to_owned())),
        };
        let mut things: Vec<_> = urls.into_iter().map(|url| ("url", url.into())).collect();
        for path in &self.source {
            things.push(("source", source(path)?));
        }
        things.extend(self.tag.iter().map(|tag| ("tag", tag.as_str().into())));
        things.extend(self.prefix.iter().map(|prefix| ("prefix", prefix.as_str().into())));
        if self.all {
            things.push(("all", true.into()));
        }
        if things.is_empty() {
            let text = "nothing is named: give URLs, --file, --source, --tag, --prefix or --all";
            return Err(Failure::Failed(text.to_owned()));
        }
        Ok(things)
    }

    fn ask(&self, server: &Server, part: &[(&'static str, Value)]) -> Result<Value, Failure> {
        let mut body = Map::new();
        for (field, value) in part {
            match body.entry(*field).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(list) if *field != "all" => list.push(value.clone()),
                all => *all = value.clone(),
            }
        }
        body.insert("only".to_owned(), self.only.into());
        body.insert("dry_run".to_owned(), self.dry_run.into());
        let (status, answer) = server.tell(Method::POST, "/purge", Value::Object(body).to_string().into())?;
        match serde_json::from_slice(&answer) {
            Ok(Value::Object(answer)) if answer.contains_key("tiers") => Ok(Value::Object(answer)),
            Ok(Value::Object(answer)) if answer.contains_key("error") => {
                Err(Failure::Failed(answer["error"].as_str().unwrap_or_default().to_owned()))
            }
            _ => Err(Failure::Failed(format!("{status}: {}", String::from_utf8_lossy(&answer).trim()))),
        }
    }
}

/// In parts of at most [`MOST`] things and [`PART`] bytes.
fn parts<'t>(things: &'t [(&'static str, Value)]) -> Vec<&'t [(&'static str, Value)]> {
    let (mut parts, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (at, (_, value)) in things.iter().enumerate() {
        let more = value.to_string().len() + 2;
        if at > begin && (at - begin == MOST || bytes + more > PART) {
            parts.push(&things[begin..at]);
            (begin, bytes) = (at, 0);
        }
        bytes += more;
    }
    parts.push(&things[begin..]);
    parts
}

impl Sum {
    fn add(&mut self, answer: &Value) {
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        self.purged += number(&answer["purged"]);
        self.removed += number(&answer["tiers"]["memory"]["removed"]);
        self.originals += number(&answer["tiers"]["memory"]["originals"]);
        self.disk += number(&answer["tiers"]["disk"]["removed"]);
        self.queued += number(&answer["cdn"]["queued"]);
        for item in answer["items"].as_array().into_iter().flatten() {
            if let Some(why) = item["error"].as_str() {
                let fields = ["url", "source", "tag", "prefix"];
                let name = fields.iter().find_map(|field| item[field].as_str()).unwrap_or_default();
                self.failures.push(format!("{name}: {why}"));
            }
        }
        let tiers = answer["tiers"].as_object().into_iter().flatten();
        let failed = tiers.filter_map(|(name, tier)| Some(format!("{name}: {}", tier["failed"].as_str()?)));
        self.failures.extend(failed);
        if let Some(why) = answer["fleet"]["failed"].as_str() {
            self.failures.push(format!("other instances have not been told yet: {why}"));
        }
        if let Some(why) = answer["cdn"]["failed"].as_str() {
            self.failures.push(format!("the CDN will not be told: {why}"));
        }
        self.failures.dedup();
    }

    fn line(&self, dry_run: bool) -> String {
        let Self { purged, removed, originals, disk, queued, .. } = self;
        if dry_run {
            return format!("would purge {removed} renditions and {originals} originals in memory here");
        }
        let mut line = format!("purged {purged}: {removed} renditions and {originals} originals in memory here");
        if *disk > 0 {
            line.push_str(&format!(", {disk} on disk"));
        }
        if *queued > 0 {
            line.push_str(&format!("; {queued} names for the CDN"));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_the_server_takes() {
        let things = |count: usize, bytes: usize| -> Vec<_> {
            (0..count).map(|_| ("tag", Value::from("x".repeat(bytes)))).collect()
        };
        let sizes = |things: &[_]| parts(things).iter().map(|part| part.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&things(2500, 5)), [1000, 1000, 500]);
        assert_eq!(sizes(&things(3, 300 << 10)), [1, 1, 1]);
        assert_eq!(sizes(&things(1, 1)), [1]);
    }
}
