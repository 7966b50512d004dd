//! Reading texts of PostgreSQL.

/// A text is no value of the type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no {what}")]
pub struct ParseError {
    what: &'static str,
    text: String,
}

impl ParseError {
    pub(super) fn new(what: &'static str, text: &str) -> Self {
        Self {
            what,
            text: text.to_owned(),
        }
    }
}

/// Reads front to back.
pub(super) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(rest: &'a str) -> Self {
        Self { rest }
    }

    /// Takes one of the characters, if it is next.
    pub(super) fn take(&mut self, characters: &[char]) -> Option<char> {
        let next = self
            .rest
            .chars()
            .next()
            .filter(|next| characters.contains(next))?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    /// Takes at least one digit.
    pub(super) fn digits(&mut self) -> Option<&'a str> {
        let end = self
            .rest
            .bytes()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!digits.is_empty()).then_some(digits)
    }

    /// Takes a whole number.
    pub(super) fn number(&mut self) -> Option<i64> {
        self.digits()?.parse().ok()
    }

    /// Takes `.123456`, if it is next, as microseconds; 0 if not.
    pub(super) fn fraction(&mut self) -> Option<i64> {
        if self.take(&['.']).is_none() {
            return Some(0);
        }
        let digits = self.digits().filter(|digits| digits.len() <= 6)?;
        format!("{digits:0<6}").parse().ok()
    }

    /// Takes a text, if it is next.
    pub(super) fn tag(&mut self, tag: &str) -> bool {
        self.rest
            .strip_prefix(tag)
            .map(|rest| self.rest = rest)
            .is_some()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}
