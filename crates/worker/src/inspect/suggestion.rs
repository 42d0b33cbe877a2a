//! What to run next: a first config that fits what was found.

use ckptscope_analysis::Proposal;

use super::inspection::Inspection;
use crate::console::printable;

/// The file name that the suggestion gives its config.
const CONFIG: &str = "first.yaml";

/// The shortest analysis that is proposed, and the command; nothing where there is none.
pub(super) fn text(inspection: &Inspection, proposals: &[Proposal]) -> String {
    let shortest = proposals.iter().min_by_key(|one| one.text.lines().count());
    let Some(proposal) = shortest else {
        return String::new();
    };
    let lines = proposal.text.lines();
    let lines: Vec<String> = lines.map(|line| format!("    {line}")).collect();
    let config: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    let config = config.join("\n");
    let arguments = inspection.arguments.iter();
    let arguments: Vec<String> = arguments.map(|word| quoted(&printable(word))).collect();
    let arguments = arguments.join(" ");
    format!(
        "
To analyze it, write {CONFIG}:

{config}

and run:

    worker analyze --config {CONFIG} {arguments}

Without --config, `worker analyze` begins with another one. `worker metrics` and `worker components`
list what else there is.
"
    )
}

/// As a shell takes it for one word.
fn quoted(path: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+=@,".contains(character);
    if !path.is_empty() && path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
