//! Configuration read as users write it: layers, strictness, and every error at once.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Disabled,
    Required,
}

impl Choice for Mode {
    const NAMES: &'static [(&'static str, Self)] = &[("disabled", Self::Disabled), ("required", Self::Required)];
}

#[derive(Debug, PartialEq)]
struct Server {
    listen: Vec<SocketAddr>,
    admin: SocketAddr,
    limit: u32,
    timeout: Duration,
    idle: Option<Duration>,
    memory: u64,
    ratio: f64,
    fast: bool,
    workers: Option<usize>,
    mode: Mode,
    key: Option<Secret>,
    label: String,
}

impl Section for Server {
    const DOC: &'static str = "Sockets.";
    fn read(r: &mut Reader<'_>) -> Self {
        let this = Self {
            listen: r.list("listen", &["127.0.0.1:8080"], "Addresses to listen on."),
            admin: r.parsed("admin", "127.0.0.1:8081", "The admin listener."),
            limit: r.int("limit", 10_000, 1..=1_000_000, "Connections open at once."),
            timeout: r.duration("timeout", "10s", "1ms"..="5m", "Longest wait."),
            idle: r.optional_duration("idle", "1s"..="1h", "5m", "Idle connections are closed."),
            memory: r.bytes("memory", "512MiB", "1MiB"..="1TiB", "Budget."),
            ratio: r.float("ratio", 0.8, 0.0..=1.0, "Share."),
            fast: r.bool("fast", false, "Whether to hurry."),
            workers: r.optional_int("workers", 1..=1024, 4, "Threads; by default one per core."),
            mode: r.choice("mode", Mode::Disabled, "Whether requests must be signed."),
            key: r.secret("key", "The key."),
            label: r.string("label", "it's \"quoted\"", "Any text."),
        };
        if this.mode == Mode::Required && this.key.is_none() && r.is_sound() {
            r.reject("mode", "required", "disabled, as there is no key", "set server.key");
        }
        this
    }
}

#[derive(Debug, PartialEq)]
struct Origin {
    name: String,
    root: PathBuf,
}

impl Section for Origin {
    const DOC: &'static str = "Where originals come from.";
    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            name: r.required("name", "samples", "What routes call it."),
            root: r.parsed("root", ".", "Its directory."),
        }
    }
}

#[derive(Debug, PartialEq)]
struct Config {
    title: String,
    server: Server,
    extra: Option<Origin>,
    origins: Vec<Origin>,
    peers: Vec<Origin>,
    presets: std::collections::BTreeMap<String, String>,
}

impl Section for Config {
    const DOC: &'static str = "Every key with its default.";
    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            title: r.string("title", "none", "A title."),
            server: r.section("server"),
            extra: r.optional_section("extra"),
            origins: r.tables("origins", &["name = \"samples\"\nroot = \"samples\""]),
            peers: r.tables("peers", &[]),
            presets: r.map("presets", "card = \"w=400\"", "Named parameters."),
        }
    }
}

fn from(file: &str, environment: &[(&str, &str)], sets: &[&str]) -> Result<Loaded<Config>, ConfigErrors> {
    let mut handle = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    handle.write_all(file.as_bytes()).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    load(Some(handle.path()), environment, &sets)
}

fn defaults() -> Config {
    load(None, [], &[]).unwrap().config
}

/// The errors as lines, with the name of the temporary file cut out.
fn faults(result: Result<Loaded<Config>, ConfigErrors>) -> String {
    let text = result.expect_err("a faulty configuration").to_string();
    let words = text.split('(').map(|part| match part.split_once(".toml:") {
        Some((_, rest)) => format!("t:{rest}"),
        None => part.to_owned(),
    });
    words.collect::<Vec<_>>().join("(")
}

#[test]
fn the_rendered_default_is_stable_and_reads_back() {
    let text = render_default::<Config>();
    let expected = r#"# Every key with its default.

# A title.
title = "none"

# Sockets.
[server]
# Addresses to listen on.
listen = ["127.0.0.1:8080"]
# The admin listener.
admin = "127.0.0.1:8081"
# Connections open at once (1 to 1000000)
limit = 10000
# Longest wait ("1ms" to "5m")
timeout = "10s"
# Idle connections are closed ("1s" to "1h")
# idle = "5m"
# Budget ("1MiB" to "1TiB")
memory = "512MiB"
# Share (0 to 1)
ratio = 0.8
# Whether to hurry.
fast = false
# Threads; by default one per core (1 to 1024)
# workers = 4
# Whether requests must be signed ("disabled", "required")
mode = "disabled"
# The key.
# key = "…"
# Any text.
label = """it's "quoted""""

# Where originals come from.
# [extra]
# What routes call it.
# name = "samples"
# Its directory.
# root = "."

# Where originals come from.
[[origins]]
# What routes call it.
name = "samples"
# Its directory.
root = "samples"

# Where originals come from.
# [[peers]]
# What routes call it.
# name = "samples"
# Its directory.
# root = "."

# Named parameters.
[presets]
# card = "w=400"
"#;
    assert_eq!(text, expected);
    let loaded = from(&text, &[], &[]).unwrap();
    assert_eq!(loaded.config, defaults());
    assert_eq!(loaded.effective(), text);
}

