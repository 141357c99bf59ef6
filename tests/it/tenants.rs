//! Whose a path is, how much a tenant may take, on whose pages pictures may be shown, and how large they are made.

use crate::server::{Server, cache};
use crate::signing::kind;
use signature::{Key, Request, sign};
use testkit::picture;

const SECRET: &str = "a secret of the tests, 32 bytes and more";

fn signed(tenant: &str, target: &str) -> String {
    let key = Key::new(tenant, tenant, SECRET.as_bytes()).expect("a long secret");
    let (path, query) = target.split_once('?').expect("a query");
    sign(&key, &Request { method: "GET", host: None, path, query: Some(query) }, None).expect("nothing forbids it")
}

/// With a key for each of two tenants, called as they are.
fn server(more: &[&str]) -> Server {
    let secret = |number: usize| format!("signing.keys.{number}.secret={SECRET}");
    let (first, second) = (secret(0), secret(1));
    let keys = [
        "signing.mode=optional",
        "signing.keys.0.kid=shop",
        "signing.keys.0.tenant=shop",
        &first,
        "signing.keys.1.kid=blog",
        "signing.keys.1.tenant=blog",
        &second,
    ];
    let server = Server::start(&[&keys, more].concat());
    for name in ["a.png", "shop/a.png", "shop/b.png", "shop/c.png"] {
        server.folder.put(name, picture::gradient(60, 40));
    }
    server
}

#[test]
fn paths_are_their_owners() {
    let server = server(&["tenants.0.name=shop", "tenants.0.prefix=/img/shop/", "tenants.1.name=blog"]);
    let tenant = |target: &str| {
        let reply = server.get(target);
        let tags = reply.header("cache-tag").unwrap_or_default().to_owned();
        (reply.status, tags.split(',').find_map(|tag| tag.trim().strip_prefix("tenant:")).map(str::to_owned))
    };
    let ok = |name: &str| (200, Some(name.to_owned()));
    assert_eq!(tenant("/img/shop/a.png?w=20"), ok("shop"), "unsigned, it is the tenant's all the same");
    assert_eq!(tenant("/img/a.png?w=20"), ok("default"));
    assert_eq!(tenant(&signed("shop", "/img/shop/a.png?w=20")), ok("shop"));
    assert_eq!(tenant(&signed("blog", "/img/a.png?w=20")), ok("blog"));
    for target in ["/img/shop/a.png?w=20", "/img/%73hop/a.png?w=20", "/img/sh%6Fp/a.png?w=20"] {
        assert_eq!(tenant(&signed("blog", target)).0, 403, "{target}");
    }
    assert_eq!(tenant(&signed("shop", "/img/a.png?w=20")).0, 403);
}

#[test]
fn quotas_are_each_tenants_own() {
    let server = server(&[
        "tenants.0.name=shop",
        "tenants.0.misses=2",
        "tenants.0.window=1h",
        "tenants.1.name=blog",
        "tenants.1.bytes=1B",
    ]);
    let get = |tenant: &str, query: &str| server.get(&signed(tenant, &format!("/img/a.png?{query}")));
    for width in [20, 21] {
        assert_eq!(get("shop", &format!("w={width}")).status, 200);
    }
    let over = get("shop", "w=22");
    assert_eq!((over.status, kind(&over).as_str()), (429, "too-many-requests"));
    let wait: u64 = over.field("retry-after").parse().expect("seconds");
    assert!((3000..=3600).contains(&wait), "{wait}");
    assert_eq!(over.field("cache-control"), "no-store");
    assert!(cache(&get("shop", "w=20")).contains("hit"), "hits are never counted");
    assert_eq!(get("blog", "w=20").status, 200, "the one that goes beyond is still answered");
    assert_eq!(get("blog", "w=21").status, 429);
    assert_eq!(server.get("/img/a.png?w=22").status, 200, "nobody else is held back");
}

