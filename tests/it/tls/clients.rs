//! Client certificates: who has none, or one of somebody else's, is nobody; who has one has its name.

use std::io;

use super::address;
use crate::support::eventually;
use crate::support::peer::request;
use crate::support::process::{self, Passbook, path_of};
use crate::support::tls::{Authority, Client};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Asks for the health, and hears the answer or why there is none.
async fn ask(client: Client<'_>, passbook: &Passbook) -> io::Result<String> {
    let mut stream = client.connect(address(passbook)).await?;
    stream
        .write_all(&request("GET /api/health", "a", ""))
        .await?;
    let mut answer = vec![0; 4_096];
    let length = stream.read(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_a_certificate_of_the_authority_is_refused() {
    let data_dir = process::migrated_data_dir();
    let [authority, stranger] = ["root", "root"].map(Authority::new);
    authority.install(&authority.issue("bank"));
    let [cert, key] = authority.flags();
    let passbook = Passbook::serve(&[
        "--data-dir",
        path_of(&data_dir),
        "--log-requests",
        &cert,
        &key,
        &authority.client_flag(),
    ]);
    let [payroll, forged, nameless, control] = [
        authority.issue("payroll"),
        stranger.issue("payroll"),
        authority.issue(" "),
        authority.issue("pay\nroll"),
    ];
    for by_1_2 in [false, true] {
        let client = || {
            let client = authority.client();
            if by_1_2 { client.by_tls_1_2() } else { client }
        };
        let answer = ask(client().showing(&payroll), &passbook).await;
        assert!(
            answer.expect("an answer").starts_with("HTTP/1.1 200"),
            "{by_1_2}"
        );
        let none = ask(client(), &passbook).await.expect_err("it has none");
        assert!(
            none.to_string().contains("CertificateRequired") || by_1_2,
            "{none}"
        );
        let wrong = ask(client().showing(&forged), &passbook).await;
        let wrong = wrong.expect_err("it is somebody else's");
        assert!(wrong.kind() != io::ErrorKind::TimedOut, "{wrong}");
        for other in [&nameless, &control] {
            let heard = ask(client().showing(other), &passbook).await;
            assert!(
                heard.map_or(true, |heard| heard.is_empty()),
                "it has no name"
            );
        }
    }
    let two = authority.client().showing(&payroll);
    let mut two = two
        .connect_http2(address(&passbook), &h2::client::Builder::new())
        .await;
    let answer = two.ask("GET", "/api/users/1", "").await;
    assert_eq!(answer.expect("an answer").status, 200);
    eventually("each request has a line with the name", async || {
        passbook.logged("tls.client.name=\"payroll\"") == 3 && passbook.logged("INFO request") == 3
    })
    .await;
    passbook.stop();
    let verified = process::run(&["verify", "--data-dir", path_of(&data_dir)]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}
