//! The most obvious ledger of what callers of `/v1` ask: one request at a time, in cents, and undone by a copy.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::wishes::{Wish, amount, cents};

/// The code of a refusal.
type Refused = &'static str;

#[derive(Clone, Debug, Default)]
pub(super) struct Naive {
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) holds: BTreeMap<String, Hold>,
    pub(super) transactions: BTreeMap<String, Moved>,
}

#[derive(Clone, Debug)]
pub(super) struct Account {
    currency: &'static str,
    balance: i64,
    limit: i64,
    status: &'static str,
    pub(super) version: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Hold {
    account: String,
    amount: i64,
    captured: i64,
    status: &'static str,
    pub(super) version: i64,
}

/// What a transaction moved from where to where; nothing, if it placed a hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Moved {
    legs: Vec<(String, String, i64)>,
    pub(super) is_reversed: bool,
}

/// A posting whose source is known.
struct Leg {
    from: String,
    to: String,
    capture: Option<Capture>,
    /// None is all.
    amount: Option<i64>,
    currency: &'static str,
}

struct Capture {
    hold: String,
    is_final: bool,
    may_exceed: bool,
}

impl Naive {
    pub(super) fn open(&mut self, number: String, currency: &'static str) {
        let account = Account {
            currency,
            balance: 0,
            limit: 0,
            status: "open",
            version: 1,
        };
        self.accounts.insert(number, account);
    }

    /// What is answered, as far as this ledger knows it. What is new gets the id that the answer has.
    pub(super) fn ask(
        &mut self,
        wish: &Wish,
        tag: Option<i64>,
        new_id: &str,
    ) -> Result<Value, Refused> {
        let before = self.clone();
        let answered = self.carry_out(wish, tag, new_id);
        if answered.is_err() || wish.is_dry() {
            *self = before;
        }
        answered
    }

    fn carry_out(&mut self, wish: &Wish, tag: Option<i64>, new_id: &str) -> Result<Value, Refused> {
        let [room, id, verb] = wish.parts();
        let current = match room {
            "accounts" => Some(self.accounts[id].version),
            "holds" if !id.is_empty() => Some(self.holds[id].version),
            _ => None,
        };
        if tag.is_some_and(|tag| Some(tag) != current) {
            return Err("precondition_failed");
        }
        let body = &wish.body;
        match (room, verb) {
            ("transactions", "reversal") => self.reverse(id, new_id),
            ("transactions", _) => self.post(body, new_id),
            ("holds", "captures") => {
                let leg = self.leg_of_capture(id, body);
                let mut shown = self.move_all(&[leg], &Value::Null, new_id)?;
                shown["hold"] = self.show_hold(id);
                Ok(shown)
            }
            ("holds", "void") => self.void(id),
            ("holds", _) if wish.method == Method::PATCH => self.change(id, cents(&body["amount"])),
            ("holds", _) => self.place(body, new_id),
            ("accounts", "freeze") => Ok(self.set_status(id, "frozen")),
            ("accounts", "unfreeze") => Ok(self.set_status(id, "open")),
            ("accounts", "") => self.set_limit(id, cents(&body["overdraft_limit"])),
            _ => unreachable!("{wish:?} is not asked for"),
        }
    }

    fn post(&mut self, body: &Value, id: &str) -> Result<Value, Refused> {
        let postings = body["postings"].as_array().expect("postings");
        let legs = postings.iter().map(|posting| {
            let text = |name: &str| posting[name].as_str().map(str::to_owned);
            let capture = text("hold").map(|hold| Capture {
                hold,
                is_final: posting["final"] == true,
                may_exceed: posting["overcapture"] == true,
            });
            let held = capture
                .as_ref()
                .map(|it| self.holds[&it.hold].account.clone());
            Leg {
                from: held.or_else(|| text("from")).expect("a source"),
                to: text("to").expect("a target"),
                capture,
                amount: (posting["amount"] != "all").then(|| cents(&posting["amount"])),
                currency: "USD",
            }
        });
        let legs: Vec<Leg> = legs.collect();
        self.move_all(&legs, &body["conditions"], id)
    }

    fn reverse(&mut self, original: &str, id: &str) -> Result<Value, Refused> {
        let moved = self.transactions[original].clone();
        if moved.legs.is_empty() {
            return Err("not_reversible");
        }
        if moved.is_reversed {
            return Err("already_reversed");
        }
        let turned = moved.legs.iter().rev().map(|(from, to, amount)| Leg {
            from: to.clone(),
            to: from.clone(),
            capture: None,
            amount: Some(*amount),
            currency: self.currency_of([from, to]),
        });
        let legs: Vec<Leg> = turned.collect();
        let mut shown = self.move_all(&legs, &Value::Null, id)?;
        shown["reverses"] = original.into();
        let moved = self.transactions.get_mut(original);
        moved.expect("a transaction").is_reversed = true;
        Ok(shown)
    }

