//! The native API, `/v1`: a file for each subject.

mod currencies;
mod problems;
mod protocol;
mod races;
mod story;

use serde_json::Value;

use crate::support::Reply;

/// A problem (RFC 9457) that says everything that each of them has to say, and its code.
#[track_caller]
pub(crate) fn assert_problem(reply: &Reply, what: &str) -> String {
    let kind = reply.headers["content-type"].as_str();
    assert_eq!(kind, "application/problem+json", "{what}: {reply:?}");
    assert_eq!(reply.headers["cache-control"], "no-store", "{what}");
    let problem = reply.json();
    assert_eq!(problem["status"], reply.status, "{what}: {reply:?}");
    let text = |name: &str| {
        let text = problem[name].as_str().filter(|text| !text.is_empty());
        text.unwrap_or_else(|| panic!("{what}: no {name}: {reply:?}"))
    };
    let code = text("code");
    assert_eq!(text("type"), format!("/problems/{code}"), "{what}");
    assert_eq!(text("request_id").len(), 36, "{what}");
    assert!(!text("title").is_empty() && !text("detail").is_empty());
    code.to_owned()
}

/// The texts of a member, of each object in a list.
fn texts(list: &Value, name: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items
        .map(|item| item[name].as_str().expect("a text").to_owned())
        .collect()
}
