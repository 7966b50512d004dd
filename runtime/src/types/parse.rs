//! Reading texts of PostgreSQL.

use crate::shorten::shortened;

/// A text is no value of the type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no {what}")]
pub struct ParseError {
    what: &'static str,
    text: String,
}

impl ParseError {
    pub(crate) fn new(what: &'static str, text: &str) -> Self {
        Self {
            what,
            text: shortened(text),
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

    /// Whether a character is next.
    pub(super) fn is_at(&self, character: char) -> bool {
        self.rest.starts_with(character)
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

    /// Takes what comes before one of the characters, before a quote, a backslash or white space; all of them are quoted
    /// where PostgreSQL writes them as a part of a value.
    pub(super) fn plain(&mut self, stops: &[char]) -> &'a str {
        let stops = |c: char| stops.contains(&c) || matches!(c, '"' | '\\') || is_space(c);
        let (plain, rest) = self
            .rest
            .split_at(self.rest.find(stops).unwrap_or(self.rest.len()));
        self.rest = rest;
        plain
    }

    /// Takes a text in double quotes, in which a backslash stands before a character that is meant as it is; with `doubled`
    /// two quotes stand for one.
    pub(super) fn quoted(&mut self, doubled: bool) -> Option<String> {
        self.take(&['"'])?;
        let mut text = String::new();
        loop {
            let (plain, rest) = self.rest.split_at(self.rest.find(['"', '\\'])?);
            text += plain;
            let mut characters = rest.chars();
            if characters.next() == Some('\\') {
                text.push(characters.next()?);
                self.rest = characters.as_str();
                continue;
            }
            self.rest = characters.as_str();
            if !doubled || self.take(&['"']).is_none() {
                return Some(text);
            }
            text.push('"');
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

/// White space to PostgreSQL's parsers, whatever the locale.
pub(super) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}
