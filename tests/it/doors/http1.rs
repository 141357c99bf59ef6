//! Clients of HTTP/1 that take their time with bodies.

use crate::server::Server;
use std::thread::sleep;
use std::time::Duration;
use testkit::{picture, wire};

#[test]
fn a_body_that_trickles_is_not_waited_for() {
    let server = Server::start(&[]);
    server.folder.put("a.png", picture::gradient(60, 40));
    let ways = [("content-length", "1000000", "a"), ("transfer-encoding", "chunked", "1\r\na\r\n")];
    for (method, status) in [("POST", 405), ("GET", 200)] {
        for (name, value, piece) in ways {
            let mut connection = server.connect();
            connection.send(wire::head(method, "/img/a.png?w=20", &[(name, value)])).expect("connected");
            connection.send(piece).expect("connected");
            assert_eq!(connection.reply(method).expect("an answer at once").status, status, "{method} {value}");
            let cut = (0..1000).any(|_| {
                sleep(Duration::from_millis(20));
                connection.send(piece).is_err()
            });
            assert!(cut, "{method} {value}: the rest is not waited for");
        }
    }
    server.while_above("tintype_connections", 0.0);
}
