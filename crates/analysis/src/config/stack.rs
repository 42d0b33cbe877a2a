//! Which stack of layers a component is of, where a checkpoint has several.
//!
//! A suffix may have the stack in front, a `*` in the place of the layer's number:
//! `encoder.block.*.attn`. For components of several tensors there is the key `stack`.

use std::borrow::Cow;

use ckptscope_checkpoint::without_wrappers;

/// What stands for the layer's number.
const NUMBER: &str = "*";

/// A suffix of a config, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LayerSuffix<'a> {
    /// The stack in front of it: `encoder.block`, empty where numbers stand first in names.
    pub(crate) stack: Option<&'a str>,
    /// What stands behind the layer's number: `attn`.
    pub(crate) within: &'a str,
}

impl<'a> LayerSuffix<'a> {
    /// Of a suffix as it is written.
    pub(crate) fn of(written: &'a str) -> Self {
        let behind_stack = written.split_once(".*.");
        let at_start = || Some(("", written.strip_prefix("*.")?));
        match behind_stack.or_else(at_start) {
            Some((stack, within)) => Self {
                stack: Some(stack),
                within,
            },
            None => Self {
                stack: None,
                within: written,
            },
        }
    }

    /// Why it can name no tensor; none where it can.
    pub(super) fn problem(self) -> Option<&'static str> {
        let has_number = |text: &str| text.split('.').any(|segment| segment == NUMBER);
        let problem = "a `*` stands once, in the place of the layer's number, with the names of a \
                       tensor behind it, as in encoder.layers.*.attention.o_proj";
        let is_wrong =
            self.within.is_empty() || has_number(self.within) || self.stack.is_some_and(has_number);
        is_wrong.then_some(problem)
    }

    /// What stands behind the layer's number, wrappers taken off: as keys have it.
    pub(crate) fn in_keys(self) -> Cow<'a, str> {
        without_wrappers(self.within)
    }
}

/// A suffix with its stack in front: `encoder.block.*.attn` of `encoder.block.` and `attn`.
pub(crate) fn with_stack(stack: &str, suffix: &str) -> String {
    format!("{stack}{NUMBER}.{suffix}")
}

/// A stack as the key `stack` names it: `encoder.block` of `encoder.block.`, and `*` where numbers
/// stand first in names.
pub(crate) fn shown(stack: &str) -> &str {
    let name = stack.strip_suffix('.').unwrap_or(stack);
    if name.is_empty() { NUMBER } else { name }
}

/// Those of some stacks that a config means: the one of that name, else all whose names begin with
/// its words, else all that have them somewhere. `encoder` is `encoder.block.` where no stack is
/// called `encoder.`, whether or not there is a `vision.encoder.layers.` besides.
pub(crate) fn meant<'a>(named: &str, stacks: Vec<&'a str>) -> Vec<&'a str> {
    let named = without_wrappers(named);
    let named = named.strip_suffix(NUMBER).unwrap_or(&named);
    let named = named.strip_suffix('.').unwrap_or(named);
    let words = |stack: &'a str| stack.strip_suffix('.').unwrap_or(stack);
    if let Some(same) = stacks.iter().find(|stack| words(stack) == named) {
        return vec![*same];
    }
    let named = format!(".{named}.");
    // Keys of pico-train's runs have their wrappers.
    let place = |stack: &str| format!(".{}", without_wrappers(stack)).find(&named);
    let begins = stacks.iter().any(|stack| place(stack) == Some(0));
    let is_meant = |stack: &&str| place(stack).is_some_and(|place| place == 0 || !begins);
    stacks.into_iter().filter(is_meant).collect()
}

#[cfg(test)]
mod tests {
    use super::{LayerSuffix, meant, shown, with_stack};

    #[test]
    fn a_suffix_may_have_its_stack_in_front() {
        for (written, stack, within) in [
            ("attn.v", None, "attn.v"),
            (
                "encoder.block.*.layer.0.v",
                Some("encoder.block"),
                "layer.0.v",
            ),
            ("*.v", Some(""), "v"),
        ] {
            let suffix = LayerSuffix::of(written);
            assert_eq!((suffix.stack, suffix.within), (stack, within), "{written}");
            assert_eq!(suffix.problem(), None);
        }
        assert_eq!(with_stack("encoder.block.", "v"), "encoder.block.*.v");
        assert_eq!(with_stack("", "v"), "*.v");
        for written in ["", "*", "a.*", "a.*.", "a.*.b.*.c", "*.*.c", "a.*.*"] {
            assert!(LayerSuffix::of(written).problem().is_some(), "{written}");
        }
    }

    #[test]
    fn a_stack_goes_by_its_name_or_by_words_of_it() {
        let stacks = || {
            vec![
                "",
                "encoder.block.",
                "model.encoder.block.",
                "vision.layers.",
            ]
        };
        for (named, expected) in [
            ("encoder.block", &["encoder.block."][..]),
            ("module.encoder.block.", &["encoder.block."]),
            ("vision", &["vision.layers."]),
            ("layers.*", &["vision.layers."]),
            ("model", &["model.encoder.block."]),
            ("encoder", &["encoder.block."]),
            ("block", &["encoder.block.", "model.encoder.block."]),
            ("block.encoder", &[]),
            ("code", &[]),
            ("*", &[""]),
            ("", &[""]),
        ] {
            assert_eq!(meant(named, stacks()), expected, "{named}");
        }
        assert_eq!(shown("encoder.block."), "encoder.block");
        assert_eq!(shown(""), "*");
    }
}
