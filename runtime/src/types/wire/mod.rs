//! PostgreSQL's binary format, so that the exact types are parameters and results of tokio-postgres.

mod fixed;
mod numeric;
mod text;

use std::error::Error as StdError;

type Boxed = Box<dyn StdError + Send + Sync>;

/// Exactly `N` bytes.
fn exactly<const N: usize>(raw: &[u8]) -> Result<[u8; N], Boxed> {
    raw.try_into()
        .map_err(|_| format!("expected {N} bytes, got {}", raw.len()).into())
}
