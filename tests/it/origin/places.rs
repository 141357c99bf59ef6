//! Where requests may go: private addresses and redirects.

use super::{Web, kept};
use crate::server::Server;
use testkit::{Act, Origin};

fn redirect(to: &str) -> Act {
    Act::status(302, &[("location", to)], "")
}

#[test]
fn private_addresses_are_not_reached_however_they_are_spelt() {
    let origin = Origin::new();
    origin.on("/a.png", [kept("max-age=60")]);
    let port = origin.address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ] {
        let base = format!("origins.1.base=http://{host}:{port}/");
        let route =
            ["origins.1.name=web", "origins.1.kind=http", &base, "routes.1.prefix=/web/", "routes.1.origin=web"];
        let server = Server::start(&[&route[..], &["origins.1.http.retries=0"]].concat());
        let reply = server.get("/web/a.png?w=9");
        assert_eq!(reply.status, 502, "{host}: {}", reply.text());
        assert!(!reply.text().contains("127."), "the answer does not tell what is where: {}", reply.text());
    }
    assert_eq!(origin.asked(), []);
}

#[test]
fn redirects_on_the_same_host_are_followed() {
    let web = Web::new();
    web.origin.on("/a.png", [redirect("b/c.png?x=1")]).on("/b/c.png?x=1", [redirect("../d.png#part")]);
    web.origin.on("/d.png", [kept("max-age=60")]);
    assert_eq!(web.get("/web/a.png?w=9").status, 200);
    let targets: Vec<_> = web.origin.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(targets, ["/a.png", "/b/c.png?x=1", "/d.png"]);
    assert!(web.get("/web/a.png?w=9").field("cache-status").contains("hit"));
}

#[test]
fn redirects_lead_only_where_the_config_says() {
    let other = Origin::new();
    other.on("/x/p.png", [kept("max-age=60")]).on("/y/p.png", [kept("max-age=60")]);
    let allow = format!("origins.1.http.allow=http://{}/x/", other.address);
    let key = ["origins.1.http.headers.0.name=x-key", "origins.1.http.headers.0.value=sesame"];
    let web = Web::with(&[&key[..], &[&allow]].concat());
    let there = |path: &str| redirect(&format!("http://{}{path}", other.address));
    web.origin.on("/good", [there("/x/p.png")]).on("/bad", [there("/y/p.png")]).on("/dots", [there("/x/../y/p.png")]);
    web.origin.on("/user", [redirect(&format!("http://{}@evil.invalid/x/p.png", other.address))]);
    web.origin.on("/file", [redirect("file:///etc/passwd")]).on("/empty", [Act::status(302, &[], "")]);
    assert_eq!(web.get("/web/good?w=9").status, 200);
    for name in ["bad", "dots", "user", "file"] {
        let reply = web.get(&format!("/web/{name}?w=9"));
        assert!(reply.status == 502 && reply.text().contains("phase: redirect"), "{name}: {}", reply.text());
    }
    assert_eq!(web.origin.asked()[0].field("x-key"), Some("sesame"));
    let asked = other.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].field("x-key"), None, "secrets stay with the host they are for");
}

#[test]
fn redirects_to_private_addresses_are_judged_too() {
    let other = Origin::new();
    let allow = format!("origins.1.http.allow=http://localhost:{}", other.address.port());
    // The origin's own address is allowed, all other loopback ones are not.
    let web = Web::with(&[&allow, "origins.1.allow_private=127.0.0.1/32", "origins.1.http.retries=0"]);
    let evil = Web::with(&[
        &format!("origins.1.http.allow=http://127.0.0.2:{}", other.address.port()),
        "origins.1.allow_private=127.0.0.1/32",
        "origins.1.http.retries=0",
    ]);
    evil.origin.on("/a.png", [redirect(&format!("http://127.0.0.2:{}/a.png", other.address.port()))]);
    let reply = evil.get("/web/a.png?w=9");
    assert!(reply.status == 502 && reply.text().contains("phase: connect"), "{}", reply.text());
    assert_eq!(other.asked(), []);
    other.on("/a.png", [kept("max-age=60")]);
    web.origin.on("/a.png", [redirect(&format!("http://localhost:{}/a.png", other.address.port()))]);
    assert_eq!(web.get("/web/a.png?w=9").status, 200, "the name has an address that is allowed");
}

#[test]
fn redirects_end() {
    let web = Web::new();
    web.origin.on("/a.png", [redirect("/a.png")]);
    let reply = web.get("/web/a.png?w=9");
    assert!(reply.status == 502 && reply.text().contains("phase: redirect"), "{}", reply.text());
    assert_eq!(web.count(), 4, "three redirects are followed");
}
