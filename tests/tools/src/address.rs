//! The URL of a database, as Go's tools read it.

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// `url` for the Go driver: it knows no socket's folder in the place of a host, and asks for TLS unless told otherwise.
pub(crate) fn for_go(url: &str) -> Result<String, tokio_postgres::Error> {
    let config: Config = url.parse()?;
    let user = encoded(config.get_user().unwrap_or("postgres").as_bytes());
    let password = config
        .get_password()
        .map_or(String::new(), |password| format!(":{}", encoded(password)));
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let (host, socket) = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => (format!("{name}:{port}"), String::new()),
        Some(Host::Unix(folder)) => {
            let folder = encoded(folder.to_string_lossy().as_bytes());
            (String::new(), format!("&host={folder}&port={port}"))
        }
        None => (format!("localhost:{port}"), String::new()),
    };
    let database = encoded(config.get_dbname().unwrap_or("postgres").as_bytes());
    Ok(format!(
        "postgres://{user}{password}@{host}/{database}?sslmode=disable{socket}"
    ))
}

/// Everything but unreserved characters as `%XX`.
fn encoded(text: &[u8]) -> String {
    text.iter()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_moves_from_the_host_to_the_query() {
        let cases = [
            (
                "postgresql://postgres@%2Ftmp%2Fa%20b:5432/one",
                "postgres://postgres@/one?sslmode=disable&host=%2Ftmp%2Fa%20b&port=5432",
            ),
            (
                "postgres://u:p%40@h:1/two",
                "postgres://u:p%40@h:1/two?sslmode=disable",
            ),
        ];
        for (url, expected) in cases {
            assert_eq!(for_go(url).expect("a URL"), expected);
        }
    }
}
