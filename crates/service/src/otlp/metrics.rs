//! What `/metrics` says, as OTLP writes it (opentelemetry-proto, `metrics/v1/metrics.proto`).
//!
//! Reads the text of the registry, which is our own: one place says what is measured, in one form. Invariant: counters and
//! histograms are cumulative from the process's start, as they are there.

use super::span::{Value, attribute, resource, scope};
use super::wire::Message;

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: i64 = 2;

/// One metric with all of its samples.
#[derive(Debug, Default)]
struct Family<'t> {
    name: &'t str,
    help: &'t str,
    kind: &'t str,
    unit: &'t str,
    samples: Vec<Sample<'t>>,
}

#[derive(Debug)]
struct Sample<'t> {
    suffix: &'t str,
    labels: Vec<(&'t str, String)>,
    value: f64,
}

/// An `ExportMetricsServiceRequest` of OpenMetrics text; times in nanoseconds since 1970.
pub(super) fn request(of: &[(String, String)], text: &str, start: u64, now: u64) -> Vec<u8> {
    let mut request = Message::new();
    request.message(1, |group| {
        resource(group, of);
        group.message(2, |scoped| {
            scope(scoped);
            for family in families(text) {
                scoped.message(2, |metric| write(metric, &family, start, now));
            }
        });
    });
    request.into_bytes()
}

fn families(text: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in text.lines() {
        if let Some(meta) = line.strip_prefix("# ") {
            let mut parts = meta.splitn(3, ' ');
            let (Some(what), Some(name)) = (parts.next(), parts.next()) else { continue };
            let rest = parts.next().unwrap_or_default();
            if families.last().is_none_or(|last| last.name != name) {
                families.push(Family { name, ..Family::default() });
            }
            let Some(family) = families.last_mut() else { continue };
            match what {
                "HELP" => family.help = rest,
                "TYPE" => family.kind = rest,
                "UNIT" => family.unit = rest,
                _ => {}
            }
        } else if let Some(family) = families.last_mut()
            && let Some(sample) = sample(line, family.name)
        {
            family.samples.push(sample);
        }
    }
    families.retain(|family| !family.samples.is_empty());
    families
}

/// `name_suffix{label="value",…} value # exemplar`.
fn sample<'t>(line: &'t str, name: &str) -> Option<Sample<'t>> {
    let rest = line.strip_prefix(name)?;
    let end = rest.find(['{', ' '])?;
    let (suffix, rest) = rest.split_at(end);
    let (labels, rest) = rest.strip_prefix('{').map_or_else(|| Some((Vec::new(), rest)), labels)?;
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { suffix, labels, value })
}

/// Up to the closing brace, with what comes after it.
fn labels(mut rest: &str) -> Option<(Vec<(&str, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, value) = rest.split_once("=\"")?;
        let mut text = String::new();
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at,
                (_, '\\') => match characters.next()?.1 {
                    'n' => text.push('\n'),
                    other => text.push(other),
                },
                (_, other) => text.push(other),
            }
        };
        labels.push((name, text));
        rest = &value[end + 1..];
    }
}

fn write(metric: &mut Message, family: &Family<'_>, start: u64, now: u64) {
    // As UCUM writes them.
    let unit = match family.unit {
        "seconds" => "s",
        "bytes" => "By",
        other => other,
    };
    metric.bytes(1, family.name.as_bytes()).bytes(2, family.help.as_bytes()).bytes(3, unit.as_bytes());
    match family.kind {
        "counter" => metric.message(7, |sum| {
            points(sum, family, "_total", start, now);
            sum.number(2, CUMULATIVE).number(3, 1);
        }),
        "histogram" => metric.message(9, |histogram| {
            histograms(histogram, family, start, now);
            histogram.number(2, CUMULATIVE);
        }),
        "info" => metric.message(5, |gauge| points(gauge, family, "_info", start, now)),
        _ => metric.message(5, |gauge| points(gauge, family, "", start, now)),
    };
}

/// Each a `NumberDataPoint`.
fn points(data: &mut Message, family: &Family<'_>, suffix: &str, start: u64, now: u64) {
    for sample in family.samples.iter().filter(|sample| sample.suffix == suffix) {
        data.message(1, |point| {
            for (name, value) in &sample.labels {
                attribute(point, 7, name, &Value::Text(value.clone()));
            }
            point.fixed64(2, start).fixed64(3, now).double(4, sample.value);
        });
    }
}

/// Each set of labels is a `HistogramDataPoint`; its buckets come in order, each counting those below it too.
fn histograms(data: &mut Message, family: &Family<'_>, start: u64, now: u64) {
    let others = |sample: &Sample<'_>| -> Vec<(String, String)> {
        let own = sample.labels.iter().filter(|(name, _)| *name != "le");
        own.map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    for count in family.samples.iter().filter(|sample| sample.suffix == "_count") {
        let labels = others(count);
        let of = |suffix| family.samples.iter().filter(move |sample| sample.suffix == suffix);
        let sum = of("_sum").find(|sample| others(sample) == labels).map_or(0.0, |sample| sample.value);
        let (mut bounds, mut counts, mut below) = (Vec::new(), Vec::new(), 0);
        for bucket in of("_bucket").filter(|sample| others(sample) == labels) {
            let bound =
                bucket.labels.iter().find(|(name, _)| *name == "le").map_or("+Inf", |(_, value)| value.as_str());
            if let Some(bound) = bound.parse::<f64>().ok().filter(|bound| bound.is_finite()) {
                bounds.push(bound);
            }
            let upto = bucket.value as u64;
            counts.push(upto.saturating_sub(below));
            below = upto;
        }
        data.message(1, |point| {
            for (name, value) in &labels {
                attribute(point, 9, name, &Value::Text(value.clone()));
            }
            point.fixed64(2, start).fixed64(3, now).fixed64(4, count.value as u64).double(5, sum);
            point.fixed64s(6, &counts).doubles(7, &bounds);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_exemplars_of_our_text_are_read() {
        let text = "# HELP t_x Things.\n# TYPE t_x counter\nt_x_total{a=\"b\\\"}, \\\\ \\n\",c=\"d\"} 3 # {trace_id=\"1\"} 0.5\n\
            # HELP t_y More.\n# TYPE t_y gauge\n# UNIT t_y bytes\nt_y 1.5\n# HELP t_z None.\n# TYPE t_z gauge\n# EOF\n";
        let families = families(text);
        assert_eq!(families.len(), 2, "a family without samples is left out: {families:?}");
        assert_eq!((families[0].kind, families[0].help), ("counter", "Things."));
        assert_eq!(families[0].samples[0].labels, [("a", "b\"}, \\ \n".to_owned()), ("c", "d".to_owned())]);
        assert!((families[0].samples[0].value - 3.0).abs() < f64::EPSILON);
        assert_eq!((families[1].unit, families[1].samples[0].suffix), ("bytes", ""));
    }
}
