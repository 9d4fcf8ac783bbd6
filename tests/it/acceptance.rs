//! The acceptance run: ten thousand withdrawals of 2 from 10000 give exactly 5,000 successes.

use crate::support::Bank;
use crate::support::bank::at_once;

const CONNECTIONS: usize = 1_000;
const REQUESTS: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_withdrawals_of_2_from_10000_give_exactly_5000_successes() {
    let bank = Bank::open().await;
    let user = bank.user("10000").await;

    let clients = (0..CONNECTIONS).map(|_| async {
        let mut statuses = Vec::new();
        for _ in 0..REQUESTS / CONNECTIONS {
            let reply = user.change("-2").await;
            if reply.status == 400 {
                assert_eq!(
                    reply.text,
                    r#"{"success":false,"error":{"message":"Insufficient funds","code":400}}"#
                );
            }
            statuses.push(reply.status);
        }
        statuses
    });
    let statuses: Vec<u16> = at_once(clients).await.into_iter().flatten().collect();

    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        5_000
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 400).count(),
        5_000
    );
    assert_eq!(user.balance().await, "0.00");
    let account = user.account().await;
    let entries = bank
        .number(&format!(
            "select count(*) from entries where account_id = {account}"
        ))
        .await;
    assert_eq!(entries, 5_001, "the opening deposit and 5,000 withdrawals");
    let last = bank
        .number(&format!(
            "select version from accounts where id = {account}"
        ))
        .await;
    assert_eq!(last, 5_002, "versions without a gap");
    let batches = bank.app.service().counts().batches;
    assert!(
        batches < 2_000,
        "requests that arrive together are committed together: {batches} batches"
    );
    bank.close().await;
}
