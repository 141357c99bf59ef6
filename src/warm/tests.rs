//! Runs by themselves: their turns, their counts, their bounds.

use super::*;
use crate::error::Kind;
use crate::lane::Made;

fn jobs(count: usize) -> Vec<Job> {
    let job = |number| Job {
        host: None,
        target: format!("/img/{number}"),
        tenant: "default".to_owned(),
        class: "avif".to_owned(),
        width: None,
        height: None,
        save_data: false,
    };
    (0..count).map(job).collect()
}

fn target(item: &Item) -> &str {
    &item.job().expect("not ended").target
}

#[test]
fn runs_take_turns() {
    let runs = Runs::new(10);
    runs.add(jobs(3), Vec::new()).unwrap();
    runs.add(jobs(1), Vec::new()).unwrap();
    let items: Vec<_> = std::iter::from_fn(|| runs.next()).collect();
    assert_eq!(items.iter().map(target).collect::<Vec<_>>(), ["/img/0", "/img/0", "/img/1", "/img/2"]);
}

#[test]
fn every_item_is_counted_once() {
    let runs = Runs::new(10);
    let run = runs.add(jobs(5), vec![("/nowhere".into(), "no route".into())]).unwrap();
    assert_eq!((&*run.report().state, run.report().total, run.report().failed), ("waiting", 6, 1));
    runs.next().unwrap().ended(Some(Ok(Made::New)));
    runs.next().unwrap().ended(Some(Err(Kind::NoRoute.into())));
    drop(runs.next().unwrap());
    runs.next().unwrap().ended(None);
    let report = run.report();
    assert_eq!((report.waiting, report.running, report.failed, &*report.state), (2, 0, 3, "running"));
    let last = [runs.next().unwrap(), runs.next().unwrap()];
    assert_eq!((target(&last[0]), runs.next().is_none()), ("/img/3", true));
    for item in last {
        item.ended(Some(Ok(Made::Found)));
    }
    let report = run.report();
    assert_eq!((&*report.state, report.done["made"], report.done["found"]), ("done", 1, 2));
    assert_eq!(report.failed + report.done.values().sum::<usize>(), report.total);
}

#[test]
fn what_is_cancelled_begins_nothing_more() {
    let runs = Runs::new(10);
    let run = runs.add(jobs(3), Vec::new()).unwrap();
    let first = runs.next().unwrap();
    assert!(run.cancel() && runs.next().is_none());
    assert_eq!(run.report().state, "running");
    first.ended(Some(Ok(Made::New)));
    assert_eq!((&*run.report().state, run.cancel()), ("cancelled", false));
}

#[test]
fn all_is_bounded() {
    let runs = Runs::new(3);
    assert_eq!(runs.add(jobs(4), Vec::new()).err(), Some(Refused::Full { most: 3, waiting: 0 }));
    let first = runs.add(jobs(1), Vec::new()).unwrap();
    for _ in 1..MOST_RUNS {
        runs.add(Vec::new(), Vec::new()).unwrap();
    }
    let newest = runs.add(jobs(1), Vec::new()).unwrap();
    assert_eq!(runs.all().len(), MOST_RUNS);
    assert!(runs.find(first.id()).is_some() && runs.find(newest.id()).is_some(), "one that had ended went");
    let failures = (0..MOST_RUNS * 10).map(|n| (n.to_string(), String::new())).collect();
    let many = runs.add(Vec::new(), failures).unwrap().report();
    assert!(many.failed == MOST_RUNS * 10 && many.failures.len() < many.failed);
}
