//! The server over a corpus of real and hostile files, judged by the tool that comes with it. Skipped where the folder
//! `shared` beside the repository (or `TINTYPE_SHARED`) is absent.

use crate::server::sets;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::{Folder, Process};

/// Valid, and answered 415 in words: what compresses them is not read.
const REFUSED: [&str; 2] =
    ["tiff/hopper_lzma.tif", "malformed/clusterfuzz-testcase-minimized-fuzzer_script_tiff-5026894169374720.tif"];
/// Names a primary picture that is not there: which of the others is shown is anybody's choice.
const ANY_SIZE: [&str; 1] = ["heic/invalid_id.heic"];

fn shared() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    std::env::var_os("TINTYPE_SHARED").map_or_else(beside, PathBuf::from)
}

#[test]
fn every_file_gets_the_answer_that_it_deserves() {
    let (tool, corpora) = (shared().join("tools/corpus_check.py"), shared().join("corpora"));
    if !tool.is_file() || !corpora.join("manifest.json").is_file() {
        println!("skipped: {} is not there", tool.display());
        return;
    }
    let folder = Folder::new();
    let root = format!("origins.0.root={}", corpora.display());
    let process = Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets(&folder, &[&root]));
    let template = format!("http://{}/img/{{file}}?w=64&fit=contain&f=png", process.address);
    let rows = folder.outside().join("rows.json").display().to_string();
    let judged = Command::new("python3")
        .arg(tool)
        .args(["--manifest", &corpora.join("manifest.json").display().to_string(), "--template", &template])
        .args(["--json", &rows, "--limit", "30"])
        .output()
        .expect("python3");
    let told = String::from_utf8_lossy(&judged.stderr).into_owned();
    let rows = std::fs::read(rows).unwrap_or_else(|error| panic!("{error}: {told}"));
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&rows).expect("JSON");
    assert!(rows.len() > 900, "the tool saw {} files", rows.len());
    let excused = |row: &serde_json::Value| {
        let file = row["file"].as_str().unwrap_or_default();
        (row["status"] == 415 && REFUSED.contains(&file)) || (row["status"] == 200 && ANY_SIZE.contains(&file))
    };
    let short: Vec<_> = rows.iter().filter(|row| !row["short"].is_null() && !excused(row)).collect();
    assert!(short.is_empty(), "{short:#?}");
}
