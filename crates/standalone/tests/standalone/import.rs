//! Imports and uploads that are cut off: by whoever runs them, and by the end of the server.

use crate::server::Server;
use client::{Import, Outcome, Step};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_interrupted_goes_on_and_sends_nothing_twice() {
    let server = Server::start(&[]);
    let client = server.administrator().await;
    let folder = server.folder().join("pictures");
    std::fs::create_dir_all(folder.join("below")).unwrap();
    for number in 0..40 {
        let name = if number % 2 == 0 { format!("{number:02}.png") } else { format!("below/{number:02}.png") };
        std::fs::write(folder.join(name), testkit::picture::noise(24, 24, number)).unwrap();
    }
    let import = Import { folder: folder.clone(), prefix: "in/".into(), at_once: 4, journal: None };
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (stopping, counting) = (Arc::clone(&stop), Arc::clone(&sent));
    let summary = import.run(&client, Arc::clone(&stop), move |step| {
        if let Step::Ended { outcome: Outcome::Sent, .. } = step
            && counting.fetch_add(1, Ordering::Relaxed) == 9
        {
            stopping.store(true, Ordering::Relaxed);
        }
    });
    let first = summary.await.unwrap();
    assert!(first.interrupted && (10..40).contains(&first.sent), "{first:?}");
    assert!(folder.join(".tintype-import").exists());

    let second = import.run(&client, Arc::new(AtomicBool::new(false)), |_| {}).await.unwrap();
    assert_eq!((second.sent + first.sent, second.there, second.interrupted), (40, first.sent, false), "{second:?}");
    assert!(second.failed.is_empty() && !folder.join(".tintype-import").exists());

    let third = import.run(&client, Arc::new(AtomicBool::new(false)), |_| {}).await.unwrap();
    assert_eq!((third.sent, third.there), (0, 40), "by content, without a journal");

    std::fs::write(folder.join("broken.jpg"), "no picture at all").unwrap();
    let fourth = import.run(&client, Arc::new(AtomicBool::new(false)), |_| {}).await.unwrap();
    assert_eq!((fourth.there, fourth.failed.len()), (40, 1));
    assert!(fourth.failed[0].1.status().is_some_and(|status| status.is_client_error()), "{:?}", fourth.failed);
}

/// Bytes of a part, as the client sends them.
const PART: u64 = 8 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_where_it_was_after_the_server_was_killed() {
    let mut server = Server::start(&[]);
    let client = server.administrator().await;
    let file = server.folder().join("large.png");
    std::fs::write(&file, testkit::picture::noise(2600, 2600, 11)).unwrap();
    let total = std::fs::metadata(&file).unwrap().len();
    assert!(total > 2 * PART, "three parts and more: {total}");

    let (tell, mut told) = tokio::sync::mpsc::channel(1000);
    let uploading = tokio::spawn(async move {
        let tell = |progress: client::Progress| tell.try_send(progress.sent).expect("there is room and a listener");
        client.upload(&file, "large.png", &tell).await.map(|asset| (client, asset))
    });
    while told.recv().await.expect("it is on its way") < PART {}
    tokio::task::block_in_place(|| server.again());
    let (client, asset) = uploading.await.unwrap().unwrap();
    let mut after = Vec::new();
    while let Some(sent) = told.recv().await {
        after.push(sent);
    }
    assert!(after.iter().all(|sent| *sent >= PART) && after.last() == Some(&total), "{after:?} of {total}");
    assert_eq!((asset.version, asset.content.bytes), (1, total));
    assert_eq!(client.list(None, 10).await.unwrap().assets.len(), 1);
}

/// `tintype` on the same server, in the administrator's name.
struct Terminal<'s> {
    server: &'s Server,
    binary: PathBuf,
}

impl<'s> Terminal<'s> {
    /// `None`, with a line that says so, where there is no `tintype` and `TINTYPE_NEED_SERVERS` does not demand it.
    fn new(server: &'s Server) -> Option<Self> {
        let binary = Path::new(env!("CARGO_BIN_EXE_tintype-standalone")).with_file_name("tintype");
        if !binary.exists() {
            assert!(std::env::var_os("TINTYPE_NEED_SERVERS").is_none(), "{} is missing", binary.display());
            eprintln!("skipped: no {}: cargo test --workspace builds it", binary.display());
            return None;
        }
        Some(Self { server, binary })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env("TINTYPE_CREDENTIALS", self.server.folder().join("credentials.json"));
        command.env_remove("TINTYPE_API_KEY").env("TINTYPE_SERVER", format!("http://{}", self.server.address));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Sends a signal once so many files are done with, and gives the number that was told of.
    fn interrupted(&self, arguments: &[&str], after: usize, signal: &str) -> usize {
        let mut child = self.command(arguments).spawn().expect("a binary");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let mut count = lines.by_ref().take(after).count();
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
        assert!(sent.success() && count == after, "it ended before: {count}");
        count += lines.filter(|line| line.contains("\"outcome\"")).count();
        assert!(!child.wait().expect("it ends").success());
        count
    }

    fn run(&self, arguments: &[&str]) -> (String, String) {
        let done = self.command(arguments).output().expect("a binary");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let (told, said) = (text(done.stdout), text(done.stderr));
        assert!(done.status.success(), "{told}\n{said}");
        (told, said)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_300_is_imported_by_a_command_that_is_killed_and_interrupted_and_nothing_is_doubled() {
    const COUNT: usize = 300;
    // Few requests a second, so that the import has to be patient as well.
    let few = ["platform.limit_loopback=true", "requests.rate=200.0", "requests.burst=100"];
    let server = Server::start(&few.map(str::to_owned));
    let client = server.administrator().await;
    let Some(terminal) = Terminal::new(&server) else { return };
    let folder = server.folder().join("photos");
    for number in 0..COUNT {
        let below = folder.join(format!("{:02}", number % 17));
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(below.join(format!("{number:03}.png")), testkit::picture::noise(16, 12, number as u64)).unwrap();
    }
    let place = folder.to_str().unwrap();
    let import = ["import", place, "--prefix", "archive", "--jobs", "8", "--json"];
    let killed = terminal.interrupted(&import, 40, "-KILL");
    let stopped = terminal.interrupted(&import, killed + 60, "-INT");
    assert!(killed < COUNT && stopped < COUNT, "{killed}, {stopped}");
    let (told, said) = terminal.run(&import);
    let last: serde_json::Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    let sum = |name: &str| last[name].as_u64().unwrap();
    assert_eq!((sum("sent") + sum("there"), sum("failed")), (COUNT as u64, 0), "{last}");
    assert!(sum("there") >= 100 && last["interrupted"] == false && said.is_empty(), "{last} {said}");
    assert_eq!(told.lines().count(), COUNT + 1);

    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = client.list(after.as_deref(), 200).await.unwrap();
        listed.extend(page.assets);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let doubled: Vec<_> = listed.iter().filter(|asset| asset.version != 1).map(|asset| &asset.path).collect();
    assert!(listed.len() == COUNT && doubled.is_empty(), "{} listed, doubled: {doubled:?}", listed.len());
    assert!(listed.iter().all(|asset| asset.path.starts_with("archive/")));

    let (told, said) = terminal.run(&["import", place, "--prefix", "archive"]);
    assert_eq!(told, "0 sent, 300 were there already, 0 failed\n", "{said}");
}
