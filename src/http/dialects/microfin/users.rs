//! Users: who signs up, in and out.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::error::{Asked, INVALID_INPUT, Problem};
use super::{Done, required, session, string};
use crate::http::access::session_token;
use crate::http::request::body::Body;
use crate::http::request::{idempotency, text};
use crate::ledger::{Email, Fault, key};
use crate::service::{Password, Service, SignUp, SignedUp};

#[derive(Deserialize, ToSchema)]
#[schema(as = microfin::Newcomer)]
pub(super) struct Newcomer {
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Option<Box<RawValue>>,
    #[schema(value_type = String, format = Email)]
    email: Option<Box<RawValue>>,
    /// With a capital letter, a small one and a digit.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 128)]
    password: Option<Box<RawValue>>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = microfin::Credentials)]
pub(super) struct Credentials {
    #[schema(value_type = String, format = Email)]
    email: Option<Box<RawValue>>,
    #[schema(value_type = String, format = Password)]
    password: Option<Box<RawValue>>,
}

pub(super) async fn sign_up(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let body = Body::receive(&request, payload).await?;
    let key = idempotency::header(&request)?;
    let user = body.parse::<Newcomer>()?.sign_up(&service)?;
    let key = key.map(|text| key::microfin_sign_up(text, &user.name, &user.email));
    let SignedUp { answered, session } = service.sign_up(user, key).await?;
    let mut response = HttpResponse::Ok();
    idempotency::accepted(&mut response, answered)
        .map_err(|refused| Problem::Refused(Asked::Opening, refused))?;
    session::begin(&mut response, &request, &session.ok_or(Fault::Bug)?);
    let message = "User Created Successfully";
    Ok(response.json(Done { message }))
}

pub(super) async fn sign_in(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let body = Body::receive(&request, payload).await?;
    let credentials: Credentials = body.parse()?;
    let email = required(credentials.email.as_deref())?;
    let password = required(credentials.password.as_deref())?;
    let invalid = || Problem::Invalid(INVALID_INPUT);
    let (email, password) = (string(email)?, string(password)?);
    text::check(&email, Email::LENGTH_MAX).map_err(|_| invalid())?;
    let password = Password::recall(&password).ok_or_else(invalid)?;
    // What is no email is nobody's: that tells nothing of who is there.
    let email = text::parse_email(&email).map_err(|_| Problem::WrongPassword)?;
    let user = service.sign_in(&email, password).await?;
    let user = user.ok_or(Problem::WrongPassword)?;
    let token = service.open_session(user).await?;
    let mut response = HttpResponse::Ok();
    session::begin(&mut response, &request, &token);
    let message = "User Signed In  Successfully";
    Ok(response.json(Done { message }))
}

pub(super) async fn sign_out(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    Body::receive(&request, payload).await?;
    session::caller(&service, &request).await?;
    let token = session_token(&request).ok_or(Problem::NotSignedIn)?;
    service.close_session(&token).await?;
    let mut response = HttpResponse::Ok();
    session::end(&mut response, &request);
    let message = "User Signed Out Successfully";
    Ok(response.json(Done { message }))
}

impl Newcomer {
    /// First whether everything is there, then whether it is right.
    fn sign_up(&self, service: &Service) -> Result<SignUp, Problem> {
        let name = required(self.name.as_deref())?;
        let email = required(self.email.as_deref())?;
        let password = required(self.password.as_deref())?;
        let invalid = || Problem::Invalid(INVALID_INPUT);
        let name = string(name)?;
        text::check(&name, text::NAME_MAX).map_err(|_| invalid())?;
        let email = text::parse_email(&string(email)?).map_err(|_| invalid())?;
        let password = Password::choose(&string(password)?).ok_or_else(invalid)?;
        Ok(SignUp {
            name,
            email,
            password,
            currency: service.default_currency(),
        })
    }
}
