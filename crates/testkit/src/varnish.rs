//! A real Varnish for tests: `varnishd` on a free port of 127.0.0.1, with a VCL of the test's choice, ended with the test.

use crate::redis::free;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running cache. Ended when dropped.
#[derive(Debug)]
pub struct Varnish {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    _place: TempDir,
}

impl Varnish {
    /// Starts one with this VCL, whose includes are found in `includes`. `None`, with a line that says so, where it is not
    /// installed and `TINTYPE_NEED_SERVERS` does not demand it (`make test` installs it and does).
    ///
    /// # Panics
    /// Where it does not come up, or is demanded and missing; what it said is in the message.
    #[must_use]
    pub fn start(vcl: &str, includes: &Path) -> Option<Self> {
        let (place, address) = (tempfile::tempdir().expect("a folder"), free());
        let file = place.path().join("test.vcl");
        fs::write(&file, vcl).expect("a file");
        let log = place.path().join("log");
        let said = fs::File::create(&log).expect("a file");
        let mut command = command(includes)?;
        command
            .arg("-F")
            .arg("-a")
            .arg(address.to_string())
            .arg("-f")
            .arg(&file)
            .arg("-n")
            .arg(place.path().join("work"));
        // No secrets, no other ports, little memory.
        command.args(["-S", "none", "-T", "none", "-s", "default=malloc,64m", "-p", "thread_pool_min=20"]);
        command.stdin(Stdio::null()).stdout(said.try_clone().expect("a file")).stderr(said);
        let child = command.spawn().expect("it was there a moment ago");
        let mut varnish = Self { child, address, _place: place };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = varnish.child.try_wait().expect("a child can be asked");
            let said = || fs::read_to_string(&log).unwrap_or_default();
            assert!(ended.is_none() && began.elapsed() < Duration::from_secs(60), "varnishd: {}", said());
            thread::sleep(Duration::from_millis(20));
        }
        Some(varnish)
    }

    /// Whether it takes this file, with what it includes; else what it says. `None` as for [`Varnish::start`].
    ///
    /// # Panics
    /// As [`Varnish::start`].
    #[must_use]
    pub fn check(file: &Path) -> Option<Result<(), String>> {
        let mut command = command(file.parent()?)?;
        let place = tempfile::tempdir().expect("a folder");
        let output = command.arg("-C").arg("-f").arg(file).arg("-n").arg(place.path()).output().expect("it is there");
        let said = || String::from_utf8_lossy(&output.stderr).into_owned();
        Some(if output.status.success() { Ok(()) } else { Err(said()) })
    }
}

impl Drop for Varnish {
    fn drop(&mut self) {
        // The one that manages ends the one that works.
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _gone = kill_process(id, Signal::TERM);
        }
        let began = Instant::now();
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && began.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(5));
        }
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The installed one, or the one that the set-up script unpacked.
fn command(includes: &Path) -> Option<Command> {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/varnish/usr");
    let places = ["/usr/sbin/varnishd", "/usr/local/sbin/varnishd", "/opt/homebrew/sbin/varnishd"].map(PathBuf::from);
    let Some(binary) = places.into_iter().chain([unpacked.join("sbin/varnishd")]).find(|path| path.exists()) else {
        crate::skip("varnishd is missing: scripts/setup/varnish.sh");
        return None;
    };
    let mut command = Command::new(&binary);
    command.arg("-j").arg("none").arg("-p").arg(format!("vcl_path={}", includes.display()));
    if binary.starts_with(&unpacked) {
        let modules = fs::read_dir(unpacked.join("lib")).expect("it is unpacked");
        let modules = modules.filter_map(Result::ok).map(|entry| entry.path().join("varnish/vmods"));
        let modules = modules.into_iter().find(|path| path.is_dir()).expect("it comes with modules");
        command.arg("-p").arg(format!("vmod_path={}", modules.canonicalize().expect("a folder").display()));
    }
    Some(command)
}
