//! No spelling of a path leaves the root.

use crate::server::Server;
use std::os::unix::fs::symlink;
use testkit::{Connection, folder::SECRET, picture};

const SPELLINGS: &[&str] = &[
    "../secret.png",
    "%2e%2e/secret.png",
    "%2E%2e%2fsecret.png",
    "..%2fsecret.png",
    "%252e%252e/secret.png",
    "%252e%252e%252fsecret.png",
    "..%5csecret.png",
    "..\\secret.png",
    "sub/../../secret.png",
    "sub/%2e%2e/%2e%2e/secret.png",
    "./../secret.png",
    "..;/secret.png",
    ".../secret.png",
    "%c0%ae%c0%ae/secret.png",
    "%u002e%u002e/secret.png",
    "..%00/secret.png",
    "a.png%00.jpg",
    "%00",
    "link.png",
    "absolute.png",
    "up/secret.png",
    "sub/up/secret.png",
    "magic/etc/passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "file:///etc/passwd",
    "",
    ".",
    "..",
    "sub",
    "sub/",
    "a.png/",
    "a.png/b.png",
    "%",
    "%2",
    "%zz",
    "%ff%fe",
];

#[test]
fn nothing_outside_of_the_root_is_served() {
    let raw = ["routes.1.prefix=/raw/", "routes.1.origin=folder", "routes.1.originals=true"];
    let server = Server::start(&raw);
    let (root, outside) = (server.folder.root(), server.folder.outside());
    server.folder.put("a.png", picture::gradient(20, 10)).put("sub/b.png", picture::gradient(20, 10));
    symlink("../secret.png", root.join("link.png")).expect("a link");
    symlink(outside.join("secret.png"), root.join("absolute.png")).expect("a link");
    symlink("..", root.join("up")).expect("a link");
    symlink("../..", root.join("sub/up")).expect("a link");
    symlink("/proc/self/root", root.join("magic")).expect("a link");
    assert_eq!(server.get("/raw/a.png").body, picture::gradient(20, 10), "the route gives files as they are");
    let long = "a/".repeat(3000);
    for spelling in SPELLINGS.iter().copied().chain([long.as_str()]) {
        for prefix in ["/raw/", "/img/"] {
            let target = format!("{prefix}{spelling}");
            let reply = server.get(&target);
            assert!((400..500).contains(&reply.status), "{target}: {} {}", reply.status, reply.text());
            let text = reply.text();
            assert!(!text.contains(SECRET) && !text.contains("root:"), "{target} shows what lies outside");
        }
    }
    assert_eq!(server.get("/img/sub/../a.png").status, 400, "`..` is refused where it would stay inside too");
}

#[test]
fn an_answer_does_not_tell_what_lies_outside() {
    let server = Server::start(&[]);
    symlink("../secret.png", server.folder.root().join("there.png")).expect("a link");
    symlink("../nothing.png", server.folder.root().join("not-there.png")).expect("a link");
    let document = |target: &str| {
        let reply = server.get(target);
        (reply.status, reply.text())
    };
    assert_eq!(document("/img/there.png"), document("/img/not-there.png"));
    assert_eq!(document("/img/there.png").0, 404);
}

#[test]
fn links_inside_and_odd_names_are_served() {
    let server = Server::start(&[]);
    server.folder.put("sub/ü +&=%.png", picture::gradient(20, 10));
    symlink("sub/ü +&=%.png", server.folder.root().join("link.png")).expect("a link");
    for target in ["/img/sub/%C3%BC%20+&=%25.png", "/img/sub/%c3%bc%20%2b%26%3d%25.png", "/img/link.png"] {
        let reply = server.get(target);
        assert_eq!((reply.status, picture::png_size(&reply.body)), (200, Some((20, 10))), "{target}: {}", reply.text());
    }
    let mut connection = Connection::open(server.address).expect("listening");
    let absolute = "http://elsewhere.example/img/link.png";
    assert_eq!(connection.ask("GET", absolute, &[]).expect("a reply").status, 200, "the absolute form is a path too");
}
