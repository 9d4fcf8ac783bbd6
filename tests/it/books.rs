//! `passbook books`: the open books, and one more.

use crate::support::Bank;
use crate::support::process::run;

#[tokio::test]
async fn a_book_that_was_opened_by_hand_has_accounts_of_its_own() {
    let bank = Bank::open().await;
    let books = |args: &[&str]| {
        let all = [&["books"], args, &["--database-url", &bank.database_url]].concat();
        let ended = run(&all);
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (ended.status.code(), text(ended.stdout), text(ended.stderr))
    };
    let (code, said, _) = books(&["create", "shop"]);
    assert_eq!((code, said.as_str()), (Some(0), "opened the book shop\n"));
    let (code, _, why) = books(&["create", "shop"]);
    assert_eq!(code, Some(2));
    assert!(
        why.contains("there is an open book shop already: passbook books lists them"),
        "{why}"
    );
    let (code, _, why) = books(&["create", "Shop"]);
    assert_eq!(code, Some(2));
    assert!(why.contains("not a book name"), "{why}");
    let (_, said, _) = books(&[]);
    let names: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(names, ["NAME", "events", "main", "shop"]);
    let open = bank
        .ask(reqwest::Method::POST, "/v1/accounts")
        .once("k")
        .with("Passbook-Book", "shop")
        .body(r#"{"currency":"EUR"}"#)
        .send()
        .await;
    assert_eq!(open.status, 201, "{open:?}");
    let elsewhere = bank.get(&open.headers["location"]).await;
    assert_eq!(elsewhere.status, 404, "{elsewhere:?}");
    bank.close().await;
}
