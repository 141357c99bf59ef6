//! The commands for the platform: the real binary against a real `tintype-auth`, from signing in to signing out.
//!
//! `tintype-auth` is built by `cargo test --workspace`; alone, this package's tests have none and say so.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use testkit::{Folder, Process};

const BINARY: &str = env!("CARGO_BIN_EXE_tintype");

/// A server, and where a user keeps their sign-in.
struct Site {
    folder: Folder,
    auth: Process,
    /// Of the first administrator.
    user: String,
    password: String,
}

impl Site {
    /// `None`, with a line that says so, where there is no `tintype-auth` and `TINTYPE_NEED_SERVERS` does not demand it.
    fn start() -> Option<Self> {
        let binary = Path::new(BINARY).with_file_name("tintype-auth");
        if !binary.exists() {
            assert!(std::env::var_os("TINTYPE_NEED_SERVERS").is_none(), "{} is missing", binary.display());
            eprintln!("skipped: no {}: cargo test --workspace builds it", binary.display());
            return None;
        }
        let folder = Folder::new();
        let path = |name: &str| folder.root().join(name).display().to_string();
        let sets = [
            format!("auth.database={}", path("auth.db")),
            format!("auth.secret_file={}", path("auth.secret")),
            "auth.passwords.memory=64KiB".to_owned(),
            "auth.passwords.rounds=1".to_owned(),
            // A refresh token that comes twice ends the session.
            "auth.refresh_grace=0s".to_owned(),
            "auth.urls.0.tenant=main".to_owned(),
            "auth.urls.0.kid=k1".to_owned(),
            "auth.urls.0.secret=an example of a secret, not to be used".to_owned(),
            "auth.urls.0.base=/a/main".to_owned(),
        ];
        let auth = Process::serve(&binary, &sets);
        let log = auth.log();
        let line = log.lines().find_map(|line| line.strip_prefix("The first administrator is "));
        let (user, password) = line.and_then(|line| line.split_once(", with the password ")).expect("it is told once");
        let (user, password) = (user.to_owned(), password.to_owned());
        Some(Self { folder, auth, user, password })
    }

    fn credentials(&self) -> PathBuf {
        self.folder.root().join("user/credentials.json")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).stdin(Stdio::null());
        command
            .env("TINTYPE_CREDENTIALS", self.credentials())
            .env_remove("TINTYPE_SERVER")
            .env_remove("TINTYPE_API_KEY");
        command
    }

    /// What is printed, where it ends with this status.
    fn told(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("a binary that can be started");
        ended(&output, code, arguments)
    }

    /// Signs in with what is in a file.
    fn sign_in(&self, code: i32, password: &str) -> String {
        let file = self.folder.root().join("password");
        std::fs::write(&file, format!("{password}\n")).expect("a folder of the test's own");
        let (server, file) = (format!("http://{}", self.auth.address), file.display().to_string());
        self.told(code, &["login", "--server", &server, "--user", &self.user, "--password-file", &file])
    }
}

/// Standard output and standard error, where the status is this one.
fn ended(output: &Output, code: i32, arguments: &[&str]) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

#[test]
fn one_signs_in_is_known_has_urls_signed_and_signs_out() {
    let Some(site) = Site::start() else { return };
    assert!(
        site.told(5, &["whoami"]).contains("tintype login --server http://127.0.0.1:8080"),
        "nobody, at the default"
    );
    let refused = site.sign_in(1, "not the password");
    assert!(refused.contains("wrong") && refused.contains("401"), "{refused}");
    assert!(!site.credentials().exists(), "what was refused is not kept");

    let told = site.sign_in(0, &site.password);
    assert!(told.contains(&site.user) && told.contains("admin") && told.contains("main"), "{told}");
    let kept = std::fs::read_to_string(site.credentials()).expect("it is kept");
    assert!(!kept.contains(&site.password), "the password is not kept");
    let server = format!("http://{}", site.auth.address);
    assert!(site.told(0, &["whoami"]).contains(&server), "the server that was signed in to last is meant");
    let account: serde_json::Value = serde_json::from_str(&site.told(0, &["whoami", "--json"])).expect("JSON");
    assert_eq!((account["email"].as_str(), account["tenant"].as_str()), (Some(site.user.as_str()), Some("main")));

    let by_name = site.told(0, &["sign", "cats/tom.jpg?width=800&f=auto", "--remote", "--expires-in", "1h"]);
    let by_path = site.told(0, &["sign", "/a/main/cats/tom.jpg?f=auto&w=800", "--remote", "--expires-in", "1h"]);
    for signed in [&by_name, &by_path] {
        assert!(signed.starts_with(&format!("{server}/a/main/cats/tom.jpg?f=auto&w=800&kid=k1&exp=")), "{signed}");
        assert!(signed.contains("&s="), "{signed}");
    }
    assert!(
        site.told(1, &["sign", "cats/tom.jpg?w=big", "--remote"]).contains("big"),
        "what the server refuses is told"
    );

    assert!(site.told(0, &["logout"]).contains(&server));
    assert!(site.told(5, &["whoami"]).contains(&format!("tintype login --server {server}")));
    let kept = std::fs::read_to_string(site.credentials()).expect("the file stays");
    assert!(!kept.contains("access") && !kept.contains("refresh"), "{kept}");
}

#[test]
fn an_access_token_that_is_over_is_exchanged_once_by_commands_at_once() {
    let Some(site) = Site::start() else { return };
    site.sign_in(0, &site.password);
    let kept = std::fs::read_to_string(site.credentials()).expect("it is kept");
    let mut old: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    for tokens in old["servers"].as_object_mut().expect("servers").values_mut() {
        tokens["until"] = 1.into();
    }
    std::fs::write(site.credentials(), old.to_string()).expect("the test's own file");
    let start = || site.command(&["whoami"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let children: Vec<_> = (0..4).map(|_| start().expect("a binary that can be started")).collect();
    for child in children {
        ended(&child.wait_with_output().expect("it ends"), 0, &["whoami"]);
    }
    let fresh: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(site.credentials()).expect("it is kept")).expect("JSON");
    assert_ne!(old["servers"], fresh["servers"], "the tokens are new ones");
    site.told(0, &["whoami"]);
}

#[test]
fn a_server_that_is_not_there_is_told_and_a_password_is_no_argument() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(arguments).stdin(Stdio::null()).env("TINTYPE_CREDENTIALS", folder.root().join("credentials.json"));
        command.env("TINTYPE_API_KEY", "tt_key_secret").output().expect("a binary that can be started")
    };
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let server = format!("http://{nobody}");
    let text = ended(&run(&["whoami", "--server", &server]), 1, &["whoami"]);
    assert!(text.contains(&server) && !text.contains("secret"), "{text}");
    assert!(ended(&run(&["whoami", "--server", "images"]), 1, &["whoami"]).contains("https://images.example.org"));
    ended(&run(&["login", "--password", "hunter2"]), 2, &["login"]);
    ended(&run(&["sign", "/a/main/x.jpg", "--remote", "--kid", "k1"]), 2, &["sign"]);
}
