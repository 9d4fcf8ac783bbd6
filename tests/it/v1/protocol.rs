//! What holds for every path of the native API: methods, forms, traces, and problems for all that is refused.

use reqwest::Method;

use crate::support::Bank;

use super::assert_problem;

#[tokio::test]
async fn what_is_nowhere_is_a_problem_and_no_path_ends_with_a_slash() {
    let bank = Bank::open().await;
    assert_eq!(bank.get("/v1/currencies").await.status, 200);
    for path in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/currencies/",
        "/v1/currencies//",
        "/v1/currencies/USD",
        "/V1/currencies",
        "/v1//currencies",
    ] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let reply = bank.ask(method, path).send().await;
            assert_eq!(reply.status, 404, "{path}");
            // Paths are compared letter by letter.
            if path.starts_with("/v1") {
                assert_eq!(assert_problem(&reply, path), "not_found");
            }
        }
    }
    let elsewhere = bank.get("/v12/currencies").await;
    assert_eq!(elsewhere.text, r#"{"error":"Not found"}"#);
    bank.close().await;
}

#[tokio::test]
async fn a_method_that_is_not_there_is_told_those_that_are() {
    let bank = Bank::open().await;
    for path in ["/v1/currencies", "/problems", "/problems/not_found"] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let reply = bank.ask(method, path).body("{}").send().await;
            assert_eq!(reply.status, 405, "{path}");
            assert_eq!(assert_problem(&reply, path), "method_not_allowed");
            assert_eq!(reply.headers["allow"], "GET, HEAD, OPTIONS");
        }
        let head = bank.ask(Method::HEAD, path).send().await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        let options = bank.ask(Method::OPTIONS, path).send().await;
        assert_eq!(options.status, 204);
        assert_eq!(options.headers["allow"], "GET, HEAD, OPTIONS");
    }
    bank.close().await;
}

#[tokio::test]
async fn who_takes_no_json_is_told_so_in_json() {
    let bank = Bank::open().await;
    for (accept, status) in [
        ("application/json", 200),
        ("application/*;q=0.1", 200),
        ("text/html, */*;q=0.1", 200),
        ("text/html", 406),
        ("application/problem+json", 406),
        ("application/json;q=0, */*", 406),
    ] {
        let asked = bank.ask(Method::GET, "/v1/currencies");
        let reply = asked.with("Accept", accept).send().await;
        assert_eq!(reply.status, status, "{accept}");
        if status == 406 {
            assert_eq!(assert_problem(&reply, accept), "not_acceptable");
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn an_answer_says_its_trace_under_the_name_of_the_drafts() {
    let bank = Bank::open().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-00");
    for path in ["/v1/currencies", "/v1/nothing", "/problems"] {
        let asked = bank.ask(Method::GET, path).with("traceparent", &parent);
        let reply = asked.send().await;
        let said = &reply.headers["traceresponse"];
        assert!(said.starts_with(&format!("00-{trace}-")), "{path}: {said}");
        assert_ne!(*said, parent, "a span of its own");
        assert_eq!(reply.headers.get("traceparent"), None, "{path}");
    }
    let asked = bank
        .ask(Method::GET, "/api/health")
        .with("traceparent", &parent);
    let dialect = asked.send().await;
    assert!(dialect.headers.contains_key("traceparent"), "{dialect:?}");
    assert_eq!(dialect.headers.get("traceresponse"), None);
    bank.close().await;
}
