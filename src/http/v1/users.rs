//! `/v1/users`: people who may own accounts.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use serde::Serialize;

use super::answer::Answer;
use super::asked::Asked;
use super::command::Request;
use super::object::text;
use super::problem::Problem;
use super::{values, who};
use crate::ledger::{Action, Email, Fault, OpenUser, UserId};
use crate::service::Service;
use crate::service::native::Person;

/// The longest name, in characters.
const NAME_LENGTH_MAX: usize = 255;

#[derive(Serialize)]
struct User {
    id: String,
    name: Option<String>,
    email: Option<String>,
    created_at: String,
}

pub(super) async fn open(service: Data<Service>, mut asked: Asked) -> Result<Answer, Problem> {
    asked.begin_write()?;
    let who = who::asks(&service, &asked).await?;
    let body = asked.optional_body().await?;
    let (name, email) = body.read(|body| {
        let name = body.optional("name", text(name));
        let email = body.optional("email", text(email));
        Some((name?, email?))
    })?;
    let key = asked.write_key(&service)?;
    let request = Request::new(&who, &asked, &body, key, &())?;
    let action = Action::OpenUser(OpenUser {
        name,
        email,
        password_hash: None,
        session: None,
        account: None,
    });
    let done = request.carry_out(&service, action).await?;
    let user = done.receipt.more.as_ref().and_then(|more| more.user);
    let user = user.ok_or(Fault::Bug)?;
    let person = service.view_user(user).await?.ok_or(Fault::Bug)?;
    let answer = Answer::new(StatusCode::CREATED, &User::of(person));
    Ok(done.mark(answer.at(format!("/v1/users/{user}"))))
}

pub(super) async fn show(
    service: Data<Service>,
    asked: Asked,
    id: Path<String>,
) -> Result<Answer, Problem> {
    asked.query(&[])?;
    who::asks(&service, &asked).await?;
    let id = values::user(&id).map_err(|_| Problem::not_found())?;
    let person = service.view_user(id).await?;
    let person = person.ok_or_else(Problem::not_found)?;
    Ok(Answer::ok(&User::of(person)))
}

pub(super) async fn list(service: Data<Service>, asked: Asked) -> Result<Answer, Problem> {
    let (query, list) = asked.list(&["email"])?;
    who::asks(&service, &asked).await?;
    let email = query.value("email", email)?;
    let paging = list.paging(|text| text.parse().ok().map(UserId))?;
    let rows = service.view_users(email, paging).await?;
    let place = |person: &Person| person.id.to_string();
    Ok(Answer::ok(&list.page(rows, place, User::of)))
}

impl User {
    fn of(person: Person) -> Self {
        Self {
            id: person.id.to_string(),
            name: person.name,
            email: person.email,
            created_at: values::time_text(person.created_at),
        }
    }
}

fn name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    let fits = (1..=NAME_LENGTH_MAX).contains(&length);
    let owned = fits.then(|| text.to_owned());
    owned.ok_or_else(|| format!("must have 1 to {NAME_LENGTH_MAX} characters"))
}

fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).ok_or_else(|| "must be an email address".to_owned())
}
