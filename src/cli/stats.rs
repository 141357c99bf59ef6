//! `tintype stats`: what a running server's requests came to, as a table or as JSON.

use super::Failure;
use super::admin::AdminArguments;
use crate::stats::report::{InMemory, PATH, Report, RouteReport};
use bytes::Bytes;
use clap::Args;
use http::Method;

#[derive(Debug, Args)]
pub(super) struct StatsArguments {
    /// The whole, as the server tells it.
    #[arg(long)]
    json: bool,
    /// How many of the URLs that miss most to show of each route.
    #[arg(long, default_value_t = 5, value_name = "N")]
    top: usize,
    #[command(flatten)]
    admin: AdminArguments,
}

pub(super) fn stats(arguments: &StatsArguments) -> Result<(), Failure> {
    let server = arguments.admin.server()?;
    if arguments.json {
        let whole: serde_json::Value = server.ask(Method::GET, PATH, Bytes::new())?;
        println!("{whole:#}");
        return Ok(());
    }
    let report: Report = server.ask(Method::GET, PATH, Bytes::new())?;
    print!("{}", text(&report, arguments.top));
    Ok(())
}

fn text(report: &Report, top: usize) -> String {
    let mut lines = vec![
        format!("memory     {}", held(&report.memory)),
        format!("originals  {}", held(&report.originals)),
        format!("lane       {} waiting, {} running", report.lane.waiting, report.lane.running),
    ];
    for (name, tier) in &report.tiers {
        let events = tier.events.iter().filter(|(_, count)| **count > 0);
        let events: Vec<_> = events.map(|(event, count)| format!("{event} {count}")).collect();
        let open = if tier.open { "LEFT ALONE, it keeps failing; " } else { "" };
        lines.push(format!(
            "{name:10} {open}{}",
            if events.is_empty() { "nothing yet".into() } else { events.join(", ") }
        ));
    }
    for route in &report.routes {
        lines.push(String::new());
        lines.extend(of_route(route, top));
    }
    lines.join("\n") + "\n"
}

fn held(memory: &InMemory) -> String {
    format!("{} in {} entries, {} pushed out", size(memory.bytes), memory.entries, memory.evictions)
}

fn of_route(route: &RouteReport, top: usize) -> Vec<String> {
    let host = route.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
    let by: Vec<_> = route.by.iter().map(|(way, count)| format!("{way} {count}")).collect();
    let mut lines = vec![
        format!("{}{host}", route.route),
        format!("  requests   {}, hit ratio {}", route.requests, percent(route.hit_ratio)),
        format!("  by         {}", if by.is_empty() { "nothing yet".to_owned() } else { by.join(", ") }),
        format!("  sent       {}", size(route.sent_bytes)),
        format!("  memory     {}", held(&route.memory)),
    ];
    for rate in &route.windows {
        let (requests, sent) = (rate.requests_per_second, size(rate.bytes_per_second as u64));
        let ratio = percent(rate.hit_ratio);
        lines.push(format!("  last {:>4} s {requests:.1} requests/s, {sent}/s, hit ratio {ratio}", rate.seconds));
    }
    for missed in route.top_misses.iter().take(top) {
        let about = if missed.over > 0 { format!(" (at least {})", missed.count - missed.over) } else { String::new() };
        lines.push(format!("  missed     {}{about}  {}", missed.count, missed.url));
    }
    lines
}

/// To three digits or so, as people read it.
fn size(bytes: u64) -> String {
    let (mut left, mut unit) = (bytes as f64, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if left < 1024.0 {
            break;
        }
        (left, unit) = (left / 1024.0, larger);
    }
    if unit == "B" || left >= 100.0 { format!("{left:.0} {unit}") } else { format!("{left:.1} {unit}") }
}

fn percent(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{:.1} %", 100.0 * ratio))
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_readable() {
        let shown = [0, 1023, 1024, 526_716, 5 << 20, 3 << 40].map(size);
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "514 KiB", "5.0 MiB", "3.0 TiB"]);
    }
}
