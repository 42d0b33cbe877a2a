//! `index.html` and the files that it names. It names them in trunk's attributes, so that plain
//! `trunk build` makes a page as well; of those attributes this knows the few that stand there.
//!
//! Where trunk is installed, its build leaves the names alone and the program in one piece. It
//! writes no script of its own then: `Trunk.toml` says what trunk writes instead.
//!
//! `index.html` states its Content-Security-Policy: no inline script, and nothing evaluated from
//! text but WebAssembly. Data may come from any `https:` or `http:` address, because a person may
//! give any as a run's. A host may send the same policy as a header, which then binds the web
//! worker too.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Begins an element that stands for files.
const ELEMENT: &str = "<link data-trunk ";

/// What the page has in place of the element that names its program: the program's script, and what
/// a browser fetches while it reads that.
const PROGRAM: &str = "<link rel=\"modulepreload\" href=\"./app.js\">\
    <link rel=\"preload\" href=\"./app_bg.wasm\" as=\"fetch\" type=\"application/wasm\" crossorigin>\n    \
    <script type=\"module\" src=\"./app_boot.js\"></script>";

/// Writes the page and the files that it names, but its program, into a folder that is made anew.
pub(crate) fn write(root: &Path, dist: &Path) -> Result<()> {
    let path = root.join("index.html");
    let source = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    if dist.exists() {
        fs::remove_dir_all(dist).with_context(|| dist.display().to_string())?;
    }
    fs::create_dir_all(dist).with_context(|| dist.display().to_string())?;
    let mut page = String::new();
    for line in source.lines() {
        match line.trim_start().strip_prefix(ELEMENT) {
            None => page += &format!("{line}\n"),
            Some(attributes) => {
                let element = Element { attributes };
                let written = element.write(root, dist);
                let written = written.with_context(|| format!("index.html: {}", line.trim()))?;
                page += &written.map_or_else(String::new, |written| format!("    {written}\n"));
            }
        }
    }
    let path = dist.join("index.html");
    fs::write(&path, page).with_context(|| path.display().to_string())
}

/// An element that stands for files.
struct Element<'a> {
    attributes: &'a str,
}

impl Element<'_> {
    /// Writes its files; what stands in its place in the page.
    fn write(&self, root: &Path, dist: &Path) -> Result<Option<String>> {
        let source = root.join(self.value("href").context("it has no href")?);
        match self.value("rel") {
            Some("rust") => Ok(Some(PROGRAM.to_owned())),
            Some("css") => {
                let name = copy_into(&source, dist)?;
                Ok(Some(format!("<link rel=\"stylesheet\" href=\"./{name}\">")))
            }
            Some("copy-file") => {
                copy_into(&source, &self.target(dist))?;
                Ok(None)
            }
            Some("copy-dir") => {
                copy_folder(&source, &self.target(dist))?;
                Ok(None)
            }
            _ => bail!("its rel is none of rust, css, copy-file and copy-dir"),
        }
    }

    fn target(&self, dist: &Path) -> PathBuf {
        dist.join(self.value("data-target-path").unwrap_or_default())
    }

    fn value(&self, name: &str) -> Option<&str> {
        let start = format!("{name}=\"");
        let mut attributes = self.attributes.split_inclusive("\" ");
        let value = attributes.find_map(|attribute| attribute.strip_prefix(&start))?;
        value.split('"').next()
    }
}

/// Copies a file into a folder; its name.
fn copy_into(source: &Path, folder: &Path) -> Result<String> {
    let name = source.file_name().unwrap_or_default();
    fs::create_dir_all(folder)?;
    fs::copy(source, folder.join(name)).with_context(|| source.display().to_string())?;
    Ok(name.to_string_lossy().into_owned())
}

fn copy_folder(source: &Path, target: &Path) -> Result<()> {
    let entries = fs::read_dir(source).with_context(|| source.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            copy_folder(&path, &target.join(path.file_name().unwrap_or_default()))?;
        } else {
            copy_into(&path, target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PROGRAM, write};
    use std::fs;

    /// The page made of an element, and the folder with its files; none where it is refused.
    fn page_of(element: &str) -> Option<(String, tempfile::TempDir)> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("a/b/c")).unwrap();
        for file in ["a/one.css", "a/b/two.txt", "a/b/c/three.txt"] {
            fs::write(root.join(file), file).unwrap();
        }
        fs::write(root.join("index.html"), format!("<head>\n  {element}\n")).unwrap();
        write(root, &root.join("dist")).ok()?;
        let page = fs::read_to_string(root.join("dist/index.html")).unwrap();
        Some((page, folder))
    }

    #[test]
    fn files_are_where_the_page_says() {
        let (page, folder) = page_of(r#"<link data-trunk rel="css" href="a/one.css">"#).unwrap();
        let element = r#"<link rel="stylesheet" href="./one.css">"#;
        assert_eq!(page, format!("<head>\n    {element}\n"));
        assert!(folder.path().join("dist/one.css").is_file());
        let element = r#"<link data-trunk rel="copy-dir" href="a/b" data-target-path="d/e">"#;
        let (page, folder) = page_of(element).unwrap();
        assert_eq!(page, "<head>\n");
        for file in ["two.txt", "c/three.txt"] {
            assert!(folder.path().join("dist/d/e").join(file).is_file());
        }
        let element = r#"<link data-trunk rel="rust" href="web/Cargo.toml" data-bin="app">"#;
        assert_eq!(
            page_of(element).unwrap().0,
            format!("<head>\n    {PROGRAM}\n")
        );
    }

    #[test]
    fn what_is_unknown_or_missing_is_refused() {
        assert!(page_of(r#"<link data-trunk rel="sass" href="a/one.css">"#).is_none());
        assert!(page_of(r#"<link data-trunk rel="css" href="a/two.css">"#).is_none());
        assert!(page_of(r#"<link data-trunk rel="css">"#).is_none());
    }
}
