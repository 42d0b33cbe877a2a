//! Public types whose name another public type has.
//!
//! Types that macros make are not seen.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use syn::{Attribute, File, Ident, Item, Visibility};

use super::Finding;

/// Names that several public types have, and why they may.
const SHARED: &[(&str, &str)] = &[
    (
        "Cache",
        "what a machine keeps of the hub, and what a browser does: a build has one of the two",
    ),
    (
        "Series",
        "plot draws lines of anything, and names them as charts do; those of results say what they are of",
    ),
    (
        "Status",
        "results keep a code and words, from whatever version; a metric's says what it is about",
    ),
    ("Value", "of YAML, in the module `yaml`; and of a series"),
];

/// Knows no crate of ours, and names what W&B has as W&B does.
const ON_ITS_OWN: &str = "crates/wandb/";

/// Where public types are, by their names.
#[derive(Default)]
pub(super) struct Names {
    places: BTreeMap<String, Vec<String>>,
}

impl Names {
    /// Reads a source file of a crate; tests and others are passed over.
    pub(super) fn read(&mut self, root: &Path, path: &Path) -> Result<()> {
        let place = path.display().to_string();
        let is_source = ["crates/", "web/"].iter().any(|it| place.starts_with(it));
        if !is_source || !place.contains("/src/") || place.starts_with(ON_ITS_OWN) {
            return Ok(());
        }
        let text = std::fs::read_to_string(root.join(path));
        self.add(&place, &text.with_context(|| place.clone())?)
    }

    fn add(&mut self, place: &str, text: &str) -> Result<()> {
        let File { items, .. } = syn::parse_file(text).with_context(|| place.to_owned())?;
        self.add_items(place, &items);
        Ok(())
    }

    fn add_items(&mut self, place: &str, items: &[Item]) {
        for item in items {
            if let Item::Mod(module) = item
                && !is_test(&module.attrs)
                && let Some((_, items)) = &module.content
            {
                self.add_items(place, items);
            }
            if let Some((Visibility::Public(_), name)) = type_of(item) {
                let places = self.places.entry(name.to_string()).or_default();
                places.push(place.to_owned());
            }
        }
    }

    /// The names that several types have without a reason, and reasons that nothing needs.
    pub(super) fn check(&self) -> Vec<Finding> {
        let is_shared = |name: &str| SHARED.iter().any(|(shared, _)| *shared == name);
        let several = self.places.iter().filter(|(_, places)| places.len() > 1);
        let repeated = several
            .filter(|(name, _)| !is_shared(name))
            .map(|(name, places)| Finding {
                place: places.join(", "),
                message: format!(
                    "several public types are called {name}: whoever meets it has to ask which; \
                     rename one, or say in tidy/names.rs why they may"
                ),
            });
        let is_needed = |name: &str| self.places.get(name).is_some_and(|all| all.len() > 1);
        let idle = SHARED
            .iter()
            .filter(|(name, _)| !is_needed(name))
            .map(|(name, _)| Finding {
                place: "crates/xtask/src/tidy/names.rs".to_owned(),
                message: format!("no two public types are called {name}: take its reason out"),
            });
        repeated.chain(idle).collect()
    }
}

/// The visibility and name of a type.
const fn type_of(item: &Item) -> Option<(&Visibility, &Ident)> {
    match item {
        Item::Struct(it) => Some((&it.vis, &it.ident)),
        Item::Enum(it) => Some((&it.vis, &it.ident)),
        Item::Trait(it) => Some((&it.vis, &it.ident)),
        Item::Type(it) => Some((&it.vis, &it.ident)),
        Item::Union(it) => Some((&it.vis, &it.ident)),
        _ => None,
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        list.is_ok_and(|list| list.path.is_ident("cfg") && list.tokens.to_string() == "test")
    })
}

#[cfg(test)]
mod tests {
    use super::Names;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let mut names = Names::default();
        for (place, text) in files {
            names.add(place, text).expect("it is Rust");
        }
        let findings = names.check().into_iter();
        let repeated = findings.filter(|it| it.message.starts_with("several"));
        repeated.map(|it| it.place).collect()
    }

    #[test]
    fn two_public_types_of_one_name_are_found() {
        let files = [
            ("a.rs", "pub struct One; pub enum Two {}"),
            ("b.rs", "mod inner { pub trait One {} } struct Two;"),
        ];
        assert_eq!(found(&files), ["a.rs, b.rs"]);
    }

    #[test]
    fn types_of_tests_and_of_a_crate_alone_are_not() {
        let files = [
            ("a.rs", "pub struct One;"),
            (
                "b.rs",
                "#[cfg(test)] mod tests { pub struct One; } pub(crate) struct One;",
            ),
        ];
        assert!(found(&files).is_empty());
    }

    #[test]
    fn a_reason_lets_them_be() {
        let files = [
            ("a.rs", "pub struct Series;"),
            ("b.rs", "pub struct Series;"),
        ];
        assert!(found(&files).is_empty());
    }
}
