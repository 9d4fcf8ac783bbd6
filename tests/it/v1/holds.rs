//! `/v1/holds`: money is set aside, changed, captured and let go.

use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_refused, assert_seen, assert_strict};
use crate::support::native::{id_of, usd};
use crate::support::{Bank, Reply};

async fn capture(bank: &Bank, hold: &str, body: Value) -> Reply {
    bank.command(&format!("/v1/holds/{hold}/captures"), &body)
        .await
}

async fn patch(bank: &Bank, hold: &str, body: Value) -> Reply {
    let asked = bank.change(Method::PATCH, &format!("/v1/holds/{hold}"));
    asked.body(&body.to_string()).send().await
}

/// What a hold comes to: amount, captured, remaining, status and version.
fn stands(hold: &Value) -> String {
    let text = |name: &str| hold[name].as_str().expect("a text").to_owned();
    let parts = ["amount", "captured", "remaining", "status"].map(text);
    format!("{} {}", parts.join(" "), hold["version"])
}

/// What an account comes to: balance, held, available and version.
async fn account_stands(bank: &Bank, account: &str) -> String {
    let shown = bank.shown(&format!("/v1/accounts/{account}")).await;
    let text = |name: &str| shown[name].as_str().expect("a text").to_owned();
    let parts = ["balance", "held", "available"].map(text);
    format!("{} {}", parts.join(" "), shown["version"])
}

#[tokio::test]
async fn a_hold_lowers_what_is_available_and_no_balance() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    let new = json!({
        "account": account, "amount": "4.5", "currency": "USD",
        "reference": "room 7", "metadata": {"guest": "7"},
    });
    let placed = bank.command("/v1/holds", &new).await;
    let id = id_of(&placed);
    assert_eq!(placed.status, 201);
    assert_eq!(placed.headers["location"], format!("/v1/holds/{id}"));
    assert_eq!(placed.headers["etag"], "\"3\"");
    assert_eq!(placed.headers["cache-control"], "private, no-cache");
    let json = placed.json();
    let (at, until) = (&json["created_at"], &json["expires_at"]);
    let expected = format!(
        r#"{{"id":"{id}","account":"{account}","currency":"USD","amount":"4.50","captured":"0.00","remaining":"4.50","status":"active","reference":"room 7","metadata":{{"guest":"7"}},"expires_at":{until},"version":3,"created_at":{at}}}"#
    );
    assert_eq!(placed.text, expected);
    let time = |at: &Value| -> chrono::DateTime<chrono::Utc> {
        at.as_str().and_then(|at| at.parse().ok()).expect("a time")
    };
    assert_eq!((time(until) - time(at)).num_seconds(), 7 * 24 * 3_600);
    let shown = bank.get(&format!("/v1/holds/{id}")).await;
    assert_eq!(
        (&shown.text, &*shown.headers["etag"]),
        (&placed.text, "\"3\"")
    );
    let known = bank.ask(Method::GET, &format!("/v1/holds/{id}"));
    let known = known.with("If-None-Match", "\"3\"").send().await;
    assert_eq!(known.status, 304);
    assert_eq!(account_stands(&bank, &account).await, "10.00 4.50 5.50 3");
    let out = bank.transact(&[usd(&account, "world", "5.51")]).await;
    assert_refused(&out, 422, "insufficient_funds", "what is held");
    assert_seen(&out, &account, ["3", "10.00", "5.50"]);
    let again = json!({"account": account, "amount": "5.51", "currency": "USD"});
    let again = bank.command("/v1/holds", &again).await;
    assert_refused(&again, 422, "insufficient_funds", "held twice");
    assert_seen(&again, &account, ["3", "10.00", "5.50"]);
    bank.close().await;
}

