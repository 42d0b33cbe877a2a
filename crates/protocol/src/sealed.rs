//! Data that is passed on unread.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A part of a JSON document that only whoever wrote it reads. It stands in a message as it is, and
/// is neither taken apart nor escaped on its way.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(Box<RawValue>);

impl Sealed {
    /// Seals a value.
    ///
    /// # Errors
    /// As `serde_json`: a map whose keys are no texts.
    pub fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// Where something else was.
    pub fn open<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.0.get())
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get())
    }
}

/// Equal where the same text was sealed.
impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::Sealed;

    #[test]
    fn it_is_a_part_of_the_document_that_it_stands_in() {
        let sealed = Sealed::of(&("a \"b\"", [1, 2])).unwrap();
        let text = serde_json::to_string(&[&sealed]).unwrap();
        assert_eq!(text, r#"[["a \"b\"",[1,2]]]"#);
        let [again]: [Sealed; 1] = serde_json::from_str(&text).unwrap();
        assert_eq!(again, sealed);
        assert_eq!(again.open::<(String, [u8; 2])>().unwrap().1, [1, 2]);
        assert!(again.open::<u8>().is_err());
    }
}
