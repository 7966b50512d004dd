//! Names of our objects in the database: stable, distinct and never longer than PostgreSQL's 63 bytes.

use sha2::{Digest, Sha256};

use crate::history::fingerprint;
use crate::model::{Level, Op, Timing, TriggerEvent};

/// Longest identifier; PostgreSQL would silently cut a longer one, and two names could become one.
pub const MAX_BYTES: usize = 63;

const HASH_CHARS: usize = 13;

/// Name of a channel for LISTEN and NOTIFY.
pub fn wire_name(storage_schema: &str, channel: &str) -> String {
    let wanted = format!("{storage_schema}_{channel}");
    let slug: String = wanted
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'a'..='z' | '0'..='9' => c,
            _ => '_',
        })
        .collect();
    if slug == wanted && slug.len() <= MAX_BYTES {
        slug
    } else {
        with_hash(&slug, &wanted)
    }
}

/// Name of a trigger. PostgreSQL fires triggers in name order: `zz_` makes a before trigger the last one,
/// so that it sees values as near to the final ones as can be.
///
/// The level is part of it: on a partitioned table, a row trigger that is replaced by a statement trigger would leave its
/// clones on the partitions behind, which then call a function that is not for them. So that is another trigger.
pub fn trigger_name(channel: &str, event: TriggerEvent, level: Level) -> String {
    let op = event.op.as_str();
    let end = match level {
        Level::Statement if event.op != Op::Truncate => "_statement",
        _ => "",
    };
    bounded(&match event.timing {
        Timing::After => format!("pgpubsub_{channel}_after_{op}{end}"),
        Timing::Before => format!("zz_pgpubsub_{channel}_before_{op}{end}"),
    })
}

/// Name of the function of a channel; `prefix` is `capture` or `notify`.
pub fn function_name(prefix: &str, channel: &str) -> String {
    bounded(&format!("{prefix}_{channel}"))
}

/// The name itself, or its beginning and a hash of the whole.
fn bounded(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        name.to_owned()
    } else {
        with_hash(name, name)
    }
}

/// The beginning of a name and a hash of something that belongs to it.
pub(super) fn hashed(name: &str, content: &str) -> String {
    with_hash(name, content)
}

fn with_hash(cut: &str, hashed: &str) -> String {
    let mut end = cut.len().min(MAX_BYTES - 1 - HASH_CHARS);
    while !cut.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{}", &cut[..end], fingerprint(hashed))
}

/// SHA-256 in hexadecimal.
pub fn sha256_hex(text: &str) -> String {
    use std::fmt::Write;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        write!(hex, "{byte:02x}").expect("a String takes any text");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_plain_wire_names_stay() {
        assert_eq!(
            wire_name("pgpubsub", "author_created"),
            "pgpubsub_author_created"
        );
    }

    #[test]
    fn wire_names_that_had_to_change_carry_a_hash() {
        for (schema, channel, beginning) in [
            ("pgpubsub", "Author", "pgpubsub_author_"),
            ("PgPubSub", "author", "pgpubsub_author_"),
            ("pgpubsub", "größe", "pgpubsub_gr__e_"),
        ] {
            let name = wire_name(schema, channel);
            assert!(name.starts_with(beginning), "{name}");
            assert_eq!(name.len(), beginning.len() + HASH_CHARS, "{name}");
        }
        assert_ne!(
            wire_name("pgpubsub", "Author"),
            wire_name("pgpubsub", "AUTHOR")
        );
    }

    #[test]
    fn long_names_are_cut_at_a_char_boundary_and_stay_distinct() {
        for stem in ["x".repeat(70), "é".repeat(40), "日".repeat(30)] {
            let event = |op| TriggerEvent {
                timing: Timing::Before,
                op,
            };
            let names = [
                trigger_name(&stem, event(Op::Insert), Level::Row),
                trigger_name(&stem, event(Op::Update), Level::Row),
                trigger_name(&format!("{stem}a"), event(Op::Update), Level::Row),
                function_name("capture", &stem),
                function_name("notify", &stem),
                wire_name("pgpubsub", &stem),
                wire_name("pgpubsub", &format!("{stem}b")),
            ];
            let distinct: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(distinct.len(), names.len());
            assert!(
                names.iter().all(|name| name.len() <= MAX_BYTES),
                "{names:?}"
            );
        }
    }
}
