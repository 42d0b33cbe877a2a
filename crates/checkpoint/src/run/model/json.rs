//! JSON as Python writes it, and YAML as JSON.

use serde_json::{Map, Number, Value};

use crate::yaml::{self, Node};

/// Words that Python's `json` writes and that are no JSON.
const NO_NUMBERS: &[&str] = &["-Infinity", "Infinity", "NaN"];

/// Reads a document. `NaN` and infinities, which no dimension is, are `null`.
pub(super) fn read(text: &str) -> Result<Value, String> {
    // Strict readers refuse these words; they are looked for only where something was refused.
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&with_nulls(text)))
        .map_err(|error| error.to_string())
}

/// The text with `null` for each of [`NO_NUMBERS`] outside of strings.
fn with_nulls(text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let (mut rest, mut is_within, mut is_escaped) = (text, false, false);
    while let Some(character) = rest.chars().next() {
        let word = NO_NUMBERS.iter().find(|word| rest.starts_with(**word));
        if let (Some(word), false) = (word, is_within) {
            replaced.push_str("null");
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        if character == '"' && !is_escaped {
            is_within = !is_within;
        }
        is_escaped = character == '\\' && !is_escaped;
        replaced.push(character);
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    replaced
}

/// The same values; keys that are no text are left out, and of one key twice the first counts.
pub(super) fn of_yaml(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Nothing => Value::Null,
        yaml::Value::Boolean(answer) => Value::Bool(*answer),
        yaml::Value::Whole(number) => Number::from_i128(*number).map_or(Value::Null, Value::Number),
        yaml::Value::Fraction(number) => {
            Number::from_f64(*number).map_or(Value::Null, Value::Number)
        }
        yaml::Value::Text(text) => Value::String(text.clone()),
        yaml::Value::List(items) => Value::Array(items.iter().map(of_yaml).collect()),
        yaml::Value::Map(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                if let Some(key) = key.as_text() {
                    object.entry(key).or_insert_with(|| of_yaml(value));
                }
            }
            Value::Object(object)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn what_python_writes_is_read() {
        let text = r#"{"a": [NaN, -Infinity, 1], "\"NaN": "Infinity \\", "b": Infinity}"#;
        let expected = json!({"a": [null, null, 1], "\"NaN": "Infinity \\", "b": null});
        assert_eq!(read(text), Ok(expected));
        let error = read("{\"a\": NaN,\n \"b\": }").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
    }
}
