//! The name in a certificate: its subject's common name, or else the first name of a host.

use tokio_rustls::rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// `id-at-commonName`, 2.5.4.3 (RFC 5280, appendix A.1), as it is encoded.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// Tags of DER (X.690, section 8).
const OBJECT_ID: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// `None` if there is neither. Of several common names the last is the most particular (RFC 4514, section 2.1).
pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<String> {
    let parsed = EndEntityCert::try_from(certificate).ok()?;
    let common = common_name(parsed.subject());
    common.or_else(|| parsed.valid_dns_names().next().map(str::to_owned))
}

/// The last common name of a subject: a sequence of sets of pairs of a kind and a value (RFC 5280, section 4.1.2.4).
fn common_name(subject: &[u8]) -> Option<String> {
    let mut found = None;
    let mut subject = Der(subject);
    while let Some((SET, set)) = subject.next() {
        let mut set = Der(set);
        while let Some((SEQUENCE, pair)) = set.next() {
            let mut pair = Der(pair);
            if pair.next() == Some((OBJECT_ID, &COMMON_NAME)) {
                found = pair.next();
            }
        }
    }
    match found? {
        (UTF8_STRING | PRINTABLE_STRING | IA5_STRING, text) => {
            str::from_utf8(text).ok().map(str::to_owned)
        }
        _ => None,
    }
}

/// What is left of a run of values, each with its tag and its length (X.690, section 8.1).
struct Der<'b>(&'b [u8]);

impl<'b> Iterator for Der<'b> {
    type Item = (u8, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [tag, first, rest @ ..] = self.0 else {
            return None;
        };
        let (length, rest) = match (first, rest) {
            (0..=0x7f, rest) => (usize::from(*first), rest),
            (0x81, [length, rest @ ..]) => (usize::from(*length), rest),
            (0x82, [high, low, rest @ ..]) => {
                (usize::from(u16::from_be_bytes([*high, *low])), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, value))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn named(common: &[&str], hosts: &[&str]) -> Option<String> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).expect("names of hosts");
        params.distinguished_name = DistinguishedName::new();
        let dn = &mut params.distinguished_name;
        dn.push(DnType::OrganizationName, "Bank");
        for name in common {
            dn.push(DnType::CommonName, *name);
        }
        let key = KeyPair::generate().expect("a key");
        of(params.self_signed(&key).expect("a certificate").der())
    }

    #[test]
    fn a_certificate_has_the_name_of_its_subject_or_of_its_host() {
        let long = "n".repeat(200);
        assert_eq!(named(&["payroll"], &[]).as_deref(), Some("payroll"));
        assert_eq!(
            named(&["payroll"], &["a.example"]).as_deref(),
            Some("payroll")
        );
        assert_eq!(named(&["Zoë"], &[]).as_deref(), Some("Zoë"));
        assert_eq!(named(&[&long], &[]), Some(long.clone()));
        assert_eq!(
            named(&[], &["a.example", "b.example"]).as_deref(),
            Some("a.example")
        );
        assert_eq!(named(&[], &[]), None);
    }

    #[test]
    fn what_is_no_subject_has_no_name() {
        let whole = [
            SET,
            0x0c,
            SEQUENCE,
            0x0a,
            OBJECT_ID,
            3,
            0x55,
            0x04,
            0x03,
            UTF8_STRING,
            3,
            b'a',
            b'b',
            b'c',
        ];
        assert_eq!(common_name(&whole).as_deref(), Some("abc"));
        for length in 0..whole.len() {
            assert_eq!(common_name(&whole[..length]), None, "{length}");
        }
        let mut second = whole;
        second[13] = b'd';
        let both = [whole, second].concat();
        assert_eq!(common_name(&both).as_deref(), Some("abd"), "the last");
        let mut bitmap = whole;
        bitmap[9] = 0x1e;
        assert_eq!(common_name(&bitmap), None, "a string of another kind");
    }
}
