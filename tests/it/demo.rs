//! The demo user: opened once, whatever clients have done before.

use passbook::ledger::{Amount, FirstAccount, Key, OpenUser};
use reqwest::Method;

use crate::support::bank::at_once;
use crate::support::{Bank, postgres};

const DEMO: [&str; 2] = ["--demo", "true"];
const USERS: &str = "select count(*) from users";

#[tokio::test]
async fn a_client_cannot_take_the_demo_users_key() {
    let bank = Bank::open().await;
    let keys = ["passbook-demo", "passbook_demo"];
    let mut firsts = Vec::new();
    for key in keys {
        firsts.push(bank.ask(Method::POST, "/accounts").once(key).send().await);
        assert_eq!(firsts.last().expect("one").status, 201);
    }
    let refused = bank.ask(Method::POST, "/accounts").once("passbook demo");
    let refused = refused.send().await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let url = bank.stop().await;

    let bank = Bank::open_on(&url, &DEMO).await;
    assert_eq!(bank.known_user(1).balance().await, "10000.00");
    for (key, first) in keys.into_iter().zip(firsts) {
        let again = bank.ask(Method::POST, "/accounts").once(key).send().await;
        assert_eq!(
            (again.status, &again.json()["accountId"]),
            (409, &first.json()["accountId"])
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn a_demo_user_of_an_earlier_program_stays_the_only_one() {
    let bank = Bank::open().await;
    // It did not get the first id.
    bank.plant("select nextval('users_id_seq')").await;
    let service = bank.app.service();
    let earlier = OpenUser {
        name: Some("Demo".to_owned()),
        email: None,
        password_hash: None,
        session: None,
        account: Some(FirstAccount {
            currency: service.default_currency(),
            opening_balance: Amount::from_minor(500).expect("an amount").magnitude(),
        }),
    };
    let key = Key {
        text: "passbook-demo".to_owned(),
        digest: [0; 32],
        said: None,
    };
    let answered = service.open_user(earlier, Some(key)).await;
    answered.expect("an answer").outcome.expect("a user");
    let url = bank.stop().await;

    let bank = Bank::open_on(&url, &DEMO).await;
    assert_eq!(bank.number(USERS).await, 1);
    bank.close().await;
}

#[tokio::test]
async fn of_services_that_start_together_one_opens_the_demo_user() {
    let url = postgres::create_database().await;
    // Else the second would find the first user, or not, as chance has it.
    postgres::execute(&url, "select nextval('users_id_seq')").await;
    let mut banks = at_once((0..3).map(|_| Bank::open_on(&url, &DEMO))).await;
    let bank = banks.pop().expect("a bank");
    for other in banks {
        other.stop().await;
    }
    assert_eq!(bank.number(USERS).await, 1);
    bank.close().await;
}
