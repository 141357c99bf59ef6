//! `tintype search`: for people a line for each picture, for programs the server's answer.

use super::{ServerArguments, plain, print_json, wait};
use crate::cli::Failure;
use clap::Args;
use client::Hit;
use serde_json::Value;

#[derive(Debug, Args)]
pub(in crate::cli) struct SearchArguments {
    /// Words; all of them have to be there, one that begins with - must not.
    words: Vec<String>,
    /// Only with this tag; may be repeated.
    #[arg(long)]
    tag: Vec<String>,
    /// Only of this type, such as image/jpeg; may be repeated.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Vec<String>,
    /// Only with this colour, such as blue; may be repeated.
    #[arg(long)]
    colour: Vec<String>,
    /// The order: relevance, created, changed, taken, bytes, pixels; with - before it the other way round.
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    sort: Option<String>,
    /// At most so many.
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// The pictures as JSON, one per line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

/// Largest page that the server gives.
const PAGE: u32 = 200;

pub(in crate::cli) fn search(arguments: &SearchArguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    wait(async {
        let mut left = arguments.limit;
        let mut cursor = None;
        while left > 0 {
            let mut query = arguments.query(left.min(PAGE));
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let found = client.search(&query).await?;
            for hit in &found.hits {
                if arguments.json { print_json(hit)? } else { println!("{}", line(hit)) }
            }
            left -= u32::try_from(found.hits.len()).unwrap_or(left).min(left);
            match found.next {
                Some(next) if !found.hits.is_empty() => cursor = Some(next),
                _ => break,
            }
        }
        Ok(())
    })
}

impl SearchArguments {
    fn query(&self, limit: u32) -> Vec<(&'static str, String)> {
        let mut query = vec![("limit", limit.to_string())];
        if !self.words.is_empty() {
            query.push(("q", self.words.join(" ")));
        }
        for (name, values) in [("tag", &self.tag), ("type", &self.kind), ("colourName", &self.colour)] {
            query.extend(values.iter().map(|value| (name, value.clone())));
        }
        query.extend(self.sort.iter().map(|sort| ("sort", sort.clone())));
        query
    }
}

fn line(hit: &Hit) -> String {
    let text = |name: &str| hit.more.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| hit.more.get(name).and_then(Value::as_u64).unwrap_or_default();
    let size = format!("{}x{}", number("width"), number("height"));
    plain(&format!("{}  {:40}  {size:>11}  {}  {}", hit.id, hit.path, text("mediaType"), text("title")))
        .trim_end()
        .to_owned()
}
