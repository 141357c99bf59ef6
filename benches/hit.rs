//! A hit without its socket: from a request's head to a response's, with metrics and all headers.

// A request passes through many layers of futures: rustc follows them into this crate.
#![recursion_limit = "256"]

use criterion::{Criterion, criterion_group, criterion_main};
use http::Request;
use http::request::Parts;
use prometheus_client::registry::Registry;
use std::hint::black_box;
use tintype::app::App;
use tintype::config::Config;
use tintype::server::{Clock, Peer};

const PEER: Peer = Peer::plain(Peer::LOCAL);

fn head(target: &str, extra: &[(&str, &str)]) -> Parts {
    let mut request = Request::get(target).header("host", "img.example.org");
    request = request.header("accept", "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8");
    for (name, value) in extra {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a valid request").into_parts().0
}

fn hits(c: &mut Criterion) {
    let root = concat!("origins.0.root=", env!("CARGO_MANIFEST_DIR"), "/samples");
    let config = service::config::load::<Config>(None, [], &[root.to_owned()]).expect("the defaults are fine").config;
    let app = App::build(&config, &mut Registry::default(), Clock::SYSTEM).expect("samples/ is there");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");

    let plain = head("/img/river.jpg?w=200&f=webp", &[]);
    let negotiated = head("/img/river.jpg?w=200&h=150&fit=cover&f=auto&q=70", &[]);
    let etag = runtime.block_on(app.respond(&PEER, &plain)).headers()["etag"].to_str().expect("ASCII").to_owned();
    runtime.block_on(app.respond(&PEER, &negotiated));
    let known = head("/img/river.jpg?w=200&f=webp", &[("if-none-match", &etag)]);
    let range = head("/img/river.jpg?w=200&f=webp", &[("range", "bytes=0-99")]);
    for (name, request) in [
        ("200, 2 parameters", &plain),
        ("200, 5 parameters, negotiated", &negotiated),
        ("304", &known),
        ("206", &range),
    ] {
        c.bench_function(&format!("hit, {name}"), |b| {
            b.iter(|| runtime.block_on(app.respond(&PEER, black_box(request))));
        });
    }
}

criterion_group!(benches, hits);
criterion_main!(benches);
