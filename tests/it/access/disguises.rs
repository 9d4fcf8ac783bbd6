//! A path that is written otherwise leads to the same operation, and past nobody who guards it.

use passbook::http::{operations, writes};
use reqwest::Method;

use crate::openapi::document::{Document, Example};
use crate::openapi::examples::furnished;
use crate::support::Bank;

/// The same target in other letters: each letter of the path's first name by its code, all of them, and a slash at the end.
fn disguised(target: &str) -> Vec<String> {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
    let name = path.split('/').nth(1).unwrap_or_default();
    let rest = &path[1 + name.len()..];
    let code = |letter: char| format!("%{:02x}", u32::from(letter));
    let mut paths: Vec<String> = (0..name.len())
        .map(|at| {
            let (before, from) = name.split_at(at);
            let (letter, after) = from.split_at(1);
            format!(
                "/{before}{}{after}{rest}",
                letter.chars().map(code).collect::<String>()
            )
        })
        .collect();
    paths.push(format!(
        "/{}{rest}",
        name.chars().map(code).collect::<String>()
    ));
    paths.push(format!("{path}/"));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    paths.into_iter().map(|path| path + &query).collect()
}

fn example(document: &Document, method: &str, path: &str) -> Example {
    document.examples(&format!("{method} {path}")).remove(0)
}

#[tokio::test]
async fn nobody_comes_in_by_another_way_to_write_a_path() {
    let open = furnished().await;
    let required = Bank::open_on(&open.database_url, &["--auth=required"]).await;
    let document = Document::of(&open).await;
    let mut kept_out = 0;
    for (method, path) in operations() {
        let mut example = example(&document, method, path);
        if example.ask(&required, None).send().await.status != 401 {
            continue;
        }
        for target in disguised(&example.target) {
            example.target = target;
            let status = example.ask(&required, None).send().await.status;
            let target = &example.target;
            assert!([401, 404].contains(&status), "{method} {target}: {status}");
            kept_out += i32::from(status == 401);
        }
    }
    // What is disguised does lead somewhere.
    assert!(100 < kept_out, "{kept_out}");
    required.stop().await;
    open.close().await;
}

#[tokio::test]
async fn no_page_of_another_site_writes_by_another_way_to_write_a_path() {
    let bank = furnished().await;
    let document = Document::of(&bank).await;
    let mut kept_out = 0;
    for (method, path) in writes() {
        let mut example = example(&document, method, path);
        for target in disguised(&example.target) {
            example.target = target;
            let asked = example
                .ask(&bank, None)
                .with("Sec-Fetch-Site", "cross-site");
            let status = asked.send().await.status;
            let target = &example.target;
            assert!([403, 404].contains(&status), "{method} {target}: {status}");
            kept_out += i32::from(status == 403);
        }
    }
    assert!(100 < kept_out, "{kept_out}");
    // And what only reads is for such a page too.
    let read = bank.ask(Method::GET, "/%61pi/users/1");
    assert_eq!(
        read.with("Sec-Fetch-Site", "cross-site")
            .send()
            .await
            .status,
        200
    );
    bank.close().await;
}
