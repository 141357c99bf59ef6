//! Which files and folders the server opens: what the configuration names, and what it writes.

use super::Config;
use crate::sandbox::Places;
use std::path::Path;

impl Config {
    /// What the sandbox has to leave open. `effective` is the configuration as printed, `file` where it is from.
    #[must_use]
    pub fn places(&self, effective: &str, file: Option<&Path>) -> Places {
        let mut places = Places::named(effective, file);
        let above =
            |file: &Path| file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new(".")).to_owned();
        let files = [self.access_log.file.as_deref(), self.admin.audit_file.as_deref()];
        let sockets = self.server.listen.iter().map(crate::server::Address::path);
        let written = files.into_iter().chain(sockets).flatten().map(above);
        for folder in written.chain(self.cache.disk.as_ref().map(|disk| disk.path.clone())) {
            places.add_written(&folder);
        }
        places
    }
}
