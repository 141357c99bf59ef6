//! What memory this process may have, and what it has: cgroups of both versions, the machine, the process itself.
//!
//! Reads files of the kernel below a root that tests choose. Invariant: what cannot be read or makes no sense is left out of
//! the reckoning; it is never a failure.

use std::fs;
use std::path::{Path, PathBuf};

/// Version 1 writes "no limit" as the largest number of pages, in bytes.
const NO_LIMIT: u64 = 1 << 62;
/// Longest file that is read.
const LONGEST: u64 = 64 << 10;

/// Where a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A control group's.
    Cgroup,
    /// The machine's memory.
    Machine,
    /// Nothing could be read.
    Unknown,
}

impl Bound {
    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Machine => "machine",
            Self::Unknown => "unknown",
        }
    }
}

/// What was assumed where nothing can be read: little, since too much ends the process.
pub const FALLBACK: u64 = 1 << 30;

/// The least of all limits on this process's memory, in bytes.
#[must_use]
pub fn limit(root: &Path) -> (u64, Bound) {
    let machine = field(&root.join("proc/meminfo"), "MemTotal:");
    match (cgroup(root), machine) {
        (Some(group), Some(machine)) if group < machine => (group, Bound::Cgroup),
        (Some(group), None) => (group, Bound::Cgroup),
        (_, Some(machine)) => (machine, Bound::Machine),
        (None, None) => (FALLBACK, Bound::Unknown),
    }
}

/// Bytes of this process that are in memory now.
#[must_use]
pub fn resident(root: &Path) -> Option<u64> {
    field(&root.join("proc/self/status"), "VmRSS:")
}

/// A line such as `VmRSS:   1234 kB`.
fn field(file: &Path, name: &str) -> Option<u64> {
    let text = read(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The least limit of the process's groups and of those above them.
fn cgroup(root: &Path) -> Option<u64> {
    let groups = read(&root.join("proc/self/cgroup"))?;
    let limits = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        match controllers {
            "" => least(&root.join("sys/fs/cgroup"), path, "memory.max"),
            list if list.split(',').any(|name| name == "memory") => {
                least(&root.join("sys/fs/cgroup/memory"), path, "memory.limit_in_bytes")
            }
            _ => None,
        }
    });
    limits.min()
}

/// The least number in `name` from the group at `path` up to the mount. In a container the path may be that of the host,
/// which is not mounted there: then what is mounted is the process's own group.
fn least(mount: &Path, path: &str, name: &str) -> Option<u64> {
    let plain = Path::new(path).components().filter(|part| matches!(part, std::path::Component::Normal(_)));
    let own: PathBuf = mount.join(plain.collect::<PathBuf>());
    let groups = own.ancestors().take_while(|group| group.starts_with(mount));
    let limits = groups.filter_map(|group| read(&group.join(name))?.trim().parse::<u64>().ok());
    limits.filter(|&limit| limit > 0 && limit < NO_LIMIT).min()
}

fn read(file: &Path) -> Option<String> {
    use std::io::Read as _;
    let mut text = String::new();
    fs::File::open(file).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:  1 kB\n");

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        root
    }

    fn limit_of(files: &[(&str, &str)]) -> (u64, Bound) {
        limit(root(files).path())
    }

    #[test]
    fn version_two_counts_the_groups_above_too() {
        let group = ("proc/self/cgroup", "0::/app.slice/tintype.service\n");
        let own = ("sys/fs/cgroup/app.slice/tintype.service/memory.max", "max\n");
        let above = ("sys/fs/cgroup/app.slice/memory.max", "536870912\n");
        assert_eq!(limit_of(&[MEMINFO, group, own, above]), (512 << 20, Bound::Cgroup));
        assert_eq!(limit_of(&[MEMINFO, group, own]), (16_000_000 << 10, Bound::Machine));
        let inside = [MEMINFO, ("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "1048576")];
        assert_eq!(limit_of(&inside), (1 << 20, Bound::Cgroup), "as in a container");
        let host_path =
            [MEMINFO, ("proc/self/cgroup", "0::/../../docker/ab\n"), ("sys/fs/cgroup/memory.max", "1048576")];
        assert_eq!(limit_of(&host_path), (1 << 20, Bound::Cgroup));
    }

    #[test]
    fn version_one() {
        let group = ("proc/self/cgroup", "12:cpu,cpuacct:/x\n5:memory:/docker/ab\n0::/\n");
        let limit = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");
        assert_eq!(limit_of(&[MEMINFO, group, limit]), (256 << 20, Bound::Cgroup));
        let none = ("sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(limit_of(&[MEMINFO, group, none]).1, Bound::Machine);
    }

    #[test]
    fn nonsense_is_left_out() {
        assert_eq!(limit_of(&[]), (FALLBACK, Bound::Unknown));
        let odd = [MEMINFO, ("proc/self/cgroup", "0\n:::\n"), ("sys/fs/cgroup/memory.max", "-5")];
        assert_eq!(limit_of(&odd), (16_000_000 << 10, Bound::Machine));
        assert_eq!(resident(root(&[("proc/self/status", "VmRSS: many kB")]).path()), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn of_this_very_process() {
        let root = Path::new("/");
        let (limit, bound) = limit(root);
        let resident = resident(root).unwrap();
        assert_ne!(bound, Bound::Unknown);
        assert!(resident > 100 << 10 && resident < limit, "{resident} of {limit}");
    }
}
