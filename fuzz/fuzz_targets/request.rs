//! A request's head through the whole handler, in-process: structured, so that most are understood. No panic; every answer has
//! a status that we give, a body that is as long as it says, and none of its fields splits a line.
#![no_main]
// Layouts of futures nest deeply where a sanitizer is built in.
#![recursion_limit = "256"]

use arbitrary::{Arbitrary, Result, Unstructured};
use http::{HeaderName, HeaderValue, Method, Request, request::Parts};
use libfuzzer_sys::fuzz_target;
use prometheus_client::registry::Registry;
use std::sync::LazyLock;
use tintype::app::App;
use tintype::config::Config;
use tintype::server::{Clock, Peer};
use tintype_fuzz::{join, query};

const METHODS: [Method; 5] = [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST, Method::CONNECT];
const PATHS: [&str; 8] =
    ["/img/a.png", "/raw/a.png", "/img/none.png", "/", "/img/", "/img/%2e%2e/a.png", "/img/a%00.png", "*"];
const NAMES: [&str; 14] = [
    "accept",
    "range",
    "if-range",
    "if-none-match",
    "if-match",
    "if-modified-since",
    "host",
    "x-forwarded-for",
    "forwarded",
    "origin",
    "access-control-request-method",
    "width",
    "sec-ch-dpr",
    "cache-control",
];
const VALUES: [&str; 14] = [
    "image/avif,image/webp;q=0.5,*/*",
    "bytes=0-9",
    "bytes=-5",
    "bytes=9-0,1-2",
    "*",
    "\"a\", W/\"b\"",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "for=192.0.2.1;proto=https;host=a",
    "192.0.2.1, ::1",
    "null",
    "GET",
    "1e9",
    "2.0",
    "no-cache",
];

#[derive(Debug)]
struct Head(Parts);

impl<'a> Arbitrary<'a> for Head {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let path = match u.int_in_range(0..=3)? {
            0 => format!("/{}", u.arbitrary::<&str>()?),
            _ => (*u.choose(&PATHS)?).to_owned(),
        };
        let tail = match u.int_in_range(0..=3)? {
            0 => u.arbitrary::<&str>()?.to_owned(),
            _ => join(&query(u)?),
        };
        let mut request = Request::new(());
        *request.method_mut() = u.choose(&METHODS)?.clone();
        *request.uri_mut() = format!("{path}?{tail}").parse().map_err(|_| arbitrary::Error::IncorrectFormat)?;
        for _ in 0..u.int_in_range(0..=6)? {
            let name = HeaderName::from_static(u.choose(&NAMES)?);
            let value = match u.int_in_range(0..=2)? {
                0 => HeaderValue::from_bytes(u.arbitrary::<&[u8]>()?).map_err(|_| arbitrary::Error::IncorrectFormat)?,
                _ => HeaderValue::from_static(u.choose(&VALUES)?),
            };
            request.headers_mut().append(name, value);
        }
        Ok(Self(request.into_parts().0))
    }
}

static APP: LazyLock<App> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("tintype-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("a.png"), include_bytes!("../seeds/png/rgb.png")).expect("a file");
    let root = format!("origins.0.root={}", folder.display());
    let sets = [
        root.as_str(),
        "origins.0.name=folder",
        "origins.0.kind=file",
        "routes.0.prefix=/img/",
        "routes.0.origin=folder",
        "routes.1.prefix=/raw/",
        "routes.1.origin=folder",
        "routes.1.originals=true",
        "render.threads=1",
        "page.enabled=false",
        "server.trusted_proxies=127.0.0.0/8",
        "render.limits.output_side=512",
    ];
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let loaded = service::config::load::<Config>(None, [], &sets).unwrap_or_else(|errors| panic!("{errors}"));
    App::build(&loaded.config, &mut Registry::default(), Clock::SYSTEM).expect("a sound config")
});

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));

fuzz_target!(|head: Head| {
    let Head(head) = head;
    let response = RUNTIME.block_on(APP.respond(&Peer::plain(Peer::LOCAL), &head));
    let status = response.status().as_u16();
    assert!(
        [200, 204, 206, 304, 400, 401, 403, 404, 405, 412, 413, 414, 415, 416, 422, 501, 503, 504].contains(&status),
        "{status} {head:?}"
    );
    assert!(head.method != Method::HEAD || response.body().is_empty(), "{head:?}");
    if let (Some(length), false) = (response.headers().get("content-length"), response.body().is_empty()) {
        assert_eq!(length.to_str().ok().and_then(|text| text.parse().ok()), Some(response.body().len()), "{head:?}");
    }
});
