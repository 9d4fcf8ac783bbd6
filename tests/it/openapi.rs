//! `/openapi.json`: valid, kept beside the code, complete, and true of the service that it describes.

pub(crate) mod document;
pub(crate) mod examples;
pub(crate) mod native;
mod page;
mod rows;
mod statuses;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use passbook::http::operations;

use self::document::Document;
use crate::support::Bank;

/// Where the document is kept, for whoever reads the repository.
const KEPT: &str = "docs/openapi.json";

#[tokio::test]
async fn the_document_is_valid_openapi() {
    let bank = Bank::open().await;
    let text = bank.get("/openapi.json").await.text;
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let schema = include_str!("openapi/schema-3.1.json");
    let schema = serde_json::from_str(schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");

    let mut wrong = document.clone();
    wrong["paths"]["/event"]["post"]["responses"] = serde_json::Value::Null;
    assert!(!validator.is_valid(&wrong), "a fault is seen");
    bank.close().await;
}

#[tokio::test]
async fn the_document_is_kept_beside_the_code() {
    let bank = Bank::open().await;
    let served = bank.get("/openapi.json").await;
    assert_eq!(served.headers["content-type"], "application/json");
    assert_eq!(served.headers["cache-control"], "no-store");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(KEPT);
    if std::env::var("OPENAPI").is_ok_and(|what| what == "write") {
        fs::write(&path, &served.text).expect("written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == served.text, "`make openapi` writes {KEPT} anew");
    bank.close().await;
}

#[tokio::test]
async fn the_document_has_every_operation_and_nothing_else() {
    let bank = Bank::open().await;
    let document = Document::of(&bank).await;
    let described: BTreeSet<String> = document.names().collect();
    let served: BTreeSet<String> = operations()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    assert_eq!(described, served);

    let id = |name: String| document.operation(&name)["operationId"].to_string();
    let ids: BTreeSet<String> = document.names().map(id).collect();
    assert_eq!(ids.len(), served.len(), "one id an operation");
    bank.close().await;
}

/// Whoever writes a client reads what each part means.
#[tokio::test]
async fn everything_in_the_document_is_said() {
    let bank = Bank::open().await;
    let document = Document::of(&bank).await;
    for name in document.names() {
        let operation = document.operation(&name);
        let said = |value: &serde_json::Value| value.as_str().is_some_and(|text| !text.is_empty());
        assert!(said(&operation["summary"]), "{name}");
        assert!(said(&operation["operationId"]), "{name}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(said(&parameter["description"]), "{name}: {parameter}");
            let is_given = parameter["required"] == false || !parameter["example"].is_null();
            assert!(is_given, "{name}: {parameter} has no example");
        }
        document.check_examples(&name);
    }
    bank.close().await;
}
