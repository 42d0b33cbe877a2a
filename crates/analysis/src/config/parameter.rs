//! The parameters that metrics and components declare, as keys of their entries.

use ckptscope_metrics::{Parameter, ParameterKind, ParameterValue, Parameters};

use super::cursor::{At, Fields};
use super::problem::Problems;
use super::tree::Value;
use super::value::boolean;

/// A metric or a component, as far as the keys of its entry go.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    /// Its name.
    pub(super) name: &'static str,
    /// The parameters it declares.
    pub(super) parameters: &'static [Parameter],
}

/// The values of the declared parameters; those that are not given at their default.
pub(super) fn parameters(
    fields: &Fields<'_>,
    declared: &[Parameter],
    problems: &mut Problems,
) -> Option<Parameters> {
    let given = declared
        .iter()
        .filter_map(|parameter| Some((parameter, fields.get(parameter.name)?)));
    let values: Vec<_> = given
        .map(|(parameter, at)| (parameter.name, value(at, parameter.kind, problems)))
        .collect();
    let defaults = Parameters::defaults(declared);
    values
        .into_iter()
        .try_fold(defaults, |all, (name, value)| Some(all.with(name, value?)))
}

/// Notes keys that are neither `keys` nor parameters of the chosen owner; where none was chosen,
/// parameters of any will do.
pub(super) fn check_keys(
    fields: &Fields<'_>,
    keys: &[&'static str],
    owners: &[Owner],
    chosen: Option<usize>,
    problems: &mut Problems,
) {
    let chosen = chosen.and_then(|index| owners.get(index));
    let known = chosen.map_or(owners, std::slice::from_ref);
    let names = known.iter().flat_map(Owner::names);
    let allowed: Vec<_> = keys.iter().copied().chain(names).collect();
    fields.check_keys(&allowed, problems, |key| {
        let others: Vec<_> = owners
            .iter()
            .filter(|owner| owner.names().any(|name| name == key))
            .collect();
        foreign(key, &others, chosen?, &allowed)
    });
}

impl Owner {
    fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.parameters.iter().map(|parameter| parameter.name)
    }
}

/// What to say of a key that is a parameter of others.
fn foreign(key: &str, others: &[&Owner], chosen: &Owner, allowed: &[&str]) -> Option<String> {
    let others: Vec<_> = others.iter().map(|owner| owner.name).collect();
    let advice = format!(
        "it is a parameter of {}, not of {}; allowed: {}",
        others.join(", "),
        chosen.name,
        allowed.join(", ")
    );
    (!others.is_empty() && !key.is_empty()).then_some(advice)
}

fn value(at: &At<'_>, kind: ParameterKind, problems: &mut Problems) -> Option<ParameterValue> {
    match kind {
        ParameterKind::Choice(words) => {
            let index = choice_at(at, words, problems)?;
            words.get(index).copied().map(ParameterValue::Choice)
        }
        ParameterKind::Boolean => boolean(at, problems).map(ParameterValue::Boolean),
        ParameterKind::Integer { min, max } => {
            let found = match at.node.value {
                Value::Whole(number) => i64::try_from(number).ok(),
                _ => None,
            };
            let taken = taken(kind, found.map(ParameterValue::Integer));
            taken.or_else(|| problems.unexpected(at, format!("a whole number from {min} to {max}")))
        }
        ParameterKind::Fraction { .. } => {
            let found = match at.node.value {
                #[allow(clippy::cast_precision_loss)] // no range is so far from zero
                Value::Whole(number) => Some(number as f64),
                Value::Fraction(number) => Some(number),
                _ => None,
            };
            let taken = taken(kind, found.map(ParameterValue::Fraction));
            taken.or_else(|| problems.unexpected(at, format!("a number in {kind}")))
        }
    }
}

fn taken(kind: ParameterKind, found: Option<ParameterValue>) -> Option<ParameterValue> {
    found.filter(|value| kind.takes(*value))
}

/// Which of the names the value of a required key is.
pub(super) fn choice(
    fields: &Fields<'_>,
    key: &str,
    names: &[&str],
    problems: &mut Problems,
) -> Option<usize> {
    let expected = format!("one of {}", names.join(", "));
    let at = fields.required(key, &expected, problems)?;
    choice_at(at, names, problems)
}

/// Which of the names a value is.
pub(super) fn choice_at(at: &At<'_>, names: &[&str], problems: &mut Problems) -> Option<usize> {
    let found = at.node.as_text();
    found
        .and_then(|found| names.iter().position(|name| *name == found))
        .or_else(|| problems.unexpected_word(at, names, format!("one of {}", names.join(", "))))
}
