//! The HTTP interface of `worker serve`, from the types that both sides are built with.

use std::fmt::Write as _;

use anyhow::Result;

use super::Sources;
use super::rust_docs::{Documented, docs_of, in_a_cell, types_of, without_links};

/// The files whose types are said over HTTP.
const FILES: &[&str] = &[
    "crates/protocol/src/service.rs",
    "crates/protocol/src/lane.rs",
    "crates/protocol/src/problem.rs",
    "crates/vocabulary/src/work.rs",
];

/// Types of those files that are not said over HTTP.
const OTHERS: &[&str] = &["Event", "LaneUpdate", "Crew"];

/// The page.
pub(super) fn page(sources: &Sources) -> Result<String> {
    let mut page = "# HTTP API of `worker serve`\n\n".to_owned();
    for (index, path) in FILES.iter().enumerate() {
        let file = sources.source(path)?;
        if index == 0 {
            page += &without_links(&docs_of(&file.attrs));
            page.push('\n');
        }
        for documented in types_of(&file) {
            if !OTHERS.contains(&documented.name.as_str()) {
                write_type(&mut page, &documented)?;
            }
        }
    }
    Ok(page)
}

fn write_type(page: &mut String, documented: &Documented) -> Result<()> {
    let Documented { name, docs, .. } = documented;
    writeln!(page, "\n## {name}\n\n{}\n", without_links(docs))?;
    let what = if documented.is_choice {
        "one of"
    } else {
        "field"
    };
    writeln!(page, "| {what} | | |\n|---|---|---|")?;
    for member in &documented.members {
        let docs = in_a_cell(&member.docs);
        writeln!(page, "| `{}` | {} | {docs} |", member.name, member.of)?;
    }
    Ok(())
}
