//! Which of the page's modules may import which.
//!
//! What a module imports is what its `use` items and its other paths name, tests left out. Paths
//! within macros are not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use syn::visit::{self, Visit};
use syn::{File, ItemMod, ItemUse, UseTree, Visibility};

use super::Finding;

/// The folder of the sources whose modules are checked.
pub(super) const FOLDER: &str = "web/page/src/";

/// Modules below `inside` import nothing of what is below `outside`.
struct Wall {
    inside: &'static str,
    outside: &'static str,
    reason: &'static str,
}

const WALLS: &[Wall] = &[Wall {
    inside: "store",
    outside: "screens",
    reason: "the store holds the state: views import it, and it imports no view",
}];

/// What each module imports, by their paths from the crate's root, which itself is left out.
#[derive(Default)]
pub(super) struct Modules {
    files: BTreeMap<String, File>,
}

impl Modules {
    /// Reads a file of [`FOLDER`].
    pub(super) fn read(&mut self, root: &Path, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(root.join(path));
        let text = text.with_context(|| path.display().to_string())?;
        self.add(path, &text)
    }

    fn add(&mut self, path: &Path, text: &str) -> Result<()> {
        let file = syn::parse_file(text).with_context(|| path.display().to_string())?;
        if let Some(name) = name_of(path) {
            self.files.insert(name, file);
        }
        Ok(())
    }

    /// The rules that the modules' imports break.
    pub(super) fn check(&self) -> Vec<Finding> {
        let imports = self.imports();
        let mut findings = broken_walls(&imports);
        findings.extend(circle(&imports).map(|circle| Finding {
            place: FOLDER.to_owned(),
            message: format!(
                "modules import each other in a circle, so none is read without the others: {}",
                circle.join(" -> ")
            ),
        }));
        findings
    }

    /// The modules that each module imports.
    fn imports(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let of = |(name, file): (&'_ String, &'_ File)| {
            let mut paths = Paths::default();
            paths.visit_file(file);
            let imported = paths.found.iter();
            let imported = imported.filter_map(|path| self.module_of(name, path));
            imported.filter(|other| other != name).collect()
        };
        let names = self.files.keys().map(String::as_str);
        names.zip(self.files.iter().map(of)).collect()
    }

    /// The module that holds what `path` names in the module `here`; none for another crate's.
    fn module_of(&self, here: &str, path: &[String]) -> Option<&str> {
        let mut at: Vec<&str> = here.split("::").collect();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => at.clear(),
            "self" | "super" => {}
            // A module of this file.
            child if self.files.contains_key(&format!("{here}::{child}")) => {}
            _ => return None,
        }
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                name => {
                    at.push(name);
                    if !self.files.contains_key(&at.join("::")) {
                        at.pop();
                        break;
                    }
                }
            }
            rest = others;
        }
        let (name, _) = self.files.get_key_value(&at.join("::"))?;
        Some(name)
    }
}

/// `screens::side` of `web/page/src/screens/side.rs`; none for the crate's root and for programs.
fn name_of(path: &Path) -> Option<String> {
    let path = path.strip_prefix(FOLDER).ok()?.with_extension("");
    let name = path.to_str()?.replace('/', "::");
    (name != "lib" && !name.starts_with("bin::")).then_some(name)
}

fn broken_walls(imports: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<Finding> {
    let pairs = imports.iter();
    let pairs = pairs.flat_map(|(name, others)| others.iter().map(move |other| (*name, *other)));
    let broken = pairs.filter_map(|(name, other)| {
        let wall = WALLS.iter().find(|wall| wall.is_broken_by(name, other))?;
        Some(Finding {
            place: format!("{FOLDER}{}.rs", name.replace("::", "/")),
            message: format!("{name} imports {other}: {}", wall.reason),
        })
    });
    broken.collect()
}

impl Wall {
    fn is_broken_by(&self, name: &str, other: &str) -> bool {
        is_in(name, self.inside) && is_in(other, self.outside)
    }
}

fn is_in(name: &str, module: &str) -> bool {
    let rest = name.strip_prefix(module);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Modules of which each imports the next, and the last the first, which is named again.
fn circle<'a>(imports: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Option<Vec<&'a str>> {
    let mut left = imports.clone();
    // What imports nothing that is left is in no circle.
    loop {
        let names: BTreeSet<&str> = left.keys().copied().collect();
        left.retain(|_, others| !others.is_disjoint(&names));
        if left.len() == names.len() {
            break;
        }
    }
    let mut walked = vec![*left.keys().next()?];
    loop {
        let others = left.get(walked.last()?)?;
        let next = *others.iter().find(|other| left.contains_key(*other))?;
        let start = walked.iter().position(|name| *name == next);
        walked.push(next);
        if let Some(start) = start {
            return Some(walked.split_off(start));
        }
    }
}

/// The paths that a file names.
#[derive(Default)]
struct Paths {
    found: Vec<Vec<String>>,
}

impl Paths {
    fn add_tree(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(of) => {
                path.push(of.ident.to_string());
                self.add_tree(&of.tree, path);
            }
            UseTree::Name(name) => self.add(path, name.ident.to_string()),
            UseTree::Rename(name) => self.add(path, name.ident.to_string()),
            UseTree::Glob(_) => self.found.push(path),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(tree, path.clone());
                }
            }
        }
    }

    fn add(&mut self, mut path: Vec<String>, name: String) {
        path.push(name);
        self.found.push(path);
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|part| part.ident.to_string());
        self.found.push(names.collect());
        visit::visit_path(self, path);
    }

    /// Modules within a file are its tests.
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    /// `pub(in crate::page)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

#[cfg(test)]
mod tests {
    use super::{FOLDER, Modules};
    use std::path::Path;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let mut modules = Modules::default();
        for (path, text) in files {
            let path = format!("{FOLDER}{path}");
            modules.add(Path::new(&path), text).expect("it is Rust");
        }
        let findings = modules.check();
        findings.into_iter().map(|it| it.message).collect()
    }

    #[test]
    fn a_circle_is_told_from_its_first_module_to_its_first_again() {
        let found = findings(&[
            ("lib.rs", "mod a; mod d;"),
            ("d.rs", "use crate::a::A;"),
            ("a.rs", "mod b; pub use b::B;"),
            ("a/b.rs", "use super::c::{self, C};"),
            ("a/c.rs", "fn f() { crate::a::g(); }"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with(": a -> a::b -> a::c -> a"), "{found:?}");
    }

    #[test]
    fn tests_and_visibility_import_nothing() {
        let found = findings(&[
            ("a.rs", "mod b; pub use b::B;"),
            (
                "a/b.rs",
                "pub(in crate::a) struct B; mod tests { use super::super::C; }",
            ),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn the_store_imports_no_view() {
        let files = |import| {
            [
                ("browser.rs", ""),
                ("screens.rs", ""),
                ("screens/side.rs", "use crate::store::state::State;"),
                ("store.rs", ""),
                ("store/state.rs", "use crate::browser; use super::ask::Ask;"),
                ("store/ask.rs", import),
            ]
        };
        assert!(findings(&files("use ckptscope_plot::Theme;")).is_empty());
        let found = findings(&files("use crate::{screens::side, store};"));
        assert!(
            found
                .iter()
                .any(|it| it.starts_with("store::ask imports screens::side:"))
        );
    }
}
