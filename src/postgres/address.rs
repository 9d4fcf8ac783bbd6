//! Where a running server is reached.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The only port number in use: it names the socket's file, nothing listens on TCP.
pub(super) const PORT: u16 = 5432;

pub(super) const SOCKET_FILE: &str = ".s.PGSQL.5432";
pub(super) const SOCKET_LOCK_FILE: &str = ".s.PGSQL.5432.lock";

/// The one database, and the role that owns it, which is the cluster's superuser.
pub(super) const NAME: &str = "passbook";

/// The role that the service runs as. The migrations make it.
const RUNTIME_ROLE: &str = "passbook_runtime";

/// Where a running server is, and which one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    url: String,
    runtime_url: String,
    socket_dir: String,
    data_dir: PathBuf,
    version: String,
}

impl Address {
    pub(super) fn new(data_dir: &Path, socket_dir: &str, version: &str) -> Self {
        let host = percent_encoded(socket_dir);
        // Port and sslmode are spelled out so that PGPORT and PGSSLMODE in our environment cannot change them.
        let url = |role: &str| {
            format!("postgres://{role}@localhost:{PORT}/{NAME}?host={host}&sslmode=disable")
        };
        Self {
            url: url(NAME),
            runtime_url: url(RUNTIME_ROLE),
            socket_dir: socket_dir.to_owned(),
            data_dir: data_dir.to_owned(),
            version: version.to_owned(),
        }
    }

    /// A connection URL over the private socket, for sqlx and libpq alike, as the role that owns everything.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same as the role that the service runs as.
    #[must_use]
    pub fn runtime_url(&self) -> &str {
        &self.runtime_url
    }

    /// The directory of the private socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        Path::new(&self.socket_dir)
    }

    /// The data directory as given in [`Settings`](super::Settings), made absolute.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// PostgreSQL's version, such as `15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_names_the_socket_percent_encoded() {
        let address = Address::new(Path::new("/d"), "/var/lib/a b&c/é", "15.18");
        assert_eq!(
            address.url(),
            "postgres://passbook@localhost:5432/passbook?host=%2Fvar%2Flib%2Fa%20b%26c%2F%C3%A9&sslmode=disable"
        );
    }
}
