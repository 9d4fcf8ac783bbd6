//! The settings of TLS: what is refused at the start and in which words, and what asks a service that has them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::address;
use crate::support::process::{self, Ended, Passbook, command, path_of, run};
use crate::support::tls::Authority;

/// How `serve` ends with these files, which it looks at before anything else.
fn refusal(cert: &str, key: &str, more: Option<&str>) -> Ended {
    let listen = ["serve", "--listen", "127.0.0.1:0"];
    let [cert, key] = [format!("--tls-cert={cert}"), format!("--tls-key={key}")];
    let files = [cert.as_str(), &key].into_iter().chain(more);
    let args: Vec<&str> = listen.into_iter().chain(files).collect();
    Ended::of(&run(&args))
}

/// Files that cannot be used together: certificate, key, authority of clients. Then which of them is named, and why.
const UNUSABLE: [[&str; 6]; 10] = [
    ["none", "key", "", "none", "CERT", "No such file"],
    [
        "nothing",
        "key",
        "",
        "nothing",
        "CERT",
        "it has no certificate in PEM",
    ],
    [
        "key",
        "key",
        "",
        "key",
        "CERT",
        "it has no certificate in PEM",
    ],
    [
        "broken",
        "key",
        "",
        "broken",
        "CERT",
        "invalid peer certificate",
    ],
    [
        "large",
        "key",
        "",
        "large",
        "CERT",
        "it has more than 1 MiB",
    ],
    ["cert", "none", "", "none", "KEY", "No such file"],
    [
        "cert",
        "cert",
        "",
        "cert",
        "KEY",
        "it has no private key in PEM without a passphrase",
    ],
    [
        "cert",
        "encrypted",
        "",
        "encrypted",
        "KEY",
        "it has no private key",
    ],
    [
        "cert",
        "other",
        "",
        "other",
        "KEY",
        "it is not the key of the certificate in",
    ],
    [
        "cert",
        "key",
        "nothing",
        "nothing",
        "CLIENT_CA",
        "it has no certificate in PEM",
    ],
];
const ENCRYPTED: &str =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
const BROKEN: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

#[test]
fn files_that_are_of_no_use_refuse_the_start() {
    let authority = Authority::new("root");
    authority.install(&authority.issue("bank"));
    authority.put("other.pem", &authority.issue("other").key);
    authority.put("nothing.pem", "nothing");
    authority.put("encrypted.pem", ENCRYPTED);
    authority.put("broken.pem", BROKEN);
    authority.put("large.pem", &"a".repeat(1024 * 1024 + 1));
    let path = |file| authority.path(&format!("{file}.pem")).display().to_string();
    for [cert, key, ca, refused, setting, reason] in UNUSABLE {
        let ca = (!ca.is_empty()).then(|| format!("--tls-client-ca={}", path(ca)));
        let ended = refusal(&path(cert), &path(key), ca.as_deref());
        let begin = format!(
            "passbook: cannot use {} (PASSBOOK_TLS_{setting}): ",
            path(refused)
        );
        let complaint = ended.complaint();
        assert!(complaint.starts_with(&begin), "{complaint}");
        assert!(complaint.contains(reason), "{complaint}");
    }
    for alone in ["--tls-cert=a", "--tls-key=a", "--tls-client-ca=a"] {
        let ended = Ended::of(&run(&["serve", alone]));
        let complaint = ended.complaint();
        assert!(complaint.contains("required"), "{alone}: {complaint}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_with_tls_says_so_and_is_asked_for_its_health_by_tls() {
    let authority = Authority::new("root");
    authority.install(&authority.issue("bank"));
    let key = authority.path("key.pem");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("a mode");
    let data_dir = process::migrated_data_dir();
    let [cert, key] = authority.flags();
    let ca = authority.client_flag();
    let flags = [&cert, &key, &ca].map(String::as_str);
    let passbook = Passbook::serve(&[&["--data-dir", path_of(&data_dir)], &flags[..]].concat());
    assert!(passbook.has_said(&format!("listening on  https://{}", address(&passbook))));
    assert!(passbook.has_said(&format!("curl https://{}", address(&passbook))));
    assert!(passbook.has_logged("everybody on this machine may read"));

    let probe = authority.issue("probe");
    authority.put("probe.pem", &probe.certificate);
    authority.put("probe-key.pem", &probe.key);
    authority.put("other.pem", &authority.issue("bank").certificate);
    let healthy = |cert: &str, more: &[(&str, &str)]| {
        let mut command = command();
        command.args(["health", "--listen", &address(&passbook).to_string()]);
        command.env("PASSBOOK_TLS_CERT", authority.path(cert));
        for (name, file) in more {
            command.env(name, authority.path(file));
        }
        let output = command.output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let shown = [
        ("PASSBOOK_HEALTH_TLS_CERT", "probe.pem"),
        ("PASSBOOK_HEALTH_TLS_KEY", "probe-key.pem"),
    ];
    assert_eq!(healthy("cert.pem", &shown), "healthy\n");
    for (cert, shown) in [("cert.pem", &shown[..0]), ("other.pem", &shown[..])] {
        let said = healthy(cert, shown);
        assert!(said.starts_with("not healthy: "), "{cert}: {said}");
    }
    passbook.stop();
    let verified = process::run(&["verify", "--data-dir", path_of(&data_dir)]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}
