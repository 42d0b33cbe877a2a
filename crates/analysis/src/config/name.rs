//! Names that become files and folders.

/// Longest name of an entry or an analysis: file systems take 255 bytes, and a split, an
/// extension and the suffix of a temporary file are still to come.
const MAX_NAME_BYTES: usize = 120;

/// Names of an entry that would be taken for files every analysis has.
const TAKEN: &[&str] = &["results", "run", "report", "analysis", "config"];

/// Names that Windows keeps for devices, with any extension.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul"];

/// Checks the `name` of a metric entry, which begins the names of its files.
///
/// # Errors
/// What is wrong, and what is allowed.
pub(super) fn check_entry_name(name: &str) -> Result<(), String> {
    check_length(name)?;
    if let Some(odd) = name
        .chars()
        .find(|character| !is_label_character(*character))
    {
        return Err(format!(
            "{odd:?} is not allowed in a name; allowed: letters, digits and _ - ."
        ));
    }
    if name.starts_with(['.', '-']) {
        return Err("a name begins with a letter, a digit or _".to_owned());
    }
    if TAKEN.iter().any(|taken| name.eq_ignore_ascii_case(taken)) {
        return Err(format!(
            "{name:?} is the name of a file that every analysis has"
        ));
    }
    Ok(())
}

/// Checks the name of an analysis, which is the name of its folder.
///
/// # Errors
/// What is wrong, and what is allowed.
pub(super) fn check_analysis_name(name: &str) -> Result<(), String> {
    check_length(name)?;
    if let Some(odd) = name
        .chars()
        .find(|character| !is_folder_character(*character))
    {
        return Err(format!("{odd:?} is not allowed in the name of a folder"));
    }
    if name.starts_with(['.', ' ', '-']) || name.ends_with(['.', ' ']) {
        return Err(
            "the name of a folder begins with no dot, space or dash, and ends with no dot or space"
                .to_owned(),
        );
    }
    let stem = name.split('.').next().unwrap_or_default();
    if DEVICES
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
    {
        return Err(format!("{name:?} is the name of a device on Windows"));
    }
    Ok(())
}

/// Whether a character may stand in a label.
pub(super) fn is_label_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

fn is_folder_character(character: char) -> bool {
    character == ' '
        || character.is_alphanumeric()
        || (character.is_ascii_graphic() && !r#"/\:*?"<>|"#.contains(character))
}

fn check_length(name: &str) -> Result<(), String> {
    match name.len() {
        0 => Err("a name must not be empty".to_owned()),
        length if length > MAX_NAME_BYTES => {
            Err(format!("{length} bytes long; at most {MAX_NAME_BYTES}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_names() {
        for good in ["nuclear", "norm_1", "a.b-c", "_x", "9"] {
            assert_eq!(check_entry_name(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            ".hidden",
            "-x",
            "a/b",
            "a\\b",
            "a b",
            "é",
            "a\0",
            "results",
            "Run",
            &"x".repeat(121),
        ] {
            assert!(check_entry_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn analysis_names() {
        for good in [
            "demo",
            "Länge 2",
            "run (3)",
            "a.b",
            "results",
            "pico-decoder-tiny@main",
        ] {
            assert_eq!(check_analysis_name(good), Ok(()), "{good}");
        }
        let long = "x".repeat(121);
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "C:x",
            "x.",
            " x",
            "x ",
            "a\nb",
            "\u{202e}x",
            "nul",
            "CON.txt",
            &long,
        ] {
            assert!(check_analysis_name(bad).is_err(), "{bad}");
        }
    }
}
