//! Certificates that are replaced while the service runs: without a failed request, and never by half.

use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::address;
use crate::support::bank::at_once;
use crate::support::eventually;
use crate::support::peer::{Peer, request};
use crate::support::process::{self, Passbook, path_of};
use crate::support::tls::{Authority, Issued, certificate, shown};

/// How often the files are replaced under load.
const TIMES: usize = 20;
/// Clients that ask meanwhile.
const CLIENTS: usize = 4;
/// Requests of a client over one connection.
const REQUESTS: usize = 5;
/// What is logged of files that are of no use.
const KEPT: &str = "TLS goes on with the files of before";

/// A service with a certificate, and what it shows.
struct Service {
    passbook: Passbook,
    authority: Authority,
    data_dir: TempDir,
}

impl Service {
    fn start(authority: Authority, first: &Issued, flags: &[&str]) -> Self {
        let data_dir = process::migrated_data_dir();
        authority.install(first);
        let [cert, key] = authority.flags();
        let mut args = vec!["--data-dir", path_of(&data_dir), &cert, &key];
        args.extend(flags);
        let passbook = Passbook::serve(&args);
        Self {
            passbook,
            authority,
            data_dir,
        }
    }

    /// Whether a new client is shown this certificate.
    async fn shows(&self, issued: &Issued) -> bool {
        let stream = self
            .authority
            .client()
            .connect(address(&self.passbook))
            .await;
        shown(&stream.expect("a connection")) == certificate(issued)
    }

    fn stop(self) {
        self.passbook.stop();
        let verified = process::run(&["verify", "--data-dir", path_of(&self.data_dir)]);
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_replaced_under_load_without_a_failed_request() {
    let authority = Authority::new("root");
    let first = authority.issue("bank");
    let service = Service::start(authority, &first, &[]);
    let listen = address(&service.passbook);
    let before = service.authority.client().connect(listen).await;
    let before = before.expect("a connection");
    assert_eq!(shown(&before), certificate(&first));
    let mut before = Peer::over(before);
    let enough = AtomicBool::new(false);
    let client = async |number: usize| {
        let mut answers = 0;
        while !enough.load(Ordering::Relaxed) {
            let client = service.authority.client();
            if number.is_multiple_of(2) {
                let mut http2 = client
                    .connect_http2(listen, &h2::client::Builder::new())
                    .await;
                for _ in 0..REQUESTS {
                    let reply = http2
                        .ask("PUT", "/api/users/1/balance", r#"{"amount":1}"#)
                        .await;
                    assert_eq!(reply.expect("an answer").status, 200);
                    answers += 1;
                }
            } else {
                let stream = client.connect(listen).await;
                let mut peer = Peer::over(stream.expect("a connection"));
                for _ in 0..REQUESTS {
                    peer.send(&request("GET /api/users/1", "a", "")).await;
                    assert_eq!(peer.reply().await.expect("an answer").status, 200);
                    answers += 1;
                }
            }
        }
        answers
    };
    let replacer = async {
        for time in 0..TIMES {
            let next = service.authority.issue("bank");
            service.authority.install(&next);
            if time.is_multiple_of(2) {
                service.passbook.signal("HUP");
            }
            eventually("a new connection sees it", async || {
                service.shows(&next).await
            })
            .await;
            before.send(&request("GET /api/users/1", "a", "")).await;
            assert_eq!(before.reply().await.expect("it goes on").status, 200);
        }
        enough.store(true, Ordering::Relaxed);
    };
    let (answers, ()) = tokio::join!(at_once((0..CLIENTS).map(client)), replacer);
    assert!(
        answers.iter().all(|answers| TIMES < *answers),
        "{answers:?}"
    );
    assert!(
        !service.passbook.has_logged(KEPT),
        "each pair was whole in the end"
    );
    service.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_do_not_belong_together_are_not_used() {
    let authority = Authority::new("root");
    let [first, second] = ["bank", "bank"].map(|name| authority.issue(name));
    let service = Service::start(authority, &first, &[]);
    let complaints = || service.passbook.logged(KEPT);
    service.authority.put("cert.pem", &second.certificate);
    eventually("it is said", async || complaints() == 1).await;
    assert!(
        service
            .passbook
            .has_logged("it is not the key of the certificate in")
    );
    assert!(service.shows(&first).await);
    service.passbook.signal("HUP");
    eventually("whoever asks is told again", async || complaints() == 2).await;
    service.authority.put("key.pem", "nothing");
    eventually("it is said", async || complaints() == 3).await;
    assert!(service.passbook.has_logged("it has no private key in PEM"));
    assert!(service.shows(&first).await);
    std::fs::remove_file(service.authority.path("key.pem")).expect("a file");
    eventually("it is said", async || complaints() == 4).await;
    assert!(service.shows(&first).await);
    service.authority.put("key.pem", &second.key);
    eventually("the pair is whole", async || service.shows(&second).await).await;
    assert_eq!(complaints(), 4);
    service.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_authority_for_clients_ends_the_old_one() {
    let authority = Authority::new("root");
    let next = Authority::new("next");
    let [own, old] = ["bank", "payroll"].map(|name| authority.issue(name));
    let new = next.issue("payroll");
    let flag = authority.client_flag();
    let service = Service::start(authority, &own, &[&flag]);
    let is_let_in = async |issued: &Issued| {
        let client = service.authority.client().showing(issued);
        let stream = client.connect(address(&service.passbook)).await;
        let mut peer = Peer::over(stream.expect("TLS 1.3 says it later"));
        peer.send(&request("GET /api/health", "a", "")).await;
        peer.reply().await.is_some()
    };
    assert!(is_let_in(&old).await);
    assert!(!is_let_in(&new).await);
    let ca = std::fs::read_to_string(next.path("ca.pem")).expect("a file");
    service.authority.put("ca.pem", &ca);
    service.passbook.signal("HUP");
    eventually("the new one counts", async || is_let_in(&new).await).await;
    assert!(!is_let_in(&old).await);
    service.stop();
}
