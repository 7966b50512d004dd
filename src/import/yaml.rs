//! YAML scalars: plain where that means the same text in every context, in double quotes otherwise.

/// A text as a value or as a key.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Every text of JSON is one of YAML in double quotes; what JSON does not escape and YAML may not print, we do.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json.chars()
        .map(|c| match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                format!("\\u{:04x}", u32::from(c))
            }
            c => c.to_string(),
        })
        .collect()
}

fn is_plain(text: &str) -> bool {
    let first = text
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    // `?` and parentheses belong to types; a colon, a comma or a bracket would end the value somewhere.
    let usual = |c: char| c.is_ascii_alphanumeric() || "_ ().?-".contains(c);
    let words = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf",
    ];
    first
        && text.chars().all(usual)
        && !text.ends_with(' ')
        && !words.contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_read_back() {
        for text in [
            "",
            " ",
            "a",
            "no",
            "on",
            "null",
            "~",
            "1",
            "1.5",
            "2024-01-01",
            "a: b",
            "#x",
            "a #b",
            "it's",
            "\"",
            "\\",
            "a\nb",
            "\t",
            "é",
            "💡",
            "- a",
            "text[]",
            "numeric(40,20)?",
            "bigint pk",
            "{}",
            "[x]",
            "&a",
            "*a",
            "!t",
            "%",
            "@",
            "`",
            "|",
            ">",
            "?",
            ": ",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "\u{7f}",
            "\u{1}",
            "true",
            "0x1f",
            "1e3",
            ".inf",
        ] {
            for document in [
                format!("key: {}\n", scalar(text)),
                format!("{{key: {}}}\n", scalar(text)),
                format!("{{key: {}, other: 1}}\n", scalar(text)),
            ] {
                let read: std::collections::BTreeMap<String, serde_json::Value> =
                    serde_saphyr::from_str(&document)
                        .unwrap_or_else(|error| panic!("{document}: {error}"));
                assert_eq!(read["key"], serde_json::Value::from(text), "{document}");
            }
            let read: std::collections::BTreeMap<String, i32> =
                serde_saphyr::from_str(&format!("{}: 1\n", scalar(text)))
                    .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(read.contains_key(text), "{text}");
        }
    }
}
