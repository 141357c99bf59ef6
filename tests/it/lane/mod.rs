//! What nobody waits for: AVIF that is put off, alone, in a fleet and over a restart; and warm-up.

mod deferred;
mod fleet;
mod warm;

use crate::server::Server;
use testkit::{Reply, picture};

/// Of clients that read AVIF.
const AVIF: [(&str, &str); 1] = [("accept", "image/avif,image/webp,*/*")];

/// Whatever takes any time is put off, and then made quickly; the AVIF is by far the smaller one.
const SETS: [&str; 4] =
    ["routes.0.deferred_avif=true", "render.lane.quick=0s", "render.lane.effort=0", "render.lane.poll=50ms"];

const TARGET: &str = "/img/a.png?w=300&f=auto&q-avif=20&q-webp=90";

fn photograph() -> Vec<u8> {
    picture::noise(400, 300, 7)
}

fn server(more: &[&str]) -> Server {
    let server = Server::start(&[&SETS, more].concat());
    server.folder.put("a.png", photograph());
    server
}

fn is_quick(reply: &Reply) -> bool {
    reply.field("cache-status").ends_with("detail=deferred")
}

fn kind(reply: &Reply) -> &str {
    reply.field("content-type")
}
