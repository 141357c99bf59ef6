//! Heads of requests as nobody writes them, through the whole handler without sockets: every one has an answer, and the answer
//! is one that we give. `fuzz/fuzz_targets/request.rs` does the same for hours.

use crate::server::sets;
use http::{HeaderName, HeaderValue, Method, Request};
use prometheus_client::registry::Registry;
use proptest::prelude::*;
use std::sync::LazyLock;
use testkit::{Folder, picture};
use tintype::app::App;
use tintype::config::Config;
use tintype::server::{Clock, Peer};

const STATUSES: [u16; 18] = [200, 204, 206, 304, 400, 401, 403, 404, 405, 412, 413, 414, 415, 416, 422, 501, 503, 504];

static SERVER: LazyLock<(App, tokio::runtime::Runtime, Folder)> = LazyLock::new(|| {
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(60, 40));
    let more = [
        "server.trusted_proxies=127.0.0.0/8",
        "routes.1.prefix=/raw/",
        "routes.1.origin=folder",
        "routes.1.originals=true",
    ];
    let loaded =
        service::config::load::<Config>(None, [], &sets(&folder, &more)).unwrap_or_else(|errors| panic!("{errors}"));
    let app = App::build(&loaded.config, &mut Registry::default(), Clock::SYSTEM).expect("a sound config");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    (app, runtime, folder)
});

fn target() -> impl Strategy<Value = String> {
    let path = prop_oneof![
        4 => Just("/img/a.png".to_owned()),
        1 => Just("/raw/a.png".to_owned()),
        1 => "/(img/)?[a-z%.0-9/]{0,12}",
    ];
    let pair = ("[a-z]{1,6}|w|h|f|fit|q|crop|dpr|x", "[0-9]{1,4}|auto|webp|cover|none|[ -~&&[^#\"<>` \\\\^{}|]]{0,8}");
    (path, proptest::collection::vec(pair, 0..5)).prop_map(|(path, pairs)| {
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{path}?{}", query.join("&"))
    })
}

fn fields() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let names = [
        "accept",
        "range",
        "if-range",
        "if-none-match",
        "if-match",
        "if-modified-since",
        "host",
        "x-forwarded-for",
        "x-forwarded-host",
        "origin",
        "cache-control",
    ];
    let values = [
        "image/avif,image/webp;q=0.5,*/*",
        "bytes=0-9",
        "bytes=-5",
        "bytes=9-0,1-2",
        "*",
        "\"a\", W/\"b\"",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "192.0.2.1, ::1",
        "null",
    ];
    let value = prop_oneof![
        3 => proptest::sample::select(values.to_vec()).prop_map(|value| value.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..30),
    ];
    proptest::collection::vec((proptest::sample::select(names.to_vec()), value), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_head_has_an_answer(method in 0..4usize, target in target(), fields in fields()) {
        let (app, runtime, _) = &*SERVER;
        let method = [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST][method].clone();
        let Ok(mut request) = Request::builder().method(method.clone()).uri(&target).body(()) else { return Ok(()) };
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                request.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        let head = request.into_parts().0;
        let response = runtime.block_on(app.respond(&Peer::plain(Peer::LOCAL), &head));
        let status = response.status().as_u16();
        prop_assert!(STATUSES.contains(&status), "{} {:?}", status, head);
        prop_assert!(method != Method::HEAD || response.body().is_empty(), "{:?}", head);
        if let (Some(length), false) = (response.headers().get("content-length"), response.body().is_empty()) {
            prop_assert_eq!(length.to_str().ok().and_then(|text| text.parse().ok()), Some(response.body().len()));
        }
    }
}
