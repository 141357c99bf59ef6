//! Marks over pictures, from the configuration to the bytes: who may be named, what a change of a mark does, what is
//! wrong at start.

use crate::server::{Server, cache, sets};
use prometheus_client::registry::Registry;
use testkit::{Folder, picture};
use tintype::app::App;
use tintype::config::Config;
use tintype::server::Clock;

fn marks(folder: &Folder) -> [String; 2] {
    let file = folder.root().join("marks/logo.png").display().to_string();
    ["watermarks.0.name=logo".to_owned(), format!("watermarks.0.file={file}")]
}

fn server(mark: &[u8]) -> Server {
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(300, 200)).put("marks/logo.png", mark);
    let marks = marks(&folder);
    Server::over(folder, &marks.each_ref().map(String::as_str))
}

#[test]
fn a_mark_is_laid_over_and_part_of_the_key() {
    let red = server(&picture::alpha(40, 20));
    let (plain, marked) = (red.get("/img/a.png?w=60"), red.get("/img/a.png?w=60&wm=logo:se:4:4:0.5"));
    assert_eq!((marked.status, picture::png_size(&marked.body)), (200, Some((60, 40))), "{}", marked.text());
    assert_ne!(marked.body, plain.body);
    let same = red.get("/img/a.png?wm=logo:southeast:4:4:0.50&w=60");
    assert_eq!((cache(&same).as_str(), &same.body), ("tintype; hit; detail=memory", &marked.body));
    let tiled = red.get("/img/a.png?w=60&wm=logo:se:4:4:0.5&wm-tile=1");
    assert_eq!(tiled.status, 200);
    assert_ne!(tiled.body, marked.body);
    // The same name with another picture behind it is another rendition.
    let blue = server(&picture::gradient(40, 20));
    assert_eq!(blue.get("/img/a.png?w=60").field("etag"), plain.field("etag"));
    assert_ne!(blue.get("/img/a.png?w=60&wm=logo:se:4:4:0.5").field("etag"), marked.field("etag"));
}

#[test]
fn a_name_that_is_not_configured_is_the_asker_s_fault() {
    let server = server(&picture::alpha(40, 20));
    for query in ["wm=other", "w=10&then=wm=other"] {
        let reply = server.get(&format!("/img/a.png?{query}"));
        let document: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert_eq!((reply.status, &document["parameter"], &document["value"]), (400, &"wm".into(), &"other".into()));
        assert!(!reply.text().contains("logo"), "which names there are is not told");
    }
    for query in ["wm=logo:smart", "wm=logo:face", "wm=logo:se:1", "wm=logo:c:0:0:2", "wm=logo:c:0:0:1:1:1", "wm=a/b"] {
        assert_eq!(server.get(&format!("/img/a.png?{query}")).status, 400, "{query}");
    }
    assert_eq!(server.fills(), 0.0, "nothing was read for it");
}

#[test]
fn a_server_does_not_start_without_its_marks() {
    let folder = Folder::new();
    folder.put("bad.png", "no picture").put("large.png", picture::promise(5_000, 10));
    let file = |name: &str| folder.root().join(name).display().to_string();
    let config = |more: &[String]| {
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        service::config::load::<Config>(None, [], &sets(&folder, &more)).map(|loaded| loaded.config)
    };
    let mark = |number: u32, name: &str, path: &str| {
        [format!("watermarks.{number}.name={name}"), format!("watermarks.{number}.file={}", file(path))]
    };
    let three = [mark(0, "gone", "gone.png"), mark(1, "bad", "bad.png"), mark(2, "large", "large.png")].concat();
    let built = App::build(&config(&three).expect("well written"), &mut Registry::default(), Clock::SYSTEM);
    let text = built.expect_err("no server");
    for part in
        ["watermarks: gone: cannot use", "gone.png", "bad: cannot use", "not a picture", "large: cannot use", "4096"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    let font = ["fonts.0.name=a".to_owned(), format!("fonts.0.file={}", file("bad.png"))];
    let text = App::build(&config(&font).expect("well written"), &mut Registry::default(), Clock::SYSTEM);
    assert!(text.expect_err("no server").contains("fonts: a: cannot use"));
    let twice = config(&[mark(0, "a", "bad.png"), mark(1, "a", "bad.png")].concat()).expect_err("two of one name");
    assert!(twice.to_string().contains("a name of its own"), "{twice}");
    let slash = config(&mark(0, "a/b", "bad.png")).expect_err("no name for a URL");
    assert!(slash.to_string().contains("watermarks.0.name"), "{slash}");
}

#[test]
fn text_is_written_in_the_fonts_that_are_there() {
    let server = server(&picture::alpha(40, 20));
    let get = |query: &str| server.get(&format!("/img/a.png?w=200&{query}"));
    let (plain, text) = (get("f=png"), get("f=png&text=Hello%20there"));
    assert_eq!((text.status, picture::png_size(&text.body)), (200, Some((200, 133))), "{}", text.text());
    assert_ne!(text.body, plain.body);
    let bold = get("f=png&text=Hello%20there&text-font=sans-bold");
    assert_ne!(bold.body, text.body);
    let both = get("f=png&text=a&text-color=f00&then=text=b;text-g=se;wm=logo:nw");
    assert_eq!(both.status, 200, "{}", both.text());
    let missing = get("text=a&text-font=serif");
    let document: serde_json::Value = serde_json::from_slice(&missing.body).expect("JSON");
    assert_eq!((missing.status, &document["parameter"]), (400, &"text-font".into()));
    for query in ["text=%07", "text-size=3", "text-g=face", "text-color=redd"] {
        assert_eq!(get(query).status, 400, "{query}");
    }
}
