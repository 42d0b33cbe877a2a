//! What a YAML scalar means: by its tag, or by how it is written.

use granit_parser::{ScalarStyle, Tag};

use super::Value;

/// The value of a scalar; `None` where its text is not what its tag says.
pub(super) fn value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Option<Value> {
    let of_core = |suffix: &str| tag.is_some_and(|tag| tag.is_yaml_core_schema_tag(suffix));
    if of_core("null") {
        Some(Value::Nothing)
    } else if of_core("bool") {
        boolean(text)
    } else if of_core("int") {
        whole(text)
    } else if of_core("float") {
        fraction(text)
    } else if style == ScalarStyle::Plain && !of_core("str") && !is_non_specific(tag) {
        Some(plain(text))
    } else {
        Some(Value::Text(text.to_owned()))
    }
}

/// `! text` is text whatever it looks like.
fn is_non_specific(tag: Option<&Tag>) -> bool {
    tag.is_some_and(|tag| tag.handle().is_empty() && tag.suffix() == "!")
}

fn plain(text: &str) -> Value {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Nothing;
    }
    let typed = boolean(text)
        .or_else(|| whole(text))
        .or_else(|| fraction(text));
    typed.unwrap_or_else(|| Value::Text(text.to_owned()))
}

/// As YAML 1.1 has them: published configs say `yes` and `no`.
fn boolean(text: &str) -> Option<Value> {
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["true", "yes", "on", "y"]) {
        Some(Value::Boolean(true))
    } else if is_one_of(["false", "no", "off", "n"]) {
        Some(Value::Boolean(false))
    } else {
        None
    }
}

/// A whole number of 64 bits, with underscores between digits or without.
fn whole(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefixed = |prefixes: [&str; 2]| prefixes.iter().find_map(|it| digits.strip_prefix(it));
    let (radix, digits) = if let Some(digits) = prefixed(["0x", "0X"]) {
        (16, digits)
    } else if let Some(digits) = prefixed(["0o", "0O"]) {
        (8, digits)
    } else if let Some(digits) = prefixed(["0b", "0B"]) {
        (2, digits)
    } else if has_leading_zero(digits) {
        return None;
    } else {
        (10, digits)
    };
    let has_digits_around = digits
        .split('_')
        .all(|part| part.starts_with(|digit: char| digit.is_digit(radix)));
    if !has_digits_around {
        return None;
    }
    let size = u64::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    if negative {
        let number = -i128::from(size);
        i64::try_from(number).ok()?;
        Some(Value::Whole(number))
    } else {
        Some(Value::Whole(size.into()))
    }
}

/// `010` is 8 in YAML 1.1 and 10 in YAML 1.2: it is a text, which is refused where a number belongs.
fn has_leading_zero(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

/// A finite number. Infinities and what is not a number are text.
fn fraction(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_octal = has_leading_zero(digits) && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && !is_octal).then_some(Value::Fraction(number))
}

#[cfg(test)]
mod tests {
    use super::{Value, plain};

    #[test]
    fn words_and_numbers() {
        for (text, expected) in [
            ("", Value::Nothing),
            ("~", Value::Nothing),
            ("Yes", Value::Boolean(true)),
            ("off", Value::Boolean(false)),
            ("-3", Value::Whole(-3)),
            ("+50_000", Value::Whole(50_000)),
            ("0x1F", Value::Whole(31)),
            ("18446744073709551615", Value::Whole(u64::MAX.into())),
            (
                "18446744073709551616",
                Value::Fraction(18_446_744_073_709_551_616.0),
            ),
            ("1e3", Value::Fraction(1000.0)),
            (".5", Value::Fraction(0.5)),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_text() {
        for text in [
            "010", "-007", "1__0", "_1", "1_", "0x", ".inf", "nan", "infinity", "1e999", "a",
        ] {
            assert_eq!(plain(text), Value::Text(text.to_owned()));
        }
    }
}
