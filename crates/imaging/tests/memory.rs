//! Memory as it is foretold and as it is: each case renders in a process of its own, whose highest resident size is
//! what the kernel counted, C encoders included. Photographs of the repository, and of the corpus where there is one.
//!
//! Small pictures have a floor: buffers, tables and pages of code that no price names.
#![cfg(target_os = "linux")]

mod corpus_folder;

use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::encode::avif::Engine;
use imaging::{Limits, Scratch, Setup, Watch, cost, probe, render};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes that a render may need beside what was foretold, and be foretold too many.
const FLOOR: f64 = 3e6;
/// How far a prediction may be off beyond that.
const OFF: f64 = 0.25;
/// Names the picture and the query of the case that a child renders.
const CASE: &str = "TINTYPE_MEMORY_CASE";
/// Names who encodes AVIF in it.
const ENGINE: &str = "TINTYPE_MEMORY_ENGINE";

fn variant(query: &str) -> Variant {
    let transform = parse(Some(query), &Presets::none()).expect("a valid query").transform;
    Variant { transform, class: FormatClass::Baseline }
}

/// A line of `/proc/self/status`, bytes.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("it has the line");
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u64>().expect("a number") * 1024
}

/// Not a test of its own: what a child runs.
#[test]
fn child() {
    let Some(case) = std::env::var_os(CASE) else { return };
    let case = case.into_string().expect("text");
    let (path, query) = case.split_once('?').expect("a picture and a query");
    let original = std::fs::read(path).expect("the picture");
    let named = std::env::var(ENGINE).expect("an engine");
    let avif = Engine::ALL.into_iter().find(|engine| engine.name() == named).expect("it exists");
    let (variant, setup) = (variant(query), Setup { avif, ..Setup::default() });
    // The code is in memory before anything is counted.
    let small = Variant { transform: parse(Some("w=16&f=png"), &Presets::none()).expect("valid").transform, ..variant };
    let warm = render(&original, &small, &setup, &Watch::new(), &mut Scratch::new(0)).expect("it renders");
    drop(render(&warm.bytes, &variant, &setup, &Watch::new(), &mut Scratch::new(0)));
    let found = probe(&original, &setup.limits).expect("probed");
    let told = cost(&original, &found, &variant, &setup).expect("priced").memory;
    let before = status("VmRSS:");
    let rendition = render(&original, &variant, &setup, &Watch::new(), &mut Scratch::new(0)).expect("it renders");
    println!("MEASURED {} {told} {}", status("VmHWM:").saturating_sub(before), rendition.bytes.len());
}

fn measure(path: &Path, query: &str, engine: Engine) -> (f64, f64) {
    let case = format!("{}?{query}", path.display());
    let me = std::env::current_exe().expect("this test's program");
    let output = Command::new(me)
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(CASE, &case)
        .env(ENGINE, engine.name())
        // Memory that is given back is given back: no arena keeps it from being counted again.
        .env("MALLOC_ARENA_MAX", "1")
        .env("MALLOC_MMAP_THRESHOLD_", "65536")
        .env("MALLOC_TRIM_THRESHOLD_", "65536")
        .output()
        .expect("a child");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once("MEASURED ")).map(|(_, rest)| rest.to_owned());
    let line = line.unwrap_or_else(|| panic!("{case}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    let numbers: Vec<f64> = line.split(' ').map(|number| number.parse().expect("a number")).collect();
    (numbers[0], numbers[1])
}

fn corpus(name: &str) -> Option<PathBuf> {
    corpus_folder::path(&format!("photo-jpeg/{name}"))
}

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(name)
}

#[test]
fn what_a_render_needs_is_foretold() {
    let mut cases = Vec::new();
    for query in ["w=800&f=jpeg", "w=3000&f=jpeg", "w=800&f=webp", "w=1600&f=avif", "w=1600&f=png", "crop=0,0,900,900"]
    {
        cases.push((sample("landscape.jpg"), query));
    }
    cases.push((sample("landscape.jpg"), "w=500&f=avif&effort=8"));
    for query in ["w=400&f=webp", "w=300&f=png", "rot=90&f=jpeg"] {
        cases.push((sample("statue.png"), query));
    }
    cases.push((sample("landscape.avif"), "w=300&f=jpeg"));
    cases.push((sample("ball.gif"), "f=avif"));
    for query in ["f=avif&fps-max=5", "f=webp"] {
        cases.extend(corpus_folder::path("gif/iss634.gif").map(|file| (file, query)));
    }
    match corpus("Issue_266.jpg").zip(corpus("Canon_EOS_450D.jpg")) {
        Some((large, other)) => {
            cases.extend(["w=400&f=jpeg", "w=2000&f=webp", "rot=90&f=jpeg"].map(|query| (large.clone(), query)));
            cases.extend(["w=2400&f=webp&lossless=1", "f=jpeg&progressive=1"].map(|query| (other.clone(), query)));
        }
        None => eprintln!("no corpus: the repository's photographs alone"),
    }
    let mut cases: Vec<_> = cases.into_iter().map(|(path, query)| (path, query, Engine::Libaom)).collect();
    if Engine::Rav1e.is_built() {
        let queries = [
            "w=1600&f=avif",
            "w=1600&f=avif&effort=4",
            "w=1600&f=avif&effort=4&chroma=420",
            "w=1600&f=avif&effort=0&q=50",
            "w=1600&f=avif&effort=8",
        ];
        cases.extend(queries.map(|query| (sample("landscape.jpg"), query, Engine::Rav1e)));
        cases.push((sample("statue.png"), "f=avif", Engine::Rav1e));
    }
    let mut wrong = Vec::new();
    for (path, query, engine) in cases {
        let (measured, told) = measure(&path, query, engine);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let line = format!(
            "{name} {query} ({}): measured {:.1} MB, foretold {:.1} MB",
            engine.name(),
            measured / 1e6,
            told / 1e6
        );
        println!("{line}");
        if (told - measured).abs() > FLOOR + OFF * measured {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "off by more than a quarter:\n{}", wrong.join("\n"));
}

/// Refused, or served within 256 MB.
#[test]
fn bombs_cost_little() {
    let Some(folder) = corpus("Issue_266.jpg").and_then(|file| Some(file.parent()?.with_file_name("bomb"))) else {
        eprintln!("skipped: no corpus");
        return;
    };
    let limits = Limits { memory: 256 << 20, ..Limits::default() };
    let setup = Setup::from(limits);
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        let Ok(found) = probe(&bytes, &setup.limits) else { continue };
        for query in ["w=200&f=jpeg", "w=1&f=webp", "crop=0,0,64,64&f=png"] {
            let Ok(price) = cost(&bytes, &found, &variant(query), &setup) else { continue };
            assert!(price.memory <= 256 << 20, "{}", path.display());
            let _served_or_refused = render(&bytes, &variant(query), &setup, &Watch::new(), &mut Scratch::new(0));
        }
    }
    let most = status("VmHWM:");
    assert!(most < 400 << 20, "{most} bytes for the files and all that came of them");
}
