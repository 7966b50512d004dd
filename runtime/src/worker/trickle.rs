//! A stream of notifications that is too thin for batches by itself.
//!
//! A consumer that is quick finds one or two at each look, and looks again: it is never idle, and a transaction for each takes the
//! processor from those who write them. So when it has found some, but few, at so many looks in a row that it is no burst, it
//! lets a few more come before it looks again. What comes now and then is not put off: between two of those it finds nothing.

use std::time::Duration;

/// So many looks in a row have found few.
const IN_A_ROW: u32 = 8;
/// A batch of so many is worth its transaction.
const FEW: usize = 16;
/// How long more of them may come.
const PAUSE: Duration = Duration::from_millis(2);

/// What the last looks have found.
#[derive(Debug, Default)]
pub(super) struct Trickle {
    in_a_row: u32,
}

impl Trickle {
    /// A look has found some, or all that it could take: how long to wait before the next one.
    pub(super) fn found(&mut self, number: usize, full: bool) -> Option<Duration> {
        if full {
            self.in_a_row = 0;
        } else if number < FEW {
            self.in_a_row = self.in_a_row.saturating_add(1);
            return (self.in_a_row > IN_A_ROW).then_some(PAUSE);
        }
        None
    }

    /// A look has found nothing.
    pub(super) fn found_nothing(&mut self) {
        self.in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_steady_stream_is_put_off() {
        let mut trickle = Trickle::default();
        for _ in 0..IN_A_ROW {
            assert_eq!(trickle.found(1, false), None);
        }
        assert_eq!(trickle.found(1, false), Some(PAUSE));
        assert_eq!(trickle.found(FEW, false), None, "enough");
        assert_eq!(trickle.found(FEW - 1, false), Some(PAUSE));
        assert_eq!(trickle.found(1, true), None, "there is more");
        assert_eq!(trickle.found(1, false), None);
        for _ in 0..100 {
            trickle.found_nothing();
            assert_eq!(trickle.found(1, false), None, "now and then");
        }
    }
}
