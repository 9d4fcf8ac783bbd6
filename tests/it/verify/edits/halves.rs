//! Halves of transfers of one amount between the same accounts, moved or taken away, and what the audit says of each.

use super::{lines, postgres, usual};
use crate::support::Bank;
use crate::support::bank::audit_with;
use crate::verify::{in_small_pages, transfer};

/// `giver` gives as its entries 3 and 4 and is given back as 5, `taker` takes as 2 and 3 and gives back as 4.
struct Transfers {
    url: String,
    names: Vec<(&'static str, String)>,
}

/// What is done to halves, with all that the audit has to say about it.
const MOVED: [(&str, &[&str]); 8] = [
    (
        "update entries set transaction_id = '<SECOND>' where account_id = <TAKER> and version = 2",
        &[
            "account <GIVER>, entry 3: has no counterpart on the other account",
            "transaction <SECOND>: has more entries than its kind",
        ],
    ),
    (
        "update entries set transaction_id = '<FIRST>' where account_id = <GIVER> and version = 4",
        &[
            "account <TAKER>, entry 3: has no counterpart on the other account",
            "transaction <FIRST>: has more entries than its kind",
        ],
    ),
    // Twice in one transaction, of one time.
    (
        "update entries set transaction_id = '<SECOND>', created_at = (select created_at from transactions where id = '<SECOND>')
         where transaction_id = '<FIRST>'",
        &[
            "transaction <FIRST>: was accepted, but has no entry",
            "transaction <SECOND>: has more entries than its kind",
        ],
    ),
    // The same with a half missing.
    (
        "update entries set transaction_id = '<SECOND>', created_at = (select created_at from transactions where id = '<SECOND>')
         where transaction_id = '<FIRST>' and account_id = <GIVER>;
         delete from entries where transaction_id = '<FIRST>'; delete from transactions where id = '<FIRST>'",
        &["transaction <SECOND>: has more entries than its kind"],
    ),
    // Another of the same amount is there.
    (
        "delete from entries where account_id = <TAKER> and version = 2",
        &["account <GIVER>, entry 3: has no counterpart on the other account"],
    ),
    (
        "update entries set transaction_id = case transaction_id when '<FIRST>' then '<SECOND>'::uuid else '<FIRST>'::uuid end
         where account_id = <TAKER> and version in (2, 3)",
        &[
            "account <TAKER>, entry 2: has another time than its transaction",
            "account <TAKER>, entry 3: has another time than its transaction",
        ],
    ),
    // Who gives twice, and who takes twice.
    (
        "update entries set transaction_id = case version when 3 then '<BACK>'::uuid else '<FIRST>'::uuid end
         where account_id = <GIVER> and version in (3, 5)",
        &[
            "transaction <FIRST>: is a transfer whose entries do not add up to zero",
            "transaction <BACK>: is a transfer whose entries do not add up to zero",
        ],
    ),
    // Each gives and takes on one account.
    (
        "update entries set transaction_id = case account_id when <GIVER> then '<FIRST>'::uuid else '<BACK>'::uuid end
         where (account_id, version) in ((<GIVER>, 5), (<TAKER>, 2))",
        &[
            "account <GIVER>, entry 3: has no counterpart on the other account",
            "account <TAKER>, entry 4: has no counterpart on the other account",
        ],
    ),
];

impl Transfers {
    async fn keep() -> Self {
        let bank = Bank::open().await;
        let (giver, taker) = (bank.user("100").await, bank.user("0").await);
        let (giver, taker) = (giver.account().await, taker.account().await);
        for (from, to) in [(giver, taker), (giver, taker), (taker, giver)] {
            transfer(&bank, from, to, "5").await;
        }
        let ids = "select transaction_id::text from entries where counterparty_id is not null and amount < 0
            order by created_at";
        let ids: Vec<(String,)> = bank.rows(ids).await;
        let ids = ids.into_iter().map(|(id,)| id);
        let accounts = [giver, taker].map(|id| id.to_string());
        let values = accounts.into_iter().chain(ids);
        let names = ["GIVER", "TAKER", "FIRST", "SECOND", "BACK"];
        Self {
            names: names.into_iter().zip(values).collect(),
            url: bank.stop().await,
        }
    }

    fn spell(&self, text: &str) -> String {
        let spelled = |text: String, (name, value): &(&str, String)| {
            text.replace(&format!("<{name}>"), value)
        };
        self.names.iter().fold(text.to_owned(), spelled)
    }
}

#[tokio::test]
async fn a_half_is_missed_though_another_of_the_same_amount_is_there() {
    let transfers = Transfers::keep().await;
    for (edit, expected) in MOVED {
        let copy = postgres::copy_database(&transfers.url).await;
        postgres::tamper(&copy, &transfers.spell(edit)).await;
        for pages in [usual(), in_small_pages()] {
            let findings = lines(&audit_with(&copy, pages).await.report);
            for expected in expected.iter().map(|text| transfers.spell(text)) {
                assert!(
                    findings.contains(&expected),
                    "{edit}: no {expected:?} in\n{findings}"
                );
            }
        }
        postgres::drop_database(&copy).await;
    }
    postgres::drop_database(&transfers.url).await;
}
