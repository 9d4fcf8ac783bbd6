//! `/docs`: a browser for the document, which asks nobody else for anything.

use crate::support::Bank;

/// What a page names that a browser fetches.
fn fetched(page: &str) -> Vec<&str> {
    let named = |attribute: &'static str| {
        let parts = page.split(attribute).skip(1);
        parts.filter_map(|rest| rest.split('"').next())
    };
    named("src=\"").chain(named("href=\"")).collect()
}

#[tokio::test]
async fn the_browser_of_the_document_comes_from_here_alone() {
    let bank = Bank::open().await;
    for path in ["/docs", "/docs/"] {
        let page = bank.get(path).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers["cache-control"], "no-store");
        let policy = &page.headers["content-security-policy"];
        for rule in [
            "default-src 'none'",
            "script-src 'self';",
            "connect-src 'self';",
        ] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("http"), "nobody else is named: {policy}");
        assert!(
            !page.text.contains("<script>"),
            "scripts have files of their own"
        );
        let all = fetched(&page.text);
        assert!(4 <= all.len(), "{all:?}");
        for path in all.into_iter().filter(|path| !path.starts_with("data:")) {
            assert!(path.starts_with('/'), "{path} is not from here");
            let file = bank.get(path).await;
            assert_eq!(file.status, 200, "{path}");
            let kind = match path.rsplit('.').next() {
                Some("js") => "text/javascript; charset=utf-8",
                Some("css") => "text/css; charset=utf-8",
                _ => "application/json",
            };
            assert_eq!(file.headers["content-type"], kind, "{path}");
        }
    }
    let bundle = bank.get("/docs/swagger-ui-bundle.js").await.text;
    assert!(bundle.contains("SwaggerUIBundle"));
    let start = bank.get("/docs/start.js").await.text;
    assert!(start.contains(r#"url: "/openapi.json""#), "{start}");
    assert!(
        start.contains("validatorUrl: null"),
        "nobody is asked: {start}"
    );
    bank.close().await;
}
