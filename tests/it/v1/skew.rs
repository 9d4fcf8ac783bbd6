//! Two transactions, each on a condition that the other breaks: never both, whoever commits first.

use serde_json::{Value, json};

use crate::support::Bank;
use crate::support::bank::at_once;
use crate::support::native::usd;

/// How often two of them meet.
const MEETINGS: usize = 250;

/// Takes 1 of an account if the other has 1 still.
fn take(from: &str, while_has: &str) -> Value {
    json!({
        "postings": [usd(from, "world", "1")],
        "conditions": [{"account": while_has, "balance_at_least": "1"}],
    })
}

#[tokio::test]
async fn of_two_that_each_depend_on_what_the_other_takes_one_is_refused() {
    let here = Bank::open_with(&["--lanes", "2"]).await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let meetings = (0..4).map(|_| async {
        let (one, two) = (here.account_with("1").await, here.account_with("1").await);
        let mut accepted = [0, 0];
        for number in 0..MEETINGS {
            let (first, second) = (take(&one, &two), take(&two, &one));
            // Half of them meet in two services, half in one.
            let other = if number % 2 == 0 { &there } else { &here };
            let (first, second) = tokio::join!(
                here.command("/v1/transactions", &first),
                other.command("/v1/transactions", &second)
            );
            let statuses = [first.status, second.status];
            let taken = statuses.iter().position(|status| *status == 201);
            let taken = taken.unwrap_or_else(|| panic!("one can: {first:?}, {second:?}"));
            let refused = if taken == 0 { &second } else { &first };
            let code = refused.json()["code"].clone();
            assert!(
                ["condition_failed"].contains(&code.as_str().unwrap_or_default()),
                "{first:?}, {second:?}"
            );
            accepted[taken] += 1;
            let back = if taken == 0 { &one } else { &two };
            let back = here.transact(&[usd("world", back, "1")]).await;
            assert_eq!(back.status, 201, "{back:?}");
        }
        accepted
    });
    let accepted = at_once(meetings).await;
    let sum: usize = accepted.iter().flatten().sum();
    assert_eq!(sum, 4 * MEETINGS);
    there.stop().await;
    here.close().await;
}
