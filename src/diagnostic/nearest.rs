//! The name that was probably meant.

/// The valid name with the fewest edits, if they are few.
pub fn nearest<'a>(found: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    let distances = valid.into_iter().map(|name| {
        (
            strsim::damerau_levenshtein(&found, &name.to_lowercase()),
            name,
        )
    });
    let (edits, name) = distances.min()?;
    let longest = found.chars().count().max(name.chars().count());
    (edits * 3 <= longest.max(3)).then_some(name)
}

/// The valid name for one that other languages use, `found`, by pairs of both.
pub fn by_alias<'a>(found: &str, aliases: &[(&str, &'a str)]) -> Option<&'a str> {
    aliases
        .iter()
        .find(|(alias, _)| alias.eq_ignore_ascii_case(found))
        .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        for (found, expected) in [
            ("autor", Some("author")),
            ("Author", Some("author")),
            ("auhtor", Some("author")),
            ("pots", Some("post")),
            ("something", None),
            ("", None),
        ] {
            assert_eq!(
                nearest(found, ["author", "post", "media"]),
                expected,
                "{found}"
            );
        }
        assert_eq!(nearest("x", []), None);
    }
}
