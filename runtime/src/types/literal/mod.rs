//! PostgreSQL's literals of arrays, records and ranges, as its output functions write them.
//!
//! What only its input functions know (white space around values, single bounds) is refused. Nothing here recurses: depth
//! is data.

pub(crate) mod array;
pub(crate) mod range;
pub(crate) mod record;

use super::parse::is_space;

/// Whether a value needs quotes among these delimiters.
fn needs_quotes(text: &str, delimiters: &[char]) -> bool {
    let special = |c| delimiters.contains(&c) || matches!(c, '"' | '\\') || is_space(c);
    text.is_empty() || text.contains(special)
}

/// Writes a value as records and ranges have it: in quotes if need be, with quotes and backslashes doubled.
fn push_doubled(out: &mut String, text: &str, delimiters: &[char]) {
    if !needs_quotes(text, delimiters) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push(character);
        }
        out.push(character);
    }
    out.push('"');
}
