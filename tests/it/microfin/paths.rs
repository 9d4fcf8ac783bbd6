//! Paths, methods, headers and bodies of the `microfin` dialect.

use reqwest::Method;

use super::{Member, assert_says, newcomer, one, sign_in, token, two};
use crate::support::bank::at_once;
use crate::support::{Bank, Reply};

const NO_RESOURCE: &str =
    r#"{"success":false,"error":{"message":"Resource not found","code":404}}"#;

const WRITES: [&str; 4] = [
    "/api/accountGeneration",
    "/api/deposit",
    "/api/withdraw",
    "/api/transfer",
];

#[tokio::test]
async fn every_operation_answers_with_and_without_a_slash_at_its_end() {
    let bank = Bank::open().await;
    for (slash, name) in [("", "ada"), ("/", "grace")] {
        let path = |operation: &str| format!("/api/{operation}{slash}");
        let reply = bank
            .post(&path("signup"), &newcomer(name, "Secret12"))
            .await;
        assert_says(&reply, 200, "User Created Successfully");
        let body = format!(r#"{{"email":"{name}@example.org","password":"Secret12"}}"#);
        let reply = bank.post(&path("signin"), &body).await;
        assert_says(&reply, 200, "User Signed In  Successfully");
        let token = token(&reply);
        let member = Member { bank: &bank, token };

        let opened = member.get(&path("accountGeneration")).await;
        let number = super::text(&opened, "accountNumber");
        let shown = format!(
            r#"{{"message":"New Account Created Successfully","accountNumber":"{number}","balance":"0"}}"#
        );
        super::assert_is(&opened, 200, &shown);
        assert_eq!(opened.headers["cache-control"], "no-store");
        assert!(number.len() == 12 && number.bytes().all(|byte| byte.is_ascii_digit()));
        let opened = member.post(&path("accountGeneration"), "").await;
        let other = super::text(&opened, "accountNumber");
        super::assert_is(&opened, 200, &shown.replace(&number, &other));
        assert_ne!(number, other);

        let reply = member.post(&path("deposit"), &one(&number, "100.5")).await;
        super::assert_moved(&reply, "Deposit request accepted", "100.50");
        let reply = member.post(&path("withdraw"), &one(&number, "0.5")).await;
        super::assert_moved(&reply, "Withdrawal request accepted", "100.00");
        let body = two(&number, &other, "\"30.00\"");
        let reply = member.post(&path("transfer"), &body).await;
        super::assert_moved(&reply, "Transfer request accepted", "70.00");
        let listed = member.get(&path("accounts")).await;
        assert_eq!(listed.json()["accounts"].as_array().map(Vec::len), Some(3));
        let reply = member.post(&path("signout"), "").await;
        assert_says(&reply, 200, "User Signed Out Successfully");
    }
    bank.close().await;
}

#[tokio::test]
async fn other_methods_and_longer_paths_are_not_found_in_the_shape_of_users() {
    let bank = Bank::open().await;
    let member = Member::new(&bank, "ada").await;
    let known = [
        ("signup", [Method::POST].as_slice()),
        ("signin", &[Method::POST]),
        ("signout", &[Method::POST]),
        ("accountGeneration", &[Method::GET, Method::POST]),
        ("accounts", &[Method::GET]),
        ("deposit", &[Method::POST]),
        ("withdraw", &[Method::POST]),
        ("transfer", &[Method::POST]),
    ];
    for (operation, methods) in known {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            for (end, is_known) in [("", true), ("/", true), ("//", false), ("/1", false)] {
                if is_known && methods.contains(&method) {
                    continue;
                }
                let path = format!("/api/{operation}{end}");
                let reply = member.send(method.clone(), &path, None, "{}").await;
                super::assert_is(&reply, 404, NO_RESOURCE);
            }
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn nobody_who_is_not_signed_in_is_told_anything() {
    let bank = Bank::open().await;
    let member = Member::new(&bank, "ada").await;
    let number = member.account_with("10").await;
    let never = "0".repeat(64);
    for token in ["", "1", never.as_str()] {
        let stranger = Member {
            bank: &bank,
            token: token.to_owned(),
        };
        for body in [&one(&number, "1"), "{}", "", "{"] {
            for path in WRITES.into_iter().chain(["/api/signout"]) {
                let reply = stranger.post(path, body).await;
                assert_says(&reply, 401, "User not logged in");
            }
        }
        for path in ["/api/accounts?limit=0", "/api/accountGeneration"] {
            let reply = stranger.get(path).await;
            assert_says(&reply, 401, "User not logged in");
        }
    }
    assert_eq!(member.balance(&number).await, "10.00");
    assert_eq!(bank.number("select count(*) from accounts").await, 2);
    bank.close().await;
}

#[tokio::test]
async fn what_another_site_asks_for_is_refused() {
    let bank = Bank::open().await;
    let member = Member::new(&bank, "ada").await;
    let number = member.account_with("10").await;
    let cookie = format!("sessionId={}", member.token);
    let paths = ["/api/signup", "/api/signin", "/api/signout"];
    let posts = WRITES.into_iter().chain(paths);
    let requests = posts.map(|path| (Method::POST, path));
    let body = one(&number, "1");
    for (method, path) in requests.chain([(Method::GET, "/api/accountGeneration")]) {
        let headers = [
            ("Cookie", cookie.as_str()),
            ("Sec-Fetch-Site", "cross-site"),
        ];
        let reply = bank.send(method, path, &headers, Some(&body)).await;
        assert_says(&reply, 403, "Another site may not ask for this");
    }
    let origin = bank.url("");
    for (site, status) in [
        ("same-origin", 202),
        ("none", 202),
        ("same-site", 202),
        ("same-site", 403),
    ] {
        let mut headers = vec![("Cookie", cookie.as_str()), ("Sec-Fetch-Site", site)];
        // Its own page may be behind a proxy that the browser takes for a neighbour.
        if status == 202 && site == "same-site" {
            headers.push(("Origin", origin.as_str()));
        }
        let reply = bank
            .send(Method::POST, "/api/withdraw", &headers, Some(&body))
            .await;
        assert_eq!(reply.status, status, "{site}: {reply:?}");
    }
    assert_eq!(member.balance(&number).await, "7.00");
    assert_eq!(bank.number("select count(*) from accounts").await, 2);
    bank.close().await;
}

#[tokio::test]
async fn a_body_that_is_no_object_of_fields_is_invalid_input() {
    let bank = Bank::open().await;
    let member = Member::new(&bank, "ada").await;
    let paths = [
        "/api/signup",
        "/api/signin",
        "/api/deposit",
        "/api/transfer",
    ];
    for path in paths {
        for body in ["{", "[]", "null", "1", "{} {}", "{}\u{feff}"] {
            let reply = member.post(path, body).await;
            assert_says(&reply, 400, "Invalid Input");
        }
        assert_says(&member.post(path, "").await, 400, "Request body is empty");
        assert_says(
            &member.post(path, "{}").await,
            400,
            "All fields are required",
        );
        let reply = member.post(path, &" ".repeat(65_537)).await;
        assert_says(&reply, 413, "Request body is larger than 64 KiB");
    }
    bank.close().await;
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_by_every_write() {
    let bank = Bank::open().await;
    let member = Member::new(&bank, "ada").await;
    for path in WRITES.into_iter().chain(["/api/signup"]) {
        let reply = member.post_once("a b", path, "{}").await;
        let message = "Idempotency-Key must be 1 to 255 visible ASCII characters, given once";
        assert_says(&reply, 400, message);
    }
    let reply = sign_in(&bank, "ada@example.org", "Secret12").await;
    assert_eq!(reply.status, 200, "a sign-in takes no key");
    bank.close().await;
}

/// The numbers on a page, and the page after it.
fn page(reply: &Reply) -> (Vec<String>, Option<String>) {
    let json = reply.json();
    let accounts = json["accounts"].as_array().expect("accounts").iter();
    let numbers = accounts.filter_map(|account| account["accountNumber"].as_str());
    let next = json["next"].as_str().map(str::to_owned);
    (numbers.map(str::to_owned).collect(), next)
}

#[tokio::test]
async fn the_accounts_of_the_caller_are_listed_by_number() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    let grace = Member::new(&bank, "grace").await;
    grace.account_with("500").await;
    let opened = [ada.account().await, ada.account().await];
    let (numbers, _) = page(&ada.get("/api/accounts").await);
    assert!(numbers.is_sorted() && numbers.len() == 3);
    assert!(opened.iter().all(|number| numbers.contains(number)));
    for (number, amount) in numbers.iter().zip(["0.01", "20"]) {
        assert_eq!(ada.deposit(number, amount).await.status, 202);
    }
    let account = |number: &str, balance: &str, version: i64| {
        format!(
            r#"{{"accountNumber":"{number}","currency":"USD","balance":"{balance}","version":{version}}}"#
        )
    };
    let all = [
        account(&numbers[0], "0.01", 2),
        account(&numbers[1], "20.00", 2),
        account(&numbers[2], "0.00", 1),
    ];
    let shown = format!(r#"{{"accounts":[{}],"next":null}}"#, all.join(","));
    super::assert_is(&ada.get("/api/accounts").await, 200, &shown);
    let shown = format!(r#"{{"accounts":[{}],"next":"{}"}}"#, all[0], numbers[0]);
    super::assert_is(&ada.get("/api/accounts?limit=1").await, 200, &shown);
    bank.close().await;
}

#[tokio::test]
async fn a_page_has_a_hundred_accounts_or_as_many_as_are_asked_for() {
    let bank = Bank::open().await;
    let ada = Member::new(&bank, "ada").await;
    at_once((0..100).map(|_| ada.account())).await;
    let listed = async |query: &str| page(&ada.get(&format!("/api/accounts{query}")).await);
    let (mut all, next) = listed("").await;
    assert_eq!((all.len(), next.as_ref()), (100, all.last()));
    let (rest, none) = listed(&format!("?after={}", all[99])).await;
    assert_eq!((rest.len(), none), (1, None));
    all.extend(rest);
    assert!(all.is_sorted());
    let after = |at: usize, limit: usize| format!("?after={}&limit={limit}", all[at]);
    for (query, numbers, is_last) in [
        ("?limit=100".to_owned(), &all[..100], false),
        ("?limit=2".to_owned(), &all[..2], false),
        (after(0, 100), &all[1..], true),
        (after(1, 98), &all[2..100], false),
        (after(98, 2), &all[99..], true),
        (after(98, 1), &all[99..100], false),
        (after(100, 1), &[], true),
    ] {
        let next = numbers.last().filter(|_| !is_last).cloned();
        assert_eq!(listed(&query).await, (numbers.to_vec(), next), "{query}");
    }
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=",
        "limit=1&limit=1",
        "after=1",
        "after=%",
    ] {
        let reply = ada.get(&format!("/api/accounts?{query}")).await;
        assert_says(&reply, 400, "Invalid Input");
    }
    bank.close().await;
}
