//! Layers import what is below them, and keep their crates to themselves.

use std::collections::BTreeSet;

use super::assert_tidy;
use super::source::{code, layered};

/// What each layer may import of the crate.
const LAYERS: [(&str, &[&str]); 10] = [
    ("ledger", &[]),
    ("postgres", &[]),
    ("telemetry", &[]),
    ("storage", &["ledger"]),
    ("engine", &["storage", "ledger", "telemetry"]),
    ("service", &["engine", "storage", "ledger", "telemetry"]),
    ("http", &["service", "ledger", "telemetry"]),
    ("bench", &["postgres", "service", "storage"]),
    ("config", &["engine", "http", "ledger"]),
    (
        "cli",
        &[
            "app",
            "bench",
            "config",
            "telemetry",
            "service",
            "storage",
            "ledger",
        ],
    ),
];
/// Puts the layers together, so it sees them all.
const ROOT: &str = "app";

/// A room of a layer, with those below it that it may import.
type Room = (&'static str, &'static [&'static str]);

/// Layers that open into rooms.
const ROOMS: [(&str, &[Room]); 2] = [("http", &HTTP), ("engine", &ENGINE)];

const ENGINE: [Room; 7] = [
    ("callers", &[]),
    ("limits", &[]),
    ("watch", &[]),
    ("queue", &["callers", "limits", "watch"]),
    ("memory", &["queue"]),
    ("shared", &["limits", "watch", "queue", "memory"]),
    ("lane", &["limits", "watch", "queue", "memory", "shared"]),
];

const HTTP: [Room; 12] = [
    ("fault", &[]),
    ("access", &[]),
    ("request", &[]),
    ("description", &["access", "request"]),
    ("operation", &["access", "description"]),
    (
        "document",
        &["access", "description", "operation", "request"],
    ),
    ("settings", &["access", "request"]),
    (
        "dialects",
        &[
            "fault",
            "access",
            "operation",
            "description",
            "document",
            "request",
            "settings",
        ],
    ),
    (
        "v1",
        &[
            "fault",
            "access",
            "operation",
            "description",
            "request",
            "settings",
        ],
    ),
    (
        "observe",
        &[
            "fault",
            "access",
            "operation",
            "description",
            "request",
            "dialects",
        ],
    ),
    (
        "routing",
        &[
            "fault",
            "access",
            "operation",
            "document",
            "request",
            "settings",
            "dialects",
            "v1",
            "observe",
        ],
    ),
    ("server", &["request", "settings", "observe", "routing"]),
];

/// Layers of which another may import one part alone: the benchmark is a client, and audits the books at the end; a
/// setting of HTTP is parsed as what it is there.
const PARTS: [(&str, &str, &str); 2] = [
    ("bench", "service", "audit"),
    ("config", "http", "settings"),
];

/// Crates that one layer keeps to itself.
const KEPT: [(&str, &str); 6] = [
    ("sqlx", "storage"),
    ("actix_web", "http"),
    ("actix_http", "http"),
    ("actix_server", "http"),
    ("actix_service", "http"),
    ("h2", "http"),
];

/// The modules on the way to a file: `src/http/server/mod.rs` is in `http`, `server`.
fn module(path: &str) -> Vec<&str> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut names: Vec<&str> = path.split('/').collect();
    names.pop_if(|name| ["mod", "lib", "main"].contains(name));
    names
}

/// Every path of the crate that the code speaks of, from the crate's root, at most three names deep.
fn paths(path: &str, code: &str) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    let code: String = code.split_whitespace().collect::<Vec<&str>>().join(" ");
    let roots = ["crate::", "passbook::", "super::"];
    for (start, root) in roots.iter().flat_map(|root| code.match_indices(root)) {
        let before = code[..start].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':') {
            continue;
        }
        let mut names: Vec<String> = Vec::new();
        let mut rest = &code[start + root.len()..];
        if root == "super::" {
            names = module(path).iter().map(ToString::to_string).collect();
            names.pop();
            while let Some(above) = rest.strip_prefix("super::") {
                names.pop();
                rest = above;
            }
        }
        for leaf in leaves(rest) {
            let mut whole = names.clone();
            whole.extend(leaf);
            whole.truncate(3);
            found.insert(whole);
        }
    }
    found
}

/// The names that follow: `a::b` and each of `{a::b, c}`.
fn leaves(rest: &str) -> Vec<Vec<String>> {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    if let Some(list) = rest.strip_prefix('{') {
        let mut depth = 0_usize;
        let end = list.find(|letter| {
            depth += usize::from(letter == '{');
            let ends = letter == '}' && depth == 0;
            depth -= usize::from(letter == '}' && !ends);
            ends
        });
        let list = &list[..end.unwrap_or(list.len())];
        let mut depth = 0_usize;
        let items = list.split(|letter| {
            depth += usize::from(letter == '{');
            depth -= usize::from(letter == '}');
            letter == ',' && depth == 0
        });
        return items.flat_map(|item| leaves(item.trim())).collect();
    }
    let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
    if end == 0 {
        return Vec::new();
    }
    let name = rest[..end].to_owned();
    let deeper = rest[end..]
        .strip_prefix("::")
        .map(leaves)
        .unwrap_or_default();
    if deeper.is_empty() {
        return vec![vec![name]];
    }
    let join = |more: Vec<String>| [vec![name.clone()], more].concat();
    deeper.into_iter().map(join).collect()
}

