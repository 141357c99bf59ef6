//! What the process may still do once it is set up: open the files that the config names, and no program.
//!
//! Landlock for files, seccomp for system calls that no server needs, no new privileges. Owns what is allowed; reads of the
//! config only which files it names. Invariant: it holds for every thread that is started afterwards, and for good; what the
//! kernel lacks is said, or refused where the config requires it.

pub mod config;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod system_calls;

use config::{Mode, SandboxConfig};
use std::path::{Path, PathBuf};

/// Folders and files that may be opened, with all below them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// For reading.
    pub read: Vec<PathBuf>,
    /// For reading, writing, making and removing.
    pub write: Vec<PathBuf>,
}

/// What every process needs: names of hosts, authorities, time zones, itself, its control groups, randomness.
const SYSTEM: [&str; 19] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/localtime",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/run/systemd/resolve",
    "/usr/share/zoneinfo",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/proc",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/dev/urandom",
];
/// Where the C library looks for what it loads when it resolves names.
const LIBRARIES: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/local/lib"];
/// Files that the AWS SDK may be told of by the environment.
const AWS_FILES: [&str; 4] = [
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

impl Places {
    /// What a configuration names: each text in it that is there as a file or a folder, and the folder of each file, since
    /// files are exchanged by renaming others over them. `effective` is the configuration as printed, `file` where it is from.
    pub fn named(effective: &str, file: Option<&Path>) -> Self {
        let mut places = Self::default();
        let system = SYSTEM.iter().chain(&LIBRARIES).map(PathBuf::from);
        let variables = AWS_FILES.iter().filter_map(|name| std::env::var_os(name).map(PathBuf::from));
        let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".aws"));
        places.read.extend(system.chain(home));
        let texts = effective.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(texts);
        for path in texts.map(PathBuf::from).chain(variables).chain(file.map(Path::to_owned)) {
            places.add(&path);
        }
        places
    }

    fn add(&mut self, path: &Path) {
        let Ok(meta) = std::fs::metadata(path) else { return };
        // Routes have prefixes such as "/", which is no folder to be opened.
        if path == Path::new("/") {
            return;
        }
        if meta.is_dir() {
            self.read.push(path.to_owned());
            return;
        }
        // Where a link leads too: certificates are often kept apart from the place that they are named by.
        for file in std::iter::once(path.to_owned()).chain(std::fs::canonicalize(path)) {
            match file.parent() {
                Some(folder) if folder == Path::new("") => self.read.push(".".into()),
                Some(folder) if folder != Path::new("/") => self.read.push(folder.to_owned()),
                _ => self.read.push(file),
            }
        }
    }

    /// A folder that is written to; made where it is missing, so that it can be named.
    pub fn add_written(&mut self, folder: &Path) {
        // Whoever opens it says why where it cannot be made.
        let _made_or_told_of_later = std::fs::create_dir_all(folder);
        self.write.push(folder.to_owned());
    }
}

/// Texts in double quotes of a line of TOML.
fn texts(line: &str) -> impl Iterator<Item = String> {
    let mut parts = Vec::new();
    let mut characters = line.chars();
    let mut open: Option<String> = None;
    while let Some(character) = characters.next() {
        match (&mut open, character) {
            (None, '"') => open = Some(String::new()),
            (Some(_), '"') => parts.extend(open.take()),
            (Some(text), '\\') => text.extend(characters.next()),
            (Some(text), other) => text.push(other),
            (None, _) => {}
        }
    }
    parts.into_iter().filter(|text| !text.is_empty())
}

/// Closes the sandbox round this thread and all that are started from it, and says in the log what is in force.
///
/// # Errors
/// The mode is `required`, and the kernel does not do all of it.
pub fn enter(config: &SandboxConfig, mut places: Places) -> Result<(), String> {
    if config.mode == Mode::Off {
        tracing::info!("sandbox: off");
        return Ok(());
    }
    places.read.extend(config.read.iter().cloned());
    places.write.extend(config.write.iter().cloned());
    let (files, calls) = close(&places);
    let said = |result: &Result<&'static str, String>| match result {
        Ok(how) => (*how).to_owned(),
        Err(why) => format!("no ({why})"),
    };
    tracing::info!(files = said(&files), system_calls = said(&calls), "sandbox");
    match (config.mode, files, calls) {
        (Mode::Required, Err(why), _) => {
            Err(format!("sandbox.mode = \"required\", but files cannot be closed off: {why}"))
        }
        (Mode::Required, _, Err(why)) => Err(format!("sandbox.mode = \"required\", but system calls cannot be: {why}")),
        _ => Ok(()),
    }
}

type Closed = Result<&'static str, String>;

#[cfg(target_os = "linux")]
fn close(places: &Places) -> (Closed, Closed) {
    // Files first: the filter for system calls would not hinder that, but its order is the safer one to read.
    (files::close(places), system_calls::close())
}

#[cfg(not(target_os = "linux"))]
fn close(_: &Places) -> (Closed, Closed) {
    let none = || Err("only on Linux".to_owned());
    (none(), none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_config_are_found_and_their_folders_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (root, key) = (folder.path().join("photos"), folder.path().join("keys/k1.key"));
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir_all(key.parent().unwrap()).unwrap();
        std::fs::write(&key, "x").unwrap();
        let (root_text, key_text) = (root.display(), key.display());
        let effective = format!(
            "[[origins]]\nroot = \"{root_text}\"\n# file = \"{key_text}.old\"\n[[signing.keys]]\nsecret_file = \"{key_text}\"\n\
             prefix = \"/\"\nlist = [\"/no/such/place\", \"a\\\"b\"]\n"
        );
        let places = Places::named(&effective, None);
        assert!(places.read.contains(&root) && places.read.contains(&key.parent().unwrap().to_owned()));
        for other in ["/", "/no/such/place", "", "."] {
            assert!(!places.read.contains(&PathBuf::from(other)), "{other}");
        }
        assert!(places.write.is_empty());
        assert_eq!(texts(r#"a = ["x", "y\\z\"", ""] # "c""#).collect::<Vec<_>>(), ["x", "y\\z\"", "c"]);
    }
}
