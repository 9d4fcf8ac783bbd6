//! The document as a test reads it: operations, their requests, and whether an answer is one that is described.

use std::collections::BTreeSet;

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::{Bank, Reply};

/// `/openapi.json` of a bank. An operation is named by method and path.
pub(crate) struct Document(Value);

/// A request that goes by the document's own examples.
pub(crate) struct Example {
    pub(crate) method: Method,
    pub(crate) target: String,
    /// The type and the text of its body.
    pub(crate) body: Option<(String, String)>,
    /// What has to stand in its head, but for its key.
    pub(crate) headers: Vec<(String, String)>,
}

impl Document {
    pub(crate) async fn of(bank: &Bank) -> Self {
        Self(bank.get("/openapi.json").await.json())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        let paths = self.0["paths"].as_object().expect("paths");
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods");
            let name = move |method: &String| format!("{} {path}", method.to_uppercase());
            methods.keys().map(name)
        })
    }

    pub(crate) fn operation(&self, name: &str) -> &Value {
        let (method, path) = name.split_once(' ').expect("a method and a path");
        let operation = &self.0["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{name} is not described");
        operation
    }

    /// Every status that an operation can answer with.
    pub(crate) fn statuses(&self, name: &str) -> BTreeSet<u16> {
        let responses = self.operation(name)["responses"].as_object();
        let statuses = responses.expect("responses").keys();
        statuses
            .map(|status| status.parse().expect("a status"))
            .collect()
    }

    /// Those that describe a status.
    pub(crate) fn with_status(&self, status: u16) -> impl Iterator<Item = String> {
        self.names()
            .filter(move |name| self.statuses(name).contains(&status))
    }

    /// Whether an operation takes an `Idempotency-Key`.
    pub(crate) fn takes_key(&self, name: &str) -> bool {
        self.takes(name, "Idempotency-Key")
    }

    /// Whether an operation heeds a field of the head: one that it has, or that all of the native API do.
    pub(crate) fn heeds(&self, name: &str, field: &str) -> bool {
        field != "Passbook-Book" || self.takes(name, field)
    }

    fn takes(&self, name: &str, field: &str) -> bool {
        let parameters = self.operation(name)["parameters"].as_array();
        let mut parameters = parameters.into_iter().flatten();
        parameters.any(|parameter| parameter["name"] == field)
    }

    pub(crate) fn is_for_members(&self, name: &str) -> bool {
        let security = self.operation(name)["security"].as_array();
        security.is_some_and(|ways| !ways.contains(&json!({})))
    }

    /// The requests that an operation shows, one for each type of body.
    pub(crate) fn examples(&self, name: &str) -> Vec<Example> {
        let (method, path) = name.split_once(' ').expect("a method and a path");
        let operation = self.operation(name);
        let mut target = path.to_owned();
        let mut query = Vec::new();
        let mut headers = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (field, example) = (&parameter["name"], &parameter["example"]);
            let field = field.as_str().expect("a name");
            let text = example.as_str().map_or(example.to_string(), str::to_owned);
            match parameter["in"].as_str() {
                Some("path") => target = target.replace(&format!("{{{field}}}"), &text),
                Some("header") if !example.is_null() && field != "Idempotency-Key" => {
                    headers.push((field.to_owned(), text));
                }
                Some("query") if !example.is_null() => query.push(format!("{field}={text}")),
                _ => {}
            }
        }
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        let bodies = operation["requestBody"]["content"].as_object();
        let bodies = bodies.into_iter().flatten();
        let mut bodies: Vec<_> = bodies
            .map(|(kind, content)| Some((kind.clone(), encoded(kind, &content["example"]))))
            .collect();
        if bodies.is_empty() {
            bodies.push(None);
        }
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let example = |body| Example {
            method: method.clone(),
            target: target.clone(),
            body,
            headers: headers.clone(),
        };
        bodies.into_iter().map(example).collect()
    }

    /// Whether an answer is one that the operation describes, in status, type and shape.
    pub(crate) fn check(&self, name: &str, reply: &Reply) {
        let status = reply.status.to_string();
        let response = &self.operation(name)["responses"][&status];
        assert!(response.is_object(), "{name}: {reply:?} is not described");
        for (header, said) in response["headers"].as_object().into_iter().flatten() {
            let is_there = reply.headers.contains_key(&header.to_lowercase());
            let when = said["description"].as_str().expect("what it is");
            // “If …” says when there is one.
            assert!(
                is_there || when.starts_with("If "),
                "{name}: {header}: {reply:?}"
            );
        }
        let Some(kind) = reply.headers.get("content-type") else {
            assert!(
                reply.text.is_empty() && response.get("content").is_none(),
                "{name}: {reply:?}"
            );
            return;
        };
        let content = &response["content"][kind];
        assert!(content.is_object(), "{name}: no {kind} in {status}");
        if kind.ends_with("json") {
            self.check_shape(name, &content["schema"], &reply.json());
        }
    }

    /// Whether the examples have the shapes that they are examples of.
    pub(crate) fn check_examples(&self, name: &str) {
        let operation = self.operation(name);
        let responses = operation["responses"].as_object().expect("responses");
        let bodies = responses.values().chain([&operation["requestBody"]]);
        for (kind, content) in
            bodies.flat_map(|body| body["content"].as_object().into_iter().flatten())
        {
            let more = content["examples"].as_object().into_iter().flatten();
            let more = more.map(|(_, example)| &example["value"]);
            let all: Vec<&Value> = content.get("example").into_iter().chain(more).collect();
            assert!(
                !kind.ends_with("json") || !all.is_empty(),
                "{name}: no example"
            );
            for example in all {
                self.check_shape(name, &content["schema"], example);
            }
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if let Some(example) = parameter.get("example") {
                self.check_shape(name, &parameter["schema"], example);
            }
        }
    }

    fn check_shape(&self, name: &str, schema: &Value, value: &Value) {
        let validator = self.validator(schema);
        let errors = validator.iter_errors(value);
        let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
        let shown: String = value.to_string().chars().take(300).collect();
        assert!(errors.is_empty(), "{name}: {shown}: {errors:?}");
    }

    /// Of a schema that refers to others of the document; what it does not name is not there.
    fn validator(&self, schema: &Value) -> Validator {
        let mut components = self.0["components"].clone();
        for shape in components["schemas"]
            .as_object_mut()
            .expect("schemas")
            .values_mut()
        {
            if shape["type"] == "object" && shape.get("additionalProperties").is_none() {
                shape["additionalProperties"] = json!(false);
            }
        }
        let whole = json!({"allOf": [schema], "components": components});
        jsonschema::draft202012::new(&whole).expect("a schema")
    }
}

impl Example {
    /// The same request, as whoever has this token.
    pub(crate) fn ask(&self, bank: &Bank, token: Option<&str>) -> Ask {
        let mut ask = match &self.body {
            None => bank.ask(self.method.clone(), &self.target),
            Some((kind, body)) => bank
                .ask_in(kind, self.method.clone(), &self.target)
                .body(body),
        };
        for (header, value) in &self.headers {
            ask = ask.with(header, value);
        }
        if let Some(token) = token {
            ask = ask.with("Authorization", &format!("Bearer {token}"));
        }
        ask
    }
}

fn encoded(kind: &str, example: &Value) -> String {
    if kind.ends_with("json") {
        return example.to_string();
    }
    let fields = example.as_object().expect("fields").iter();
    let fields = fields.map(|(name, value)| {
        let text = value.as_str().map_or(value.to_string(), str::to_owned);
        format!("{name}={text}")
    });
    fields.collect::<Vec<String>>().join("&")
}