#[test]
fn later_layers_win() {
    let file = "[server]\nlimit = 5\ntimeout = '5s'\nratio = 1\n";
    let environment =
        [("TINTYPE__SERVER__LIMIT", "6"), ("tintype__server__fast", "true"), ("OTHER__SERVER__LIMIT", "9")];
    let loaded = from(file, &environment, &["server.limit=7", "server.label=8", "server.workers=0x10"]).unwrap();
    let server = loaded.config.server;
    assert_eq!((server.limit, server.timeout, server.fast), (7, Duration::from_secs(5), true));
    assert_eq!((server.label.as_str(), server.workers, server.ratio), ("8", Some(16), 1.0));
    assert_eq!(from(file, &environment, &[]).unwrap().config.server.limit, 6);
}

#[test]
fn lists_are_toml_or_commas_outside_the_file() {
    let two: Vec<SocketAddr> = vec!["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()];
    for text in ["127.0.0.1:1,[::1]:2", " 127.0.0.1:1 , [::1]:2 ", "[\"127.0.0.1:1\", '[::1]:2']"] {
        let loaded = from("", &[("TINTYPE__SERVER__LISTEN", text)], &[]).unwrap();
        assert_eq!(loaded.config.server.listen, two, "{text}");
    }
    assert!(faults(from("server.listen = '127.0.0.1:1'", &[], &[])).contains("is a list: write it in [ ]"));
}

#[test]
fn tables_are_replaced_by_the_file_and_changed_by_number() {
    let loaded = from("", &[], &["origins.0.root=photos", "origins.1.name=more"]).unwrap();
    let [first, second] = &loaded.config.origins[..] else { panic!("two origins") };
    assert_eq!((first.name.as_str(), first.root.to_str()), ("samples", Some("photos")));
    assert_eq!((second.name.as_str(), second.root.to_str()), ("more", Some(".")));

    let file = "[[origins]]\nname = 'a'\n[[origins]]\nname = 'b'\n";
    let loaded = from(file, &[("TINTYPE__ORIGINS__1__ROOT", "deep")], &[]).unwrap();
    assert_eq!(loaded.config.origins[1], Origin { name: "b".into(), root: "deep".into() });
    assert_eq!(from("origins = []", &[], &[]).unwrap().config.origins, []);
    assert_eq!(from("", &[], &["origins=[{name='x'}]"]).unwrap().config.origins[0].name, "x");

    let text = faults(from("", &[], &["origins.2.name=x"]));
    assert!(text.contains("origins.2  (--set)\n      no such entry in the list\n      allowed: 0 to 1"), "{text}");
    assert!(faults(from(file, &[], &["origins.7.name=x"])).contains("allowed: 0 to 2"));
}

#[test]
fn all_faults_are_told_together() {
    let file =
        "[server]\nlimit = 0\nlisten = [\"nowhere\"]\ntimout = '1s'\nmode = 'Required'\n\n[[origins]]\nroot = 'x'\n";
    let text = faults(from(file, &[("TINTYPE__SERVER__MEMORY", "lots")], &["limit=1", "server.idle=10", "oops"]));
    assert_eq!(
        text,
        r#"the configuration has 9 errors:

  oops  (--set)
      is not of the form key=value
      hint: such as --set server.listen=127.0.0.1:8080

  server.listen = ["nowhere"]  (t:3)
      "nowhere": invalid socket address syntax
      hint: such as ["127.0.0.1:8080"]

  server.limit = 0  (t:2)
      allowed: 1 to 1000000

  server.idle = 10  (--set)
      allowed: "1s" to "1h"
      hint: write a number with a unit (ns, us, ms, s, m, h, d), such as "150ms", "10s" or "1h30m"

  server.memory = lots  (environment variable TINTYPE__SERVER__MEMORY)
      allowed: "1MiB" to "1TiB"
      hint: write bytes, as a number or with a unit (B, KB, MB, GB, TB, KiB, MiB, GiB, TiB), such as "512MiB"

  server.mode = "Required"  (t:5)
      allowed: "disabled", "required"
      hint: did you mean "required"?

  server.timout  (t:4)
      unknown key
      hint: did you mean `server.timeout`?

  origins.0.name  (t:7)
      is missing, and has no default
      hint: such as: name = "samples"

  limit  (--set)
      unknown key
      hint: did you mean `server.limit`?"#
    );
}

#[test]
fn syntax_errors_name_their_lines() {
    let text = faults(from("title = \nserver = 1\nlimit = = 3\n", &[], &[]));
    assert!(text.contains("(t:1)") && text.contains("(t:3)"), "{text}");
    let missing = load::<Config>(Some(Path::new("/does/not/exist.toml")), [], &[]).unwrap_err().to_string();
    assert!(missing.contains("/does/not/exist.toml\n") && missing.contains("No such file"), "{missing}");
}

#[test]
fn values_of_the_wrong_kind_are_faults() {
    for (file, expected) in [
        ("server = 1", "is a table"),
        ("server.limit = '5'", "without quotes"),
        ("server.limit = 99999999999999999999", "allowed: 1 to 1000000"),
        ("server.limit = 2.0", "allowed: 1 to 1000000"),
        ("server.ratio = nan", "allowed: 0 to 1"),
        ("server.fast = 'yes'", "allowed: true or false"),
        ("server.label = 5", "is a text in quotes"),
        ("server.listen = [5]", "is a list of texts"),
        ("server.memory = '1'", "allowed: \"1MiB\""),
        ("server.memory = -1", "hint: write bytes"),
        ("origins = [1]", "origins.0 = 1"),
        ("[origins]\nname = 'a'", "write [[origins]]"),
        ("[presets]\ncard = 1", "allowed: a text in quotes"),
        ("title = 'a'\ntitle = 'b'", "(t:2)"),
    ] {
        let text = faults(from(file, &[], &[]));
        assert!(text.contains(expected), "{file}: {text}");
    }
    assert!(faults(from("title = 'a'", &[], &["title.x=1"])).contains("nothing can be set below it"));
}

#[test]
fn a_secret_is_never_shown() {
    let loaded = from("server.key = 'hunter2'\nserver.mode = 'required'", &[], &[]).unwrap();
    assert_eq!(loaded.config.server.key.as_ref().map(Secret::expose), Some("hunter2"));
    assert!(!format!("{:?}", loaded.config).contains("hunter2"));
    assert!(!loaded.effective().contains("hunter2"));
    for file in ["server.key = ['hunter2']", "server.kay = 'hunter2'", "server.key = {a = 'hunter2'}"] {
        assert!(!faults(from(file, &[], &[])).contains("hunter2"), "{file}");
    }
}

#[test]
fn sections_may_reject_combinations() {
    let text = faults(from("\nserver.mode = 'required'", &[], &[]));
    assert!(text.contains("server.mode = required  (t:2)\n      allowed: disabled, as there is no key"), "{text}");
}

#[test]
fn the_effective_configuration_shows_what_is_in_force() {
    let file = "server.idle = '90s'\n[presets]\n\"a b\" = 'w=1'\n[extra]\nname = 'e'\n[[peers]]\nname = 'p'";
    let loaded = from(file, &[], &["server.limit=3"]).unwrap();
    let again = from(loaded.effective(), &[], &[]).unwrap();
    assert_eq!(again.config, loaded.config);
    assert_eq!(again.config.server.idle, Some(Duration::from_secs(90)));
    assert_eq!(again.effective(), loaded.effective());
}

proptest! {
    /// What the effective configuration prints is what was given, for every kind of key.
    #[test]
    fn every_key_round_trips(
        limit in 1_u32..=1_000_000, millis in 1_u64..=300_000, memory in (1_u64 << 20)..=(1 << 40), ratio in 0.0..=1.0,
        fast: bool, workers in proptest::option::of(1_usize..=1024), required: bool, label in "\\PC{0,20}",
        root in "[^\\x00]{1,20}", preset in "[a-z .\"=]{1,8}", port: u16,
    ) {
        let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let mode = if required { "required" } else { "disabled" };
        let workers_line = workers.map_or_else(String::new, |n| format!("workers = {n}"));
        let file = format!(
            "[server]\nlisten = [\"127.0.0.1:{port}\"]\nlimit = {limit}\ntimeout = \"{millis}ms\"\nmemory = {memory}\n\
             ratio = {}\nfast = {fast}\n{workers_line}\nmode = \"{mode}\"\nlabel = {}\nkey = \"k\"\n\
             [[origins]]\nname = {}\nroot = {}\n[presets]\n{} = {}\n",
            toml::Value::Float(ratio), quote(&label), quote(&label), quote(&root), quote(&preset), quote(&label),
        );
        let first = from(&file, &[], &[]).unwrap();
        let server = &first.config.server;
        prop_assert_eq!((server.limit, server.timeout), (limit, Duration::from_millis(millis)));
        prop_assert_eq!((server.memory, server.ratio, server.workers), (memory, ratio, workers));
        prop_assert_eq!((&server.label, server.listen[0].port()), (&label, port));
        prop_assert_eq!(first.config.presets.get(&preset), Some(&label));
        // A secret is not printed, so it has to be given again.
        let second = from(first.effective(), &[], &["server.key=k"]).unwrap();
        prop_assert_eq!(second.config, first.config);
    }

    #[test]
    fn no_text_panics(file in "[\\[\\]a-z.=\"'0-9\n {},]{0,80}", set in "[a-z.=0-9\"\\[{]{0,30}") {
        let _ = from(&file, &[("TINTYPE__SERVER__LISTEN", &set), ("TINTYPE__ORIGINS__0__", &set)], &[&set]);
    }
}
