//! `when:` conditions, as far as they can be checked without a server.

/// A column of `old` or `new` that a condition names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// `old` or `new`.
    pub record: &'static str,
    /// As PostgreSQL would look it up; `*` for the whole row.
    pub column: String,
}

/// What a condition is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A bare word, in lower case.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A literal.
    Literal,
    /// Any other character.
    Symbol(char),
}

/// The columns that the condition names, or why it is none.
pub(super) fn references(text: &str) -> Result<Vec<Reference>, String> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err("it is empty".into());
    }
    let mut open = 0_usize;
    for token in &tokens {
        match token {
            Token::Symbol('(') => open += 1,
            Token::Symbol(')') => {
                open = open.checked_sub(1).ok_or("a `)` without its `(`")?;
            }
            Token::Symbol(';') => return Err("it is one expression, and a `;` ends it".into()),
            Token::Word(word) if word == "select" => {
                return Err(
                    "a trigger cannot ask other rows: PostgreSQL allows no SELECT here".into(),
                );
            }
            _ => {}
        }
    }
    if open > 0 {
        return Err("a `(` without its `)`".into());
    }
    let mut references = Vec::new();
    for (index, window) in tokens.windows(3).enumerate() {
        let [Token::Word(word), Token::Symbol('.'), column] = window else {
            continue;
        };
        // `x.new.y` is a column `new` of something else.
        let qualified = index > 0 && tokens[index - 1] == Token::Symbol('.');
        let record = match word.as_str() {
            "old" => "old",
            "new" => "new",
            _ => continue,
        };
        if qualified {
            continue;
        }
        references.push(Reference {
            record,
            column: match column {
                Token::Word(name) | Token::Quoted(name) => name.clone(),
                _ => "*".into(),
            },
        });
    }
    Ok(references)
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\0' => return Err("a NUL character".into()),
            _ if first.is_whitespace() => first.len_utf8(),
            '-' if rest.starts_with("--") => {
                return Err("a comment with `--` would swallow what follows; use `doc`".into());
            }
            '/' if rest.starts_with("/*") => {
                return Err("a comment does not belong into a condition; use `doc`".into());
            }
            '\'' => {
                let backslashes = matches!(tokens.last(), Some(Token::Word(word)) if word == "e");
                tokens.push(Token::Literal);
                string(rest, backslashes)?
            }
            '"' => {
                let length = quoted(rest)?;
                tokens.push(Token::Quoted(rest[1..length - 1].replace("\"\"", "\"")));
                length
            }
            '$' => match dollar_quote(rest)? {
                Some(length) => {
                    tokens.push(Token::Literal);
                    length
                }
                None => {
                    tokens.push(Token::Symbol('$'));
                    1
                }
            },
            _ if first.is_alphabetic() || first == '_' => {
                let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..length].to_lowercase()));
                length
            }
            _ => {
                tokens.push(Token::Symbol(first));
                first.len_utf8()
            }
        };
        // The lines of a condition are indented where they go, which would change a text or a name.
        if matches!(first, '\'' | '"' | '$') && rest[..taken].contains(['\n', '\r']) {
            return Err("a line break in a text or a name; write a text as E'...\\n...'".into());
        }
        rest = &rest[taken..];
    }
    Ok(tokens)
}

/// Length of a string literal with its quotes.
fn string(text: &str, backslashes: bool) -> Result<usize, String> {
    let mut bytes = text.bytes().enumerate().skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if backslashes => drop(bytes.next()),
            // Whether it ends the text depends on a setting.
            b'\\' => return Err("a backslash in a text; write E'...' and double it".into()),
            b'\'' if bytes.peek().is_some_and(|(_, next)| *next == b'\'') => drop(bytes.next()),
            b'\'' => return Ok(at + 1),
            _ => {}
        }
    }
    Err("a `'` without its other half".into())
}

/// Length of a quoted name with its quotes.
fn quoted(text: &str) -> Result<usize, String> {
    let mut bytes = text.bytes().enumerate().skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' if bytes.peek().is_some_and(|(_, next)| *next == b'"') => drop(bytes.next()),
            b'"' => return Ok(at + 1),
            _ => {}
        }
    }
    Err("a `\"` without its other half".into())
}

/// Length of a dollar-quoted text; `None` if it is none.
fn dollar_quote(text: &str) -> Result<Option<usize>, String> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let inner = text[1..].find(|c| !word(c)).map(|end| end + 1);
    let Some(end) = inner.filter(|end| text[*end..].starts_with('$')) else {
        return Ok(None);
    };
    let tag = &text[..=end];
    match text[tag.len()..].find(tag) {
        Some(at) => Ok(Some(at + 2 * tag.len())),
        None => Err(format!("a `{tag}` without its other half")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_condition_are_found() {
        for (text, expected) in [
            ("new.balance >= 0", &[("new", "balance")][..]),
            ("OLD.a <> New.\"B\"\"c\"", &[("old", "a"), ("new", "B\"c")]),
            ("old.* *<> new.*", &[("old", "*"), ("new", "*")]),
            ("x.new.y = 'new.z' and $$old.z$$ = E'\\'new.q'", &[]),
            ("new . a", &[("new", "a")]),
        ] {
            let found = references(text);
            let expected: Vec<Reference> = expected
                .iter()
                .map(|(record, column)| Reference {
                    record,
                    column: (*column).to_owned(),
                })
                .collect();
            assert_eq!(found, Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in [
            "",
            "  ",
            "(new.a",
            "new.a)",
            "true; drop table x",
            "new.a = 'x\n'",
            "new.a = $$x\n$$",
            "new.\"a\n\" > 0",
            "new.a = 'x",
            "new.\"a",
            "new.a -- x",
            "new.a /* x */",
            "exists (select 1)",
            "new.a = '\\'",
            "$x$ a",
            "a\0b",
        ] {
            assert!(references(text).is_err(), "{text}");
        }
    }
}
