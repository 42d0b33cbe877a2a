//! Names with hashes for the files of the built page, so that a cached file never meets files of
//! another build.
//!
//! Every file beside `index.html` gets a hash of its content into its name, and into every mention
//! of it. Files that mention each other share a hash.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The files of a folder by name.
type Files = BTreeMap<String, Vec<u8>>;

/// The page itself, which keeps its name.
const ENTRY: &str = "index.html";

/// What keeps the page for a visit without a network. It keeps its name, too, by which browsers know
/// it, and lists the names of all other files.
const KEEPER: &str = "service_worker.js";
const EMPTY_LIST: &str = "const FILES = [];";

/// Renames the files beside `index.html` to `NAME-HASH.EXTENSION`, and every mention of them.
/// Folders (the demo run) keep their names.
///
/// # Errors
/// When a file cannot be read or written.
pub fn rename(dist: &Path) -> Result<()> {
    let mut files = files(dist)?;
    let keeper = files.remove(KEEPER);
    for name in files.keys() {
        fs::remove_file(dist.join(name)).with_context(|| name.clone())?;
    }
    let mut hashed = hashed(files);
    if let Some(keeper) = keeper {
        let keeper = with_list(&String::from_utf8_lossy(&keeper), &hashed)?;
        hashed.insert(KEEPER.to_owned(), keeper.into_bytes());
    }
    for (name, content) in hashed {
        let path = dist.join(name);
        fs::write(&path, content).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The keeper with the names of all files but the page itself. Where that has changed, so has the
/// hash of a file that it names, or the page is the only one that has: a hash of it goes along.
fn with_list(keeper: &str, files: &Files) -> Result<String> {
    ensure!(
        keeper.contains(EMPTY_LIST),
        "{KEEPER} has no list to be written: {EMPTY_LIST}"
    );
    let names = files.keys().filter(|name| *name != ENTRY);
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    let page = files.get(ENTRY).map(Vec::as_slice).unwrap_or_default();
    let list = format!(
        "const FILES = [{}]; // {}",
        names.join(", "),
        with_hash(ENTRY, page)
    );
    Ok(keeper.replacen(EMPTY_LIST, &list, 1))
}

/// The files under their new names. Files are named after what they mention has been, so their
/// hash covers what they load; files that mention each other share one.
fn hashed(mut files: Files) -> Files {
    let mut done = Files::new();
    while let Some(group) = next_group(&files) {
        let parts: Vec<&[u8]> = group.iter().map(|name| files[name].as_slice()).collect();
        let together = parts.concat();
        let names: Vec<(String, String)> = group
            .into_iter()
            .map(|name| match name.as_str() {
                ENTRY => (name.clone(), name),
                _ => (name.clone(), with_hash(&name, &together)),
            })
            .collect();
        for (name, new_name) in &names {
            for content in files.values_mut() {
                *content = renamed(content, name, new_name);
            }
        }
        for (name, new_name) in names {
            done.insert(new_name, files.remove(&name).unwrap_or_default());
        }
    }
    done
}

/// Files that mention each other, and no other file; one alone, where it mentions none.
fn next_group(files: &Files) -> Option<BTreeSet<String>> {
    let groups = files.keys().map(|name| {
        let mut group = BTreeSet::from([name.clone()]);
        let mut last = vec![name.clone()];
        while let Some(name) = last.pop() {
            let mentioned = files.keys().filter(|other| mentions(files, &name, other));
            last.extend(
                mentioned
                    .filter(|other| group.insert((*other).clone()))
                    .cloned(),
            );
        }
        group
    });
    groups.min_by_key(BTreeSet::len)
}

/// The files of a folder, not of the folders in it.
fn files(folder: &Path) -> Result<Files> {
    let mut found = Files::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            found.insert(name.into_owned(), fs::read(&path)?);
        }
    }
    Ok(found)
}

fn mentions(files: &Files, name: &str, other: &str) -> bool {
    renamed(&files[name], other, "") != files[name]
}

/// `style.css` becomes `style-0123456789abcdef.css`.
fn with_hash(name: &str, content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    let hash = hasher.finish();
    match name.split_once('.') {
        Some((stem, extension)) => format!("{stem}-{hash:016x}.{extension}"),
        None => format!("{name}-{hash:016x}"),
    }
}

