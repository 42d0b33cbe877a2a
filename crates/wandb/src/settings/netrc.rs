//! The netrc file, where `wandb login` keeps keys.
//!
//! The crates that read it are at versions of years ago and each lacks something of what Python's
//! `netrc`, which W&B's own tools use, understands: quotes, macros, comments beside entries.

/// A text that is no netrc file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetrcError {
    /// A word where `machine`, `default`, `login`, `account`, `password` or `macdef` belongs. It is
    /// not shown: it may be a password.
    #[error("line {line}: expected machine, default, login, account, password or macdef")]
    UnknownWord {
        /// The line.
        line: usize,
    },
    /// A keyword without its value.
    #[error("line {line}: {keyword} has no value")]
    NoValue {
        /// The line.
        line: usize,
        /// The keyword.
        keyword: String,
    },
}

/// The password of a machine, else that of `default`. Of several entries of one machine the last
/// counts, as in Python.
pub(super) fn password(text: &str, machine: &str) -> Result<Option<String>, NetrcError> {
    let (mut own, mut default) = (None, None);
    // What a password that follows belongs to.
    let mut entry = Entry::None;
    let mut words = Words {
        rest: text,
        line: 1,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" => {
                let is_own = words.value(&word)? == machine;
                entry = if is_own { Entry::Own } else { Entry::Other };
                own = own.filter(|_| !is_own);
            }
            "default" => entry = Entry::Default,
            "macdef" => words.skip_macro(),
            "login" | "user" | "account" if entry != Entry::None => {
                words.value(&word)?;
            }
            "password" if entry != Entry::None => {
                let password = words.value(&word)?;
                match entry {
                    Entry::Own => own = Some(password),
                    Entry::Default => default = Some(password),
                    Entry::Other | Entry::None => {}
                }
            }
            comment if comment.starts_with('#') => words.skip_line(),
            _ => return Err(NetrcError::UnknownWord { line: words.line }),
        }
    }
    Ok(own.or(default))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    None,
    Own,
    Other,
    Default,
}

/// The words of the text that are left.
struct Words<'a> {
    rest: &'a str,
    /// Where the next word is looked for.
    line: usize,
}

impl Words<'_> {
    /// The next word: up to white space, or in quotation marks. A backslash takes the meaning off
    /// the character that follows.
    fn next(&mut self) -> Option<String> {
        while self.take_if(char::is_whitespace).is_some() {}
        let is_quoted = self.take_if(|c| c == '"').is_some();
        if self.rest.is_empty() && !is_quoted {
            return None;
        }
        let ends = |c: char| {
            if is_quoted {
                c == '"'
            } else {
                c.is_whitespace()
            }
        };
        let mut word = String::new();
        while let Some(character) = self.take_if(|c| is_quoted || !ends(c)) {
            match character {
                '\\' => word.extend(self.take_if(|_| true)),
                end if ends(end) => break,
                other => word.push(other),
            }
        }
        Some(word)
    }

    fn value(&mut self, keyword: &str) -> Result<String, NetrcError> {
        let line = self.line;
        self.next().ok_or_else(|| NetrcError::NoValue {
            line,
            keyword: keyword.to_owned(),
        })
    }

    /// A comment ends with its line.
    fn skip_line(&mut self) {
        while self.take_if(|c| c != '\n').is_some() {}
    }

    /// A macro ends with an empty line.
    fn skip_macro(&mut self) {
        self.skip_line();
        while self.take_if(|c| c == '\n').is_some() {
            if self
                .rest
                .trim_start_matches([' ', '\t', '\r'])
                .starts_with('\n')
            {
                return;
            }
            self.skip_line();
        }
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let character = self.rest.chars().next().filter(|c| wanted(*c))?;
        self.rest = self.rest.get(character.len_utf8()..).unwrap_or_default();
        self.line += usize::from(character == '\n');
        Some(character)
    }
}

#[cfg(test)]
mod tests {
    use super::{NetrcError, password};

    const HOST: &str = "api.wandb.ai";

    #[track_caller]
    fn is(text: &str, expected: Option<&str>) {
        assert_eq!(password(text, HOST), Ok(expected.map(str::to_owned)));
    }

    #[test]
    fn the_entry_of_the_machine_counts() {
        is("", None);
        is(
            "machine github.com\n  login me\n  password no\n\
             machine api.wandb.ai\n  login user\n  password yes\n",
            Some("yes"),
        );
        is("machine api.wandb.ai login user password yes", Some("yes"));
        is("machine api.wandb.ai.evil.org password no", None);
        is("machine api.wandb.ai login user", None);
    }

    #[test]
    fn default_serves_who_has_no_entry() {
        is("default login x password any\n", Some("any"));
        is(
            "machine api.wandb.ai password own\ndefault login x password any\n",
            Some("own"),
        );
    }

    #[test]
    fn the_last_entry_of_a_machine_counts() {
        is(
            "machine api.wandb.ai password old\nmachine api.wandb.ai password new\n",
            Some("new"),
        );
    }

    #[test]
    fn words_may_be_quoted_and_escaped() {
        is(
            r#"machine "api.wandb.ai" password "a \"b\" c""#,
            Some(r#"a "b" c"#),
        );
        is(r"machine api.wandb.ai password a\ b", Some("a b"));
        is(
            "machine api.wandb.ai password \"never ends",
            Some("never ends"),
        );
    }

    #[test]
    fn comments_and_macros_are_passed_over() {
        is(
            "# machine api.wandb.ai password no\n\
             machine api.wandb.ai # password no\n password #yes\n",
            Some("#yes"),
        );
        is(
            "macdef init\n password no\n machine api.wandb.ai\n\nmachine api.wandb.ai password yes\n",
            Some("yes"),
        );
        is(
            "machine api.wandb.ai password yes\r\nmacdef last\r\n put it\r\n",
            Some("yes"),
        );
    }

    #[test]
    fn what_is_no_netrc_file_is_told_without_its_words() {
        let error = password("machine a login b secret", HOST).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.starts_with("line 1") && !text.contains("secret")));
        assert_eq!(
            password("machine a\nlogin b\npassword", HOST),
            Err(NetrcError::NoValue {
                line: 3,
                keyword: "password".to_owned()
            })
        );
        assert_eq!(
            password("password a", HOST),
            Err(NetrcError::UnknownWord { line: 1 })
        );
    }
}
