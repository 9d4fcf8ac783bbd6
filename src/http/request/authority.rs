//! Hosts, ports and origins, as headers and settings name them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The longest name of a host, in characters (RFC 1035, section 2.3.4).
const NAME_MAX: usize = 253;

/// A host: names are the same whatever their case, and with a dot at their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// In lower case.
    Name(String),
    Address(IpAddr),
}

/// A host, and its port where one is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct Authority {
    pub host: Host,
    pub port: Option<u16>,
}

/// How the service itself is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Scheme {
    Http,
    Https,
}

/// Where a page comes from (RFC 6454). Its port is always said, where its scheme has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: Host,
    port: Option<u16>,
}

impl Scheme {
    pub(in crate::http) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Host {
    /// `None` where the text is neither a name nor an address; one of IPv6 stands in brackets.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(inside) = text.strip_prefix('[') {
            let address: Ipv6Addr = inside.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(IpAddr::from(address).to_canonical()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || NAME_MAX < name.len() || !name.bytes().all(is_plain) {
            return None;
        }
        Some(match name.parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(name.to_ascii_lowercase()),
        })
    }

    /// Whether it can only be this machine, whatever a name server says.
    pub(in crate::http) fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost",
            Self::Address(address) => address.is_loopback(),
        }
    }
}

impl Authority {
    pub(in crate::http) fn parse(text: &str) -> Option<Self> {
        let is_whole = text.ends_with(']') || !text.contains(':');
        let (host, port) = if is_whole {
            (text, "")
        } else {
            text.rsplit_once(':')?
        };
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = if port.is_empty() {
            None
        } else {
            Some(port.parse().ok().filter(|_| digits)?)
        };
        let host = Host::parse(host)?;
        Some(Self { host, port })
    }
}

impl Origin {
    /// `None` where the text is no origin, as `null` is none, or where something stands behind it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if scheme.is_empty() || !scheme.bytes().all(is_plain) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let Authority { host, port } = Authority::parse(rest)?;
        let port = port.or(standard_port(&scheme));
        Some(Self { scheme, host, port })
    }

    pub(in crate::http) fn is_of(&self, scheme: Scheme) -> bool {
        self.scheme == scheme.as_str()
    }

    /// Whether the page came from this host, by its own scheme: by which one the request came is not always known here.
    pub(in crate::http) fn is_at(&self, authority: &Authority) -> bool {
        let port = authority.port.or(standard_port(&self.scheme));
        self.host == authority.host && self.port == port
    }
}

fn standard_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(formatter, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => write!(formatter, "{}", self.host),
            Some(port) => write!(formatter, "{}:{port}", self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_read_as_it_is_meant() {
        for (text, read) in [
            ("localhost", "localhost"),
            ("LocalHost.:3000", "localhost:3000"),
            ("bank.example:", "bank.example"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::1]:3000", "[::1]:3000"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
            ("my_bank-1", "my_bank-1"),
        ] {
            let authority = Authority::parse(text).map(|authority| authority.to_string());
            assert_eq!(authority.as_deref(), Some(read), "{text}");
        }
        let long = "a".repeat(254);
        for text in [
            "",
            ".",
            ":80",
            "a b",
            "<script>",
            "a@b",
            "a/b",
            "::1",
            "[::1",
            "[::1]x",
            "[1]",
            "a:+1",
            "a:65536",
            "a:b",
            "a:1:2",
            "b\u{e4}nk",
            &long,
        ] {
            assert_eq!(Authority::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (text, is_loopback) in [
            ("localhost", true),
            ("127.8.9.10", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
            ("2130706433", false),
        ] {
            let host = Host::parse(text).expect("a host");
            assert_eq!(host.is_loopback(), is_loopback, "{text}");
        }
    }

    #[test]
    fn an_origin_is_at_the_host_it_names() {
        for (origin, host, is_at) in [
            ("http://bank.example", "bank.example", true),
            ("https://bank.example", "BANK.example:443", true),
            ("http://bank.example:3000", "bank.example:3000", true),
            ("http://[::1]:3000", "[::1]:3000", true),
            ("http://bank.example", "bank.example:3000", false),
            ("http://bank.example:3000", "bank.example", false),
            ("http://bank.example.evil", "bank.example", false),
            ("app://bank.example", "bank.example", true),
        ] {
            let origin = Origin::parse(origin).expect("an origin");
            let authority = Authority::parse(host).expect("a host");
            assert_eq!(origin.is_at(&authority), is_at, "{origin:?} {host}");
        }
        for text in [
            "null",
            "*",
            "",
            "bank.example",
            "http://",
            "http://a/",
            "http://a/b",
            "http://*.a",
            "http://a b",
            "://a",
            "http://a@b",
            "http://a, http://b",
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }
}
