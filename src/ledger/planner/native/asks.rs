//! What callers ask in examples, and what is said to them.

use chrono::TimeDelta;

use super::super::plan::Plan;
use super::super::posting_tests::{cents, command, now, usd};
use super::sound::assert_sound;
use super::store::Store;
use crate::ledger::{
    AccountId, AccountRef, Action, Amendment, BookName, Bound, Caller, CallerId, Capture, Command,
    Condition, DetailsChange, Figure, HoldId, Measure, MetadataPatch, NewHold, Part, Party,
    Posting, Rejection, Rule, Salt, Status, plan,
};

pub(super) const A: AccountId = AccountId(1);
pub(super) const B: AccountId = AccountId(2);
pub(super) const C: AccountId = AccountId(3);

pub(super) fn by_caller(command: Command) -> Command {
    let caller = Caller {
        id: CallerId::ANYONE,
        book: BookName::MAIN,
        person: None,
        request_id: "r".to_owned(),
    };
    Command {
        caller: Some(caller),
        ..command
    }
}

pub(super) fn ask(number: usize, action: Action) -> Command {
    by_caller(command(number, action))
}

pub(super) fn figure(text: &str) -> Figure {
    Figure::parse(text).expect("a figure")
}

pub(super) fn account(id: AccountId) -> Party {
    Party::Account(AccountRef::Id(id))
}

pub(super) fn pay(from: Party, to: Party, minor: i128) -> Posting {
    Posting::new(from, to, cents(minor).magnitude(), usd())
}

pub(super) fn capture(hold: HoldId) -> Party {
    Party::Hold(Capture {
        hold,
        is_final: false,
        may_exceed: false,
    })
}

pub(super) fn place(number: usize, account: AccountId, minor: i128) -> Command {
    let hold = NewHold {
        account: AccountRef::Id(account),
        amount: cents(minor).magnitude(),
        currency: usd(),
        expires_at: None,
    };
    ask(number, Action::PlaceHold(hold))
}

pub(super) fn set(number: usize, id: AccountId, status: Status) -> Command {
    ask(
        number,
        Action::Amend(AccountRef::Id(id), Amendment::Status(status)),
    )
}

pub(super) fn limit(number: usize, id: AccountId, text: &str) -> Command {
    let change = DetailsChange {
        overdraft_limit: Some(figure(text)),
        metadata: None,
        salt: Salt([1; 16]),
    };
    ask(
        number,
        Action::Amend(AccountRef::Id(id), Amendment::Details(change)),
    )
}

pub(super) fn say(number: usize, id: AccountId, members: &[(String, Option<String>)]) -> Command {
    let members = members.iter().cloned().collect();
    let change = DetailsChange {
        overdraft_limit: None,
        metadata: Some(MetadataPatch {
            clears: false,
            members,
        }),
        salt: Salt([1; 16]),
    };
    ask(
        number,
        Action::Amend(AccountRef::Id(id), Amendment::Details(change)),
    )
}

pub(super) fn hold_of(number: usize) -> HoldId {
    HoldId(command(number, Action::Expire(A)).id.0)
}

pub(super) fn bound(id: AccountId, text: &str) -> Condition {
    let (of, side, figure) = (Measure::Available, Bound::AtLeast, figure(text));
    let rule = Rule::Bound { of, side, figure };
    let account = AccountRef::Id(id);
    Condition {
        account,
        rule,
        place: 3,
    }
}

/// What each command is refused with, and at which part; None for what is accepted.
pub(super) fn refused(plan: &Plan<'_>) -> Vec<Option<(Rejection, Option<Part>)>> {
    let answers = plan.answers.iter();
    let refused = answers.map(|answered| {
        let rejection = answered.outcome.clone().err()?;
        let sight = answered.sight.as_ref();
        Some((rejection, sight.and_then(|sight| sight.part)))
    });
    refused.collect()
}

pub(super) fn only(answers: &[Option<(Rejection, Option<Part>)>]) -> Vec<Option<Rejection>> {
    let answers = answers.iter().cloned();
    answers
        .map(|refused| refused.map(|(rejection, _)| rejection))
        .collect()
}

/// Plans in one batch on what was stored before it.
pub(super) fn asked(
    store: &mut Store,
    commands: &[Command],
    at: i64,
) -> Vec<Option<(Rejection, Option<Part>)>> {
    let commands: Vec<&Command> = commands.iter().collect();
    let now = now() + TimeDelta::seconds(at);
    let view = store.read(&commands, now);
    let plan = plan(&commands, &view, now);
    assert_sound(&plan, &commands, store);
    store.write(&commands, &plan);
    refused(&plan)
}