#[test]
fn one_tenant_cannot_push_out_another() {
    let server = server(&[
        "tenants.0.name=shop",
        "tenants.0.memory_percent=50",
        "tenants.1.name=blog",
        "tenants.1.memory_percent=20",
        "cache.memory.bytes=64KiB",
    ]);
    let get = |tenant: &str, width: u32| server.get(&signed(tenant, &format!("/img/a.png?w={width}&f=png")));
    assert_eq!(get("shop", 20).status, 200);
    // Far more than there is room for: of the blog's own part, and of what is for all others.
    for width in 1..=59 {
        assert_eq!(get("blog", width).status, 200);
        assert_eq!(server.get(&format!("/img/a.png?w={width}&f=png")).status, 200);
    }
    assert!(server.metric("tintype_cache_memory_evictions") > 0.0);
    assert!(cache(&get("shop", 20)).contains("hit"));
}

#[test]
fn pictures_are_shown_on_listed_pages() {
    let folder = testkit::Folder::new();
    folder.put("not-here.png", picture::gradient(300, 200));
    let image = format!("routes.0.referrer.image={}", folder.root().join("not-here.png").display());
    let rules = ["routes.0.referrer.allow=example.org, *.example.com", "routes.0.referrer.empty=false"];
    let target = "/img/a.png?w=20&f=png";
    for (more, shown) in [(&rules[..], false), (&[rules[0], rules[1], image.as_str()][..], true)] {
        let server = server(more);
        for (referrer, status) in [
            ("https://example.org/page", 200),
            ("https://www.example.com/", 200),
            ("https://127.0.0.1/", 200),
            ("https://evil.example/", 403),
            ("https://example.org.evil.example/", 403),
            ("", 403),
        ] {
            let reply = server.get_with(target, &[("referer", referrer), ("host", "127.0.0.1:80")]);
            assert_eq!(reply.status, status, "{referrer}");
            assert_eq!(reply.field("vary"), "referer", "{referrer}: it depends on it either way");
            if status == 403 {
                assert_eq!(reply.field("cache-control"), "no-store");
                let kind_of = reply.field("content-type").to_owned();
                assert_eq!(kind_of, if shown { "image/png" } else { "application/problem+json" });
                assert!(shown || kind(&reply) == "hotlink");
            }
        }
        assert_eq!(server.get(target).status, 403, "no page at all");
    }
    let lenient = server(&rules[..1]);
    assert_eq!(lenient.get(target).status, 200);
}

#[test]
fn sizes_are_those_of_the_route() {
    let size = |server: &Server, query: &str| {
        let reply = server.get(&format!("/img/a.png?f=png&{query}"));
        (reply.status, picture::png_size(&reply.body))
    };
    let strict = server(&["routes.0.sizes.widths=20,40"]);
    assert_eq!(size(&strict, "w=20").0, 200);
    let refused = strict.get("/img/a.png?w=21");
    assert_eq!((refused.status, kind(&refused).as_str()), (400, "bad-parameter"));
    assert!(refused.text().contains("20, 40"), "{}", refused.text());
    let snapping = server(&["routes.0.sizes.widths=20,40", "routes.0.sizes.snap=true"]);
    for (query, width, height) in [("w=3", 20, 13), ("w=21", 40, 27), ("w=999", 40, 27)] {
        assert_eq!(size(&snapping, query), (200, Some((width, height))), "{query}");
    }
    assert_eq!(snapping.fills(), 2.0, "two sizes, two renditions");
}

#[test]
fn origins_that_may_read_are_listed() {
    let server = server(&["routes.0.allow_origin=https://a.example, https://*.b.example"]);
    let allowed = |origin: &str| {
        let reply = server.get_with("/img/a.png?w=20", &[("origin", origin)]);
        assert_eq!(reply.field("vary"), "origin");
        assert_eq!(reply.field("timing-allow-origin"), "https://a.example");
        reply.header("access-control-allow-origin").map(str::to_owned)
    };
    for origin in ["https://a.example", "https://x.b.example"] {
        assert_eq!(allowed(origin).as_deref(), Some(origin));
    }
    for origin in ["https://b.example", "http://a.example", "null"] {
        assert_eq!(allowed(origin), None, "{origin}");
    }
}
