//! What is told of pictures over sockets: types and caching of `f=json` and the hashes, facts of every sort of original,
//! what is kept back, and the URLs of `srcset`.

use crate::server::{Server, cache};
use crate::signing::{self, SECRET, signed};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use testkit::{Folder, Reply, picture};

fn server() -> Server {
    let server = Server::start(&[]);
    server.folder.put("a.png", picture::gradient(300, 200));
    server
}

fn facts(reply: &Reply) -> Value {
    assert_eq!((reply.status, reply.field("content-type")), (200, "application/json"), "{}", reply.text());
    serde_json::from_slice(&reply.body).expect("JSON")
}

fn problem(server: &Server, target: &str) -> (u16, String, Value) {
    let reply = server.get(target);
    let document: Value = serde_json::from_slice(&reply.body).expect("a problem document");
    (reply.status, signing::kind(&reply), document["parameter"].clone())
}

#[test]
fn answers_are_kept_and_conditional_as_pictures_are() {
    let server = server();
    let text = "text/plain; charset=utf-8";
    for (query, kind) in [
        ("f=json", "application/json"),
        ("f=json&srcset=auto", "application/json"),
        ("f=thumbhash", text),
        ("f=blurhash", text),
    ] {
        let target = format!("/img/a.png?{query}");
        let miss = server.get(&target);
        assert_eq!(
            (miss.status, cache(&miss).as_str()),
            (200, "tintype; fwd=miss; stored"),
            "{query}: {}",
            miss.text()
        );
        assert_eq!((miss.field("content-type"), miss.field("x-content-type-options")), (kind, "nosniff"), "{query}");
        assert_eq!((miss.header("vary"), miss.header("content-disposition")), (None, None), "{query}");
        let hit = server.get(&target);
        assert_eq!(cache(&hit), "tintype; hit; detail=memory");
        assert_eq!(hit.body, miss.body);
        for name in ["etag", "cache-control", "last-modified", "cache-tag", "accept-ranges"] {
            assert!(hit.header(name).is_some() && hit.header(name) == miss.header(name), "{query}: {name}");
        }
        let head = server.ask("HEAD", &target, &[]);
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.field("content-length"), miss.body.len().to_string());
        let same = server.get_with(&target, &[("if-none-match", miss.field("etag"))]);
        assert_eq!((same.status, same.body.len()), (304, 0), "{query}");
        let part = server.get_with(&target, &[("range", "bytes=2-5")]);
        assert_eq!((part.status, &part.body[..]), (206, &miss.body[2..6]), "{query}");
    }
    assert_eq!(server.fills(), 4.0, "each is a rendition of its own");
    let saved = server.get("/img/a.png?f=json&dl");
    assert_eq!(saved.field("content-disposition"), "attachment; filename=\"a.json\"");
}

#[test]
fn hashes_are_those_of_the_json() {
    let server = server();
    let looks = facts(&server.get("/img/a.png?f=json"))["looks"].clone();
    assert_eq!(looks["thumbhash"], server.get("/img/a.png?f=thumbhash").text());
    assert_eq!(looks["blurhash"], server.get("/img/a.png?f=blurhash").text());
}

