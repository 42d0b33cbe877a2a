//! The whole report.

use ckptscope_chart::Subjects;
use ckptscope_plot::{Theme, Twins, head_colours, layer_colours};
use ckptscope_results::{Results, WriteError};

use crate::charts::{Pen, swatch};
use crate::curve::{PanelCurves, panels};
use crate::markup::{counted, escaped, ranges};
use ckptscope_results::title;

use crate::{origin, overview, section, style};

/// What a report says beside what the results hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// When it was made, in words. None for a report that is the same, byte for byte, for the
    /// same results, as those are that stand beside `results.json`.
    pub written: Option<String>,
    /// The bytes of the file that the results were read from, of which the report has a hash. None
    /// where they were computed: then it is that of `results.json`, as it is written.
    pub results_file: Option<Vec<u8>>,
}

/// The report: one HTML document that needs nothing else, neither a script nor the network.
///
/// # Errors
/// [`WriteError::Json`] when the results cannot be written as JSON, of which the report has a
/// hash, unless the file is handed to it.
pub fn html(results: &Results, provenance: &Provenance) -> Result<String, WriteError> {
    let panels = panels(results);
    let seen = Subjects::of(panels.iter().flat_map(PanelCurves::curves));
    let twins = Twins {
        layers: seen.layers.len(),
        heads: seen.heads.len(),
        parts: 0,
    };
    let legend = legend(&seen);
    let pen = Pen::new(seen, &results.steps);
    let mut body = heading(results, provenance);
    body.push_str(&warnings(&results.warnings));
    body.push_str(&contents(results));
    body.push_str(&overview::overview(&panels, &results.entries));
    body.push_str(&legend);
    for (number, entry) in results.entries.iter().enumerate() {
        let is_its = |panel: &&PanelCurves| panel.id.is_of(entry);
        let own: Vec<&PanelCurves> = panels.iter().filter(is_its).collect();
        let rest = (results.entries.as_slice(), results.steps.as_slice(), &pen);
        body.push_str(&section::section(number, entry, &own, rest));
    }
    body.push_str(&origin::origin(results, provenance)?);
    let title = escaped(&results.analysis_name);
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src \
         'unsafe-inline'\">\n<title>{title}</title>\n<style>\n{}</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n<footer>Made by {} from <code>results.json</code>, at full \
         resolution.</footer>\n</body>\n</html>\n",
        style::sheet(twins),
        escaped(&results.program),
    ))
}

fn heading(results: &Results, provenance: &Provenance) -> String {
    let name = escaped(&results.analysis_name);
    let source = escaped(&results.source);
    let rows: Vec<String> = facts(results, provenance)
        .into_iter()
        .map(|(name, value)| format!("<dt>{name}<dd>{}\n", escaped(&value)))
        .collect();
    format!(
        "<header>\n<h1>{name}</h1>\n<p class=source>{source}</p>\n<dl class=facts>\n{}</dl>\n\
         </header>\n",
        rows.concat()
    )
}

fn facts(results: &Results, provenance: &Provenance) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(model) = &results.model {
        let number = |value: Option<u64>, noun| Some(counted(usize::try_from(value?).ok()?, noun));
        let parts = [
            number(model.n_layers, "layer"),
            number(model.n_heads, "head"),
            number(model.n_kv_heads, "key-value head"),
            model.d_model.map(|width| format!("{width} wide")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let source = &model.source;
        facts.push(("model", format!("{} ({source})", parts.join(", "))));
    }
    let commits = commits(results);
    if !commits.is_empty() {
        facts.push(("commits", commits));
    }
    facts.push(("steps", steps(&results.steps)));
    if !results.missing_steps.is_empty() {
        let missing = ranges(results.missing_steps.iter().copied());
        facts.push(("steps not there", missing));
    }
    if !results.unreadable_steps.is_empty() {
        let unreadable = ranges(results.unreadable_steps.iter().map(|it| it.step));
        facts.push(("steps that cannot be read", unreadable));
    }
    let count = counted(results.series.numbers(), "number");
    let numbers = match results.series.undefined() {
        0 => count,
        undefined => format!("{count}, of which {undefined} are undefined"),
    };
    facts.push(("numbers", numbers));
    if let Some(written) = &provenance.written {
        facts.push(("written", written.clone()));
    }
    facts
}

/// `15, from 0 to 2000`.
fn steps(steps: &[u64]) -> String {
    match steps {
        [] => "none".to_owned(),
        [only] => only.to_string(),
        [first, .., last] => format!("{}, from {first} to {last}", steps.len()),
    }
}

/// The only commit, or how many there are.
fn commits(results: &Results) -> String {
    let mut commits: Vec<&str> = results
        .inputs
        .iter()
        .filter_map(|input| input.commit.as_deref())
        .collect();
    commits.sort_unstable();
    commits.dedup();
    match commits.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        all => format!("{}, each listed below", all.len()),
    }
}

fn warnings(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    let items: Vec<String> = warnings
        .iter()
        .map(|warning| format!("<li>{}\n", escaped(warning)))
        .collect();
    format!(
        "<section class=warnings>\n<h2>Warnings</h2>\n<ul>\n{}</ul>\n</section>\n",
        items.concat()
    )
}

fn contents(results: &Results) -> String {
    let entries = results.entries.iter().enumerate();
    let items: Vec<String> = entries
        .map(|(number, entry)| {
            let name = escaped(&title::name(entry));
            format!("<li><a href=\"#m{number}\">{name}</a>\n")
        })
        .collect();
    format!(
        "<nav aria-label=\"contents\"><ol>\n<li><a href=\"#glance\">At a glance</a>\n{}<li><a \
         href=\"#origin\">Where this comes from</a>\n</ol></nav>\n",
        items.concat()
    )
}

/// What colours mean in all charts.
fn legend(seen: &Subjects) -> String {
    let mut legend = String::from("<p class=legend>");
    let ramps = [
        (
            "layers",
            &seen.layers,
            layer_colours(seen.layers.len(), Theme::Light),
        ),
        (
            "heads",
            &seen.heads,
            head_colours(seen.heads.len(), Theme::Light),
        ),
    ];
    for (name, numbers, colours) in ramps {
        if numbers.is_empty() {
            continue;
        }
        legend.push_str(&format!("{name} "));
        for (number, colour) in numbers.iter().zip(colours) {
            legend.push_str(&swatch(colour, &number.to_string()));
        }
        legend.push_str("<br>");
    }
    legend.push_str(
        "Each line has its number at its end. Hatched cells of heatmaps have no value. A line has \
         a gap where its value is undefined, and runs straight on where none was computed.</p>\n",
    );
    legend
}
