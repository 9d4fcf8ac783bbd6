//! The requests of a load: the n-th is a function of n, so that any connection may send it; a capture is of its hold.

use std::io::Write as _;
use std::sync::Arc;

use super::popularity::Popularity;
use super::target::Secret;
use super::writes;
use crate::storage::statistics::number_of;

/// What users and accounts hold at first: more than any run takes from them.
const PLENTY: u64 = 1_000_000_000;
const PASSWORD: &str = "Compiler1952";

/// All requests of one load.
pub(super) struct Requests {
    host: String,
    /// The line by which the service knows who asks.
    shown: String,
    /// Of this load alone, so that its keys are.
    run: u64,
    what: What,
}

/// What is asked.
#[derive(Clone)]
pub(super) enum What {
    /// A user with plenty.
    OpenUsers,
    /// A user with so much.
    OpenUser {
        balance: u64,
    },
    /// An account of the events interface with plenty, by the name that `Transfer` uses.
    OpenNames {
        prefix: u64,
    },
    /// A user with a password, by the email that `SignIn` uses.
    SignUp {
        prefix: u64,
    },
    /// So much from any of the users, each request so many times in a row under one key.
    Withdraw {
        users: Arc<[i64]>,
        amount: u64,
        copies: u64,
    },
    /// Half reads, a quarter withdrawals, a quarter deposits.
    Mixed {
        users: Arc<[i64]>,
    },
    Read {
        users: Arc<[i64]>,
    },
    /// The newest entries of any of the accounts, as many as the service gives by itself.
    Page {
        accounts: Arc<[i64]>,
    },
    /// From one account to another by `/v1`, so often in one transaction.
    Post {
        accounts: Arc<[i64]>,
        postings: u8,
    },
    /// Money of any of the accounts is set aside by `/v1`; what becomes of it is up to [`Requests::capture`].
    Hold {
        accounts: Arc<[i64]>,
    },
    /// From one account to another.
    Transfer {
        prefix: u64,
        popularity: Arc<Popularity>,
    },
    SignIn {
        prefix: u64,
        users: u64,
    },
}

/// What it means if the request is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The number in its key, where it writes.
    pub key: Option<u64>,
    /// Entries that it adds to the journal.
    pub entries: u8,
    /// Whose id its answer has.
    pub gives: Gives,
}

/// What an answer has the id of, as far as anybody needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    Nothing,
    User,
    Hold,
}

impl Asked {
    pub(super) const READ: Self = Self {
        key: None,
        entries: 0,
        gives: Gives::Nothing,
    };

    pub(super) const fn write(key: u64, entries: u8) -> Self {
        Self {
            key: Some(key),
            entries,
            gives: Gives::Nothing,
        }
    }
}

impl Requests {
    /// By a key, if the service asks for one.
    pub(super) fn new(host: &str, secret: Option<&Secret>, what: What) -> Self {
        let shown = secret.map(|Secret(key)| format!("Authorization: Bearer {key}\r\n"));
        Self {
            host: host.to_owned(),
            shown: shown.unwrap_or_default(),
            run: fastrand::u64(..),
            what,
        }
    }

    /// The number of the load, in the keys of all of its writes.
    pub(super) fn run(&self) -> u64 {
        self.run
    }

