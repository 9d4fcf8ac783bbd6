//! Commands that are thrown by dice, of what there is: few accounts and small amounts, so that they meet.

use chrono::TimeDelta;

use super::super::posting_tests::{cents, command, currency, expecting, keyed, posting, usd};
use super::naive::{Naive, Time, id};
use crate::ledger::money::MINOR_UNITS_MAX;
use crate::ledger::{
    AccountDetails, AccountId, AccountRef, Action, Amendment, BookName, Bound, Caller, CallerId,
    Capture, Command, Condition, Currency, DetailsChange, ExternalId, Figure, HoldChange, HoldId,
    Measure, Metadata, MetadataPatch, NewHold, Note, Object, OpenAccount, OpenUser, Party, Posting,
    Quantity, Rule, Salt, Status, Target, TransactionId, UserId, Version,
};

/// The same numbers for the same seed (splitmix64).
pub(super) struct Dice(pub u64);

impl Dice {
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(count).expect("a count")).expect("a number")
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.below(from.len())].clone())
    }

    fn maybe<T>(&mut self, one_in: usize, throw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(one_in).then(|| throw(self))
    }

    fn minor(&mut self) -> i128 {
        let small = i128::try_from(1 + self.below(80)).expect("small");
        if self.one_in(60) {
            MINOR_UNITS_MAX
        } else {
            small
        }
    }

    fn figure(&mut self) -> Figure {
        let minor = self.minor();
        let more = if self.one_in(40) { "5" } else { "" };
        let text = format!("{}.{:02}{more}", minor / 100, minor % 100);
        Figure::parse(&text).expect("a figure")
    }

    fn quantity(&mut self) -> Quantity {
        match self.below(8) {
            0 => Quantity::All,
            1 => Quantity::Written(self.figure()),
            _ => Quantity::Exactly(cents(self.minor()).magnitude()),
        }
    }
}

/// What a command is thrown from: the ledger before its batch, and the commands before it.
pub(super) struct Table<'a> {
    naive: &'a Naive,
    book: BookName,
    accounts: Vec<AccountId>,
    holds: Vec<HoldId>,
    transactions: Vec<TransactionId>,
    number: usize,
}

impl<'a> Table<'a> {
    pub(super) fn new(naive: &'a Naive, first: usize, number: usize, dice: &mut Dice) -> Self {
        let names: Vec<BookName> = naive.books.values().map(|book| book.name).collect();
        let other = dice.pick(&names).expect("a book");
        let book = if dice.one_in(4) {
            other
        } else {
            BookName::MAIN
        };
        let sees = |id: &&AccountId| naive.books[&naive.accounts[id].book].name == book;
        let all = naive.accounts.keys();
        let is_strange = dice.one_in(12);
        let accounts = all.filter(|id| is_strange || sees(id)).copied();
        let mut accounts: Vec<AccountId> = accounts.collect();
        if is_strange {
            accounts.push(AccountId(999));
        }
        let known: Vec<AccountId> = accounts.clone();
        let own = naive.holds.values();
        let own = own.filter(|hold| known.contains(&hold.account));
        let first = if dice.one_in(3) { first } else { number };
        let new = (first..number).map(|number| HoldId(command(number, reset()).id.0));
        let is_any = dice.one_in(4);
        let transactions = naive.transactions.iter();
        let transactions = transactions.filter(|(_, moved)| is_any || !moved.postings.is_empty());
        Self {
            naive,
            book,
            accounts,
            holds: own.map(|hold| hold.id).chain(new).collect(),
            transactions: transactions.map(|(id, _)| *id).collect(),
            number,
        }
    }

    pub(super) fn throw(&self, dice: &mut Dice) -> Command {
        if dice.one_in(8) {
            return self.throw_dialect(dice);
        }
        let action = self.throw_action(dice);
        let key = dice.maybe(3, |dice| (dice.below(6), dice.one_in(8)));
        let mut thrown = match key {
            Some((key, is_other)) => {
                keyed(self.number, &format!("k{key}"), u8::from(is_other), action)
            }
            None => command(self.number, action),
        };
        let caller = i64::from(self.book != BookName::MAIN) + 1;
        thrown.caller = Some(Caller {
            id: CallerId(caller),
            book: self.book,
            person: None,
            request_id: format!("r{}", self.number),
        });
        thrown.note = dice.maybe(3, |dice| Note {
            reference: Some(format!("R{}", self.number)),
            metadata: Metadata::default(),
            salt: salt(dice),
        });
        let days = TimeDelta::days(i64::try_from(dice.below(9)).expect("few"));
        thrown.effective_at = dice.maybe(6, |_| self.naive.now - days);
        if let Action::Post(postings) = &thrown.action {
            let hold = postings.iter().find_map(Posting::hold);
            let target = hold.filter(|_| postings.len() == 1);
            thrown.target = target.map(|hold| aim(Object::Hold(hold), None));
            let count = if dice.one_in(3) { dice.below(4) } else { 0 };
            let conditions = (0..count).map(|place| self.condition(place, dice));
            thrown.conditions = conditions.collect();
            thrown.is_dry = dice.one_in(6);
            thrown.key = thrown.key.filter(|_| !thrown.is_dry);
        }
        thrown.target = thrown
            .target
            .take()
            .or_else(|| self.target(&thrown.action, dice));
        thrown
    }

