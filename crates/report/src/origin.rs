//! Where the numbers come from: program, inputs, config.
//!
//! The report says of an input what cost nothing to know: path and length, and for the Hub commit
//! and content id. Files of a disk are not read whole to be hashed, and the report says so. The
//! SHA-256 is that of the results file it was read from or is written beside; `sha256sum` repeats
//! it.

use ckptscope_results::{Input, Results, WriteError};
use sha2::{Digest, Sha256};

use crate::document::Provenance;
use crate::markup::{counted, details, escaped};

/// The last part of the report.
pub(crate) fn origin(results: &Results, provenance: &Provenance) -> Result<String, WriteError> {
    let own = match &provenance.results_file {
        Some(bytes) => hash(bytes),
        None => hash(&results.to_json()?),
    };
    let mut rows = vec![
        ("program", escaped(&results.program)),
        ("source", escaped(&results.source)),
        ("results file, SHA-256", format!("<code>{own}</code>")),
    ];
    if !results.inputs.is_empty() {
        rows.push(("inputs", read(&results.inputs)));
        let list = hash(listed(&results.inputs).as_bytes());
        rows.push(("list of inputs, SHA-256", format!("<code>{list}</code>")));
    }
    let rows: Vec<String> = rows
        .into_iter()
        .map(|(name, value)| format!("<dt>{name}<dd>{value}\n"))
        .collect();
    Ok(format!(
        "<section id=origin>\n<h2>Where this comes from</h2>\n<dl class=facts>\n{}</dl>\n{}\
         <h3>Config</h3>\n<pre tabindex=0>{}</pre>\n</section>\n",
        rows.concat(),
        files(&results.inputs),
        escaped(&results.config)
    ))
}

/// How much was read of what, and how surely the files can be told from others.
fn read(inputs: &[Input]) -> String {
    let bytes: u64 = inputs.iter().map(|input| input.bytes).sum();
    let files = counted(inputs.len(), "file");
    let named = inputs
        .iter()
        .filter(|input| input.content_id.is_some())
        .count();
    let sureness = if named == inputs.len() {
        "each named by commit and content id"
    } else if named == 0 {
        "named by path and length; their contents were not hashed, because only parts of them are read"
    } else {
        "some of them named by content id"
    };
    format!("{files} of {} together, {sureness}", in_words(bytes))
}

/// A line for each input: what the list's hash is of.
fn listed(inputs: &[Input]) -> String {
    let line = |input: &Input| {
        let [commit, content] =
            [&input.commit, &input.content_id].map(|id| id.as_deref().unwrap_or("-"));
        format!("{} {} {commit} {content}\n", input.path, input.bytes)
    };
    inputs.iter().map(line).collect()
}

fn files(inputs: &[Input]) -> String {
    if inputs.is_empty() {
        return String::new();
    }
    let has_ids = inputs.iter().any(|input| input.content_id.is_some());
    let ids = if has_ids {
        "<th scope=col>commit<th scope=col>content id"
    } else {
        ""
    };
    let mut body = format!(
        "<div class=scroll><table><caption>Files that were read</caption><thead><tr><th \
         scope=col>path<th scope=col>bytes{ids}</thead><tbody>\n"
    );
    for input in inputs {
        body.push_str(&format!(
            "<tr><th scope=row>{}<td>{}",
            escaped(&input.path),
            input.bytes
        ));
        if has_ids {
            for id in [&input.commit, &input.content_id] {
                let id = escaped(id.as_deref().unwrap_or_default());
                body.push_str(&format!("<td><code>{id}</code>"));
            }
        }
        body.push('\n');
    }
    body.push_str("</tbody></table></div>\n");
    details("Files that were read", false, &body)
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `1.5 MB`.
fn in_words(bytes: u64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let size = bytes as f64;
    let unit = units.into_iter().find(|(unit, _)| size >= *unit);
    match unit {
        Some((unit, name)) => format!("{:.1} {name}", size / unit),
        None => counted(usize::try_from(bytes).unwrap_or(usize::MAX), "byte"),
    }
}
