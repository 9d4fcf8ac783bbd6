//! Emails: shown as they were typed, and one for all their spellings, beside those that were stored before.

use reqwest::Method;
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use crate::support::{Bank, Reply};

/// Ways to write one address: case, letters composed and not, a domain in Unicode and in Punycode.
const SPELLINGS: [&str; 5] = [
    "Ren\u{e9}@B\u{fc}cher.example",
    "ren\u{e9}@b\u{fc}cher.example",
    "RENE\u{301}@bu\u{308}cher.example",
    "rene\u{301}@XN--bcher-kva.example",
    "ren\u{e9}@b\u{fc}cher\u{3002}example",
];

/// Addresses that are one by simple case folding, or by the root of the domain.
const FOLDED: [[&str; 2]; 8] = [
    ["q\u{3c3}@y.org", "Q\u{3a3}@y.org"],
    [
        "\u{39f}\u{394}\u{39f}\u{3a3}@y.org",
        "\u{3bf}\u{3b4}\u{3bf}\u{3c3}@y.org",
    ],
    ["\u{17f}a@y.org", "SA@y.org"],
    ["\u{b5}@y.org", "\u{3bc}@y.org"],
    ["\u{1e9b}@y.org", "\u{1e60}@y.org"],
    ["a\u{345}@y.org", "a\u{3b9}@y.org"],
    ["\u{3b1}\u{345}@y.org", "\u{391}\u{399}@y.org"],
    ["a@x.org.", "A@x.org"],
];

fn folded_both_ways() -> impl Iterator<Item = [&'static str; 2]> {
    FOLDED
        .into_iter()
        .flat_map(|[first, other]| [[first, other], [other, first]])
}

/// At a domain of its own.
fn numbered(email: &str, number: i64) -> String {
    email.replace(".org", &format!("{number}.org"))
}

async fn belongs_to_somebody(bank: &Bank, email: &str, told: &str) {
    let told = format!("{email} and {told}");
    assert_eq!(create(bank, email).await.status, 409, "{told}");
    assert_eq!(open(bank, email, None).await.status, 409, "{told}");
    let known = sign(bank, "/api/signin", email, "Secret12").await;
    assert_eq!(known.status, 200, "{told}");
}