#[tokio::test]
async fn a_hold_is_captured_in_parts_until_nothing_remains() {
    let bank = Bank::open().await;
    let (account, shop) = (bank.account_with("10").await, bank.account_with("0").await);
    let hold = bank.hold(&account, "6").await;
    let part = json!({"to": shop, "amount": "2", "final": false, "reference": "first"});
    let first = capture(&bank, &hold, part).await;
    assert_eq!(first.status, 201, "{first:?}");
    let made = first.json();
    let id = made["id"].as_str().expect("an id");
    assert_eq!(first.headers["location"], format!("/v1/transactions/{id}"));
    assert_eq!(made["postings"][0]["hold"], hold);
    assert_eq!(made["postings"][0]["amount"], "2.00");
    assert_eq!(
        (&made["kind"], &made["reference"]),
        (&json!("transfer"), &json!("first"))
    );
    assert_eq!(stands(&made["hold"]), "6.00 2.00 4.00 active 4");
    assert_eq!(account_stands(&bank, &account).await, "8.00 4.00 4.00 4");
    let second = capture(
        &bank,
        &hold,
        json!({"to": "world", "amount": "1", "final": false}),
    )
    .await;
    assert_eq!(stands(&second.json()["hold"]), "6.00 3.00 3.00 active 5");
    // The default is final: what is left is let go.
    let last = capture(&bank, &hold, json!({"to": shop, "amount": "1"})).await;
    assert_eq!(stands(&last.json()["hold"]), "6.00 4.00 0.00 captured 6");
    assert_eq!(account_stands(&bank, &account).await, "6.00 0.00 6.00 6");
    let over = capture(&bank, &hold, json!({"to": shop})).await;
    assert_refused(&over, 409, "hold_not_active", "captured");
    assert_seen(&over, &account, ["6", "6.00", "6.00"]);
    // All that remains, without an amount.
    let hold = bank.hold(&account, "5").await;
    let all = capture(&bank, &hold, json!({"to": shop, "final": false})).await;
    assert_eq!(stands(&all.json()["hold"]), "5.00 5.00 0.00 captured 8");
    assert_eq!(account_stands(&bank, &shop).await, "8.00 0.00 8.00 4");
    bank.close().await;
}

#[tokio::test]
async fn more_than_remains_is_captured_only_by_who_says_so() {
    let bank = Bank::open().await;
    let (account, shop) = (bank.account_with("10").await, bank.account_with("0").await);
    let hold = bank.hold(&account, "4").await;
    bank.hold(&account, "3").await;
    let body =
        |amount: &str, over: bool| json!({"to": shop, "amount": amount, "overcapture": over});
    let refused = capture(&bank, &hold, body("4.01", false)).await;
    assert_refused(&refused, 422, "hold_amount_exceeded", "over");
    assert_seen(&refused, &account, ["4", "10.00", "3.00"]);
    let refused = capture(&bank, &hold, body("7.01", true)).await;
    assert_refused(
        &refused,
        422,
        "insufficient_funds",
        "more than is available",
    );
    let over = capture(&bank, &hold, body("7", true)).await;
    assert_eq!(over.status, 201, "{over:?}");
    assert_eq!(stands(&over.json()["hold"]), "4.00 7.00 0.00 captured 5");
    assert_eq!(account_stands(&bank, &account).await, "3.00 3.00 0.00 5");
    bank.close().await;
}

#[tokio::test]
async fn a_capture_and_its_fee_are_one_transaction() {
    let bank = Bank::open().await;
    let (account, shop, fees) = (
        bank.account_with("10").await,
        bank.account_with("0").await,
        bank.account_with("0").await,
    );
    let hold = bank.hold(&account, "6").await;
    let of = |amount: &str, more: Value| {
        let mut posting = json!({"hold": hold, "to": shop, "amount": amount, "currency": "USD"});
        let members = posting.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        posting
    };
    // Beside others it is not final if nobody says.
    let reply = bank
        .transact(&[of("5", json!({})), usd(&shop, &fees, "0.5")])
        .await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let hold_now = bank.shown(&format!("/v1/holds/{hold}")).await;
    assert_eq!(stands(&hold_now), "6.00 5.00 1.00 active 4");
    assert_eq!(account_stands(&bank, &shop).await, "4.50 0.00 4.50 3");
    let refused = bank
        .transact(&[of("0.5", json!({})), usd(&fees, "world", "0.51")])
        .await;
    assert_refused(&refused, 422, "insufficient_funds", "all or nothing");
    assert_eq!(bank.shown(&format!("/v1/holds/{hold}")).await, hold_now);
    // The same hold twice in one transaction, the rest by `all`.
    let twice = bank
        .transact(&[of("0.25", json!({})), of("all", json!({"final": true}))])
        .await;
    assert_eq!(twice.json()["postings"][1]["amount"], "0.75", "{twice:?}");
    let hold_now = bank.shown(&format!("/v1/holds/{hold}")).await;
    assert_eq!(stands(&hold_now), "6.00 6.00 0.00 captured 6");
    let after = bank.transact(&[of("all", json!({}))]).await;
    assert_refused(&after, 409, "hold_not_active", "captured");
    assert_eq!(account_stands(&bank, &account).await, "4.00 0.00 4.00 6");
    let mine = bank.hold(&account, "1").await;
    let own = json!({"hold": mine, "to": account, "amount": "1", "currency": "USD"});
    assert_refused(
        &bank.transact(&[own]).await,
        422,
        "same_account",
        "its own hold",
    );
    let own = capture(&bank, &mine, json!({"to": account})).await;
    assert_refused(&own, 422, "same_account", "its own hold");
    let over =
        json!({"hold": mine, "to": shop, "amount": "1.5", "currency": "USD", "overcapture": true});
    let over = bank.transact(&[over]).await;
    assert_eq!(over.status, 201, "{over:?}");
    assert_eq!(account_stands(&bank, &account).await, "2.50 0.00 2.50 8");
    bank.close().await;
}