/// The text with another name for a file wherever its name stands in quotes, `./` before it or
/// not. Before a colon it is the key of an object, by which a program knows its imports, and stays.
/// What is not text mentions nothing.
fn renamed(content: &[u8], from: &str, to: &str) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(content) else {
        return content.to_vec();
    };
    let mut text = text.to_owned();
    for quote in ['"', '\''] {
        for folder in ["", "./"] {
            let old = format!("{quote}{folder}{from}{quote}");
            let new = format!("{quote}{folder}{to}{quote}");
            let mut parts = text.split(&old);
            let mut replaced = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                replaced += if part.starts_with(':') { &old } else { &new };
                replaced += part;
            }
            text = replaced;
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{EMPTY_LIST, Files, KEEPER, hashed, rename, renamed, with_hash};

    fn built(wasm: &str) -> Files {
        let files = [
            ("index.html", "<script src=\"./boot.js\">"),
            ("boot.js", "import init from './app.js'"),
            ("app.js", "new URL('app_bg.wasm', import.meta.url)"),
            ("app_bg.wasm", wasm),
        ];
        files
            .map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec()))
            .into()
    }

    #[test]
    fn a_change_of_a_file_renames_all_that_lead_to_it() {
        let (one, two) = (hashed(built("1")), hashed(built("2")));
        let mut kept = one.keys().filter(|name| two.contains_key(*name));
        assert_eq!(kept.next().map(String::as_str), Some("index.html"));
        assert_eq!((kept.next(), one.len()), (None, 4));
        for files in [one, two] {
            let page = String::from_utf8_lossy(&files["index.html"]).into_owned();
            let boot = files.keys().find(|name| name.starts_with("boot-")).unwrap();
            assert_eq!(page, format!("<script src=\"./{boot}\">"));
        }
    }

    #[test]
    fn the_keeper_lists_every_file_and_changes_with_each() {
        let keeper = |page: &str, wasm: &str| {
            let dist = tempfile::tempdir().unwrap();
            let mut files = built(wasm);
            files.insert("index.html".to_owned(), page.as_bytes().to_vec());
            files.insert(KEEPER.to_owned(), EMPTY_LIST.as_bytes().to_vec());
            for (name, content) in &files {
                std::fs::write(dist.path().join(name), content).unwrap();
            }
            rename(dist.path()).unwrap();
            let keeper = std::fs::read_to_string(dist.path().join(KEEPER)).unwrap();
            for entry in std::fs::read_dir(dist.path()).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let is_listed = keeper.contains(&format!("\"{name}\""));
                assert_eq!(
                    is_listed,
                    !["index.html", KEEPER].contains(&&*name),
                    "{name}"
                );
            }
            keeper
        };
        let first = keeper("<p>1", "1");
        assert_ne!(first, keeper("<p>2", "1"));
        assert_ne!(first, keeper("<p>1", "2"));
        assert_eq!(first, keeper("<p>1", "1"));
    }

    #[test]
    fn files_that_mention_each_other_share_a_hash() {
        let built_with = |parts: &str| {
            let mut files = built("1");
            files.insert("app.js".to_owned(), b"import './parts.js'".to_vec());
            files.insert("parts.js".to_owned(), parts.as_bytes().to_vec());
            hashed(files)
        };
        let files = built_with("import './app.js'");
        let starting_with = |start: &str| files.keys().find(|name| name.starts_with(start));
        let (app, parts) = (starting_with("app-"), starting_with("parts-"));
        let (app, parts) = (app.unwrap(), parts.unwrap());
        assert_eq!(app.strip_prefix("app-"), parts.strip_prefix("parts-"));
        assert_eq!(files[app], format!("import './{parts}'").into_bytes());
        assert_eq!(files[parts], format!("import './{app}'").into_bytes());
        let others = built_with("import './app.js' // changed");
        assert!(!others.contains_key(app));
    }

    #[test]
    fn a_name_in_quotes_is_a_mention() {
        let text = br#"import a from "./app.js"; new URL('app.js', base); "xapp.js"; // app.js"#;
        let expected = br#"import a from "./b.js"; new URL('b.js', base); "xapp.js"; // app.js"#;
        assert_eq!(renamed(text, "app.js", "b.js"), expected);
        let keys = br#"import * as a from "./app.js"; ({"./app.js": a})"#;
        let expected = br#"import * as a from "./b.js"; ({"./app.js": a})"#;
        assert_eq!(renamed(keys, "app.js", "b.js"), expected);
    }

    #[test]
    fn the_name_follows_the_content() {
        let name = with_hash("style.css", b"a");
        assert!(
            name.starts_with("style-") && name.ends_with(".css"),
            "{name}"
        );
        assert_eq!(name.len(), "style-.css".len() + 16);
        assert_ne!(name, with_hash("style.css", b"b"));
    }
}
