//! Enums whose variants are words, each declared with its word.

/// Declares an enum of words: all of them in their order, how they are written, and how they are
/// read. Each variant stands beside its word, so that no table of them can be another's.
///
/// ```
/// ckptscope_vocabulary::words! {
///     /// Where to go.
///     #[derive(Clone, Copy, Debug, PartialEq)]
///     pub enum Way {
///         /// Up.
///         Up = "up",
///         /// Down.
///         Down = "down",
///     }
/// }
///
/// assert_eq!("down".parse(), Ok(Way::Down));
/// assert_eq!(Way::Up.to_string(), Way::NAMES[0]);
/// assert_eq!("left".parse::<Way>().unwrap_err().known, ["up", "down"]);
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[$about:meta])*
        $seen:vis enum $Words:ident {
            $($(#[$about_one:meta])* $Word:ident = $name:literal,)+
        }
    ) => {
        $(#[$about])*
        $seen enum $Words {
            $($(#[$about_one])* $Word,)+
        }

        impl $Words {
            /// Every one, in the order in which menus show them.
            pub const ALL: &[Self] = &[$(Self::$Word),+];

            /// The names of all, in the same order.
            pub const NAMES: &[&str] = &[$($name),+];

            /// As configs, keys and files spell it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Word => $name,)+
                }
            }
        }

        impl ::std::fmt::Display for $Words {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl ::std::str::FromStr for $Words {
            type Err = $crate::UnknownWord;

            fn from_str(text: &str) -> Result<Self, $crate::UnknownWord> {
                let found = Self::ALL.iter().find(|word| word.name() == text);
                found.copied().ok_or_else(|| $crate::UnknownWord {
                    found: text.to_owned(),
                    known: Self::NAMES,
                })
            }
        }
    };
}