#[tokio::test]
async fn a_hold_is_raised_lowered_and_extended_by_who_has_read_it() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    let hold = bank.hold(&account, "4").await;
    let path = format!("/v1/holds/{hold}");
    assert_eq!(
        bank.transact(&[usd("world", &account, "1")]).await.status,
        201
    );
    // Its tag is the version of its own last change.
    let ask = |tags: Option<&str>, body: &str| {
        let asked = bank.ask(Method::PATCH, &path);
        let asked = tags
            .into_iter()
            .fold(asked, |asked, tags| asked.with("If-Match", tags));
        asked.body(body).send()
    };
    let body = r#"{"amount":"11"}"#;
    assert_refused(
        &ask(None, body).await,
        428,
        "precondition_required",
        "no tag",
    );
    let stale = ask(Some("\"4\""), body).await;
    assert_refused(&stale, 412, "precondition_failed", "the account's");
    assert_eq!(stale.headers["etag"], "\"3\"");
    let raised = ask(Some("\"3\""), body).await;
    assert_eq!(
        (raised.status, &*raised.headers["etag"]),
        (200, "\"5\""),
        "{raised:?}"
    );
    assert_eq!(stands(&raised.json()), "11.00 0.00 11.00 active 5");
    let more = patch(&bank, &hold, json!({"amount": "11.01"})).await;
    assert_refused(&more, 422, "insufficient_funds", "more than there is");
    assert_seen(&more, &account, ["5", "11.00", "0.00"]);
    let same = patch(&bank, &hold, json!({"amount": "11.00"})).await;
    assert_eq!(same.text, raised.text, "nothing is changed by the same");
    let part = json!({"to": "world", "amount": "3", "final": false});
    assert_eq!(capture(&bank, &hold, part).await.status, 201);
    let less = patch(&bank, &hold, json!({"amount": "2.99"})).await;
    assert_refused(&less, 422, "hold_amount_exceeded", "below what is captured");
    let later = chrono::Utc::now() + chrono::TimeDelta::days(80);
    let later = later.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let extended = patch(&bank, &hold, json!({"expires_at": later})).await;
    assert_eq!(extended.json()["expires_at"], later, "{extended:?}");
    for (days, what) in [(-1, "past"), (91, "too late")] {
        let at = chrono::Utc::now() + chrono::TimeDelta::days(days);
        let reply = patch(
            &bank,
            &hold,
            json!({"expires_at": at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)}),
        )
        .await;
        assert_refused(&reply, 422, "time_out_of_range", what);
    }
    let exact = patch(&bank, &hold, json!({"amount": "3"})).await;
    assert_eq!(stands(&exact.json()), "3.00 3.00 0.00 captured 8");
    assert_eq!(account_stands(&bank, &account).await, "8.00 0.00 8.00 8");
    let over = patch(&bank, &hold, json!({"amount": "4"})).await;
    assert_refused(&over, 409, "hold_not_active", "captured");
    bank.close().await;
}

#[tokio::test]
async fn who_names_a_version_captures_or_voids_no_other() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    let hold = bank.hold(&account, "4").await;
    let path = format!("/v1/holds/{hold}");
    for (verb, body, version) in [
        (
            "captures",
            r#"{"to":"world","amount":"1","final":false}"#,
            3,
        ),
        ("void", "{}", 4),
    ] {
        let ask = |tags: &str| {
            let asked = bank.ask(Method::POST, &format!("{path}/{verb}")).once(verb);
            asked.with("If-Match", tags).body(body).send()
        };
        let stale = ask("\"2\"").await;
        assert_refused(&stale, 412, "precondition_failed", verb);
        assert_eq!(stale.headers["etag"], format!("\"{version}\""));
        assert_refused(&ask("2").await, 400, "validation_failed", "no tag");
        let done = ask(&format!("\"{version}\"")).await;
        assert!([200, 201].contains(&done.status), "{done:?}");
        let again = ask("\"2\"").await;
        assert_eq!((&again.text, again.is_replayed()), (&done.text, true));
    }
    bank.close().await;
}

