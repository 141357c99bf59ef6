//! CloudFront, as moto has it, is told of purges.

use super::{Instance, eventually, web};
use serde_json::json;
use testkit::s3::Moto;
use testkit::{Act, Connection, Origin, Reply, picture};

const API: &str = "/2020-05-31/distribution";

/// A request as CloudFront's own clients send it.
fn tell(moto: &Moto, method: &str, target: &str, body: &str) -> Reply {
    let scope =
        "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/cloudfront/aws4_request, SignedHeaders=host, Signature=x";
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: cloudfront.amazonaws.com\r\nauthorization: {scope}\r\n\
         content-type: application/xml\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = Connection::open(moto.address).expect("it listens");
    connection.send(head).expect("it takes it");
    connection.reply(method).expect("it answers")
}

/// The text of the first element of that name.
fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split('<').next().unwrap_or_default().to_owned()
}

fn distribution(moto: &Moto) -> String {
    let config = "<DistributionConfig><CallerReference>r</CallerReference><Comment/><Enabled>true</Enabled>\
        <Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id><DomainName>o.example.org</DomainName>\
        <CustomOriginConfig><HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort>\
        <OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig></Origin></Items></Origins>\
        <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId><ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>\
        <ForwardedValues><QueryString>true</QueryString><Cookies><Forward>none</Forward></Cookies></ForwardedValues>\
        <MinTTL>0</MinTTL></DefaultCacheBehavior></DistributionConfig>";
    let reply = tell(moto, "POST", API, config);
    assert_eq!(reply.status, 201, "{}", reply.text());
    element(&reply.text(), "Id")
}

fn sets(endpoint: &str, distribution: &str) -> Vec<String> {
    vec![
        format!("purge.cloudfront.endpoint={endpoint}"),
        format!("purge.cloudfront.distribution={distribution}"),
        "purge.cloudfront.access_key_id=x".to_owned(),
        "purge.cloudfront.secret_access_key=a-secret-of-the-cloud".to_owned(),
        "purge.cloudfront.gather=50ms".to_owned(),
    ]
}

#[test]
fn it_is_told_of_tags_and_paths() {
    let Some(moto) = Moto::start(&[]) else { return };
    let id = distribution(&moto);
    let origin = Origin::new();
    origin.on("/a.png", [Act::ok(&[], picture::noise(60, 40, 1))]);
    let one = Instance::start(&[&web(&origin), &sets(&format!("http://{}", moto.address), &id)]);
    let (status, answer) = one.purge(
        r#"{"url": "/web/2024/a.png", "tag": ["sale", "sale"], "prefix": "/web/2023/", "source": {"origin": "web", "path": "é/b.png"}}"#,
    );
    assert_eq!((status, &answer["cdn"]), (200, &json!({"queued": 4})), "{answer:#}");
    one.until("tintype_cdn_invalidations_total{result=\"sent\"}", 1.0);
    eventually("nothing waits", || one.metric("tintype_cdn_waiting") == 0.0);
    let list = tell(&moto, "GET", &format!("{API}/{id}/invalidation"), "").text();
    let invalidation = tell(&moto, "GET", &format!("{API}/{id}/invalidation/{}", element(&list, "Id")), "").text();
    assert_eq!(element(&invalidation, "Quantity"), "4");
    for item in ["#src:2024/a.png", "#sale", "/web/2023/*", "#src:%C3%A9/b.png"] {
        assert!(invalidation.contains(&format!("<Path>{item}</Path>")), "{item} in {invalidation}");
    }
    assert!(element(&invalidation, "CallerReference").starts_with("tintype-"));
}

#[test]
fn what_it_refuses_for_good_does_not_stop_the_rest() {
    let Some(moto) = Moto::start(&[]) else { return };
    let origin = Origin::new();
    let one = Instance::start(&[&web(&origin), &sets(&format!("http://{}", moto.address), "ENOSUCH")]);
    assert_eq!(one.purge(r#"{"tag": "a"}"#).0, 200);
    one.until("tintype_cdn_invalidations_total{result=\"refused\"}", 1.0);
    eventually("nothing waits", || one.metric("tintype_cdn_waiting") == 0.0);
    assert!(one.process.log().contains("CloudFront refuses"));
}

#[test]
fn one_that_is_not_there_is_told_later_and_never_too_much() {
    let Some(moto) = Moto::start(&[]) else { return };
    let id = distribution(&moto);
    let origin = Origin::new();
    let proxy = testkit::Proxy::new(moto.address);
    proxy.set(testkit::Fault::Refuse);
    let more = ["purge.cloudfront.queue=2".to_owned()];
    let one = Instance::start(&[&web(&origin), &sets(&format!("http://{}", proxy.address), &id), &more]);
    assert_eq!(one.purge(r#"{"tag": ["a", "b"]}"#).0, 200);
    one.until("tintype_cdn_invalidations_total{result=\"retried\"}", 1.0);
    let (status, answer) = one.purge(r#"{"tag": "c"}"#);
    assert_eq!((status, &answer["purged"]), (502, &json!(1)), "purged here, and said: {answer:#}");
    assert!(answer["cdn"]["failed"].as_str().is_some_and(|why| why.contains("at most 2")));
    proxy.set(testkit::Fault::Pass);
    one.until("tintype_cdn_invalidations_total{result=\"sent\"}", 1.0);
    eventually("nothing waits", || one.metric("tintype_cdn_waiting") == 0.0);
}
