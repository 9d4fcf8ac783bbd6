//! Holds as the answers about them say, each by itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::callers::{Told, World};
use crate::support::wishes::cents;
use crate::torture::run::Run;

pub(super) struct Holds(BTreeMap<String, Hold>);

#[derive(Debug, Default)]
struct Hold {
    account: String,
    /// The version at which somebody was last told how much it is, and until when.
    version: i64,
    amount: i64,
    expires_at: DateTime<Utc>,
    captured: i64,
    may_exceed: bool,
    /// A capture that was final.
    is_closed: bool,
    is_voided: bool,
}

impl Holds {
    pub(super) fn of(told: &[Told]) -> Self {
        let mut holds = Self(BTreeMap::new());
        for told in told.iter().filter(|told| told.is_done()) {
            holds.follow(told);
        }
        holds
    }

    fn follow(&mut self, told: &Told) {
        let answer = told.answer.json();
        for shown in [&answer, &answer["hold"]] {
            if !shown["remaining"].is_null() {
                self.see(shown);
            }
        }
        let postings = answer["postings"].as_array().into_iter().flatten();
        for (place, posting) in postings.enumerate() {
            let Some(id) = posting["hold"].as_str() else {
                continue;
            };
            let hold = self.0.entry(id.to_owned()).or_default();
            hold.captured += cents(&posting["amount"]);
            let is_alone = told.path.ends_with("/captures");
            let asked = if is_alone {
                &told.body
            } else {
                &told.body["postings"][place]
            };
            hold.is_closed |= asked["final"].as_bool().unwrap_or(is_alone);
            hold.may_exceed |= asked["overcapture"] == true;
        }
        if let ["", "v1", "holds", id, "void"] = told.path.split('/').collect::<Vec<_>>()[..] {
            self.0.entry(id.to_owned()).or_default().is_voided = true;
        }
    }

    fn see(&mut self, shown: &Value) {
        let text = |name: &str| shown[name].as_str().expect("a text").to_owned();
        let version = shown["version"].as_i64().expect("a version");
        let hold = self.0.entry(text("id")).or_default();
        if hold.version < version {
            hold.version = version;
            hold.account = text("account");
            hold.amount = cents(&shown["amount"]);
            hold.expires_at = text("expires_at").parse().expect("a time");
        }
    }

    /// What is set aside of an account.
    pub(super) fn held(&self, account: &str) -> i64 {
        let own = self.0.values().filter(|hold| hold.account == account);
        own.map(Hold::remaining).sum()
    }

    /// Each hold is as the answers say, and no more was captured of it than may be.
    pub(super) async fn check(&self, world: &World, run: &mut Run) -> Vec<String> {
        let mut findings = Vec::new();
        for (id, hold) in &self.0 {
            let shown = world.show(&format!("/v1/holds/{id}")).await;
            let found = (
                shown["status"].as_str().expect("a status"),
                cents(&shown["amount"]),
                cents(&shown["captured"]),
                cents(&shown["remaining"]),
            );
            let status = hold.status();
            run.count(format!("holds {status}"), 1);
            let expected = (status, hold.amount, hold.captured, hold.remaining());
            let ended_twice = hold.is_voided && hold.is_used_up();
            let is_exceeded = hold.amount < hold.captured && !hold.may_exceed;
            if found != expected || ended_twice || is_exceeded {
                findings.push(format!("hold {id} is {found:?}, was told {hold:?}"));
            }
        }
        findings
    }
}

impl Hold {
    fn is_used_up(&self) -> bool {
        self.is_closed || self.amount <= self.captured
    }

    fn status(&self) -> &'static str {
        if self.is_voided {
            "voided"
        } else if self.is_used_up() {
            "captured"
        } else if self.expires_at <= Utc::now() {
            "expired"
        } else {
            "active"
        }
    }

    fn remaining(&self) -> i64 {
        if self.status() == "active" {
            self.amount - self.captured
        } else {
            0
        }
    }
}