async fn create(bank: &Bank, email: &str) -> Reply {
    let body = format!(r#"{{"name":"a","email":"{email}"}}"#);
    bank.post("/create", &body).await
}

async fn open(bank: &Bank, email: &str, key: Option<&str>) -> Reply {
    let body = format!(r#"{{"email":"{email}"}}"#);
    let asked = bank.ask(Method::POST, "/api/users").once(key);
    asked.body(&body).send().await
}

async fn sign(bank: &Bank, path: &str, email: &str, password: &str) -> Reply {
    let body = format!(r#"{{"name":"a","email":"{email}","password":"{password}"}}"#);
    bank.post(path, &body).await
}

/// As the table had it before there was a canonical form, or with another one.
async fn store_as_before(bank: &Bank, user: i64, email: &str) {
    let sql = format!("update users set email = '{email}', email_typed = null where id = {user}");
    bank.plant(&sql).await;
}

#[tokio::test]
async fn what_was_typed_is_shown_and_kept() {
    let bank = Bank::open().await;
    let reply = bank.get("/create?name=a&email=Ada.V@Example.org").await;
    let shown = r#"{"user_id":1,"name":"a","email":"Ada.V@Example.org"}"#;
    assert_eq!((reply.status, reply.text.as_str()), (200, shown));
    for (user, email) in (2..).zip(["Rene\u{301}@b", "ada@B\u{fc}cher.example"]) {
        let reply = create(&bank, email).await;
        let shown = format!(r#"{{"user_id":{user},"name":"a","email":"{email}"}}"#);
        assert_eq!((reply.status, reply.text), (200, shown));
    }
    assert_eq!(open(&bank, "Grace@x", None).await.status, 201);
    assert_eq!(open(&bank, "linus@x", None).await.status, 201);
    let ken = sign(&bank, "/api/signup", "Ken@x", "Secret12").await;
    assert_eq!(ken.status, 200);
    let stored: Vec<(String, Option<String>)> = bank
        .rows("select email, email_typed from users order by id")
        .await;
    let expected = [
        ("ada.v@example.org", Some("Ada.V@Example.org")),
        ("ren\u{e9}@b", Some("Rene\u{301}@b")),
        ("ada@b\u{fc}cher.example", Some("ada@B\u{fc}cher.example")),
        ("grace@x", Some("Grace@x")),
        ("linus@x", None),
        ("ken@x", Some("Ken@x")),
    ];
    let expected = expected.map(|(email, typed)| (email.to_owned(), typed.map(str::to_owned)));
    assert_eq!(stored, expected);
    bank.close().await;
}

#[tokio::test]
async fn all_spellings_of_an_address_are_one_user() {
    let bank = Bank::open().await;
    for (number, first) in SPELLINGS.iter().enumerate() {
        let first = first.replace("example", &format!("example{number}"));
        let opened = sign(&bank, "/api/signup", &first, "Secret12").await;
        assert_eq!(opened.status, 200, "{first}");
        for other in SPELLINGS {
            let other = other.replace("example", &format!("example{number}"));
            let told = format!("{first} and {other}");
            assert_eq!(create(&bank, &other).await.status, 409, "{told}");
            assert_eq!(open(&bank, &other, None).await.status, 409, "{told}");
            let again = sign(&bank, "/api/signup", &other, "Secret12").await;
            assert_eq!(again.text, r#"{"message":"Email in Use"}"#, "{told}");
            let known = sign(&bank, "/api/signin", &other, "Secret12").await;
            assert_eq!(known.status, 200, "{told}");
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn two_users_from_before_whose_addresses_are_one_stay_two() {
    let bank = Bank::open().await;
    let [composed, decomposed] = ["ren\u{e9}@x", "Rene\u{301}@x"];
    let first = sign(&bank, "/api/signup", "first@x", "Decomposed1").await;
    assert_eq!(first.status, 200);
    let second = sign(&bank, "/api/signup", composed, "Composed1").await;
    assert_eq!(second.status, 200);
    store_as_before(&bank, 1, &decomposed.to_lowercase()).await;
    for email in [composed, decomposed] {
        assert_eq!(create(&bank, email).await.status, 409, "{email}");
        assert_eq!(open(&bank, email, None).await.status, 409, "{email}");
        for password in ["Composed1", "Decomposed1"] {
            let is_own = (email == composed) == (password == "Composed1");
            let reply = sign(&bank, "/api/signin", email, password).await;
            assert_eq!(reply.status == 200, is_own, "{email} {password} {reply:?}");
        }
    }
    assert_eq!(bank.number("select count(*) from users").await, 2);
    bank.close().await;
}

#[tokio::test]
async fn addresses_that_case_folding_makes_one_are_one_user() {
    let bank = Bank::open().await;
    for (number, [first, other]) in (0..).zip(folded_both_ways()) {
        let [first, other] = [first, other].map(|email| numbered(email, number));
        let opened = sign(&bank, "/api/signup", &first, "Secret12").await;
        assert_eq!(opened.status, 200, "{first}");
        belongs_to_somebody(&bank, &other, &first).await;
    }
    bank.close().await;
}

#[tokio::test]
async fn a_sharp_s_is_another_letter_than_two_s() {
    let bank = Bank::open().await;
    assert_eq!(open(&bank, "stra\u{df}e@x", None).await.status, 201);
    assert_eq!(open(&bank, "STRA\u{1e9e}E@x", None).await.status, 409);
    assert_eq!(open(&bank, "strasse@x", None).await.status, 201);
    bank.close().await;
}

/// In lower case and composed, but not folded.
#[tokio::test]
async fn a_user_stored_in_a_form_of_before_is_found_by_every_spelling() {
    let bank = Bank::open().await;
    for (number, both) in (0..).zip(folded_both_ways()) {
        let [stored, asked] = both.map(|email| numbered(email, number));
        let form: String = stored.to_lowercase().nfc().collect();
        let first = sign(&bank, "/api/signup", &stored, "Secret12").await;
        assert_eq!(first.status, 200, "{stored}");
        let newest = "select id from users order by created_at desc limit 1";
        let user = bank.number(newest).await;
        store_as_before(&bank, user, &form).await;
        for email in [&stored, &asked] {
            belongs_to_somebody(&bank, email, &form).await;
        }
    }
    let users = bank.number("select count(*) from users").await;
    assert_eq!(usize::try_from(users), Ok(2 * FOLDED.len()));
    bank.close().await;
}

#[tokio::test]
async fn a_retry_in_another_case_gets_the_first_answer() {
    let bank = Bank::open().await;
    let key = [("Idempotency-Key", "k")];
    let create = async |email: &str| {
        let body = format!(r#"{{"name":"a","email":"{email}"}}"#);
        bank.send(Method::POST, "/create", &key, Some(&body)).await
    };
    let first = create("Rp@x.org").await;
    assert_eq!(first.status, 200, "{first:?}");
    let again = create("rP@X.org").await;
    assert!(again.is_replayed());
    assert_eq!(again.text, first.text);
    bank.close().await;
}

#[tokio::test]
async fn a_retry_of_an_opening_from_before_is_a_replay() {
    let bank = Bank::open().await;
    let email = "RENE\u{301}@XN--bcher-kva.example";
    let stored = email.to_lowercase();
    let key = Some("k");
    let first = open(&bank, email, key).await;
    assert_eq!(first.status, 201);
    let digest: Vec<u8> = bank
        .rows::<(Vec<u8>,)>("select request_digest from transactions")
        .await
        .remove(0)
        .0;
    // As every earlier release made it: each value with its length before it, the email in lower case.
    let texts = format!(r#"[null,"{stored}"]"#);
    let mut expected = Sha256::new();
    for value in ["users", "open", &texts, "USD", "0"] {
        expected.update(value.len().to_be_bytes());
        expected.update(value);
    }
    assert_eq!(digest, expected.finalize().to_vec());

    store_as_before(&bank, 1, &stored).await;
    let again = open(&bank, email, key).await;
    assert_eq!((again.status, &again.text), (201, &first.text));
    assert!(again.is_replayed());
    let other_case = open(&bank, &stored, key).await;
    assert!(other_case.is_replayed(), "{other_case:?}");
    for key in [None, Some("other")] {
        assert_eq!(open(&bank, email, key).await.status, 409);
    }
    bank.close().await;
}
