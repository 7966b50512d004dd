//! Generated code of a schema with a past, and the functions that convert what it has changed.

pgpubsub_runtime::include_generated!(pub mod pubsub);

use pgpubsub_runtime::PgNumeric;

/// The migration of the schema.
pub const UP: &str = include_str!(concat!(env!("OUT_DIR"), "/up.sql"));

/// An amount that this application has a type of its own for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cents(pub i64);

impl From<i64> for Cents {
    fn from(cents: i64) -> Self {
        Self(cents)
    }
}

/// Of `12.50`.
///
/// # Errors
/// It is no amount.
pub fn cents_from_text(text: String) -> Result<i64, String> {
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    digits.parse().map_err(|_| format!("`{text}` is no amount"))
}

/// Of an exact number with two decimals.
///
/// # Errors
/// It is no amount.
pub fn cents(number: PgNumeric) -> Result<i64, String> {
    cents_from_text(number.to_string())
}

/// The same for [`Cents`].
///
/// # Errors
/// It is no amount.
pub fn worth_from_text(text: String) -> Result<Cents, String> {
    cents_from_text(text).map(Cents)
}

/// A rank in words.
///
/// # Errors
/// There is no such rank.
pub fn rank_from_text(text: String) -> Result<i32, String> {
    match text.as_str() {
        "first" => Ok(1),
        "second" => Ok(2),
        _ => Err(format!("there is no rank `{text}`")),
    }
}

/// A number in digits.
///
/// # Errors
/// It is none.
pub fn number(text: String) -> Result<i64, std::num::ParseIntError> {
    text.parse()
}

/// Of an exact number with two decimals, under a name that leaves little room.
///
/// # Errors
/// It is no amount.
pub fn cents_of_a_rather_long_function_name(number: PgNumeric) -> Result<i64, String> {
    cents(number)
}

/// Functions whose names leave little room on a line.
pub mod long {
    use pgpubsub_runtime::PgArray;

    /// The number of elements.
    ///
    /// # Errors
    /// None.
    pub fn some(array: PgArray<i32>) -> Result<i64, std::num::TryFromIntError> {
        i64::try_from(array.into_elements().len())
    }

    /// See [`crate::cents_from_text`].
    ///
    /// # Errors
    /// It is no amount.
    pub fn path_to_a_function(text: String) -> Result<i64, String> {
        crate::cents_from_text(text)
    }

    /// More of them.
    pub mod path_to_a_function {
        /// See [`crate::cents_from_text`].
        ///
        /// # Errors
        /// It is no amount.
        pub fn that_takes_up_a_lot_of_room(text: String) -> Result<i64, String> {
            crate::cents_from_text(text)
        }
    }
}
