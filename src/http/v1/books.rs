//! `/v1/books`: namespaces with accounts of their own.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde::Serialize;

use super::answer::Answer;
use super::asked::Asked;
use super::command::Request;
use super::object::text;
use super::problem::Problem;
use super::{values, who};
use crate::ledger::{Action, BookName, Fault};
use crate::service::Service;
use crate::service::native::Book;

#[derive(Serialize)]
struct Shown {
    name: String,
    opened_at: String,
}

pub(super) async fn open(service: Data<Service>, mut asked: Asked) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let body = asked.body().await?;
    let name = body.read(|body| body.required("name", text(name)))?;
    let key = asked.write_key(&service)?;
    let request = Request::new(&who, &asked, &body, key, &())?;
    let done = request.carry_out(&service, Action::OpenBook(name)).await?;
    let id = done.receipt.more.as_ref().and_then(|more| more.book);
    let book = service.view_book(id.ok_or(Fault::Bug)?).await?;
    let answer = Answer::new(StatusCode::CREATED, &Shown::of(book.ok_or(Fault::Bug)?));
    Ok(done.mark(answer))
}

pub(super) async fn list(service: Data<Service>, asked: Asked) -> Result<Answer, Problem> {
    let (_, list) = asked.list(&[])?;
    who::asks(&service, &asked).await?;
    let paging = list.paging(BookName::parse)?;
    let rows = service.view_books(paging).await?;
    let place = |book: &Book| book.name.clone();
    Ok(Answer::ok(&list.page(rows, place, Shown::of)))
}

impl Shown {
    fn of(book: Book) -> Self {
        Self {
            name: book.name,
            opened_at: values::time_text(book.opened_at),
        }
    }
}

fn name(text: &str) -> Result<BookName, String> {
    let longest = BookName::LENGTH_MAX;
    BookName::parse(text).ok_or_else(|| {
        format!("must be a lower-case letter, then letters, digits, \"_\" and \"-\", at most {longest} in all")
    })
}
