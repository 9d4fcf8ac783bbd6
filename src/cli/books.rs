//! `passbook books`: shows the books that are open, or opens one.

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::once::{self, Answer};
use crate::app::AppError;
use crate::config::DatabaseArgs;
use crate::ledger::{BookName, TransactionId};
use crate::storage::paging::Paging;
use crate::storage::{Connection, books};

/// Which ledger, and what to do with its books.
#[derive(Args, Clone, Debug)]
// One database, whether it is named before or after `create`.
#[command(mut_args(|arg| arg.global(true)))]
pub(super) struct BooksArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Open a book, a namespace with accounts of its own, which requests to /v1 name in Passbook-Book
    Create {
        /// A lower-case letter, and up to 63 lower-case letters, digits, _ and - after it
        #[arg(value_parser = parse_name)]
        name: BookName,
    },
}

pub(super) async fn run(args: &BooksArgs) -> Result<bool, AppError> {
    once::ask(&args.database, "books", async |connection| {
        match &args.action {
            None => list(connection).await,
            Some(Action::Create { name }) => create(connection, *name).await,
        }
    })
    .await
}

async fn list(connection: &mut Connection) -> Answer {
    let all = Paging {
        after: None,
        is_ascending: true,
        limit: i64::MAX,
    };
    Ok(Ok(table(&books::list_open(connection, all).await?)))
}

async fn create(connection: &mut Connection, name: BookName) -> Answer {
    let transaction = TransactionId(Uuid::now_v7());
    Ok(if books::open(connection, name, transaction).await? {
        Ok(format!("opened the book {name}\n"))
    } else {
        Err(AppError::BookTaken(name.to_string()))
    })
}

/// A line for each book, under a line that names the columns.
fn table(books: &[books::Book]) -> String {
    let names = books.iter().map(|book| book.name.len());
    let width = names.fold("NAME".len(), usize::max);
    let mut text = format!("{:<width$}  OPENED\n", "NAME");
    for book in books {
        let opened_at = book.opened_at.format("%Y-%m-%dT%H:%M:%SZ");
        text.push_str(&format!("{:<width$}  {opened_at}\n", book.name));
    }
    text
}

pub(super) fn parse_name(name: &str) -> Result<BookName, String> {
    BookName::parse(name).ok_or_else(|| {
        "not a book name: a lower-case letter, and up to 63 lower-case letters, digits, _ and -"
            .to_owned()
    })
}
