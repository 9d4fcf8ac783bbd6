//! Money that moves in the `microfin` dialect, and money that does not.

use passbook::ledger::AccountId;

use super::{Member, assert_is, assert_moved, assert_says, text};
use crate::support::Bank;
use crate::support::bank::at_once;

#[tokio::test]
async fn money_comes_in_goes_out_and_moves_between_accounts() {
    let bank = Bank::open().await;
    let (ada, grace) = (
        Member::new(&bank, "ada").await,
        Member::new(&bank, "grace").await,
    );
    let (number, other) = (ada.account().await, grace.account().await);
    let deposit = ada.deposit(&number, "1000").await;
    assert_moved(&deposit, "Deposit request accepted", "1000.00");
    let withdrawal = ada.withdraw(&number, "\"0.01\"").await;
    assert_moved(&withdrawal, "Withdrawal request accepted", "999.99");
    let transfer = ada.transfer(&number, &other, "1e2").await;
    assert_moved(&transfer, "Transfer request accepted", "899.99");
    assert_eq!(ada.balance(&number).await, "899.99");
    assert_eq!(grace.balance(&other).await, "100.00");
    for reply in [&deposit, &withdrawal, &transfer] {
        let id = text(reply, "transactionId");
        let stored = format!("select count(*) from entries where transaction_id = '{id}'");
        assert!(0 < bank.number(&stored).await);
    }
    bank.close().await;
}

#[tokio::test]
async fn a_deposit_to_somebody_elses_account_hides_its_balance() {
    let bank = Bank::open().await;
    let (ada, grace) = (
        Member::new(&bank, "ada").await,
        Member::new(&bank, "grace").await,
    );
    let number = grace.account_with("500").await;
    let reply = ada.deposit(&number, "1").await;
    let id = text(&reply, "transactionId");
    let shown = format!(r#"{{"message":"Deposit request accepted","transactionId":"{id}"}}"#);
    assert_is(&reply, 202, &shown);
    assert_eq!(grace.balance(&number).await, "501.00");
    bank.close().await;
}

#[tokio::test]
async fn nobody_takes_money_from_an_account_of_somebody_else() {
    let bank = Bank::open().await;
    let (ada, eve) = (
        Member::new(&bank, "ada").await,
        Member::new(&bank, "eve").await,
    );
    let (number, hers) = (ada.account_with("500").await, eve.account_with("5").await);
    // Also where it would be refused, so that a refusal tells nothing of the account.
    for amount in ["1", "501", "0", "-1", "0.001", "\"x\""] {
        let reply = eve.withdraw(&number, amount).await;
        assert_says(&reply, 400, "Account not found");
        for receiver in [&hers, &number, "000000000000"] {
            let reply = eve.transfer(&number, receiver, amount).await;
            assert_says(&reply, 400, "Sender account not found");
        }
    }
    assert_eq!(ada.balance(&number).await, "500.00");
    assert_eq!(eve.balance(&hers).await, "5.00");
    bank.close().await;
}

#[tokio::test]
async fn a_number_that_is_no_accounts_is_not_found() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let number = ada.account_with("10").await;
    let mut mistyped = number.clone();
    let last = if mistyped.pop() == Some('0') {
        '1'
    } else {
        '0'
    };
    mistyped.push(last);
    let (short, long) = (&number[1..], format!("{number}0"));
    let unused = AccountId(9_999_999_999).to_number();
    for wrong in [
        &mistyped, short, &long, &unused, "x", " ", "1\\u0000", "1e3",
    ] {
        for amount in ["1", "0", "\"x\""] {
            let replies = [
                (ada.deposit(wrong, amount).await, "Account not found"),
                (ada.withdraw(wrong, amount).await, "Account not found"),
                (
                    ada.transfer(wrong, &number, amount).await,
                    "Sender account not found",
                ),
                (
                    ada.transfer(wrong, wrong, amount).await,
                    "Sender account not found",
                ),
                (
                    ada.transfer(&number, wrong, amount).await,
                    "Receiver account not found",
                ),
            ];
            for (reply, message) in replies {
                assert_says(&reply, 400, message);
            }
        }
    }
    assert_eq!(ada.balance(&number).await, "10.00");
    bank.close().await;
}

