//! A cluster loses a node.

use super::Edge;
use testkit::redis::Cluster;

#[test]
fn a_lost_node_is_missed_by_nobody() {
    let Some(mut cluster) = Cluster::start() else { return };
    let urls = format!("cache.redis.urls={}", cluster.urls().join(","));
    let times = ["cache.redis.timeout=100ms", "cache.redis.connect_timeout=200ms", "cache.redis.pause=50ms"];
    let edge = Edge::start(&[&[urls.as_str(), "cache.redis.failures=2"], &times[..]].concat());
    edge.recovers("redis");
    edge.is_shared("redis");
    let node = &mut cluster.nodes[1];
    edge.hits_hold("a frozen node", |on| if on { node.freeze() } else { node.thaw() });
    node.thaw();
    edge.recovers("redis");
    edge.hits_hold("a lost node", |on| if on { node.kill() } else { node.restart() });
    node.restart();
    edge.recovers("redis");
    edge.is_shared("redis");
}
