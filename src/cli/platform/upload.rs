//! `tintype upload`: single files, each with a bar on a terminal.

use super::{ServerArguments, plain, print_json, wait};
use crate::cli::Failure;
use clap::Args;
use client::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(in crate::cli) struct UploadArguments {
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The name to publish one file under, such as cats/tom.jpg; or, with a slash at its end, the folder for all of them.
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// The records as JSON, one per line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

pub(in crate::cli) fn upload(arguments: &UploadArguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    if let (Some(to), true) = (&arguments.to, arguments.files.len() > 1)
        && !to.ends_with('/')
    {
        return Err(Failure::Failed(format!("several files cannot all be {to}: name a folder, {to}/")));
    }
    let failed = wait(async {
        let mut failed = 0;
        for file in &arguments.files {
            let path = published(file, arguments.to.as_deref())?;
            let bar = bar(&path);
            let tell = |progress: Progress| {
                bar.set_length(progress.total);
                bar.set_position(progress.sent);
            };
            let result = client.upload(file, &path, &tell).await;
            bar.finish_and_clear();
            match result {
                Ok(asset) if arguments.json => print_json(&asset)?,
                Ok(asset) => println!(
                    "{}  {}  version {}, {}x{}",
                    asset.id,
                    plain(&asset.path),
                    asset.version,
                    asset.content.width,
                    asset.content.height
                ),
                Err(failure @ client::Failure::SignedOut(_)) => return Err(failure.into()),
                Err(failure) => {
                    failed += 1;
                    eprintln!("{}: {failure}", file.display());
                }
            }
        }
        Ok(failed)
    })?;
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Failed(format!("{failed} of {} not uploaded", arguments.files.len()))),
    }
}

fn published(file: &Path, to: Option<&str>) -> Result<String, Failure> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::Failed(format!("{}: its name is no UTF-8: use --to", file.display())));
    match to {
        Some(to) if to.ends_with('/') => Ok(format!("{to}{}", name?)),
        Some(to) => Ok(to.to_owned()),
        None => Ok(name?.to_owned()),
    }
}

fn bar(path: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let form = "{msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    let style = ProgressStyle::with_template(form).expect("the template is sound").progress_chars("##.");
    ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()).with_style(style).with_message(plain(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_file_or_from_the_option() {
        let file = Path::new("/tmp/photos/tom.jpg");
        assert_eq!(published(file, None).unwrap(), "tom.jpg");
        assert_eq!(published(file, Some("cats/")).unwrap(), "cats/tom.jpg");
        assert_eq!(published(file, Some("cats/felix.jpg")).unwrap(), "cats/felix.jpg");
    }
}
