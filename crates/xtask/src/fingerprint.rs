//! Names with hashes for the files of the built page, so that a cached file never meets files of
//! another build.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The files of a folder by name.
type Files = BTreeMap<String, Vec<u8>>;

/// The page itself, which keeps its name.
const ENTRY: &str = "index.html";

/// Renames the files beside `index.html` to `NAME-HASH.EXTENSION`, and every mention of them.
/// Folders (the demo run) keep their names.
pub(crate) fn rename(dist: &Path) -> Result<()> {
    let files = files(dist)?;
    for name in files.keys() {
        fs::remove_file(dist.join(name)).with_context(|| name.clone())?;
    }
    for (name, content) in hashed(files)? {
        let path = dist.join(name);
        fs::write(&path, content).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The files under their new names. A file is named after what it mentions has been, so its hash
/// covers what it loads.
fn hashed(mut waiting: Files) -> Result<Files> {
    let mut done = Files::new();
    while !waiting.is_empty() {
        let next = waiting.keys().find(|name| mentions_none(&waiting, name));
        let Some(name) = next.cloned() else {
            let names: Vec<_> = waiting.into_keys().collect();
            bail!("these files mention each other: {}", names.join(", "));
        };
        let content = waiting.remove(&name).unwrap_or_default();
        if name == ENTRY {
            done.insert(name, content);
            continue;
        }
        let new_name = with_hash(&name, &content);
        for other in waiting.values_mut() {
            *other = renamed(other, &name, &new_name);
        }
        done.insert(new_name, content);
    }
    Ok(done)
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

fn mentions_none(files: &Files, name: &str) -> bool {
    let mut others = files.keys().filter(|other| *other != name);
    others.all(|other| renamed(&files[name], other, "") == files[name])
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

/// The text with another name for a file wherever its name stands in quotes, `./` before it or not.
/// What is not text mentions nothing.
fn renamed(content: &[u8], from: &str, to: &str) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(content) else {
        return content.to_vec();
    };
    let mut text = text.to_owned();
    for quote in ['"', '\''] {
        for folder in ["", "./"] {
            let old = format!("{quote}{folder}{from}{quote}");
            text = text.replace(&old, &format!("{quote}{folder}{to}{quote}"));
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Files, hashed, renamed, with_hash};

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
        let (one, two) = (hashed(built("1")).unwrap(), hashed(built("2")).unwrap());
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
    fn files_that_mention_each_other_are_refused() {
        let mut files = built("1");
        files.insert("app.js".to_owned(), b"import './boot.js'".to_vec());
        assert!(hashed(files).is_err());
    }

    #[test]
    fn a_name_in_quotes_is_a_mention() {
        let text = br#"import a from "./app.js"; new URL('app.js', base); "xapp.js"; // app.js"#;
        let expected = br#"import a from "./b.js"; new URL('b.js', base); "xapp.js"; // app.js"#;
        assert_eq!(renamed(text, "app.js", "b.js"), expected);
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
