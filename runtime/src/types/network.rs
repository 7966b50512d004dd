//! `inet` and `cidr`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::parse::ParseError;

/// An `inet`: the address of a host, and the length of the prefix that is its network.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PgInet {
    /// The address.
    pub address: IpAddr,
    /// Bits of the network, at most [`PgInet::full_prefix`].
    pub prefix: u8,
}

/// A `cidr`: a network.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PgCidr {
    /// The address; PostgreSQL refuses one with bits outside of the prefix.
    pub address: IpAddr,
    /// Bits of the network, at most 32 or 128.
    pub prefix: u8,
}

/// Bits of an address.
pub(super) fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl PgInet {
    /// 32 or 128: the prefix of a host without a network.
    pub fn full_prefix(&self) -> u8 {
        bits(self.address)
    }
}

impl From<IpAddr> for PgInet {
    /// The prefix is full.
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            prefix: bits(address),
        }
    }
}

/// Address and prefix, the latter full if it is left out.
fn parse(text: &str) -> Option<(IpAddr, u8)> {
    let Some((address, prefix)) = text.split_once('/') else {
        let address = text.parse().ok()?;
        return Some((address, bits(address)));
    };
    let address = address.parse().ok()?;
    // Rust would read a sign too.
    let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = prefix.parse().ok().filter(|_| digits)?;
    (prefix <= bits(address)).then_some((address, prefix))
}

impl FromStr for PgInet {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (address, prefix) = parse(text).ok_or_else(|| ParseError::new("inet", text))?;
        Ok(Self { address, prefix })
    }
}

impl FromStr for PgCidr {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (address, prefix) = parse(text).ok_or_else(|| ParseError::new("cidr", text))?;
        Ok(Self { address, prefix })
    }
}

fn address_text(address: IpAddr) -> String {
    match address {
        IpAddr::V6(v6) => dotted(v6).unwrap_or_else(|| v6.to_string()),
        IpAddr::V4(v4) => v4.to_string(),
    }
}

/// `::1.2.3.4`, in which PostgreSQL writes an address with exactly 96 zeros at the front, and Rust does not.
fn dotted(address: Ipv6Addr) -> Option<String> {
    let segments = address.segments();
    if segments[..6] != [0; 6] || segments[6] == 0 {
        return None;
    }
    let [.., a, b, c, d] = address.octets();
    Some(format!("::{a}.{b}.{c}.{d}"))
}

impl fmt::Display for PgInet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&address_text(self.address))?;
        if self.prefix == self.full_prefix() {
            return Ok(());
        }
        write!(f, "/{}", self.prefix)
    }
}

impl fmt::Display for PgCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", address_text(self.address), self.prefix)
    }
}

impl fmt::Debug for PgInet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for PgCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_again() {
        for text in [
            "0.0.0.0",
            "192.168.1.5/24",
            "::",
            "::1",
            "::1.2.3.4",
            "::ffff:1.2.3.4/100",
            "2001:db8::/0",
        ] {
            let value = text.parse::<PgInet>().map(|value| value.to_string());
            assert_eq!(value.as_deref(), Ok(text));
        }
        let network = "10.0.0.0/32"
            .parse::<PgCidr>()
            .map(|value| value.to_string());
        assert_eq!(network.as_deref(), Ok("10.0.0.0/32"));
        for text in [
            "",
            "/",
            "1.2.3",
            "1.2.3.4/33",
            "1.2.3.4/+8",
            "1.2.3.4/",
            "::/129",
            "::/256",
        ] {
            assert!(text.parse::<PgInet>().is_err(), "{text}");
        }
    }
}
