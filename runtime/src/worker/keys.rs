//! Keys: where a walk over them is, and what has to wait for its turn.

use std::collections::{HashMap, HashSet};

use tokio_postgres::Row;

use crate::sql::column;

/// How far a claim has walked over the keys.
#[derive(Debug)]
pub(super) struct Walked {
    /// The last key that it looked at; `None`: it has seen the last one of all.
    pub last: Option<String>,
}

/// The place of a consumer in the keys of a group: a round over all of them, again and again, so that none is left out, however
/// much the others have to do.
#[derive(Debug, Default)]
pub(super) struct KeyCursor {
    /// The next claim looks behind this key; empty: a round begins.
    after: String,
    /// Something was found in this round, or before its first claim.
    found: bool,
}

impl KeyCursor {
    /// The key behind which the next claim looks.
    pub(super) fn start(&self) -> String {
        self.after.clone()
    }

    /// Whether a round begins with the next claim.
    pub(super) fn is_at_start(&self) -> bool {
        self.after.is_empty()
    }

    /// A claim has walked so far; `found`: with a result. Whether a whole round was without.
    pub(super) fn walked(&mut self, walked: &Walked, found: bool) -> bool {
        if self.is_at_start() {
            self.found = false;
        }
        self.found |= found;
        match &walked.last {
            Some(last) => {
                self.after.clone_from(last);
                false
            }
            None => {
                self.after.clear();
                !self.found
            }
        }
    }

    /// The next claim looks behind this key, whatever was walked.
    pub(super) fn back_to(&mut self, after: &str) {
        after.clone_into(&mut self.after);
        self.found = true;
    }
}

/// Only the rows of each key that follow each other without a gap from its first one: what is missing could not be claimed, and
/// comes first.
pub(super) fn without_gaps(mut rows: Vec<Row>) -> Vec<Row> {
    let mut next: HashMap<String, i64> = HashMap::new();
    rows.retain(|row| {
        let next = next.entry(row.get(column::KEY)).or_insert(1);
        let follows = row.get::<_, i64>("place") == *next;
        *next += i64::from(follows);
        follows
    });
    rows
}

/// Keys that have to wait, because the first of them was not done. What has no key waits for nothing.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    keys: HashSet<String>,
}

impl Waiting {
    /// A notification stays: what comes behind it in its key has to wait.
    pub(super) fn behind(&mut self, row: &Row) {
        self.keys.extend(row.get::<_, Option<String>>(column::KEY));
    }

    /// Whether a notification has to wait for one that has stayed.
    pub(super) fn has(&self, row: &Row) -> bool {
        !self.keys.is_empty()
            && row
                .get::<_, Option<&str>>(column::KEY)
                .is_some_and(|key| self.keys.contains(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(key: &str) -> Walked {
        Walked {
            last: Some(key.to_owned()),
        }
    }

    const END: Walked = Walked { last: None };

    #[test]
    fn a_round_that_found_nothing_has_to_be_whole() {
        let mut cursor = KeyCursor::default();
        assert!(cursor.walked(&END, false), "one claim saw all");
        assert!(!cursor.walked(&to("b"), false));
        assert_eq!(cursor.start(), "b");
        assert!(cursor.walked(&END, false), "two saw all");
        assert!(!cursor.walked(&to("b"), true));
        assert!(!cursor.walked(&END, false), "the first found something");
        assert!(!cursor.walked(&END, true));
        assert!(cursor.walked(&END, false), "the next round is another one");
        cursor.back_to("a");
        assert!(!cursor.walked(&END, false), "a part of a round");
    }
}