    fn throw_action(&self, dice: &mut Dice) -> Action {
        let hold = dice.pick(&self.holds);
        match (dice.below(28), hold) {
            (0..=9, _) => {
                let count = if dice.one_in(3) { 1 + dice.below(4) } else { 1 };
                Action::Post((0..count).map(|_| self.posting(dice)).collect())
            }
            (10..=12, _) => match dice.pick(&self.transactions) {
                Some(transaction) => Action::Reverse(transaction),
                None => Action::Reverse(TransactionId(command(9_999, reset()).id.0)),
            },
            (13..=16, _) | (_, None) => self.hold(dice),
            (17..=18, Some(hold)) => Action::ChangeHold(hold, self.change(hold, dice)),
            (19..=20, Some(hold)) => Action::VoidHold(hold),
            (21..=24, _) => {
                let amendment = amendment(dice);
                Action::Amend(self.account(dice), amendment)
            }
            (25, _) => Action::OpenAccount(self.opening(dice)),
            (26, _) => Action::OpenUser(OpenUser {
                name: None,
                email: None,
                password_hash: None,
                session: None,
                account: None,
            }),
            _ => {
                let name = dice.pick(&["shop", "more"]).expect("a name");
                Action::OpenBook(BookName::parse(name).expect("a name"))
            }
        }
    }

    fn throw_dialect(&self, dice: &mut Dice) -> Command {
        if dice.one_in(12) {
            return command(self.number, reset());
        }
        if dice.one_in(8) {
            let account = id(&self.account(dice));
            return command(self.number, Action::Expire(account));
        }
        let (from, to) = (self.account(dice), self.account(dice));
        let (from, to) = match dice.below(3) {
            0 => (Some(from), None),
            1 => (None, Some(to)),
            _ => (Some(from), Some(to)),
        };
        let first = from.clone().or(to.clone());
        let party = first.clone().map_or(Party::World, Party::Account);
        let coin = self.coin_of(&party, dice);
        let action = Action::post(posting(from, to, dice.minor(), coin));
        let thrown = match dice.maybe(3, |dice| dice.below(6)) {
            Some(key) => keyed(self.number, &format!("k{key}"), 0, action),
            None => command(self.number, action),
        };
        match first {
            Some(AccountRef::Id(id)) if dice.one_in(5) => {
                expecting(id, 1 + i64::try_from(dice.below(5)).expect("few"), thrown)
            }
            _ => thrown,
        }
    }

    fn account(&self, dice: &mut Dice) -> AccountRef {
        let some = self.accounts.len().min(3);
        let few = self.accounts.get(..some).unwrap_or_default();
        let from = if dice.one_in(2) { few } else { &self.accounts };
        AccountRef::Id(dice.pick(from).unwrap_or(AccountId(998)))
    }

    fn posting(&self, dice: &mut Dice) -> Posting {
        let hold = dice.pick(&self.holds).filter(|_| dice.one_in(3));
        let is_world = dice.one_in(4);
        let from = match hold {
            Some(hold) => Party::Hold(Capture {
                hold,
                is_final: dice.one_in(3),
                may_exceed: dice.one_in(3),
            }),
            None if is_world => Party::World,
            None => Party::Account(self.account(dice)),
        };
        let to = if dice.one_in(4) && !(is_world && dice.one_in(8)) {
            Party::World
        } else {
            Party::Account(self.account(dice))
        };
        let amount = dice.quantity();
        let has_currency = hold.is_none() || dice.one_in(2);
        let end = if is_world { &to } else { &from };
        let currency = has_currency.then(|| self.coin_of(end, dice));
        Posting {
            from,
            to,
            amount,
            currency,
        }
    }

    fn condition(&self, place: usize, dice: &mut Dice) -> Condition {
        let account = self.account(dice);
        let id = id(&account);
        let rule = if dice.one_in(2) {
            let current = self.naive.accounts.get(&id).map_or(1, |it| it.version);
            let off = i64::try_from(dice.below(2)).expect("few");
            Rule::Version(Version(current + off))
        } else {
            let of = dice.pick(&[Measure::Balance, Measure::Available]);
            let side = dice.pick(&[Bound::AtLeast, Bound::AtMost]);
            Rule::Bound {
                of: of.expect("one"),
                side: side.expect("one"),
                figure: dice.figure(),
            }
        };
        Condition {
            account,
            rule,
            place,
        }
    }

    /// Mostly that of the party.
    fn coin_of(&self, party: &Party, dice: &mut Dice) -> Currency {
        let account = match party {
            Party::World => None,
            Party::Account(account) => Some(id(account)),
            Party::Hold(capture) => {
                let hold = self.naive.holds.get(&capture.hold);
                hold.map(|hold| hold.account)
            }
        };
        let account = account.and_then(|id| self.naive.accounts.get(&id));
        let account = account.filter(|_| !dice.one_in(16));
        account.map_or_else(|| coin(dice), |account| account.currency)
    }

