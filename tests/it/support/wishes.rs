//! Random requests of the native interface: few accounts and small amounts, so that they meet.

use fastrand::Rng;
use reqwest::Method;
use serde_json::{Value, json};

/// The holds that are asked about are the last so many.
const RECENT: usize = 12;

/// What there is to ask about.
#[derive(Clone, Default)]
pub(crate) struct Table {
    /// Numbers of accounts, nearly all in dollars.
    pub(crate) accounts: Vec<String>,
    pub(crate) holds: Vec<String>,
    pub(crate) transactions: Vec<String>,
}

/// A request that has no key yet.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// An object.
    pub(crate) body: Value,
}

impl Wish {
    fn post(path: String, body: Value) -> Self {
        Self {
            method: Method::POST,
            path,
            body,
        }
    }

    fn patch(path: String, body: Value) -> Self {
        Self {
            method: Method::PATCH,
            path,
            body,
        }
    }

    pub(crate) fn is_dry(&self) -> bool {
        self.body["dry_run"] == true
    }

    /// Of `/v1/accounts/7/freeze`: `accounts`, `7` and `freeze`; empty where there is no more.
    pub(crate) fn parts(&self) -> [&str; 3] {
        let mut parts = self.path.split('/').skip(2);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }
}

impl Table {
    pub(crate) fn throw(&self, rng: &mut Rng) -> Wish {
        let (hold, reversed) = (self.recent_hold(rng), rng.choice(&self.transactions));
        match (rng.u8(0..40), hold, reversed) {
            (15..=18, _, Some(id)) => {
                Wish::post(format!("/v1/transactions/{id}/reversal"), json!({}))
            }
            (19..=24, ..) | (25..=32, None, _) => self.hold(rng),
            (25..=28, Some(id), _) => self.capture(id, rng),
            (29..=30, Some(id), _) => Wish::patch(
                format!("/v1/holds/{id}"),
                json!({"amount": amount(rng.u64(1..=4_000))}),
            ),
            (31..=32, Some(id), _) => Wish::post(format!("/v1/holds/{id}/void"), json!({})),
            (33..=34, ..) => Wish::patch(
                format!("/v1/accounts/{}", self.account(rng)),
                json!({"overdraft_limit": amount(rng.u64(0..=5_000))}),
            ),
            (35, ..) => self.status("freeze", rng),
            (36..=38, ..) => self.status("unfreeze", rng),
            _ => self.transaction(rng),
        }
    }

    /// What was made of a request can be asked about from now on.
    pub(crate) fn learn(&mut self, wish: &Wish, id: &str) {
        match wish.parts() {
            ["holds", "", _] => {
                self.holds.push(id.to_owned());
                self.transactions.push(id.to_owned());
            }
            ["transactions", ..] | ["holds", _, "captures"] => {
                self.transactions.push(id.to_owned());
            }
            _ => {}
        }
    }

    pub(crate) fn account(&self, rng: &mut Rng) -> &str {
        rng.choice(&self.accounts).expect("an account")
    }

    /// What is long over can only be refused.
    fn recent_hold(&self, rng: &mut Rng) -> Option<&String> {
        let old = self.holds.len().saturating_sub(RECENT);
        rng.choice(&self.holds[old..])
    }

    fn status(&self, what: &str, rng: &mut Rng) -> Wish {
        let path = format!("/v1/accounts/{}/{what}", self.account(rng));
        Wish::post(path, json!({}))
    }

    fn hold(&self, rng: &mut Rng) -> Wish {
        let amount = amount(rng.u64(1..=3_000));
        let account = self.account(rng);
        let new = json!({"account": account, "amount": amount, "currency": "USD"});
        Wish::post("/v1/holds".to_owned(), new)
    }

    fn capture(&self, hold: &str, rng: &mut Rng) -> Wish {
        let mut body = json!({"to": self.side(rng)});
        if rng.u8(0..4) != 0 {
            body["amount"] = amount(rng.u64(1..=2_000));
        }
        if rng.bool() {
            body["final"] = rng.bool().into();
        }
        if rng.u8(0..8) == 0 {
            body["overcapture"] = true.into();
        }
        Wish::post(format!("/v1/holds/{hold}/captures"), body)
    }

    fn transaction(&self, rng: &mut Rng) -> Wish {
        let count = if rng.bool() { 1 } else { rng.usize(2..=5) };
        let postings: Vec<Value> = (0..count).map(|_| self.posting(rng)).collect();
        let mut body = json!({"postings": postings});
        if rng.u8(0..3) == 0 {
            let conditions = (0..rng.usize(1..=3)).map(|_| self.condition(rng));
            body["conditions"] = conditions.collect();
        }
        if rng.u8(0..8) == 0 {
            body["dry_run"] = true.into();
        }
        Wish::post("/v1/transactions".to_owned(), body)
    }

    fn posting(&self, rng: &mut Rng) -> Value {
        let mut posting = json!({"to": self.side(rng), "currency": "USD"});
        let (mut all_in, mut cents) = (10, 3_000);
        match self.recent_hold(rng).filter(|_| rng.u8(0..5) == 0) {
            Some(hold) => {
                posting["hold"] = hold.as_str().into();
                for name in ["final", "overcapture"] {
                    if rng.u8(0..4) == 0 {
                        posting[name] = true.into();
                    }
                }
                (all_in, cents) = (4, 1_500);
            }
            None => posting["from"] = self.side(rng).into(),
        }
        let is_all = posting["from"] != "world" && rng.u8(0..all_in) == 0;
        posting["amount"] = if is_all {
            "all".into()
        } else {
            amount(rng.u64(1..=cents))
        };
        posting
    }

    fn condition(&self, rng: &mut Rng) -> Value {
        let mut condition = json!({"account": self.account(rng)});
        let bounds = [
            "available_at_least",
            "available_at_most",
            "balance_at_least",
            "balance_at_most",
        ];
        match rng.choice(bounds).filter(|_| rng.u8(0..4) != 0) {
            Some(bound) => {
                // Mostly one that holds.
                let least = bound.ends_with("least");
                let cents = if least { 0..=4_000 } else { 8_000..=90_000 };
                condition[bound] = amount(rng.u64(cents));
            }
            None => condition["version"] = rng.u64(1..=40).into(),
        }
        condition
    }

    fn side(&self, rng: &mut Rng) -> &str {
        if rng.u8(0..5) == 0 {
            "world"
        } else {
            self.account(rng)
        }
    }
}

/// So many cents in dollars.
pub(crate) fn amount(cents: u64) -> Value {
    format!("{}.{:02}", cents / 100, cents % 100).into()
}

/// So many dollars in cents.
pub(crate) fn cents(amount: &Value) -> i64 {
    let text = amount.as_str().expect("an amount");
    text.replace('.', "").parse().expect("digits")
}
