//! The registry of currencies: what `passbook currencies` shows, adds, and refuses to add.

use passbook::ledger::{Currency, CurrencyCode};
use passbook::storage::currencies::{Registered, find_by_name};
use passbook::storage::{Database, Pool};

use crate::support::process::{self, Ended, Passbook, path_of, run};
use crate::support::{Bank, postgres};

/// The registry as every ledger begins with it.
const FIRST: &str = "\
CODE          NAME       DECIMALS  CRYPTO
BTC           bitcoin           8  yes
ETH           ethereum         18  yes
EUR           euro              2  no
JPY           yen               0  no
MATIC         matic            18  yes
USD           us dollar         2  no
";

/// What `passbook currencies` says on a database.
fn currencies(url: &str, args: &[&str]) -> String {
    let args = [&["currencies", "--database-url", url], args].concat();
    let output = run(&args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// How it ends where it is refused.
fn refused(url: &str, args: &[&str]) -> Ended {
    let args = [&["currencies", "--database-url", url], args].concat();
    let output = run(&args);
    assert!(output.stdout.is_empty(), "{output:?}");
    Ended::of(&output)
}

#[tokio::test]
async fn the_registry_is_listed_in_columns() {
    let url = postgres::create_database().await;
    assert_eq!(currencies(&url, &[]), FIRST);
    postgres::tamper(&url, "delete from currencies where name <> 'yen'").await;
    let short = "CODE          NAME  DECIMALS  CRYPTO\nJPY           yen          0  no\n";
    assert_eq!(currencies(&url, &[]), short);
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn what_was_added_is_listed_with_the_rest() {
    let url = postgres::create_database().await;
    let doge = currencies(&url, &["add", "DOGE", "dogecoin", "8", "--crypto"]);
    assert_eq!(doge, "added DOGE: name dogecoin, decimals 8, crypto yes\n");
    let longest = "x".repeat(64);
    let dear = currencies(&url, &["add", "A23456789012", &longest, "18"]);
    let said = format!("added A23456789012: name {longest}, decimals 18, crypto no\n");
    assert_eq!(dear, said);
    currencies(&url, &["add", "XAU", "troy ounce_of-gold 1", "0"]);

    let listed = currencies(&url, &[]);
    let lines: Vec<Vec<&str>> = listed
        .lines()
        .map(|line| line.split("  ").collect())
        .collect();
    let row = |code: &str| {
        let cells = lines.iter().find(|cells| cells[0] == code);
        let cells = cells.unwrap_or_else(|| panic!("{code} in {listed}")).iter();
        cells
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty())
            .collect::<Vec<&str>>()
    };
    assert_eq!(row("DOGE"), ["DOGE", "dogecoin", "8", "yes"]);
    assert_eq!(row("A23456789012"), ["A23456789012", &longest, "18", "no"]);
    assert_eq!(row("XAU"), ["XAU", "troy ounce_of-gold 1", "0", "no"]);
    assert_eq!(row("USD"), ["USD", "us dollar", "2", "no"]);
    assert_eq!(lines.len(), 1 + 6 + 3, "{listed}");
    let crypto_at: Vec<Option<usize>> = listed
        .lines()
        .map(|line| {
            ["CRYPTO", "yes", "no"]
                .iter()
                .find_map(|end| line.strip_suffix(end))
        })
        .map(|before| before.map(str::len))
        .collect();
    assert!(crypto_at.iter().all(|at| *at == crypto_at[0]), "{listed}");
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn a_currency_is_found_by_its_whole_name() {
    let url = postgres::create_database().await;
    currencies(&url, &["add", "DOGE", "dogecoin", "8", "--crypto"]);
    let pool = Pool::new(&Database::parse(&url, false).expect("a URL"), 1);
    let found = async |name: &str| {
        let found = pool
            .read(async |connection| find_by_name(connection, name).await)
            .await;
        found.expect("the database answers")
    };
    let doge = Registered {
        currency: Currency {
            code: CurrencyCode::parse("DOGE").expect("a code"),
            scale: 8,
        },
        name: "dogecoin".to_owned(),
        crypto: true,
    };
    assert_eq!(found("dogecoin").await, Some(doge));
    let euro = found("euro").await.expect("a currency");
    assert_eq!((euro.currency.scale, euro.crypto), (2, false));
    for name in ["DOGE", "doge", "Dogecoin", "dogecoin ", ""] {
        assert_eq!(found(name).await, None, "{name}");
    }
    pool.close().await;
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn an_added_currency_holds_money_to_its_last_decimal() {
    let url = postgres::create_database().await;
    currencies(&url, &["add", "DOGE", "dogecoin", "8", "--crypto"]);
    let bank = Bank::open_on(&url, &["--default-currency", "DOGE"]).await;
    let user = bank.user("0.00000003").await;
    assert_eq!(user.change("-0.00000001").await.status, 200);
    assert_eq!(
        user.change("0.000000001").await.status,
        400,
        "a ninth decimal"
    );
    assert_eq!(user.balance().await, "0.00000002");
    bank.close().await;
}

#[tokio::test]
async fn a_code_or_a_name_that_is_there_is_refused_and_nothing_changes() {
    let url = postgres::create_database().await;
    for (args, words) in [
        (
            ["USD", "greenback", "2"],
            "a currency with the code USD already",
        ),
        (
            ["USD", "us dollar", "2"],
            "a currency with the code USD already",
        ),
        (
            ["XBT", "bitcoin", "8"],
            "a currency with the name bitcoin already",
        ),
    ] {
        let ended = refused(&url, &[&["add"], &args[..]].concat());
        let complaint = ended.complaint();
        assert!(complaint.contains(words), "{words} in {complaint}");
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
    assert_eq!(currencies(&url, &[]), FIRST);
    postgres::drop_database(&url).await;
}

/// Before the database is asked: here there is none.
#[test]
fn what_no_currency_can_be_is_refused_with_what_is_allowed() {
    let nowhere = "postgres://passbook@127.0.0.1:1/passbook";
    let code = "3 to 12 upper-case letters and digits, starting with a letter";
    let name = "1 to 64 lower-case letters, digits, blanks, _ and -, starting with a letter";
    let scale = "a whole number from 0 to 18";
    let long = "x".repeat(65);
    for (args, words) in [
        (["DO", "dogecoin", "8"], code),
        (["doge", "dogecoin", "8"], code),
        (["1DOGE", "dogecoin", "8"], code),
        (["DO GE", "dogecoin", "8"], code),
        (["DÖGE", "dogecoin", "8"], code),
        (["A234567890123", "dogecoin", "8"], code),
        (["", "dogecoin", "8"], code),
        (["DOGE", "", "8"], name),
        (["DOGE", "Dogecoin", "8"], name),
        (["DOGE", "1doge", "8"], name),
        (["DOGE", " doge", "8"], name),
        (["DOGE", "döge", "8"], name),
        (["DOGE", "doge\t", "8"], name),
        (["DOGE", "doge'", "8"], name),
        (["DOGE", &long, "8"], name),
        (["DOGE", "dogecoin", "19"], scale),
        (["DOGE", "dogecoin", "256"], scale),
        (["DOGE", "dogecoin", "-1"], scale),
        (["DOGE", "dogecoin", "1.5"], scale),
        (["DOGE", "dogecoin", "two"], scale),
        (["DOGE", "dogecoin", ""], scale),
    ] {
        let ended = refused(nowhere, &[&["add"], &args[..]].concat());
        let complaint = ended.complaint();
        assert!(complaint.contains(words), "{words} in {complaint}");
    }
    let ended = refused(nowhere, &["add", "DOGE", "dogecoin", "8"]);
    assert!(ended.complaint().contains("127.0.0.1:1"), "{ended:?}");
}

#[tokio::test]
async fn where_there_is_no_schema_it_says_what_makes_one() {
    let url = postgres::create_empty_database().await;
    for args in [&[][..], &["add", "DOGE", "dogecoin", "8"]] {
        let ended = refused(&url, args);
        let complaint = ended.complaint();
        assert!(complaint.contains("cannot use the database"), "{complaint}");
        assert!(complaint.contains("run passbook migrate"), "{complaint}");
    }
    postgres::drop_database(&url).await;
}

/// Also where the database is named behind the action: what is added must not end up in another one.
#[test]
fn the_registry_of_a_running_service_is_added_to_and_found_again_when_it_has_stopped() {
    let data_dir = process::migrated_data_dir();
    let place = ["--data-dir", path_of(&data_dir)];
    let say = |args: &[&str]| {
        let output = run(&[&["currencies"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let passbook = Passbook::serve(&place);
    let postmaster = process::postmaster_pid(&data_dir);
    let added = say(&[&["add", "GBP", "pound", "2"], &place[..]].concat());
    assert_eq!(added, "added GBP: name pound, decimals 2, crypto no\n");
    assert_eq!(process::postmaster_pid(&data_dir), postmaster);
    assert!(process::is_alive(postmaster), "it is left alone");
    passbook.stop();
    let listed = say(&place);
    assert!(listed.contains("GBP           pound"), "{listed}");
    assert_eq!(process::cluster_state(&data_dir), "shut down");
}