/// Imports that go up or sideways, or reach into another dialect.
fn forbidden_imports(path: &str, text: &str, dialects: &[String]) -> BTreeSet<String> {
    let own = module(path);
    let Some(layer) = own.first().filter(|layer| **layer != ROOT) else {
        return BTreeSet::new();
    };
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| name == layer) else {
        return BTreeSet::from([format!("{path}: {layer} is a layer without a rule in tidy")]);
    };
    let mut complaints = BTreeSet::new();
    for named in paths(path, &code(text)) {
        let Some(other) = named.first() else { continue };
        if other != layer && !allowed.contains(&other.as_str()) {
            complaints.insert(format!("{path}: {layer} may not import {other}"));
        }
        let whole = |(from, of, part): &(&str, &str, &str)| {
            from == layer && of == other && named.get(1).is_none_or(|inner| inner != part)
        };
        if PARTS.iter().any(whole) {
            complaints.insert(format!("{path}: {layer} may not import all of {other}"));
        }
        complaints.extend(forbidden_room(path, &own, &named, dialects));
    }
    complaints
}

/// An import within a layer that goes up or sideways from room to room, or from a dialect to another.
fn forbidden_room(
    path: &str,
    own: &[&str],
    named: &[String],
    dialects: &[String],
) -> Option<String> {
    let ([own_layer, room, rest @ ..], [layer, other, inner @ ..]) = (own, named) else {
        return None;
    };
    let (_, rooms) = ROOMS.iter().find(|(name, _)| name == own_layer)?;
    if layer != own_layer {
        return None;
    }
    let Some((_, allowed)) = rooms.iter().find(|(name, _)| name == room) else {
        return Some(format!("{path}: {room} is a room without a rule in tidy"));
    };
    if other != room {
        let may = allowed.contains(&other.as_str());
        return (!may).then(|| format!("{path}: {room} may not import {other}"));
    }
    let is_dialect = |name: &str| dialects.iter().any(|dialect| dialect == name);
    let (dialect, inner) = (rest.first()?, inner.first()?);
    let is_other = is_dialect(dialect) && is_dialect(inner) && dialect != inner;
    is_other.then(|| format!("{path}: the dialect {dialect} may not import {inner}"))
}

/// Crates that are spoken of outside the layer that keeps them.
fn escaped_crates(path: &str, text: &str) -> Vec<String> {
    let own = module(path);
    let code = code(text);
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words: BTreeSet<&str> = code.split(|letter| !is_name(letter)).collect();
    let escaped = KEPT
        .iter()
        .filter(|(name, layer)| words.contains(name) && own.first() != Some(layer));
    escaped
        .map(|(name, layer)| format!("{path}: only {layer} says {name}"))
        .collect()
}

#[test]
fn imports_go_down_and_dialects_keep_apart() {
    let sources = layered();
    let http = sources
        .iter()
        .filter_map(|(path, _)| path.strip_prefix("src/http/dialects/"));
    let dialects: BTreeSet<String> = http
        .filter_map(|path| path.split_once('/'))
        .map(|(dialect, _)| dialect.to_owned())
        .collect();
    let dialects: Vec<String> = dialects.into_iter().collect();
    assert!(
        dialects.iter().any(|dialect| dialect == "users"),
        "{dialects:?}"
    );
    let check = |(path, text): &(String, String)| forbidden_imports(path, text, &dialects);
    assert_tidy(sources.iter().flat_map(check));
    for (_, rooms) in ROOMS {
        for (at, (room, allowed)) in rooms.iter().enumerate() {
            let below: Vec<_> = rooms[..at].iter().map(|(name, _)| name).collect();
            assert!(allowed.iter().all(|name| below.contains(&name)), "{room}");
        }
    }
}

