//! Doors: how a writer knows whether somebody sleeps.
//!
//! A worker that sleeps holds the advisory lock of its group exclusively; a writer tries to take it shared, and sends a NOTIFY only
//! if that fails. The keys are for ever: the functions in the database and the workers, each of their own age, must agree.

use super::order::SqlGroup;
use crate::model::{Channel, Delivery, Schema, Wake};

/// The doors of the groups of a channel, as literals; empty, if its writers look at none.
pub(super) fn keys(schema: &Schema, channel: &Channel, groups: &[SqlGroup]) -> Vec<String> {
    if channel.delivery == Delivery::Transient || channel.wake != Wake::Door {
        return Vec::new();
    }
    let storage = &schema.generate.storage_schema;
    groups
        .iter()
        .map(|group| format!("'{}'::pg_catalog.int8", key(storage, &group.unquoted)))
        .collect()
}

/// Key of the advisory lock of a group: FNV-1a over what follows, as a signed number. `pgpubsub-runtime` has the same function.
fn key(storage_schema: &str, group: &str) -> i64 {
    let text = format!("pgpubsub door\0{storage_schema}\0{group}");
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_stay_what_they_are() {
        assert_eq!(key("pgpubsub", "greet"), -6_275_857_236_928_931_232);
        assert_eq!(key("pgpubsub", "work"), 6_908_058_684_047_904_866);
        assert_eq!(key("Größe", "it's"), 7_884_971_745_596_252_863);
    }
}
