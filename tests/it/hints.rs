//! `w=auto` and `Save-Data`: what clients hint, the rendition that they get, and what the response says of it.

use crate::server::{Server, cache};
use testkit::{Reply, picture};

fn server(more: &[&str]) -> Server {
    let steps = ["routes.0.breakpoints=100,200,300", "routes.0.default_width=150"];
    let server = Server::start(&[&steps, more].concat());
    server.folder.put("a.png", picture::gradient(400, 200));
    server
}

fn width(reply: &Reply) -> u32 {
    assert_eq!(reply.status, 200, "{}", reply.text());
    picture::png_size(&reply.body).expect("a PNG").0
}

#[test]
fn widths_are_snapped_up_and_shared() {
    let server = server(&[]);
    let auto = |fields: &[(&str, &str)]| server.get_with("/img/a.png?w=auto", fields);
    let first = auto(&[("sec-ch-width", "170")]);
    assert_eq!((width(&first), cache(&first).as_str()), (200, "tintype; fwd=miss; stored"));
    let vary = "sec-ch-width, sec-ch-viewport-width, sec-ch-dpr, width, viewport-width, dpr";
    assert_eq!(first.field("vary"), vary);
    assert_eq!(first.field("accept-ch"), "sec-ch-width, sec-ch-viewport-width, sec-ch-viewport-height, sec-ch-dpr");
    for fields in [
        &[("sec-ch-width", "199")][..],
        &[("sec-ch-viewport-width", "90"), ("sec-ch-dpr", "1.5")],
        &[("width", "101")],
        &[],
        &[("sec-ch-width", "many")],
    ] {
        let reply = auto(fields);
        assert_eq!((width(&reply), cache(&reply).as_str()), (200, "tintype; hit; detail=memory"), "{fields:?}");
    }
    assert_eq!(width(&auto(&[("sec-ch-width", "9000")])), 300, "the largest is the last");
    let number = server.get("/img/a.png?w=200");
    assert_eq!((cache(&number).as_str(), number.header("vary")), ("tintype; hit; detail=memory", None));
    assert_eq!(number.header("accept-ch"), None);
    assert_eq!(server.fills(), 2.0);
}

#[test]
fn heights_stay_open_without_a_hint() {
    let server = server(&[]);
    assert_eq!(width(&server.get("/img/a.png?h=auto")), 400);
    let hinted = server.get_with("/img/a.png?h=auto&f=auto", &[("sec-ch-viewport-height", "80")]);
    assert_eq!(hinted.status, 200);
    assert_eq!(hinted.field("vary"), "accept, sec-ch-viewport-height, sec-ch-dpr, viewport-height, dpr");
    assert_eq!(server.get_with("/img/a.png?h=auto", &[("sec-ch-viewport-height", "80")]).status, 200);
    assert_eq!(width(&server.get_with("/img/a.png?h=auto", &[("sec-ch-viewport-height", "80")])), 200);
}

#[test]
fn errors_and_304_vary_too() {
    let server = server(&[]);
    assert!(server.get("/img/none.png?w=auto").field("vary").starts_with("sec-ch-width"));
    let tag = server.get("/img/a.png?w=auto").field("etag").to_owned();
    let same = server.get_with("/img/a.png?w=auto", &[("if-none-match", &tag)]);
    assert_eq!(same.status, 304);
    assert!(same.field("vary").starts_with("sec-ch-width"));
}

#[test]
fn saving_data_is_the_route_s_choice() {
    let (deaf, kind) = (server(&[]), server(&["routes.0.save_data=true"]));
    let on: &[(&str, &str)] = &[("save-data", "on")];
    let target = "/img/a.png?w=200&f=jpeg";
    let (plain, ignored) = (deaf.get(target), deaf.get_with(target, on));
    assert_eq!((ignored.body == plain.body, plain.header("vary")), (true, None));
    let (full, spared) = (kind.get(target), kind.get_with(target, on));
    assert_eq!((full.field("vary"), spared.field("vary")), ("save-data", "save-data"));
    assert_eq!(full.body, plain.body);
    assert!(spared.body.len() < full.body.len(), "{} of {}", spared.body.len(), full.body.len());
    assert_eq!(spared.body, kind.get("/img/a.png?w=200&f=jpeg&q=60").body, "that of the number in the URL");
    let wide = &[("save-data", "on"), ("sec-ch-width", "300"), ("sec-ch-dpr", "3")];
    assert_eq!(width(&kind.get_with("/img/a.png?w=auto&f=png", wide)), 100);
}

#[test]
fn breakpoints_ascend() {
    for wrong in ["200,100", "", "0", "100,100", "70000"] {
        let set =
            [format!("routes.0.breakpoints={wrong}"), "routes.0.prefix=/a/".into(), "routes.0.origin=samples".into()];
        let loaded = service::config::load::<tintype::config::Config>(None, [], &set);
        let text = loaded.map(|_| ()).expect_err("refused").to_string();
        assert!(text.contains("routes.0.breakpoints"), "{wrong}: {text}");
    }
}