#[tokio::test]
async fn a_number_may_be_a_json_integer_and_is_of_no_other_type() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let number = ada.account_with("10").await;
    let integer = number.trim_start_matches('0');
    assert!(integer.len() < number.len());
    let body = format!(r#"{{"accountNumber":{integer},"amount":1}}"#);
    let reply = ada.post("/api/deposit", &body).await;
    assert_moved(&reply, "Deposit request accepted", "11.00");
    for (wrong, message) in [
        ("true", "Invalid Input"),
        ("[]", "Invalid Input"),
        ("{}", "Invalid Input"),
        ("1.5", "Invalid Input"),
        ("-1", "Invalid Input"),
        ("\"\\ud800\"", "Invalid Input"),
        ("1", "Account not found"),
        ("99999999999999999999", "Account not found"),
    ] {
        let body = format!(r#"{{"accountNumber":{wrong},"amount":1}}"#);
        for path in ["/api/deposit", "/api/withdraw"] {
            assert_says(&ada.post(path, &body).await, 400, message);
        }
    }
    assert_eq!(ada.balance(&number).await, "11.00");
    bank.close().await;
}

#[tokio::test]
async fn a_move_needs_every_field() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let operations: [(&str, &[&str]); 3] = [
        ("/api/deposit", &["accountNumber", "amount"]),
        ("/api/withdraw", &["accountNumber", "amount"]),
        (
            "/api/transfer",
            &["senderAccountNumber", "receiverAccountNumber", "amount"],
        ),
    ];
    for (path, fields) in operations {
        for missing in fields {
            for value in ["", "null", r#""""#] {
                let given = fields
                    .iter()
                    .filter_map(|field| match (field == missing, value) {
                        (true, "") => None,
                        (true, value) => Some(format!(r#""{field}":{value}"#)),
                        (false, _) => Some(format!(r#""{field}":true"#)),
                    });
                let body = format!("{{{}}}", given.collect::<Vec<_>>().join(","));
                assert_says(&ada.post(path, &body).await, 400, "All fields are required");
            }
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn an_amount_is_more_than_nothing_and_exact() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let (number, other) = (ada.account_with("10").await, ada.account().await);
    let unfit = [
        "true",
        "[1]",
        "{}",
        "\"x\"",
        "\" 1\"",
        "\"1_000\"",
        "\"0x10\"",
        "\"NaN\"",
        "\"1e\"",
        "0.001",
        "-0.001",
        "1e-30",
        "1e400",
        "1e26",
        "9999999999999999999999999999999999999999",
    ];
    for amount in unfit {
        for reply in [
            ada.deposit(&number, amount).await,
            ada.withdraw(&number, amount).await,
            ada.transfer(&number, &other, amount).await,
        ] {
            assert_says(&reply, 400, "Invalid Input Amount");
        }
    }
    for amount in ["0", "-0", "0.00", "\"0\"", "-1", "\"-0.01\"", "-1e20"] {
        for (reply, message) in [
            (
                ada.deposit(&number, amount).await,
                "Deposit amount must be greater than zero",
            ),
            (
                ada.withdraw(&number, amount).await,
                "Invalid Withdrawal Amount",
            ),
            (
                ada.transfer(&number, &other, amount).await,
                "Transfer amount must be greater than zero",
            ),
        ] {
            assert_says(&reply, 400, message);
        }
    }
    assert_eq!(ada.balance(&number).await, "10.00");
    bank.close().await;
}

#[tokio::test]
async fn money_that_is_not_there_does_not_move() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let (number, other) = (ada.account_with("10").await, ada.account().await);
    let reply = ada.withdraw(&number, "10.01").await;
    assert_says(&reply, 400, "Insufficient balance");
    let reply = ada.transfer(&number, &other, "10.01").await;
    assert_says(&reply, 400, "Sender does not have enough balance");
    let reply = ada.transfer(&number, &number, "1").await;
    assert_says(&reply, 400, "Sender and receiver are the same account");
    assert_eq!(ada.balance(&number).await, "10.00");
    assert_eq!(bank.number("select count(*) from entries").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn money_keeps_its_currency() {
    let dollars = Bank::open().await;
    let ada = Member::new(&dollars, "ada").await;
    let (number, token) = (ada.account_with("10").await, ada.token);
    let url = dollars.stop().await;
    let euros = Bank::open_on(&url, &["--default-currency", "EUR"]).await;
    let ada = Member {
        bank: &euros,
        token,
    };
    let euro = ada.account_with("1").await;
    for (sender, receiver) in [(&number, &euro), (&euro, &number)] {
        let reply = ada.transfer(sender, receiver, "1").await;
        assert_says(&reply, 400, "Accounts hold different currencies");
    }
    let reply = ada.deposit(&number, "1").await;
    assert_moved(&reply, "Deposit request accepted", "11.00");
    euros.close().await;
}

#[tokio::test]
async fn an_account_that_is_frozen_or_closed_says_so() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let mut numbers = Vec::new();
    for what in [Some("freeze"), Some("close"), None] {
        let number = ada.account_with("10").await;
        let id = AccountId::parse_number(&number).expect("a number");
        if what == Some("close") {
            assert_eq!(ada.withdraw(&number, "10").await.status, 202);
        }
        if let Some(what) = what {
            bank.set_status(id.0, what).await;
        }
        numbers.push(number);
    }
    let [frozen, closed, open] = numbers.as_slice() else {
        panic!("three accounts");
    };
    for (number, message) in [(frozen, "Account is frozen"), (closed, "Account is closed")] {
        assert_says(&ada.withdraw(number, "1").await, 400, message);
        assert_says(&ada.transfer(number, open, "1").await, 400, message);
    }
    assert_eq!(ada.deposit(frozen, "1").await.status, 202);
    for reply in [
        ada.deposit(closed, "1").await,
        ada.transfer(open, closed, "1").await,
    ] {
        assert_says(&reply, 400, "Account is closed");
    }
    bank.close().await;
}

#[tokio::test]
async fn an_account_holds_no_more_than_an_account_can() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let number = ada.account_with("1e25").await;
    let reply = ada.deposit(&number, "0.01").await;
    assert_says(&reply, 400, "Balance would be too large");
    bank.close().await;
}

#[tokio::test]
async fn of_ten_withdrawals_at_once_five_find_their_money() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let number = ada.account_with("1000").await;
    let replies = at_once((0..10).map(|_| ada.withdraw(&number, "200"))).await;
    let (done, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 202);
    assert_eq!((done.len(), refused.len()), (5, 5));
    for reply in refused {
        assert_says(reply, 400, "Insufficient balance");
    }
    let mut balances: Vec<String> = done.iter().map(|reply| text(reply, "balance")).collect();
    balances.sort();
    assert_eq!(balances, ["0.00", "200.00", "400.00", "600.00", "800.00"]);
    assert_eq!(ada.balance(&number).await, "0.00");
    bank.close().await;
}
