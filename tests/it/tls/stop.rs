//! A stop with connections by HTTP/2: they are told, what is in flight is answered, and the service ends in good order.

use h2::client::Builder;

use super::address;
use crate::support::eventually;
use crate::support::process::{self, Passbook, path_of};
use crate::support::tls::{Authority, heard, request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_connection_is_told_and_its_requests_are_answered() {
    let data_dir = process::migrated_data_dir();
    let authority = Authority::new("root");
    authority.install(&authority.issue("bank"));
    let [cert, key] = authority.flags();
    let passbook = Passbook::serve(&["--data-dir", path_of(&data_dir), &cert, &key]);
    let listen = address(&passbook);
    let idle = authority
        .client()
        .connect_http2(listen, &Builder::new())
        .await;
    let mut busy = authority
        .client()
        .connect_http2(listen, &Builder::new())
        .await;
    // The service waits for the rest of the body.
    let (answer, mut body) = busy
        .sender
        .send_request(request("PUT", "/api/users/1/balance"), false)
        .expect("a request");
    body.send_data("{\"amount\"".into(), false)
        .expect("a piece");
    let asked = busy.ask("GET", "/api/users/1", "").await;
    assert_eq!(asked.expect("an answer").status, 200);
    passbook.signal("TERM");
    eventually("it is stopping", async || passbook.has_said("stopping")).await;
    // It ends now, and not with the service. What its client still says may come too late.
    drop(idle.driver.await.expect("no panic"));
    body.send_data(":-1}".into(), true).expect("the rest");
    let answer = heard(answer).await.expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    drop(busy.driver.await.expect("no panic"));
    let ended = passbook.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        !ended.stderr.contains("not answered in time"),
        "{}",
        ended.stderr
    );
    let verified = process::run(&["verify", "--data-dir", path_of(&data_dir)]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}
