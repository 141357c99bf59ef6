//! Errors as documents that name what is wrong; and which format `f=auto` comes to.

use crate::server::Server;
use testkit::{Reply, picture};

fn server() -> Server {
    let server = Server::start(&[]);
    server.folder.put("a.png", picture::gradient(60, 40)).put("alpha.png", picture::alpha(60, 40));
    server
}

fn document(reply: &Reply) -> serde_json::Value {
    assert_eq!(reply.field("content-type"), "application/problem+json");
    let document: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(document["status"], reply.status);
    assert!(document["title"].is_string());
    assert_eq!(reply.field("x-request-id").len(), 16);
    document
}

#[test]
fn a_bad_value_is_named_with_what_is_allowed() {
    let server = server();
    for (query, parameter, value) in [
        ("w=0", "w", "0"),
        ("w=abc", "w", "abc"),
        ("w=-5", "w", "-5"),
        ("h=1e9", "h", "1e9"),
        ("fit=zoom", "fit", "zoom"),
        ("f=bmp", "f", "bmp"),
        ("q=101", "q", "101"),
        ("dpr=9", "dpr", "9"),
        ("g=nowhere", "g", "nowhere"),
        ("bg=redd", "bg", "redd"),
    ] {
        let reply = server.get(&format!("/img/a.png?{query}"));
        assert_eq!((reply.status, reply.field("cache-control")), (400, "public, max-age=10"), "{query}");
        let document = document(&reply);
        assert_eq!((&document["parameter"], &document["value"]), (&parameter.into(), &value.into()), "{query}");
        assert!(document["allowed"].as_str().is_some_and(|allowed| !allowed.is_empty()), "{document}");
        assert!(document["type"].as_str().is_some_and(|kind| kind.ends_with("#bad-parameter")), "{document}");
    }
    assert_eq!(server.get("/img/a.png?w=1&w=2").status, 400, "a parameter comes once");
    assert_eq!(server.fills(), 0.0);
}

#[test]
fn what_is_not_there_yet_says_so() {
    let server = server();
    for (query, parameter) in [("f=jxl", "f"), ("q-jxl=50", "q-jxl")] {
        let reply = server.get(&format!("/img/a.png?w=20&{query}"));
        assert_eq!(reply.status, 501, "{query}: {}", reply.text());
        assert_eq!(document(&reply)["parameter"], parameter);
    }
}

#[test]
fn what_does_not_exist() {
    let server = server();
    for target in ["/img/none.png", "/elsewhere/a.png", "/", "/favicon.ico"] {
        let reply = server.get(target);
        assert_eq!(reply.status, 404, "{target}");
        assert!(document(&reply)["type"].as_str().is_some_and(|kind| kind.ends_with("#not-found")));
    }
    let mut connection = server.connect();
    let head = connection.ask("HEAD", "/img/none.png", &[]).expect("a head");
    assert_eq!((head.status, head.field("content-type")), (404, "application/problem+json"));
    assert_eq!(connection.ask("GET", "/img/a.png?w=9", &[]).expect("no body was in the way").status, 200);
}

#[test]
fn browsers_get_the_best_format_that_they_name() {
    let server = server();
    let chrome = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
    for (accept, kind) in [
        (chrome, "image/avif"),
        ("image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image/avif"),
        (
            "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
            "image/avif",
        ),
        ("image/avif,image/webp,*/*", "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("image/avif;q=0,image/webp", "image/webp"),
        ("image/avif;q=0.4,image/webp;q=0.9", "image/webp"),
        ("*/*", "image/png"),
        ("image/png,image/*;q=0.8", "image/png"),
        ("", "image/png"),
    ] {
        let reply = server.get_with("/img/alpha.png?w=20&f=auto", &[("accept", accept)]);
        assert_eq!((reply.status, reply.field("content-type")), (200, kind), "{accept}");
        assert_eq!(reply.field("vary"), "accept", "{accept}");
    }
    assert_eq!(server.fills(), 3.0, "one rendition per class");
    let fixed = server.get_with("/img/alpha.png?w=20&f=webp", &[("accept", chrome)]);
    assert_eq!((fixed.field("content-type"), fixed.header("vary")), ("image/webp", None));
    let missing = server.get_with("/img/none.png?f=auto", &[("accept", chrome)]);
    assert_eq!((missing.status, missing.field("vary")), (404, "accept"));
}

#[test]
fn routes_choose_formats_hosts_and_presets() {
    let server = Server::start(&[
        "routes.0.avif=false",
        "routes.0.server_timing=true",
        "routes.0.max_age=60s",
        "routes.0.immutable=true",
        "routes.1.prefix=/img/",
        "routes.1.host=strict.example",
        "routes.1.origin=folder",
        "routes.1.presets_only=true",
        "presets.0.name=card",
        "presets.0.parameters=w=30&h=20&fit=cover",
    ]);
    server.folder.put("a.png", picture::gradient(60, 40));
    let auto = server.get_with("/img/a.png?w=20&f=auto", &[("accept", "image/avif,image/webp")]);
    assert_eq!(auto.field("content-type"), "image/webp");
    assert!(auto.field("server-timing").contains("decode;dur="));
    assert!(auto.field("cache-control").starts_with("public, max-age=60"), "{}", auto.field("cache-control"));
    assert!(auto.field("cache-control").contains("immutable"));
    let strict = [("host", "STRICT.example:8080")];
    let card = server.get_with("/img/a.png?p=card", &strict);
    assert_eq!((card.status, picture::png_size(&card.body)), (200, Some((30, 20))), "{}", card.text());
    assert!(card.field("cache-tag").contains("preset:card"), "{}", card.field("cache-tag"));
    let refused = server.get_with("/img/a.png?w=31", &strict);
    assert!((400..500).contains(&refused.status), "{}", refused.status);
    assert_eq!(server.get("/img/a.png?w=31").status, 200, "the other host may");
    let spoofed = server.get_with("/img/a.png?w=31", &[("host", "a"), ("x-forwarded-host", "strict.example")]);
    assert_eq!(spoofed.status, 200, "nobody is believed unless configured");
}
