//! `check` says what does not fit: an original that is lost, a name that leads nowhere, a picture that cannot be found.

use crate::server::Server;
use std::fs;
use std::path::{Path, PathBuf};

/// The one file below a folder.
fn file_below(folder: &Path) -> PathBuf {
    let entry = fs::read_dir(folder).expect("a folder").next().expect("not empty").expect("readable").path();
    if entry.is_dir() { file_below(&entry) } else { entry }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_found() {
    let mut server = Server::start(&[]);
    let client = server.administrator().await;
    let (picture, data) = (server.folder().join("harbour.png"), server.folder().join("data"));
    fs::write(&picture, testkit::picture::noise(16, 16, 3)).unwrap();
    client.upload(&picture, "sea/harbour.png", &|_| {}).await.unwrap();
    crate::flow::until(&client, "harbour", 1).await;
    server.kill();
    let said = server.check().unwrap();
    assert!(said.contains("1 live assets, 1 names, 1 contents") && said.contains("1 records, 1 documents"), "{said}");

    let content = file_below(&data.join("store/content"));
    let aside = server.folder().join("aside");
    fs::rename(&content, &aside).unwrap();
    let said = server.check().unwrap_err();
    assert!(said.contains("lost: main/") && said.contains("there are differences"), "{said}");
    fs::rename(&aside, &content).unwrap();

    let name = data.join("store/names/main/sea/harbour.png");
    let other = data.join("store/names/main/nobodys.png");
    std::os::unix::fs::symlink(content.strip_prefix(&data).unwrap(), &other).unwrap();
    assert!(server.check().unwrap_err().contains("dangling: main/nobodys.png"));
    fs::rename(&name, &aside).unwrap();
    fs::remove_file(&other).unwrap();
    assert!(server.check().unwrap_err().contains("unpublished: main/sea/harbour.png"));
    fs::rename(&aside, &name).unwrap();
    assert!(server.check().is_ok());

    fs::remove_dir_all(data.join("index")).unwrap();
    let said = server.check().unwrap_err();
    assert!(said.contains("1 missing, 0 older, 0 extra"), "{said}");
}
