//! Parameters that metrics and components declare, and the values a config gives them.

use std::fmt;
use std::ops::{Bound, RangeBounds};

/// The word of a choice that leaves it to what is measured.
pub const AUTO: &str = "auto";

/// A parameter as its owner declares it.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The key in a config file.
    pub name: &'static str,
    /// One line for menus and help.
    pub summary: &'static str,
    /// What values it takes.
    pub kind: ParameterKind,
    /// The value where a config gives none.
    pub default: ParameterValue,
}

/// The values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParameterKind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number in this range, both ends included.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A finite number in this range, each end in it or not.
    Fraction {
        /// Smallest.
        min: Bound<f64>,
        /// Largest.
        max: Bound<f64>,
    },
    /// `true` or `false`.
    Boolean,
}

/// The value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParameterValue {
    /// One of a [`ParameterKind::Choice`]'s words.
    Choice(&'static str),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Fraction(f64),
    /// `true` or `false`.
    Boolean(bool),
}

/// The values of all of an owner's parameters, in the order it declares them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(Vec<(&'static str, ParameterValue)>);

impl Parameters {
    /// Every parameter at its default.
    #[must_use]
    pub fn defaults(declared: &[Parameter]) -> Self {
        Self(
            declared
                .iter()
                .map(|parameter| (parameter.name, parameter.default))
                .collect(),
        )
    }

    /// The same with `name` set to `value`; a name that was not declared is passed over.
    #[must_use]
    pub fn with(mut self, name: &str, value: ParameterValue) -> Self {
        if let Some(slot) = self.0.iter_mut().find(|(declared, _)| *declared == name) {
            slot.1 = value;
        }
        self
    }

    /// Names and values, in the order declared.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, ParameterValue)> + '_ {
        self.0.iter().copied()
    }

    /// The word chosen for `name`; empty where no such choice was declared.
    #[must_use]
    pub fn choice(&self, name: &str) -> &'static str {
        match self.get(name) {
            Some(ParameterValue::Choice(word)) => word,
            _ => "",
        }
    }

    /// The number given for `name`; 0 where no such number was declared.
    #[must_use]
    pub fn integer(&self, name: &str) -> i64 {
        match self.get(name) {
            Some(ParameterValue::Integer(number)) => number,
            _ => 0,
        }
    }

    /// The finite number given for `name`; 0 where no such number was declared.
    #[must_use]
    pub fn fraction(&self, name: &str) -> f64 {
        match self.get(name) {
            Some(ParameterValue::Fraction(number)) => number,
            _ => 0.0,
        }
    }

    /// The answer given for `name`; false where no such answer was declared.
    #[must_use]
    pub fn boolean(&self, name: &str) -> bool {
        matches!(self.get(name), Some(ParameterValue::Boolean(true)))
    }

    fn get(&self, name: &str) -> Option<ParameterValue> {
        self.0
            .iter()
            .find(|(declared, _)| *declared == name)
            .map(|(_, value)| *value)
    }
}

impl ParameterKind {
    /// Whether a value is one that it takes.
    #[must_use]
    pub fn takes(&self, value: ParameterValue) -> bool {
        match (self, value) {
            (Self::Choice(words), ParameterValue::Choice(word)) => words.contains(&word),
            (Self::Integer { min, max }, ParameterValue::Integer(number)) => {
                (*min..=*max).contains(&number)
            }
            (Self::Fraction { min, max }, ParameterValue::Fraction(number)) => {
                number.is_finite() && (*min, *max).contains(&number)
            }
            (Self::Boolean, ParameterValue::Boolean(_)) => true,
            _ => false,
        }
    }
}

/// What it takes, in short: `product | circuit`, `1..9`, `(0, 1]` with 1 and without 0.
impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Choice(words) => f.write_str(&words.join(" | ")),
            Self::Integer { min, max } => write!(f, "{min}..{max}"),
            Self::Fraction { min, max } => {
                match min {
                    Bound::Included(min) => write!(f, "[{min}, ")?,
                    Bound::Excluded(min) => write!(f, "({min}, ")?,
                    Bound::Unbounded => f.write_str("(-inf, ")?,
                }
                match max {
                    Bound::Included(max) => write!(f, "{max}]"),
                    Bound::Excluded(max) => write!(f, "{max})"),
                    Bound::Unbounded => f.write_str("inf)"),
                }
            }
            Self::Boolean => f.write_str("true | false"),
        }
    }
}

impl fmt::Display for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Choice(word) => f.write_str(word),
            Self::Integer(number) => number.fmt(f),
            // With its exponent where it is long, and so that it reads back as a fraction.
            Self::Fraction(number) => write!(f, "{number:?}"),
            Self::Boolean(answer) => answer.fmt(f),
        }
    }
}
