//! Exact types to the usual types of Rust, which hold less.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::{
    PgDate, PgHstore, PgInet, PgInterval, PgJson, PgMacAddr, PgMacAddr8, PgNumeric, PgTime,
    PgTimestamp, PgTimestampTz,
};
use crate::shorten::shortened;

/// A value of PostgreSQL has no counterpart in the type that it should become.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} does not fit into {target}")]
pub struct OutOfRange {
    value: String,
    target: &'static str,
}

impl OutOfRange {
    pub(super) fn new(value: String, target: &'static str) -> Self {
        Self { value, target }
    }

    fn of(value: &impl fmt::Display, target: &'static str) -> Self {
        Self::new(shortened(&value.to_string()), target)
    }
}

macro_rules! try_from {
    ($($from:ty => $to:ty, $target:literal, $convert:expr;)*) => {$(
        impl TryFrom<$from> for $to {
            type Error = OutOfRange;

            fn try_from(value: $from) -> Result<Self, OutOfRange> {
                let convert: fn(&$from) -> Option<$to> = $convert;
                convert(&value).ok_or_else(|| OutOfRange::of(&value, $target))
            }
        }
    )*};
}
try_from! {
    PgTimestampTz => DateTime<Utc>, "chrono::DateTime", |value| value.to_chrono();
    PgTimestamp => NaiveDateTime, "chrono::NaiveDateTime", |value| value.to_chrono();
    PgDate => NaiveDate, "chrono::NaiveDate", |value| value.to_chrono();
    PgTime => NaiveTime, "chrono::NaiveTime", |value| value.to_chrono();
    PgInterval => TimeDelta, "chrono::TimeDelta (months and days have no fixed length)", |value| {
        (value.months == 0 && value.days == 0).then(|| TimeDelta::microseconds(value.micros))
    };
    PgNumeric => Decimal, "rust_decimal::Decimal", PgNumeric::to_decimal;
    PgJson => serde_json::Value, "serde_json::Value", |value| value.parse().ok();
    PgInet => IpAddr, "an address without its network", |value| {
        (value.prefix == value.full_prefix()).then_some(value.address)
    };
}

impl From<PgMacAddr> for [u8; 6] {
    fn from(address: PgMacAddr) -> Self {
        address.0
    }
}

impl From<PgMacAddr8> for [u8; 8] {
    fn from(address: PgMacAddr8) -> Self {
        address.0
    }
}

impl From<PgHstore> for BTreeMap<String, Option<String>> {
    fn from(pairs: PgHstore) -> Self {
        pairs.0
    }
}

impl From<PgHstore> for HashMap<String, Option<String>> {
    fn from(pairs: PgHstore) -> Self {
        pairs.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_says_so() {
        let error = DateTime::<Utc>::try_from(PgTimestampTz::INFINITY).map_err(|e| e.to_string());
        assert_eq!(
            error,
            Err("infinity does not fit into chrono::DateTime".into())
        );
        assert!(NaiveDate::try_from(PgDate::from_days(0)).is_ok());
        assert!(NaiveDate::try_from(PgDate::NEG_INFINITY).is_err());
        let interval = |text: &str| {
            let Ok(value) = text.parse::<PgInterval>() else {
                panic!("{text}")
            };
            TimeDelta::try_from(value)
        };
        assert_eq!(interval("PT1.5S"), Ok(TimeDelta::milliseconds(1_500)));
        assert!(interval("P1D").is_err());
        assert!(interval("P1M").is_err());
        assert!(interval("infinity").is_err());
        assert!(serde_json::Value::try_from(PgJson::new("[1]")).is_ok());
        assert!(serde_json::Value::try_from(PgJson::new("1e1000000")).is_err());
        let Ok(network) = "10.0.0.1/8".parse::<PgInet>() else {
            panic!("an address")
        };
        assert!(IpAddr::try_from(network).is_err());
    }
}
