//! Connection strings: where a server is, and how to name another database on it.

use std::path::Path;

/// URL of a database behind the socket in `folder`, readable by tokio-postgres, libpq and sqlx.
///
/// The port is named although it is the default, since libpq and sqlx would otherwise take `PGPORT`.
pub(crate) fn socket_url(folder: &Path, database: &str) -> String {
    format!(
        "postgresql://postgres@{}:5432/{}",
        percent_encoded(&folder.to_string_lossy()),
        percent_encoded(database)
    )
}

/// The connection string `base`, with `database` in place of the one it names.
pub(crate) fn with_database(base: &str, database: &str) -> String {
    let Some((scheme, rest)) = base.split_once("://") else {
        // key=value form: the last mention wins.
        return format!("{base} dbname={database}");
    };
    let (place, query) = match rest.split_once('?') {
        Some((place, query)) => (place, format!("?{query}")),
        None => (rest, String::new()),
    };
    let authority = place
        .split_once('/')
        .map_or(place, |(authority, _)| authority);
    format!(
        "{scheme}://{authority}/{}{query}",
        percent_encoded(database)
    )
}

/// Everything but unreserved characters as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_folder_is_percent_encoded() {
        let url = socket_url(Path::new("/tmp/a b"), "postgres");
        assert_eq!(url, "postgresql://postgres@%2Ftmp%2Fa%20b:5432/postgres");
        let config: tokio_postgres::Config = url.parse().expect("tokio-postgres reads it");
        assert_eq!(
            config.get_hosts(),
            [tokio_postgres::config::Host::Unix("/tmp/a b".into())]
        );
    }

    #[test]
    fn another_database_replaces_the_one_in_the_connection_string() {
        let cases = [
            (
                "postgres://u:p@h:1/old?sslmode=disable",
                "postgres://u:p@h:1/new?sslmode=disable",
            ),
            ("postgresql://h", "postgresql://h/new"),
            ("postgresql://h?host=/a/b", "postgresql://h/new?host=/a/b"),
            ("host=h dbname=old", "host=h dbname=old dbname=new"),
        ];
        for (base, expected) in cases {
            assert_eq!(with_database(base, "new"), expected);
        }
    }
}
