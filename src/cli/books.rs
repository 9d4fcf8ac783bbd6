//! `passbook books`: shows the books that are open, or opens one.

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::say;
use crate::app::{AppError, Opened, unusable};
use crate::config::DatabaseArgs;
use crate::ledger::{BookName, TransactionId};
use crate::storage::paging::Paging;
use crate::storage::{Database, StorageError, books, connection};

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

/// Always true: a book that cannot be opened is an error.
pub(super) async fn run(args: &BooksArgs) -> Result<bool, AppError> {
    let opened = Opened::open(&args.database, "books").await?;
    let answered = answer(&opened.database, args.action.as_ref()).await;
    opened.close().await?;
    say(&answered?);
    Ok(true)
}

async fn answer(database: &Database, action: Option<&Action>) -> Result<String, AppError> {
    let failed = |error: StorageError| unusable(database, &error);
    let mut connection = database.connect_patient().await.map_err(failed)?;
    let answered = match action {
        None => {
            let all = Paging {
                after: None,
                is_ascending: true,
                limit: i64::MAX,
            };
            let listed = books::list_open(&mut connection, all).await;
            listed.map(|books| table(&books)).map_err(failed)
        }
        Some(Action::Create { name }) => {
            let transaction = TransactionId(Uuid::now_v7());
            let opened = books::open(&mut connection, *name, transaction).await;
            match opened.map_err(failed) {
                Ok(true) => Ok(format!("opened the book {name}\n")),
                Ok(false) => Err(AppError::BookTaken(name.to_string())),
                Err(error) => Err(error),
            }
        }
    };
    connection::close(connection).await;
    answered
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

fn parse_name(name: &str) -> Result<BookName, String> {
    BookName::parse(name).ok_or_else(|| {
        "not a book name: a lower-case letter, and up to 63 lower-case letters, digits, _ and -"
            .to_owned()
    })
}