    fn leg_of_capture(&self, hold: &str, body: &Value) -> Leg {
        let account = &self.holds[hold].account;
        Leg {
            from: account.clone(),
            to: body["to"].as_str().expect("a target").to_owned(),
            capture: Some(Capture {
                hold: hold.to_owned(),
                is_final: body["final"] != false,
                may_exceed: body["overcapture"] == true,
            }),
            amount: body.get("amount").map(cents),
            currency: self.accounts[account].currency,
        }
    }

    fn move_all(&mut self, legs: &[Leg], conditions: &Value, id: &str) -> Result<Value, Refused> {
        let conditions: &[Value] = conditions.as_array().map_or(&[], Vec::as_slice);
        let has_other_version = |condition: &Value| {
            let account = &self.accounts[condition["account"].as_str().expect("an account")];
            condition["version"]
                .as_i64()
                .is_some_and(|version| version != account.version)
        };
        if conditions.iter().any(has_other_version) {
            return Err("version_mismatch");
        }
        let mut moved = Moved::default();
        for leg in legs {
            let amount = self.take(leg)?;
            if let Some(target) = self.accounts.get_mut(&leg.to) {
                target.balance += amount;
                target.version += 1;
            }
            moved.legs.push((leg.from.clone(), leg.to.clone(), amount));
        }
        if !conditions.iter().all(|condition| self.is_within(condition)) {
            return Err("condition_failed");
        }
        let shown = self.show_transaction(&moved);
        self.transactions.insert(id.to_owned(), moved);
        Ok(shown)
    }

    /// What leaves the source of a posting, if the money may move at all.
    fn take(&mut self, leg: &Leg) -> Result<i64, Refused> {
        let (source, target) = (self.accounts.get(&leg.from), self.accounts.get(&leg.to));
        if source.is_none() && target.is_none() {
            return Err("same_account");
        }
        if source.is_some_and(|source| source.status == "frozen") {
            return Err("account_frozen");
        }
        for end in [source, target].into_iter().flatten() {
            if end.currency != leg.currency {
                return Err("currency_mismatch");
            }
        }
        let available = source.map_or(0, |_| self.available(&leg.from));
        let amount = match (leg.amount, &leg.capture) {
            (Some(amount), _) => amount,
            (None, Some(capture)) => self.active(&capture.hold)?.left(),
            (None, None) => available,
        };
        if amount <= 0 {
            return Err("insufficient_funds");
        }
        if self.accounts.contains_key(&leg.from) {
            match &leg.capture {
                Some(capture) => self.capture(capture, amount)?,
                None if available < amount => return Err("insufficient_funds"),
                None => {}
            }
            let source = self.accounts.get_mut(&leg.from).expect("an account");
            source.balance -= amount;
            source.version += 1;
        }
        if leg.from == leg.to {
            return Err("same_account");
        }
        Ok(amount)
    }

    fn capture(&mut self, capture: &Capture, amount: i64) -> Result<(), Refused> {
        let mut hold = self.active(&capture.hold)?.clone();
        let left = hold.left();
        if left < amount && !capture.may_exceed {
            return Err("hold_amount_exceeded");
        }
        hold.captured += amount;
        if capture.is_final || left <= amount {
            hold.status = "captured";
        }
        if self.available(&hold.account) + left - hold.left() < amount {
            return Err("insufficient_funds");
        }
        hold.version = self.accounts[&hold.account].version + 1;
        self.holds.insert(capture.hold.clone(), hold);
        Ok(())
    }

    fn place(&mut self, body: &Value, id: &str) -> Result<Value, Refused> {
        let number = body["account"].as_str().expect("an account");
        let account = &self.accounts[number];
        let asked = cents(&body["amount"]);
        if account.status == "frozen" {
            return Err("account_frozen");
        }
        if account.currency != "USD" {
            return Err("currency_mismatch");
        }
        if self.available(number) < asked {
            return Err("insufficient_funds");
        }
        let hold = Hold {
            account: number.to_owned(),
            amount: asked,
            captured: 0,
            status: "active",
            version: 0,
        };
        self.transactions.insert(id.to_owned(), Moved::default());
        Ok(self.write_hold(id, hold))
    }

    fn change(&mut self, id: &str, asked: i64) -> Result<Value, Refused> {
        let before = self.active(id)?;
        let mut hold = before.clone();
        hold.amount = asked;
        let raised = asked - before.amount;
        if asked < hold.captured {
            return Err("hold_amount_exceeded");
        }
        if 0 < raised && self.accounts[&hold.account].status == "frozen" {
            return Err("account_frozen");
        }
        if raised == 0 {
            return Ok(self.show_hold(id));
        }
        if self.available(&hold.account) < raised {
            return Err("insufficient_funds");
        }
        if asked == hold.captured {
            hold.status = "captured";
        }
        Ok(self.write_hold(id, hold))
    }

