//! Landlock (docs.kernel.org/userspace-api/landlock): which files may be opened.
//!
//! Invariant: places that are not there are left out; nothing may be executed.

use super::{Closed, Places};
use landlock::{
    ABI, Access as _, AccessFs, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    RulesetStatus,
};
use std::path::Path;

/// What is asked for; an older kernel does what it knows of it.
const WANTED: ABI = ABI::V5;

pub(super) fn close(places: &Places) -> Closed {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = AccessFs::from_all(WANTED) & !AccessFs::Execute;
    let build = || {
        let mut rules = Ruleset::default().handle_access(AccessFs::from_all(WANTED))?.create()?;
        for (places, access) in [(&places.read, read), (&places.write, write)] {
            for place in places {
                if let Ok(opened) = PathFd::new(place) {
                    rules = rules.add_rule(PathBeneath::new(opened, of(place, access)))?;
                }
            }
        }
        // Whatever comes from the library for nothing: `/dev/null` is written to by those who are told to be quiet.
        if let Ok(null) = PathFd::new("/dev/null") {
            rules = rules.add_rule(PathBeneath::new(null, AccessFs::ReadFile | AccessFs::WriteFile))?;
        }
        rules.restrict_self()
    };
    let status = build().map_err(|error: landlock::RulesetError| error.to_string())?;
    match status.ruleset {
        RulesetStatus::FullyEnforced => Ok("closed off by Landlock"),
        RulesetStatus::PartiallyEnforced => Ok("closed off by Landlock, as far as this kernel knows it"),
        RulesetStatus::NotEnforced => Err("this kernel has no Landlock, or it is not enabled".to_owned()),
    }
}

/// Only what makes sense for it: rights to folders are refused for files.
fn of(place: &Path, access: BitFlags<AccessFs>) -> BitFlags<AccessFs> {
    if place.is_dir() { access } else { access & AccessFs::from_file(WANTED) }
}
