//! How the report looks.
//!
//! Charts are drawn once, for a light ground, as paper is. `plot::Twins` lists every colour with
//! the one that stands in its place on a dark ground. The style sheet has a rule for each, for dark
//! screens only; two drawings would double the file. What all drawings repeat (fonts, line joins)
//! stands in the style sheet once.

use ckptscope_plot::Twins;

const SHEET: &str = include_str!("style.css");

/// The style sheet: what every report has, and what a dark screen makes of the drawings' colours.
///
/// Drawings are made for a light ground, which paper has as well. On a dark screen each of their
/// colours gives way to its twin, so that there is one drawing for all.
pub(crate) fn sheet(twins: Twins) -> String {
    let mut rules = String::new();
    for (light, dark) in twins.colours() {
        // As plotters writes colours.
        let light = light.to_string().to_uppercase();
        rules.push_str(&format!(
            "[stroke=\"{light}\"]{{stroke:{dark}}}[fill=\"{light}\"]{{fill:{dark}}}\n"
        ));
    }
    format!("{SHEET}@media screen and (prefers-color-scheme:dark){{\n{rules}}}\n")
}
