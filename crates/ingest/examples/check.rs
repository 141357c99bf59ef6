//! Holds store and catalog against each other: `check DATA [LOG…]`. The logs are what `drive` said; what was acknowledged has to
//! be there.

use catalog::config::CatalogConfig;
use std::collections::BTreeMap;
use std::path::Path;

#[tokio::main]
async fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let data = arguments.next().ok_or("check DATA [LOG…]")?;
    let data = Path::new(&data);
    let sets = [format!("sqlite.path={}", data.join("catalog.db").display())];
    let of = service::config::load::<CatalogConfig>(None, [], &sets).map_err(|error| error.to_string())?.config;
    let catalog = catalog::open(&of, &aws::Aws::new()).await.map_err(|error| error.to_string())?;
    let store = store::FolderStore::open(&data.join("store")).map_err(|error| error.to_string())?;
    let findings = ingest::checker::check(&*catalog, &store).await?;
    println!("{findings}");
    let tenant = "main".parse().map_err(|_| "a tenant")?;
    let mut lost = Vec::new();
    for (path, allowed) in allowed(arguments)? {
        let path = path.parse().map_err(|_| "a path")?;
        let there = catalog.find(&tenant, &path).await.map_err(|error| error.to_string())?;
        let there = there.map_or_else(|| "-".to_owned(), |asset| asset.content.hash.to_string());
        if !allowed.contains(&there) {
            lost.push(format!("{path} is {there}, and not one of {allowed:?}"));
        }
    }
    if findings.is_sound() && lost.is_empty() { Ok(()) } else { Err(lost.join("\n")) }
}

/// By path, what it may be: what was acknowledged last, or what was begun after that. `-` is nothing.
fn allowed(logs: impl Iterator<Item = String>) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for log in logs {
        let text = std::fs::read_to_string(&log).map_err(|error| format!("{log}: {error}"))?;
        for line in text.lines() {
            let mut words = line.split(' ');
            let (Some(what), Some(how), Some(path)) = (words.next(), words.next(), words.next()) else { continue };
            let becomes = if how == "delete" { "-".to_owned() } else { words.next().unwrap_or_default().to_owned() };
            let of = all.entry(path.to_owned()).or_insert_with(|| vec!["-".to_owned()]);
            if what == "done" {
                of.clear();
            }
            of.push(becomes);
        }
    }
    Ok(all)
}