    fn hold(&self, dice: &mut Dice) -> Action {
        let account = self.account(dice);
        Action::PlaceHold(NewHold {
            currency: self.coin_of(&Party::Account(account.clone()), dice),
            account,
            amount: cents(dice.minor()).magnitude(),
            expires_at: dice.maybe(2, |dice| self.expiry(dice)),
        })
    }

    fn expiry(&self, dice: &mut Dice) -> Time {
        let seconds = [0, 1, 2, 20, 60, 3_600, 7_776_000, 7_776_001, -1];
        let seconds = dice.pick(&seconds).expect("one");
        self.naive.now + TimeDelta::seconds(seconds)
    }

    /// Sometimes to what is captured, which leaves nothing of it.
    fn change(&self, hold: HoldId, dice: &mut Dice) -> HoldChange {
        let captured = self.naive.holds.get(&hold).map(|hold| hold.captured);
        let captured = captured.filter(|captured| !captured.is_zero() && dice.one_in(2));
        let captured = captured.map(|captured| captured.amount().to_text(2));
        let captured = captured.and_then(|text| Figure::parse(&text));
        HoldChange {
            amount: captured.or_else(|| dice.maybe(2, Dice::figure)),
            expires_at: dice.maybe(2, |dice| self.expiry(dice)),
        }
    }

    fn opening(&self, dice: &mut Dice) -> OpenAccount {
        let users: Vec<UserId> = self.naive.users.iter().copied().collect();
        let id = dice.pick(&["x:1", "x:2", "x:3", "x:4", "x:5", "x:6"]);
        let limit = if dice.one_in(3) { dice.minor() } else { 0 };
        OpenAccount {
            owner: match dice.below(8) {
                0 => Some(UserId(7)),
                1 => dice.pick(&users),
                _ => None,
            },
            external_id: id.filter(|_| dice.one_in(2)).and_then(ExternalId::parse),
            overdraft_limit: cents(limit).magnitude(),
            details: dice.maybe(3, |dice| AccountDetails {
                metadata: Metadata::default().patched(&patch(dice)),
                salt: salt(dice),
            }),
            ..OpenAccount::plain(None, coin(dice), cents(0).magnitude())
        }
    }

    fn target(&self, action: &Action, dice: &mut Dice) -> Option<Target> {
        let off = dice.maybe(4, |_| 1).unwrap_or(0);
        let versions = |version: Option<i64>| version.map(|it| vec![Version(it + off)]);
        match action {
            Action::Reverse(id) => Some(aim(Object::Transaction(*id), None)),
            Action::VoidHold(id) => Some(aim(Object::Hold(*id), None)),
            Action::ChangeHold(id, _) => {
                let hold = self.naive.holds.get(id).map(|hold| hold.version.0);
                Some(aim(Object::Hold(*id), versions(hold)))
            }
            Action::Amend(account, _) => {
                let found = self.naive.accounts.get(&id(account)).map(|it| it.version);
                let found = found.filter(|_| dice.one_in(2));
                Some(aim(Object::Account(account.clone()), versions(found)))
            }
            Action::Post(_)
            | Action::PlaceHold(_)
            | Action::Expire(_)
            | Action::OpenUser(_)
            | Action::OpenAccount(_)
            | Action::OpenBook(_)
            | Action::ResetBook(_) => None,
        }
    }
}

fn amendment(dice: &mut Dice) -> Amendment {
    match dice.below(6) {
        0 => Amendment::Status(Status::Frozen),
        1 => Amendment::Status(Status::Open),
        2 => Amendment::Status(Status::Closed),
        _ => Amendment::Details(DetailsChange {
            overdraft_limit: dice.maybe(2, Dice::figure),
            metadata: dice.maybe(2, patch),
            salt: salt(dice),
        }),
    }
}

fn aim(object: Object, versions: Option<Vec<Version>>) -> Target {
    Target { object, versions }
}

/// The dialect whose book can be sealed.
fn reset() -> Action {
    Action::ResetBook(BookName::EVENTS)
}

/// What money is in: mostly dollars.
fn coin(dice: &mut Dice) -> Currency {
    if dice.one_in(16) {
        currency("EUR")
    } else {
        usd()
    }
}

fn patch(dice: &mut Dice) -> MetadataPatch {
    let count = if dice.one_in(20) {
        Metadata::MEMBERS_MAX + 1
    } else {
        dice.below(3)
    };
    let members = (0..count).map(|member| {
        let value = dice.pick(&[None, Some("1"), Some("2")]).expect("one");
        let value = if count < 3 { value } else { Some("3") };
        (format!("m{member}"), value.map(str::to_owned))
    });
    MetadataPatch {
        members: members.collect(),
        clears: dice.one_in(6),
    }
}

fn salt(dice: &mut Dice) -> Salt {
    Salt([u8::try_from(dice.below(256)).expect("a byte"); 16])
}
