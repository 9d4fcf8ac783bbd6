//! `GET /problems/{code}`: what a problem means and what to do, for people and for programs.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::accept::{self, JSON};
use super::codes::Code;
use super::problem::Problem;
use super::query::Query;

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
/// The first is for whoever takes everything, as curl does.
const FORMS: [&str; 3] = ["text/plain", "text/html", JSON];
/// Nothing comes from elsewhere, and nothing is sent there.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}\
    code{background:#8882;padding:.1em .3em}:root{color-scheme:light dark}";

#[derive(Serialize)]
struct All {
    data: Vec<Explained>,
}

#[derive(Serialize)]
struct Explained {
    r#type: String,
    code: &'static str,
    status: u16,
    title: &'static str,
    explanation: &'static str,
    /// Whether a retry with the same key gets the same answer for good.
    remembered: bool,
}

pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    let data: Vec<Explained> = Code::ALL.map(Explained::new).into();
    let lines = data
        .iter()
        .map(|code| format!("{} {}\n", code.status, code.code));
    let items = data.iter().map(|code| {
        let Explained {
            r#type,
            code,
            status,
            title,
            ..
        } = code;
        format!("<li>{status} <a href=\"{type}\"><code>{code}</code></a> {title}</li>\n")
    });
    let (text, items) = (lines.collect(), items.collect::<String>());
    let html = page("Problems", &format!("<ul>\n{items}</ul>"));
    answer(request.headers(), &All { data }, text, html)
}

pub(super) async fn show(
    name: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    let code = Code::parse(&name).ok_or_else(Problem::not_found)?;
    let explained = Explained::new(code);
    let Explained {
        code,
        status,
        title,
        explanation,
        ..
    } = &explained;
    let retry = explained.retry();
    let text = format!("{code}\n{status} {title}\n\n{explanation}\n{retry}\n");
    let marked = with_code(explanation);
    let body = format!(
        "<p><code>{code}</code>, status {status}</p>\n<p>{marked}</p>\n<p>{retry}</p>\n\
         <p><a href=\"/problems\">All problems</a></p>"
    );
    let html = page(title, &body);
    answer(request.headers(), &explained, text, html)
}

impl Explained {
    fn new(code: Code) -> Self {
        Self {
            r#type: code.path(),
            code: code.name(),
            status: code.status().as_u16(),
            title: code.title(),
            explanation: code.explanation(),
            remembered: code.is_remembered(),
        }
    }

    fn retry(&self) -> &'static str {
        if self.remembered {
            "This answer is remembered: a retry with the same key gets it again, whatever has changed."
        } else {
            "This answer is not remembered: a retry with the same key is decided anew."
        }
    }
}

/// In whichever form is wanted.
fn answer(
    headers: &HeaderMap,
    json: &impl Serialize,
    text: String,
    html: String,
) -> Result<HttpResponse, Problem> {
    let form = accept::choose(headers, &FORMS)?;
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    response.insert_header((VARY, "Accept"));
    response.insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    Ok(match form {
        JSON => response.json(json),
        "text/html" => response
            .insert_header((CONTENT_SECURITY_POLICY, POLICY))
            .content_type(HTML)
            .body(html),
        _ => response.content_type(TEXT).body(text),
    })
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )
}

/// What stands between backquotes, as code.
fn with_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| match at % 2 {
        0 => part.to_owned(),
        _ => format!("<code>{part}</code>"),
    });
    parts.collect()
}
