//! `cache-key` and `signature` stay pure: their dependency trees hold no runtime, no network, no clients and no
//! pictures, nor each other; and where the target is installed they build for WebAssembly, which has none of these.

use std::path::{Path, PathBuf};
use std::process::Command;

const PURE: [&str; 2] = ["tintype-cache-key", "tintype-signature"];

/// Crates by name, or by the start of it where it ends in `*`.
const IMPURE: [&str; 34] = [
    "async*",
    "aws*",
    "axum*",
    "cap-std",
    "fast_image_resize",
    "fred",
    "futures*",
    "gif",
    "h2",
    "http*",
    "hyper*",
    "image*",
    "kamadak-exif",
    "libwebp*",
    "log",
    "mio",
    "moka",
    "moxcms",
    "mozjpeg*",
    "png",
    "quinn*",
    "rav1d*",
    "ravif",
    "redis*",
    "reqwest",
    "rustix",
    "rustls*",
    "serde*",
    "smithy*",
    "socket2",
    "tokio*",
    "tower*",
    "tracing*",
    "zune*",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Names of the crates that a package is built from, itself left out.
fn dependencies(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", package])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    text.lines().skip(1).filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn is_impure(name: &str) -> bool {
    IMPURE.iter().any(|rule| match rule.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *rule,
    })
}

#[test]
fn nothing_impure_below() {
    assert!(is_impure("tokio-util") && is_impure("png") && !is_impure("blake3"));
    for package in PURE {
        let tree = dependencies(package);
        assert!(!tree.is_empty(), "{package} hashes by a crate");
        for name in &tree {
            assert!(!is_impure(name), "{package} must not depend on {name}");
            assert!(!name.starts_with("tintype"), "{package} depends on nothing of this workspace, but has {name}");
        }
    }
}

#[test]
fn builds_for_webassembly() {
    let target = "wasm32-unknown-unknown";
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = Command::new(rustc).args(["--print", "sysroot"]).current_dir(workspace()).output();
    let sysroot = sysroot.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if sysroot.is_empty() || !Path::new(&sysroot).join("lib/rustlib").join(target).exists() {
        println!("skipped: the target {target} is not installed (rustup target add {target})");
        return;
    }
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--target", target, "--target-dir", env!("CARGO_TARGET_TMPDIR")])
        .args(PURE.iter().flat_map(|package| ["--package", *package]))
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