    /// Writes the n-th request, in place of what is in the buffer.
    pub(super) fn write(&self, number: u64, buffer: &mut Vec<u8>) -> Asked {
        buffer.clear();
        match &self.what {
            What::OpenUsers => self.open(number, PLENTY, buffer),
            What::OpenUser { balance } => self.open(number, *balance, buffer),
            What::OpenNames { prefix } => {
                let body = format!(
                    r#"{{"type":"deposit","destination":"{}","amount":{PLENTY}}}"#,
                    name(*prefix, number)
                );
                self.write_with_body(buffer, "POST /event", &body, number);
                Asked::write(number, 1)
            }
            What::SignUp { prefix } => {
                let email = email(*prefix, number);
                let body =
                    format!(r#"{{"name":"Bench","email":"{email}","password":"{PASSWORD}"}}"#);
                self.write_with_body(buffer, "POST /api/signup", &body, number);
                Asked::write(number, 0)
            }
            What::Withdraw {
                users,
                amount,
                copies,
            } => {
                let number = number.checked_div(*copies).unwrap_or(number);
                let user = self.pick(users, number);
                self.change(number, user, &format!("-{amount}"), buffer)
            }
            What::Mixed { users } => {
                let user = self.pick(users, number);
                match number % 4 {
                    0 => self.change(number, user, "-1", buffer),
                    2 => self.change(number, user, "1", buffer),
                    _ => self.read(user, buffer),
                }
            }
            What::Read { users } => self.read(self.pick(users, number), buffer),
            What::Page { accounts } => {
                let account = self.pick(accounts, number);
                self.get(&format!("/accounts/{account}/transactions"), buffer)
            }
            What::Post { accounts, postings } => self.post(number, accounts, *postings, buffer),
            What::Hold { accounts } => {
                let account = number_of(self.pick(accounts, number));
                let body = format!(r#"{{"account":"{account}","amount":"1","currency":"USD"}}"#);
                self.write_with_body(buffer, "POST /v1/holds", &body, number);
                Asked {
                    gives: Gives::Hold,
                    ..Asked::write(number, 1)
                }
            }
            What::Transfer { prefix, popularity } => {
                let (from, to) = popularity.pick_two(&mut self.random(number));
                let body = format!(
                    r#"{{"type":"transfer","origin":"{}","destination":"{}","amount":1}}"#,
                    name(*prefix, from),
                    name(*prefix, to)
                );
                self.write_with_body(buffer, "POST /event", &body, number);
                Asked::write(number, 2)
            }
            What::SignIn { prefix, users } => {
                let email = email(*prefix, number.checked_rem(*users).unwrap_or(0));
                let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
                self.write_with_body(buffer, "POST /api/signin", &body, number);
                Asked::write(number, 0)
            }
        }
    }

    /// Writes the n-th request if its connection has a hold: it captures all of it.
    pub(super) fn capture(&self, number: u64, hold: &str, buffer: &mut Vec<u8>) -> Asked {
        buffer.clear();
        let line = format!("POST /v1/holds/{hold}/captures");
        self.write_with_body(buffer, &line, r#"{"to":"world"}"#, number);
        Asked::write(number, 1)
    }

    fn open(&self, number: u64, balance: u64, buffer: &mut Vec<u8>) -> Asked {
        let body = format!(r#"{{"balance":{balance}}}"#);
        self.write_with_body(buffer, "POST /api/users", &body, number);
        Asked {
            gives: Gives::User,
            ..Asked::write(number, 1)
        }
    }

    fn change(&self, number: u64, user: i64, amount: &str, buffer: &mut Vec<u8>) -> Asked {
        let (line, body) = (
            format!("PUT /api/users/{user}/balance"),
            format!(r#"{{"amount":{amount}}}"#),
        );
        self.write_with_body(buffer, &line, &body, number);
        Asked::write(number, 1)
    }

    fn post(&self, number: u64, accounts: &[i64], postings: u8, buffer: &mut Vec<u8>) -> Asked {
        let mut random = self.random(number);
        let each = (0..postings).map(|_| posting(accounts, &mut random));
        let body = format!(r#"{{"postings":[{}]}}"#, each.collect::<Vec<_>>().join(","));
        self.write_with_body(buffer, "POST /v1/transactions", &body, number);
        Asked::write(number, postings.saturating_mul(2))
    }

    fn read(&self, user: i64, buffer: &mut Vec<u8>) -> Asked {
        self.get(&format!("/api/users/{user}"), buffer)
    }

    fn get(&self, path: &str, buffer: &mut Vec<u8>) -> Asked {
        let (host, shown) = (&self.host, &self.shown);
        // To a vector nothing fails.
        drop(write!(
            buffer,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\n{shown}\r\n"
        ));
        Asked::READ
    }

    fn write_with_body(&self, buffer: &mut Vec<u8>, line: &str, body: &str, number: u64) {
        let (host, shown) = (&self.host, &self.shown);
        let key = writes::key(self.run, number);
        drop(write!(
            buffer,
            "{line} HTTP/1.1\r\nHost: {host}\r\n{shown}Content-Type: application/json\r\nIdempotency-Key: {key}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    }

    fn pick(&self, users: &[i64], number: u64) -> i64 {
        let index = self.random(number).usize(..users.len().max(1));
        users.get(index).copied().unwrap_or_default()
    }

    fn random(&self, number: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.run.wrapping_add(number))
    }
}

/// One dollar from one of the accounts to another.
fn posting(accounts: &[i64], random: &mut fastrand::Rng) -> String {
    let count = accounts.len().max(2);
    let from = random.usize(..count);
    // Neither is the other.
    let to = from.wrapping_add(random.usize(1..count)) % count;
    let [from, to] = [from, to].map(|index| {
        let id = accounts.get(index).copied().unwrap_or_default();
        number_of(id)
    });
    format!(r#"{{"from":"{from}","to":"{to}","amount":"1","currency":"USD"}}"#)
}

fn name(prefix: u64, number: u64) -> String {
    format!("bench-{prefix:016x}-{number}")
}

fn email(prefix: u64, number: u64) -> String {
    format!("bench-{prefix:016x}-{number}@example.org")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(requests: &Requests, number: u64) -> String {
        let mut buffer = Vec::new();
        requests.write(number, &mut buffer);
        String::from_utf8(buffer).expect("text")
    }

    #[test]
    fn every_write_has_a_key_of_its_own_unless_it_is_a_copy() {
        let users: Arc<[i64]> = (1..=1000).collect();
        let withdraw = |copies| {
            let what = What::Withdraw {
                users: Arc::clone(&users),
                amount: 1,
                copies,
            };
            Requests::new("localhost", None, what)
        };
        let once = withdraw(1);
        assert_ne!(text(&once, 0), text(&once, 1));
        assert_eq!(text(&once, 7), text(&once, 7));
        let thrice = withdraw(3);
        assert_eq!(text(&thrice, 3), text(&thrice, 5));
        assert_ne!(text(&thrice, 5), text(&thrice, 6));
        assert_ne!(text(&once, 0), text(&withdraw(1), 0), "another run");
    }

    #[test]
    fn a_hold_is_captured_under_a_key_of_its_own() {
        let accounts: Arc<[i64]> = Arc::new([1]);
        let requests = Requests::new("localhost", None, What::Hold { accounts });
        let mut buffer = Vec::new();
        let placing = requests.write(0, &mut buffer);
        assert_eq!((placing.gives, placing.entries), (Gives::Hold, 1));
        let capture = requests.capture(1, "7c", &mut buffer);
        assert_eq!((capture.key, capture.entries), (Some(1), 1));
        assert_eq!(capture.gives, Gives::Nothing);
        let text = String::from_utf8(buffer).expect("text");
        assert!(text.starts_with("POST /v1/holds/7c/captures "), "{text}");
    }

    #[test]
    fn a_length_is_that_of_the_body() {
        let users: Arc<[i64]> = Arc::new([1]);
        for what in [
            What::OpenUsers,
            What::SignUp { prefix: 1 },
            What::Mixed { users },
        ] {
            let text = text(&Requests::new("localhost:3000", None, what), 0);
            let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "));
            assert_eq!(length, Some(body.len().to_string().as_str()), "{text}");
        }
    }
}