#[test]
fn what_cannot_be_told_is_refused_in_words() {
    let server = server();
    server.folder.put("bad.png", "no picture").put("short.png", &picture::noise(60, 60, 1)[..2000]);
    let (status, kind, _) = problem(&server, "/img/none.png?f=json");
    assert_eq!((status, kind.as_str()), (404, "not-found"));
    let (status, kind, _) = problem(&server, "/img/bad.png?f=json");
    assert_eq!((status, kind.as_str()), (415, "unsupported-original"));
    assert!([200, 422].contains(&server.get("/img/short.png?f=json").status));
    for query in ["f=json&srcset=", "f=json&srcset=0", "f=json&srcset=9,", "f=json&srcset=auto,9"] {
        let told = problem(&server, &format!("/img/a.png?{query}"));
        assert_eq!(told, (400, "bad-parameter".into(), "srcset".into()), "{query}");
    }
    let many = format!("/img/a.png?f=json&srcset={}", (1..=33).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    assert_eq!(problem(&server, &many), (400, "bad-parameter".into(), "srcset".into()));
    assert_eq!(problem(&server, "/img/a.png?f=json&srcset=auto&trim").0, 400);
    assert_eq!(problem(&server, "/img/a.png?f=json&crop=900,0,9,9").0, 400);
}

/// A JPEG with an EXIF segment that names a place, a camera and its serial number, and a person.
fn private(jpeg: &[u8]) -> Vec<u8> {
    fn entry(tag: u16, kind: u16, count: u32, value: [u8; 4]) -> Vec<u8> {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
    }
    fn directory(entries: &[Vec<u8>]) -> Vec<u8> {
        let count = u16::try_from(entries.len()).expect("few entries");
        [&count.to_le_bytes()[..], &entries.concat(), &[0; 4]].concat()
    }
    let at = |offset: u32| offset.to_le_bytes();
    let (ascii, long, rational) = (2, 4, 5);
    // 8 bytes of header, 3 + 2 + 2 entries of 12 bytes with 6 bytes round them, then what is longer than four bytes.
    let (photo, gps, data) = (8 + 6 + 36, 8 + 6 + 36 + 6 + 24, 8 + 6 + 36 + 6 + 24 + 6 + 24);
    let texts = b"Camera Co\0SN-123456\0Jane Roe\0\0";
    let rest = u32::try_from(texts.len()).expect("short");
    let tiff = [
        b"II*\0\x08\0\0\0".to_vec(),
        directory(&[
            entry(0x010f, ascii, 10, at(data)),
            entry(0x8769, long, 1, at(photo)),
            entry(0x8825, long, 1, at(gps)),
        ]),
        directory(&[entry(0xa430, ascii, 9, at(data + 20)), entry(0xa431, ascii, 10, at(data + 10))]),
        directory(&[entry(0x0001, ascii, 2, *b"N\0\0\0"), entry(0x0002, rational, 3, at(data + rest))]),
        texts.to_vec(),
        [52_u32, 1, 31, 1, 12, 1].iter().flat_map(|number| number.to_le_bytes()).collect(),
    ]
    .concat();
    let body = [b"Exif\0\0".as_slice(), &tiff].concat();
    let length = u16::try_from(body.len() + 2).expect("a short segment").to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &body, &jpeg[2..]].concat()
}

#[test]
fn places_serial_numbers_and_people_are_kept_back() {
    let server = server();
    let file = private(&server.get("/img/a.png?f=jpeg&w=60").body);
    server.folder.put("private.jpg", file);
    for more in ["", "&meta=none", "&meta=copyright", "&srcset=auto", "&w=20", "&meta=keep&redact=1,1,5,5"] {
        let reply = server.get(&format!("/img/private.jpg?f=json{more}"));
        assert_eq!(facts(&reply)["exif"]["Make"], "Camera Co", "{more}: the file is read");
        for secret in ["GPS", "SN-123456", "Serial", "Jane", "52"] {
            let exif = facts(&reply)["exif"].to_string();
            assert!(!exif.contains(secret), "{more}: {secret} in {exif}");
        }
        assert!(!reply.text().contains("SN-123456") && !reply.text().contains("Jane"), "{more}");
    }
    let all = facts(&server.get("/img/private.jpg?f=json&meta=keep"));
    assert_eq!(all["exif"]["GPSLatitude"], json!([52, 31, 12]));
    assert_eq!(
        (&all["exif"]["BodySerialNumber"], &all["exif"]["CameraOwnerName"]),
        (&"SN-123456".into(), &"Jane Roe".into())
    );
}