#[test]
fn an_import_that_goes_up_is_seen_however_it_is_written() {
    let dialects = ["users", "events"].map(str::to_owned);
    let complaints = |path: &str, text: &str| forbidden_imports(path, text, &dialects).len();
    for (path, text) in [
        ("src/ledger/money.rs", "use crate::storage::Connection;"),
        ("src/ledger/mod.rs", "fn f() { crate::storage::f() }"),
        (
            "src/postgres/home.rs",
            "use crate::{\n    ledger::Amount,\n};",
        ),
        (
            "src/storage/heads.rs",
            "use crate::{ledger::{Amount, Seal}, engine};",
        ),
        (
            "src/storage/heads.rs",
            "use super::super::service::Service;",
        ),
        ("src/storage/mod.rs", "use super::service::Service;"),
        (
            "src/engine/lane/thread.rs",
            "use passbook::service::Service;",
        ),
        ("src/service/users.rs", "use crate::http::body;"),
        (
            "src/service/users.rs",
            "#[cfg(test)]\nmod tests {\n}\nuse crate::http::body;",
        ),
        ("src/engine/mod.rs", "use crate::config::ServeArgs;"),
        ("src/cli/serve.rs", "use crate::engine::Engine;"),
        ("src/bench/load.rs", "use crate::engine::Engine;"),
        ("src/bench/load.rs", "use crate::service::Service;"),
        ("src/bench/load.rs", "use crate::service;"),
        ("src/novelty.rs", "fn f() {}"),
    ] {
        assert_eq!(complaints(path, text), 1, "{path}: {text}");
    }
    for (path, text) in [
        (
            "src/engine/lane/thread.rs",
            "use crate::{storage::{self, Database}, ledger::Amount};",
        ),
        ("src/engine/lane/thread.rs", "use super::batch::Batch;"),
        (
            "src/ledger/mod.rs",
            "//! See [`crate::engine`].\nconst A: &str = \"crate::engine\";",
        ),
        (
            "src/ledger/mod.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::engine;\n}\n",
        ),
        ("src/bench/side.rs", "use crate::service::audit;"),
        ("src/app/mod.rs", "use crate::http::server;"),
        ("src/main.rs", "use passbook::cli;"),
    ] {
        assert_eq!(complaints(path, text), 0, "{path}: {text}");
    }
}

#[test]
fn an_import_that_leaves_its_room_by_another_door_is_seen() {
    let dialects = ["users", "events"].map(str::to_owned);
    let complaints = |path: &str, text: &str| forbidden_imports(path, text, &dialects).len();
    for (path, text) in [
        (
            "src/http/dialects/users/mod.rs",
            "use crate::engine::Engine;",
        ),
        (
            "src/http/dialects/users/mod.rs",
            "use super::events::parse;",
        ),
        (
            "src/http/dialects/users/error.rs",
            "use super::super::events::parse;",
        ),
        (
            "src/http/dialects/users/error.rs",
            "use crate::http::{request::body, dialects::events::parse};",
        ),
        (
            "src/http/request/body.rs",
            "use crate::http::operation::Operation;",
        ),
        (
            "src/http/request/origin/mod.rs",
            "use crate::http::routing;",
        ),
        ("src/http/request/mod.rs", "use super::settings::Settings;"),
        ("src/http/settings.rs", "use super::dialects::users;"),
        (
            "src/http/dialects/landing.rs",
            "use crate::http::server::Server;",
        ),
        (
            "src/http/observe/answered.rs",
            "use crate::http::{dialects::fault, routing::{routes, refuse}};",
        ),
        ("src/http/routing.rs", "use super::server;"),
        ("src/engine/queue/line.rs", "use crate::engine::lane;"),
        ("src/engine/memory.rs", "use super::shared::Shared;"),
        ("src/http/novelty.rs", "use super::request::body;"),
    ] {
        assert_eq!(complaints(path, text), 1, "{path}: {text}");
    }
    for (path, text) in [
        (
            "src/http/dialects/users/mod.rs",
            "use super::fault;\nuse crate::http::{dialects::users::error, request::body};",
        ),
        (
            "src/http/dialects/balance.rs",
            "use super::{events, failure, ledger};",
        ),
        ("src/http/server/guard.rs", "use crate::http::routing;"),
        ("src/http/mod.rs", "pub use self::routing::operations;"),
    ] {
        assert_eq!(complaints(path, text), 0, "{path}: {text}");
    }
}

#[test]
fn a_layer_keeps_its_crate_to_itself() {
    let check = |(path, text): &(String, String)| escaped_crates(path, text);
    assert_tidy(layered().iter().flat_map(check));

    let complaints = |path: &str, text: &str| escaped_crates(path, text).len();
    assert_eq!(complaints("src/app/mod.rs", "fn f() -> sqlx::Error {}"), 1);
    assert_eq!(complaints("src/main.rs", "use actix_web::App;"), 1);
    assert_eq!(
        complaints("src/http/mod.rs", "let a = 'a'; use sqlx::query;"),
        1
    );
    assert_eq!(
        complaints(
            "src/cli/mod.rs",
            "const A: &str = r#\"\"\"#; use sqlx::query;"
        ),
        1
    );
    assert_eq!(complaints("src/storage/mod.rs", "use sqlx::query;"), 0);
    assert_eq!(
        complaints(
            "src/config.rs",
            "// sqlx\nconst A: &str = \"\\\"sqlx=warn\";"
        ),
        0
    );
}