    fn void(&mut self, id: &str) -> Result<Value, Refused> {
        let mut hold = self.active(id)?.clone();
        hold.status = "voided";
        Ok(self.write_hold(id, hold))
    }

    fn set_status(&mut self, number: &str, status: &'static str) -> Value {
        let account = self.accounts.get_mut(number).expect("an account");
        if account.status != status {
            account.status = status;
            account.version += 1;
        }
        self.show_account(number)
    }

    fn set_limit(&mut self, number: &str, limit: i64) -> Result<Value, Refused> {
        let before = self.accounts[number].limit;
        if limit < before && self.available(number) < before - limit {
            return Err("insufficient_funds");
        }
        let account = self.accounts.get_mut(number).expect("an account");
        if limit != before {
            account.limit = limit;
            account.version += 1;
        }
        Ok(self.show_account(number))
    }

    fn active(&self, id: &str) -> Result<&Hold, Refused> {
        let hold = &self.holds[id];
        if hold.status == "active" {
            Ok(hold)
        } else {
            Err("hold_not_active")
        }
    }

    fn write_hold(&mut self, id: &str, mut hold: Hold) -> Value {
        let account = self.accounts.get_mut(&hold.account).expect("an account");
        account.version += 1;
        hold.version = account.version;
        self.holds.insert(id.to_owned(), hold);
        self.show_hold(id)
    }

    fn held(&self, number: &str) -> i64 {
        let own = self.holds.values().filter(|hold| hold.account == number);
        own.map(Hold::left).sum()
    }

    fn available(&self, number: &str) -> i64 {
        let account = &self.accounts[number];
        account.balance - self.held(number) + account.limit
    }

    fn is_within(&self, condition: &Value) -> bool {
        let number = condition["account"].as_str().expect("an account");
        let (available, balance) = (self.available(number), self.accounts[number].balance);
        let bound = |name: &str| condition.get(name).map(cents);
        bound("available_at_least").is_none_or(|bound| bound <= available)
            && bound("available_at_most").is_none_or(|bound| available <= bound)
            && bound("balance_at_least").is_none_or(|bound| bound <= balance)
            && bound("balance_at_most").is_none_or(|bound| balance <= bound)
    }

    fn currency_of(&self, ends: [&String; 2]) -> &'static str {
        let mut accounts = ends.into_iter().filter_map(|end| self.accounts.get(end));
        accounts.next().expect("an account").currency
    }

    fn show_transaction(&self, moved: &Moved) -> Value {
        let kind = match moved.legs.as_slice() {
            [(from, ..)] if from == "world" => "deposit",
            [(_, to, _)] if to == "world" => "withdrawal",
            [_] => "transfer",
            _ => "transaction",
        };
        let mut touched: Vec<&String> = Vec::new();
        for end in moved.legs.iter().flat_map(|(from, to, _)| [from, to]) {
            if end != "world" && !touched.contains(&end) {
                touched.push(end);
            }
        }
        let postings = moved.legs.iter();
        let postings = postings
            .map(|(from, to, moved)| json!({"from": from, "to": to, "amount": signed(*moved)}));
        let accounts = touched.into_iter().map(|number| {
            let mut account = self.show_account(number);
            let members = account.as_object_mut().expect("an object");
            members.retain(|name, _| !["status", "overdraft_limit"].contains(&name.as_str()));
            account
        });
        json!({
            "kind": kind,
            "postings": postings.collect::<Vec<_>>(),
            "accounts": accounts.collect::<Vec<_>>(),
        })
    }

    pub(super) fn show_account(&self, number: &str) -> Value {
        let account = &self.accounts[number];
        json!({
            "id": number,
            "balance": signed(account.balance),
            "held": signed(self.held(number)),
            "available": signed(self.available(number)),
            "overdraft_limit": signed(account.limit),
            "version": account.version,
            "status": account.status,
        })
    }

    pub(super) fn show_hold(&self, id: &str) -> Value {
        let hold = &self.holds[id];
        json!({
            "id": id,
            "account": hold.account,
            "amount": signed(hold.amount),
            "captured": signed(hold.captured),
            "remaining": signed(hold.left()),
            "status": hold.status,
            "version": hold.version,
        })
    }
}

impl Hold {
    fn left(&self) -> i64 {
        if self.status == "active" {
            self.amount - self.captured
        } else {
            0
        }
    }
}

/// So many cents in dollars, with their sign.
fn signed(cents: i64) -> Value {
    let text = amount(cents.unsigned_abs());
    let text = text.as_str().expect("a text");
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{text}").into()
}
