//! `/problems`: every code is explained, in the form that is asked for.

use reqwest::Method;

use crate::support::{Bank, Reply};

use super::{assert_problem, texts};

async fn ask(bank: &Bank, path: &str, accept: &str) -> Reply {
    let asked = bank.ask(Method::GET, path).with("Accept", accept);
    asked.send().await
}

#[tokio::test]
async fn every_code_has_a_page_in_every_form() {
    let bank = Bank::open().await;
    let list = ask(&bank, "/problems", "application/json").await.json();
    let codes = texts(&list["data"], "code");
    assert_eq!(codes.len(), 48);
    let pages = texts(&list["data"], "type");
    for ((code, path), listed) in codes
        .iter()
        .zip(&pages)
        .zip(list["data"].as_array().expect("a list"))
    {
        assert_eq!(*path, format!("/problems/{code}"));
        let json = ask(&bank, path, "application/json").await;
        assert_eq!(json.headers["content-type"], "application/json", "{code}");
        assert_eq!(&json.json(), listed, "{code}");
        let explanation = listed["explanation"].as_str().expect("a text");
        let text = ask(&bank, path, "*/*").await;
        assert_eq!(text.headers["content-type"], "text/plain; charset=utf-8");
        assert!(text.text.contains(explanation), "{code}: {}", text.text);
        let html = ask(&bank, path, "text/html,*/*;q=0.8").await;
        assert_eq!(html.headers["content-type"], "text/html; charset=utf-8");
        let policy = &html.headers["content-security-policy"];
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        let title = listed["title"].as_str().expect("a text");
        assert!(html.text.contains(&format!("<h1>{title}</h1>")), "{code}");
        assert!(!html.text.contains('`'), "{code}: {}", html.text);
        for page in [&json, &text, &html] {
            assert_eq!(page.status, 200);
            assert_eq!(page.headers["vary"], "Accept");
            assert_eq!(page.headers["cache-control"], "no-store");
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn the_list_leads_to_every_page() {
    let bank = Bank::open().await;
    let list = ask(&bank, "/problems", "application/json").await.json();
    let (text, html) = (
        bank.get("/problems").await.text,
        ask(&bank, "/problems", "text/html").await.text,
    );
    for path in texts(&list["data"], "type") {
        assert!(html.contains(&format!("<a href=\"{path}\">")), "{path}");
        let code = path.trim_start_matches("/problems/");
        assert!(
            text.lines().any(|line| line.ends_with(&format!(" {code}"))),
            "{code}"
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn what_is_no_code_has_no_page() {
    let bank = Bank::open().await;
    for path in [
        "/problems/nothing",
        "/problems/NOT_FOUND",
        "/problems/",
        "/problems/not_found/",
        "/problems/%00",
        "/problems/<script>",
    ] {
        let reply = bank.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(assert_problem(&reply, path), "not_found");
        assert!(!reply.text.contains("script"), "{path}");
    }
    let image = ask(&bank, "/problems/not_found", "image/png").await;
    assert_eq!(image.status, 406);
    assert_eq!(assert_problem(&image, "an image"), "not_acceptable");
    let query = bank.get("/problems?limit=1").await;
    assert_eq!(query.status, 400);
    assert_eq!(assert_problem(&query, "a query"), "validation_failed");
    bank.close().await;
}
