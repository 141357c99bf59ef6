//! What is sent to an origin, and what its answers become.

use super::{Web, kept, png};
use testkit::{Act, picture};

#[test]
fn nothing_of_a_client_reaches_the_origin() {
    let secret = "origins.1.http.headers.0.value=Bearer sesame";
    let web = Web::with(&["origins.1.http.headers.0.name=authorization", secret]);
    web.origin.on("/a.png", [kept("max-age=60")]);
    let fields = [
        ("cookie", "id=1"),
        ("authorization", "Basic Zm9v"),
        ("x-forwarded-for", "1.2.3.4"),
        ("accept", "image/webp"),
        ("cache-control", "no-cache"),
        ("cdn-loop", "outer"),
    ];
    assert_eq!(web.server.get_with("/web/a.png?w=9", &fields).status, 200);
    let mut sent = web.origin.asked()[0].fields.clone();
    sent.sort();
    let agent = concat!("Tintype/", env!("CARGO_PKG_VERSION"));
    let host = web.origin.address.to_string();
    let expected = [
        ("accept", "image/*,*/*;q=0.5"),
        ("accept-encoding", "identity"),
        ("authorization", "Bearer sesame"),
        ("cdn-loop", "outer"),
        ("cdn-loop", "tintype"),
        ("host", &host),
        ("user-agent", agent),
        ("via", "1.1 tintype"),
    ];
    assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn a_question_mark_begins_the_origins_query() {
    let web = Web::new();
    web.origin.on("/a%20b.png?v=1&x=y", [kept("max-age=60")]).on("/a%20b.png?v=2", [kept("max-age=60")]);
    assert_eq!(web.get("/web/a%20b.png%3Fv=1&x=y?w=9").status, 200);
    assert_eq!(web.get("/web/a%20b.png%3Fv%3D2?w=9").status, 200);
    assert_eq!(web.get("/web/a%20b.png?v=1&w=9").status, 404, "that one is a parameter of ours");
    let targets: Vec<_> = web.origin.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(targets, ["/a%20b.png?v=1&x=y", "/a%20b.png?v=2", "/a%20b.png"]);
}

#[test]
fn originals_pass_untouched() {
    let web = Web::new();
    let text = [("content-type", "text/plain"), ("cache-control", "max-age=60"), ("set-cookie", "id=1")];
    web.origin.on("/a.png", [Act::ok(&[("content-type", "text/html")], png())]).on("/note", [Act::ok(&text, "hello")]);
    let original = web.get("/raw/a.png");
    assert_eq!((original.body.as_slice(), original.field("content-type")), (&png()[..], "image/png"));
    assert_eq!(original.field("cache-control"), "public, max-age=0, stale-if-error=86400");
    let note = web.get("/raw/note");
    assert_eq!((note.text().as_str(), note.field("content-type")), ("hello", "text/plain"));
    assert_eq!(note.header("set-cookie"), None);
    let part = web.server.get_with("/raw/note", &[("range", "bytes=1-2"), ("if-range", note.field("etag"))]);
    assert_eq!((part.status, part.text().as_str()), (206, "el"));
    assert_eq!(web.server.get_with("/raw/note", &[("if-none-match", note.field("etag"))]).status, 304);
    assert_eq!(web.origin.count("/note"), 1);
}

#[test]
fn statuses_of_the_origin() {
    for (status, ours) in [
        (404, 404),
        (410, 404),
        (401, 404),
        (403, 404),
        (400, 502),
        (204, 502),
        (206, 502),
        (304, 502),
        (500, 502),
        (503, 502),
    ] {
        let web = Web::with(&["origins.1.http.retries=0"]);
        web.origin.on("/a.png", [Act::status(status, &[], "")]);
        let reply = web.get("/web/a.png?w=9");
        assert_eq!(reply.status, ours, "{status}: {}", reply.text());
        assert_eq!(reply.field("content-type"), "application/problem+json");
    }
    let open = Web::with(&["origins.1.http.forbidden=forbidden"]);
    open.origin.on("/a.png", [Act::status(403, &[], "")]);
    assert_eq!(open.get("/web/a.png?w=9").status, 403);
}

#[test]
fn requests_are_repeated_where_that_helps() {
    let web = Web::new();
    let busy = Act::status(429, &[("retry-after", "0")], "");
    let failing = |act: Act| [act, kept("max-age=60")];
    web.origin.on("/503", failing(Act::status(503, &[], ""))).on("/429", failing(busy));
    web.origin.on("/reset", failing(Act::Reset(Vec::new()))).on("/500", failing(Act::status(500, &[], "")));
    web.origin.on("/later", failing(Act::status(503, &[("retry-after", "30")], "")));
    for path in ["/503", "/429", "/reset"] {
        assert_eq!((web.get(&format!("/web{path}?w=9")).status, web.origin.count(path)), (200, 2), "{path}");
    }
    assert_eq!((web.get("/web/500?w=9").status, web.origin.count("/500")), (502, 1));
    let later = web.get("/web/later?w=9");
    assert_eq!((later.status, later.field("retry-after"), web.origin.count("/later")), (502, "30", 1));
}

#[test]
fn connections_are_used_again() {
    let web = Web::with(&["server.threads=1"]);
    for name in ["/a.png", "/b.png", "/none"] {
        web.origin.on(name, [if name == "/none" { Act::status(404, &[], "no") } else { kept("max-age=60") }]);
        web.get(&format!("/web{name}?w=9"));
    }
    assert!(web.origin.asked().iter().all(|asked| asked.connection == 0), "{:?}", web.origin.asked());
}

#[test]
fn a_request_that_comes_back_is_refused() {
    let web = Web::new();
    web.origin.on("/a.png", [kept("max-age=60")]);
    let reply = web.server.get_with("/web/a.png?w=9", &[("cdn-loop", "other, tintype; v=1")]);
    assert_eq!((reply.status, web.count()), (508, 0), "{}", reply.text());
    assert_eq!(web.get("/web/a.png?w=9").status, 200);
    let held = web.server.get_with("/web/a.png?w=9", &[("cdn-loop", "tintype")]);
    assert_eq!(held.status, 200, "what is kept asks nobody");
}

#[test]
fn origins_are_asked_in_order() {
    let web = Web::with(&["routes.1.fallback_origins=folder", "origins.1.http.retries=0"]);
    web.server.folder.put("a.png", picture::gradient(30, 30)).put("b.png", picture::gradient(30, 30));
    web.origin.on("/a.png", [kept("max-age=60")]).on("/b.png", [Act::status(404, &[], "")]);
    web.origin.on("/c.png", [Act::status(500, &[], "")]);
    let size = |target| picture::png_size(&web.get(target).body);
    assert_eq!(size("/web/a.png"), Some((60, 40)), "the first has it");
    assert_eq!(size("/web/b.png"), Some((30, 30)), "only the second has it");
    assert_eq!(web.get("/web/c.png").status, 502, "the first may have it");
    assert_eq!(web.get("/web/d.png").status, 404);
}

#[test]
fn a_picture_stands_in() {
    let file = testkit::Folder::new();
    file.put("missing.png", picture::gradient(50, 50));
    let image = format!("routes.1.fallback_image={}", file.root().join("missing.png").display());
    let web = Web::with(&[&image, "origins.1.http.retries=0"]);
    web.origin.on("/b.png", [Act::status(500, &[], "")]);
    for (target, status) in [("/web/a.png?w=10", 404), ("/web/b.png?w=10", 502), ("/web/other.png?w=10", 404)] {
        let reply = web.get(target);
        assert_eq!((reply.status, picture::png_size(&reply.body)), (status, Some((10, 10))), "{target}");
        assert_eq!(reply.field("content-type"), "image/png");
        assert!(matches!(reply.field("cache-control"), "public, max-age=10" | "public, max-age=1"));
    }
    assert_eq!(web.server.fills(), 1.0, "made once for all of them");
    let head = web.server.ask("HEAD", "/web/a.png?w=10", &[]);
    assert_eq!((head.status, head.body.len()), (404, 0));
    assert_eq!(web.get("/web/a.png?w=no").field("content-type"), "application/problem+json");
}