#[tokio::test]
async fn a_voided_hold_is_over() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    let hold = bank.hold(&account, "4").await;
    let path = format!("/v1/holds/{hold}/void");
    assert_strict(&bank, &path, &json!({})).await;
    let bare = bank.ask(Method::POST, &path).once("void").send().await;
    assert_eq!(
        (bare.status, &*bare.headers["etag"]),
        (200, "\"4\""),
        "{bare:?}"
    );
    assert_eq!(stands(&bare.json()), "4.00 0.00 0.00 voided 4");
    assert_eq!(account_stands(&bank, &account).await, "10.00 0.00 10.00 4");
    let again = bank.ask(Method::POST, &path).once("void").send().await;
    assert_eq!((&again.text, again.is_replayed()), (&bare.text, true));
    for reply in [
        bank.command(&path, &json!({})).await,
        capture(&bank, &hold, json!({"to": "world"})).await,
        patch(&bank, &hold, json!({"amount": "1"})).await,
    ] {
        assert_refused(&reply, 409, "hold_not_active", "voided");
        assert_seen(&reply, &account, ["4", "10.00", "10.00"]);
    }
    bank.close().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_fault_of_a_hold_has_its_code() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    let new = |name: &str, value: Value| {
        let mut new = json!({"account": account, "amount": "1", "currency": "USD"});
        new[name] = value;
        new
    };
    assert_strict(&bank, "/v1/holds", &new("amount", json!("1"))).await;
    for (name, value) in [
        ("account", json!("world")),
        ("account", json!(1)),
        ("amount", json!("0")),
        ("amount", json!("all")),
        ("amount", json!(1)),
        ("amount", json!("1.001")),
        ("currency", json!("XXX")),
        ("expires_at", json!("tomorrow")),
        ("expires_at", json!("2026-11-28 12:00:00Z")),
        ("expires_at", json!(1)),
        ("reference", json!("x".repeat(256))),
        ("metadata", json!([])),
        ("final", json!(true)),
    ] {
        let reply = bank.command("/v1/holds", &new(name, value.clone())).await;
        assert_refused(&reply, 400, "validation_failed", &value.to_string());
        assert_eq!(reply.json()["errors"][0]["pointer"], format!("/{name}"));
    }
    for (name, value, code) in [
        ("account", json!("000000000000"), "account_not_found"),
        ("currency", json!("JPY"), "currency_mismatch"),
        ("amount", json!("10.01"), "insufficient_funds"),
        (
            "expires_at",
            json!("2020-01-01T00:00:00Z"),
            "time_out_of_range",
        ),
        (
            "expires_at",
            json!("2999-01-01T00:00:00Z"),
            "time_out_of_range",
        ),
    ] {
        let reply = bank.command("/v1/holds", &new(name, value.clone())).await;
        assert_refused(&reply, 422, code, &value.to_string());
        assert_eq!(reply.json().get("pointer"), None, "a body without parts");
    }
    let hold = bank.hold(&account, "1").await;
    let path = format!("/v1/holds/{hold}/captures");
    assert_strict(&bank, &path, &json!({"to": "world"})).await;
    for (body, pointer) in [
        (json!({}), "/to"),
        (json!({"to": "x"}), "/to"),
        (json!({"to": "world", "amount": "0"}), "/amount"),
        (json!({"to": "world", "final": 1}), "/final"),
        (json!({"to": "world", "currency": "USD"}), "/currency"),
    ] {
        let reply = bank.command(&path, &body).await;
        assert_refused(&reply, 400, "validation_failed", &body.to_string());
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer);
    }
    let precise = bank
        .command(&path, &json!({"to": "world", "amount": "0.001"}))
        .await;
    assert_refused(&precise, 400, "validation_failed", "three decimals");
    let nobody = bank.command(&path, &json!({"to": "000000000000"})).await;
    assert_refused(&nobody, 422, "account_not_found", "nobody");
    assert_eq!(nobody.json().get("pointer"), None, "a body without parts");
    for id in ["01890000-0000-7000-8000-000000000000", "x", "%00"] {
        let path = format!("/v1/holds/{id}");
        assert_refused(&bank.get(&path).await, 404, "not_found", &path);
        let body = json!({"to": "world"});
        let reply = bank.command(&format!("{path}/captures"), &body).await;
        assert_refused(&reply, 404, "not_found", &path);
        let reply = bank.command(&format!("{path}/void"), &json!({})).await;
        assert_refused(&reply, 404, "not_found", &path);
        assert_refused(&patch(&bank, id, json!({})).await, 404, "not_found", &path);
    }
    bank.close().await;
}
