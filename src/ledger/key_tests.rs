//! Golden digests: what a key's digest is over never changes, as digests are stored for good.

use super::key::{self, Key};
use super::money::Magnitude;
use super::{AccountId, Amount, Currency, CurrencyCode, Email, Seal, UserId, Version};

const USER: UserId = UserId(7);

fn amount(minor: i128) -> Amount {
    Amount::from_minor(minor).expect("an amount")
}

fn some(minor: i128) -> Magnitude {
    amount(minor).magnitude()
}

fn currency(code: &str) -> Currency {
    Currency {
        code: CurrencyCode::parse(code).expect("a code"),
        scale: 2,
    }
}

fn text() -> String {
    "k".to_owned()
}

fn assert_digests<const N: usize>(keys: [(Key, &str); N]) {
    for (key, digest) in keys {
        let hex = Seal(key.digest).to_string();
        assert_eq!((key.text.as_str(), hex.as_str()), ("k", digest));
    }
}

#[test]
fn what_users_and_accounts_ask_has_the_digest_of_before() {
    let usd = currency("USD");
    let email = Email::parse("Ada.V@Example.org");
    assert_digests([
        (
            key::users_change(text(), USER, amount(-1_250), usd),
            "c70f9e53275a8f15d8592c27f7926920b3054368811eba6801518ce456c37dde",
        ),
        (
            key::users_open(text(), Some("Ada"), None, some(10_000), usd),
            "d7ac74c4f854a572d84fcf6ecfe09370ad8dfa8e3769ea74590bb58433c41199",
        ),
        (
            key::users_open(text(), None, email.as_ref(), Magnitude::ZERO, usd),
            "e2d5b5a2c2ad38649787f1d66999d4d47c797896f14891b4f4c7c563e31bcd84",
        ),
        (
            key::accounts_open(text(), some(10_000), usd),
            "e555969fb9be30ad52d2eb8da78820524336ca4327f19c20ece329e16ea06500",
        ),
        (
            key::accounts_transact(text(), AccountId(12), amount(-1_250), usd, Some(Version(3))),
            "ccd19427a9ea916c42e47fd5dc0d768445c0db506e75f7fd9de068f729cd6347",
        ),
        (
            key::accounts_transact(text(), AccountId(12), amount(1_250), usd, None),
            "580f19077e07a2ceb559f214844e07e8d03575ca647403ba439e36d057c37989",
        ),
    ]);
}

#[test]
fn what_events_ask_has_the_digest_of_before() {
    let event = |origin, destination| {
        key::events_event(text(), origin, destination, some(1_000), currency("USD"))
    };
    assert_digests([
        (
            key::events_reset(text()),
            "7619ecaba2fb489b2e4a4b5c79b2751b8cbd1521c83ba4c0d2366bf879cbc4eb",
        ),
        (
            event(None, Some("300")),
            "172c59b1923601325b8f8caee23d9c35e7dbac3fa643ae3df095b1823b2eaf11",
        ),
        (
            event(Some("100"), None),
            "c0930005fbf36ff9f59200f2fd81c5e3cd0b83767212ecb60a54c3ac234a99f4",
        ),
        (
            event(Some("100"), Some("300")),
            "903e22055a680ac1d7b5831fd697cc3055cc24e4950ef477d7a75427a8179d3d",
        ),
    ]);
}

#[test]
fn what_ledger_and_microfin_ask_has_the_digest_of_before() {
    let (btc, usd) = (currency("BTC"), currency("USD"));
    let email = Email::parse("Ada.V@Example.org").expect("an email");
    let [twelve, thirteen] = [12, 13].map(|id| Some(AccountId(id)));
    let moves = |ends| key::microfin_move(text(), Some(USER), ends, some(1_250), usd);
    assert_digests([
        (
            key::ledger_create(text(), "Ada", &email),
            "7e6352b31f5010c2d856465c6abcfaeb02568896965010025325d2fca0f0c4fa",
        ),
        (
            key::ledger_change(text(), USER, amount(-150_000_000), btc),
            "274fc1e0af7b69ab11aa0ff573f20d7f5230adc5a994baeae54c94cd1a6cdff7",
        ),
        (
            key::ledger_transfer(text(), [USER, UserId(8)], some(150_000_000), btc),
            "3fb3775b68e6d4c4473f88565833a1ad06b8ded64cee06124ce405fe666e9f8e",
        ),
        (
            key::microfin_sign_up(text(), "Ada", &email),
            "eed34c416c3c30e2725b876cf0930ab519e3d318505599aec81a8cccdb7a846b",
        ),
        (
            key::microfin_open(text(), USER, usd),
            "b26f3bd49ff689e7223d68f52cfc0100de04ddb90d269781c9435083fbc7b219",
        ),
        (
            moves([None, twelve]),
            "94c1bc3dc1834bb9f4277d434987fdc1ce58fce81ef9c7719e82ba8ca78186ad",
        ),
        (
            moves([twelve, None]),
            "6c3736b27d052853be04ccab3ad955a93c6fedfd50a457c5543d45fca7fa08f2",
        ),
        (
            moves([twelve, thirteen]),
            "d8e6ee7f8d9b1bf6fa6d6e10aee8732b4322ff020347bda5be9ae7b39368b0ee",
        ),
    ]);
}

#[test]
fn no_two_lists_of_values_read_the_same() {
    let create = |name: &str, email: &str| {
        let email = Email::parse(email).expect("an email");
        key::ledger_create(text(), name, &email).digest
    };
    assert_ne!(create("ab", "c@d"), create("a", "bc@d"));
}
