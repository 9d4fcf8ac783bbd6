//! TLS: who can speak to the service, by which versions and protocols, within which limits, and with which certificate.

mod bounds;
mod browsers;
mod clients;
mod floods;
mod hellos;
mod protocols;
mod renewal;
mod settings;
mod stop;

use std::net::SocketAddr;

use crate::support::Bank;
use crate::support::process::Passbook;
use crate::support::tls::Authority;

/// A bank that speaks TLS, and whoever issued its certificate.
async fn open(flags: &[&str]) -> (Bank, Authority) {
    let authority = Authority::new("root");
    authority.install(&authority.issue("bank"));
    let own = authority.flags();
    let flags: Vec<&str> = own
        .iter()
        .map(String::as_str)
        .chain(flags.iter().copied())
        .collect();
    let bank = Bank::open_with(&flags).await;
    (bank, authority)
}

/// Where a service listens that says `https://`.
fn address(passbook: &Passbook) -> SocketAddr {
    let address = passbook
        .url
        .strip_prefix("https://")
        .expect("it speaks TLS");
    address.parse().expect("an address")
}