/// Two frames of one pixel for 70 and 80 ms, shown three times: once and two repeats.
fn gif() -> Vec<u8> {
    let frame = |centiseconds: u8| {
        let control = [0x21, 0xf9, 4, 0, centiseconds, 0, 0, 0];
        [&control[..], b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0"].concat()
    };
    let head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xff\x0bNETSCAPE2.0\x03\x01\x02\0\0";
    [&head[..], &frame(7), &frame(8), b";"].concat()
}

/// 2 × 3 pixels of grey, one strip, nothing compressed.
fn tiff() -> Vec<u8> {
    let entry = |tag: u16, value: u32| {
        [&tag.to_le_bytes()[..], &4_u16.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let tags = [(256, 2), (257, 3), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 3), (279, 6)];
    let entries: Vec<u8> = tags.iter().flat_map(|&(tag, value)| entry(tag, value)).collect();
    [b"II*\0\x0e\0\0\0\x01\x40\x80\xa0\xc0\xff\x09\0".as_slice(), &entries, &[0; 4]].concat()
}

#[test]
fn facts_of_every_sort_of_original() {
    let server = server();
    let svg =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"30\"><rect width=\"40\" height=\"30\"/></svg>";
    let avif = server.get("/img/a.png?f=avif&w=64").body;
    server.folder.put("a.gif", gif()).put("a.tif", tiff()).put("a.svg", svg).put("a.avif", avif);
    let of = |file: &str| facts(&server.get(&format!("/img/{file}?f=json")))["original"].clone();
    let gif = of("a.gif");
    assert_eq!((&gif["mediaType"], &gif["frames"]), (&"image/gif".into(), &2.into()));
    assert_eq!((&gif["durationMs"], &gif["plays"], &gif["lossless"]), (&150.into(), &3.into(), &true.into()));
    for (file, kind, width, height) in [
        ("a.tif", "image/tiff", 2, 3),
        ("a.svg", "image/svg+xml", 40, 30),
        ("a.avif", "image/avif", 64, 43),
        ("a.png", "image/png", 300, 200),
    ] {
        let original = of(file);
        assert_eq!(original["mediaType"], kind);
        assert_eq!((&original["width"], &original["height"]), (&width.into(), &height.into()), "{file}");
        assert_eq!(
            (&original["frames"], &original["plays"], &original["durationMs"]),
            (&1.into(), &Value::Null, &Value::Null)
        );
        let bytes = std::fs::read(server.folder.root().join(file)).expect("put there");
        assert_eq!(original["bytes"], bytes.len());
        assert_eq!(original["blake3"], blake3::hash(&bytes).to_hex().as_str());
    }
    assert_eq!(of("a.tif")["colour"]["space"], "grey");
    assert_eq!(of("a.avif")["lossless"], false);
}

/// The sizes that are told, each held against what its URL gives.
fn told(server: &Server, target: &str) -> Vec<(u64, u64, String)> {
    let all = facts(&server.get(target));
    let sizes = all["srcset"]["sizes"].as_array().expect("sizes").clone();
    let told = sizes.iter().map(|size| {
        let url = size["url"].as_str().expect("a URL").to_owned();
        (size["width"].as_u64().expect("a width"), size["height"].as_u64().expect("a height"), url)
    });
    let told: Vec<_> = told.collect();
    for (width, height, url) in &told {
        let picture = server.get(&url.replace("f=auto", "f=png"));
        let size = picture::png_size(&picture.body).map(|(width, height)| (u64::from(width), u64::from(height)));
        assert_eq!(size, Some((*width, *height)), "{url}: {}", picture.status);
        assert_eq!(server.get(url).status, 200);
    }
    told
}

#[test]
fn a_srcset_tells_what_its_urls_give() {
    let server = server();
    server.folder.put("sub/b c&d.png", picture::gradient(300, 200));
    let plain = told(&server, "/img/a.png?f=json&srcset=100,200,900");
    let expected = [(100, 67), (200, 133), (300, 200)].map(|(w, h)| (w, h, format!("/img/a.png?f=auto&w={w}")));
    assert_eq!(plain, expected);
    assert_eq!(told(&server, "/img/a.png?f=json&srcset=auto").len(), 3);
    for more in [
        "w=40&h=40&fit=cover&q=50",
        "ar=3:1&fit=crop&dpr=2",
        "rot=90&border=2,red",
        "then=w=30;radius=max",
        "fit=pad&w=90&h=90&bg=fff",
    ] {
        assert!(!told(&server, &format!("/img/a.png?f=json&srcset=80,100,2000&{more}")).is_empty(), "{more}");
    }
    let odd = facts(&server.get("/img/sub/b%20c%26d.png?f=json&srcset=50"));
    let url = odd["srcset"]["sizes"][0]["url"].as_str().expect("a URL");
    assert_eq!(server.get(url).status, 200, "{url}");
    let picture = odd["srcset"]["picture"].as_str().expect("HTML");
    assert!(picture.starts_with("<picture><source type=\"image/avif\" srcset=\"/img/sub/b%20c"), "{picture}");
    for part in ["f=avif&amp;w=50 50w\"", "type=\"image/webp\"", "f=auto&amp;w=50\"", " alt=\"\"></picture>"] {
        assert!(picture.contains(part), "{part} in {picture}");
    }
    assert_eq!(facts(&server.get("/img/a.png?f=json"))["srcset"], Value::Null, "only where it is asked");
    server.folder.put("a.gif", gif());
    let moving = facts(&server.get("/img/a.gif?f=json&srcset=auto"));
    assert!(!moving["srcset"]["picture"].as_str().expect("HTML").contains("avif"), "a still one would hide the motion");
}

#[test]
fn every_route_tells_urls_of_its_own() {
    let server = Server::start(&[
        "presets.0.name=small",
        "presets.0.parameters=w=50&f=json&srcset=auto",
        "presets.1.name=default",
        "presets.1.parameters=blur=2",
        "routes.1.prefix=/other/",
        "routes.1.origin=folder",
        "routes.2.prefix=/only/",
        "routes.2.origin=folder",
        "routes.2.presets_only=true",
    ]);
    server.folder.put("a.png", picture::gradient(300, 200));
    for route in ["/img/", "/other/"] {
        let all = facts(&server.get(&format!("{route}a.png?f=json&srcset=60")));
        assert_eq!(all["srcset"]["sizes"][0]["url"], format!("{route}a.png?blur=2&f=auto&w=60"));
    }
    assert_eq!(server.fills(), 2.0, "they do not share the answer");
    let unsaid = problem(&server, "/img/a.png?f=json&srcset=60&blur=0");
    assert_eq!(unsaid, (400, "bad-parameter".into(), "srcset".into()), "its URLs would be blurred by the default");
    assert_eq!(problem(&server, "/only/a.png?p=small").0, 400, "its URLs would be refused");
}

#[test]
fn urls_are_told_without_signatures() {
    let keys = signing::keys("required");
    let server = Server::start(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    server.folder.put("a.png", picture::gradient(300, 200));
    assert_eq!(server.get("/img/a.png?f=json").status, 403);
    assert_eq!(server.get("/img/a.png?f=json&srcset=auto").status, 403);
    let reply = server.get(&signed("/img/a.png?f=json&srcset=100", SECRET, None));
    let srcset = &facts(&reply)["srcset"];
    assert_eq!(srcset["signed"], false);
    assert!(!reply.text().contains("s=") || !reply.text().contains("kid="), "{}", reply.text());
    let url = srcset["sizes"][0]["url"].as_str().expect("a URL");
    assert_eq!(server.get(url).status, 403, "who may ask for facts may not ask for pictures");
    assert_eq!(server.get(&signed(url, SECRET, None)).status, 200, "{url}");
}

/// The example of `docs/info.md`, written anew with `TINTYPE_BLESS=1`.
#[test]
fn the_example_is_the_answer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Folder::new();
    folder.put("lighthouse.jpg", std::fs::read(root.join("samples/lighthouse.jpg")).expect("a sample"));
    let server = Server::over(folder, &[]);
    let answer = server.get("/img/lighthouse.jpg?f=json&srcset=320,640");
    facts(&answer);
    let page = root.join("docs/info.md");
    let text = std::fs::read_to_string(&page).expect("the page");
    let (before, rest) = text.split_once("```json\n").expect("an example");
    let (example, after) = rest.split_once("```").expect("its end");
    if std::env::var_os("TINTYPE_BLESS").is_some() {
        std::fs::write(&page, format!("{before}```json\n{}```{after}", answer.text())).expect("written");
    } else {
        assert_eq!(example, answer.text(), "TINTYPE_BLESS=1 writes it anew");
    }
    // Every field of the example is explained.
    let mut names = Vec::new();
    collect(&serde_json::from_slice(&answer.body).expect("JSON"), &mut names);
    for name in names.iter().filter(|name| !before.contains(&format!("`{name}`"))) {
        assert!(after.contains(&format!("`{name}`")), "{name} is explained nowhere");
    }
}

/// Names of fields, but for those that a file brings itself.
fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                names.push(name.clone());
                if !["exif", "iptc", "xmp"].contains(&name.as_str()) {
                    collect(value, names);
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

/// Every so many valid files of the corpus: all of them take minutes without optimisation.
const STEP: usize = 7;

#[test]
fn files_of_the_corpus_are_told_of_rightly() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let corpora = std::env::var_os("TINTYPE_SHARED").map_or_else(beside, PathBuf::from).join("corpora");
    let Ok(manifest) = std::fs::read(corpora.join("manifest.json")) else {
        println!("skipped: {} is not there", corpora.display());
        return;
    };
    let items: Vec<Value> = serde_json::from_slice(&manifest).expect("JSON");
    let server = Server::start(&[&format!("origins.0.root={}", corpora.display())]);
    let valid =
        items.iter().filter(|item| item["expected"]["verdict"] == "valid" && item["expected"]["disputed"] != true);
    let (mut short, mut seen) = (Vec::new(), 0);
    // Twelve megapixels and more: a few are enough.
    for item in valid.filter(|item| item["bytes"].as_u64() < Some(1 << 20)).step_by(STEP) {
        let file = item["file"].as_str().expect("a name");
        let path: String = file
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect();
        let reply = server.get(&format!("/img/{path}?f=json"));
        if reply.status == 415 {
            continue;
        }
        seen += 1;
        if reply.status != 200 {
            short.push(format!("{file}: {} {}", reply.status, reply.text()));
            continue;
        }
        let original = facts(&reply)["original"].clone();
        let expected = &item["expected"];
        let size = json!([original["width"], original["height"]]);
        let frames = ["GIF", "WEBP"].contains(&expected["format"].as_str().unwrap_or_default());
        if expected["upright_size"].is_array() && expected["upright_size"] != size {
            short.push(format!("{file}: {size}, not {}", expected["upright_size"]));
        }
        if frames && expected["frames"] != original["frames"] {
            short.push(format!("{file}: {} frames, not {}", original["frames"], expected["frames"]));
        }
    }
    assert!(short.is_empty(), "{short:#?}");
    assert!(seen > 50, "{seen} files");
}
