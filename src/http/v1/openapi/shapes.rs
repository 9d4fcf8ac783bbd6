//! The shapes of bodies, strictly: every member is known, and every text has its form.

use serde_json::{Map, Value, json};
use utoipa::openapi::Ref;

use crate::http::description::Shapes;
use crate::http::v1::codes::Code;

pub(super) const NUMBER: &str = "^[0-9]{12}$";
pub(super) const UUID: &str = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";
pub(super) const USER: &str = "^[1-9][0-9]{0,17}$";
pub(super) const CURRENCY: &str = "^[A-Z][A-Z0-9]{2,11}$";
pub(super) const EXTERNAL_ID: &str = "^[A-Za-z0-9_.:-]{1,255}$";
pub(super) const BOOK: &str = "^[a-z][a-z0-9_-]{0,63}$";
/// RFC 3339, as it is asked.
pub(super) const MOMENT: &str = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";
const OVERCAPTURE: &str = "Whether more than remains may be taken, out of what is available";
const SIDE: &str = "^(world|[0-9]{12})$";
const LIMIT: &str = r"^(0|[1-9][0-9]{0,27})(\.[0-9]{1,18})?$";
const BOUND: &str = r"^-?(0|[1-9][0-9]{0,27})(\.[0-9]{1,18})?$";
const QUANTITY: &str = r"^(all|(0|[1-9][0-9]{0,27})(\.[0-9]{1,18})?)$";
const SERVICE: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
const SECRET: &str = "^pbk_[A-Za-z0-9]{49}$";
const SPAN: &str = "^[1-9][0-9]{0,2}[smhd]$";
/// As it is answered.
const TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$";

pub(super) fn problem(shapes: &mut Shapes) -> Ref {
    let codes = Code::ALL.map(Code::name).to_vec();
    let flaw = object(json!({"pointer": text(), "detail": text()}), &[]);
    let sight = [
        "errors",
        "transaction",
        "pointer",
        "account",
        "version",
        "balance",
        "available",
        "at",
    ];
    let members = json!({
        "type": text(), "title": text(), "status": {"type": "integer"}, "detail": text(),
        "code": {"type": "string", "enum": codes}, "request_id": of(UUID),
        "errors": {"type": "array", "items": flaw}, "transaction": of(UUID), "pointer": text(),
        "account": of(NUMBER), "version": {"type": "integer"}, "balance": of(BOUND),
        "available": of(BOUND), "at": of(TIME),
    });
    shapes.written("v1.Problem", &object(members, &sight))
}

pub(super) fn account(shapes: &mut Shapes) -> Ref {
    let members = json!({
        "id": of(NUMBER), "external_id": or_null(EXTERNAL_ID), "owner": or_null(USER),
        "currency": of(CURRENCY), "balance": of(BOUND), "held": of(LIMIT), "available": of(BOUND),
        "overdraft_limit": of(LIMIT), "version": {"type": "integer", "minimum": 1},
        "status": one_of(&["open", "frozen", "closed"]), "metadata": shown_metadata(),
        "opened_at": of(TIME), "updated_at": of(TIME), "erased_at": of(TIME),
    });
    shapes.written("v1.Account", &object(members, &["erased_at"]))
}

pub(super) fn new_account(shapes: &mut Shapes) -> Ref {
    let members = json!({
        "currency": of(CURRENCY), "external_id": of(EXTERNAL_ID), "owner": of(USER),
        "overdraft_limit": of(LIMIT), "metadata": metadata(),
    });
    let optional = ["external_id", "owner", "overdraft_limit", "metadata"];
    shapes.written("v1.NewAccount", &object(members, &optional))
}

pub(super) fn account_change(shapes: &mut Shapes) -> Ref {
    let members = json!({"overdraft_limit": of(LIMIT), "metadata": metadata_patch()});
    let shape = object(members, &["overdraft_limit", "metadata"]);
    shapes.written("v1.AccountChange", &shape)
}

pub(super) fn transaction(shapes: &mut Shapes) -> Ref {
    let hold = hold_shape();
    let members = transaction_members();
    shapes.written("v1.Transaction", &object(members, &["erased_at"]));
    let mut members = transaction_members();
    members["hold"] = hold;
    shapes.written("v1.Capture", &object(members, &["erased_at"]));
    Ref::from_schema_name("v1.Transaction")
}

/// A transaction that captured a hold, with the hold.
pub(super) fn capture(shapes: &mut Shapes) -> Ref {
    transaction(shapes);
    Ref::from_schema_name("v1.Capture")
}

pub(super) fn new_transaction(shapes: &mut Shapes) -> Ref {
    let plain = object(
        json!({
            "from": told(of(SIDE), "What gives: an account, or `world`"),
            "to": told(of(SIDE), "What takes: another account, or `world`"),
            "amount": told(of(QUANTITY), "`all` is all that is available of `from` at its turn"),
            "currency": of(CURRENCY),
        }),
        &[],
    );
    let captured = object(
        json!({
            "hold": told(of(UUID), "The hold that gives, in place of `from`"),
            "final": told(switch(false), "Whether what remains of the hold is released"),
            "overcapture": told(switch(false), OVERCAPTURE),
            "to": told(of(SIDE), "What takes: another account, or `world`"),
            "amount": told(of(QUANTITY), "`all` is all that remains of the hold"),
            "currency": of(CURRENCY),
        }),
        &["final", "overcapture"],
    );
    let bounds = [
        "version",
        "available_at_least",
        "available_at_most",
        "balance_at_least",
        "balance_at_most",
    ];
    let condition = object(
        json!({
            "account": of(NUMBER),
            "version": {
                "type": "integer", "minimum": 1,
                "description": "Compared before the first posting; bounds hold after the last one",
            },
            "available_at_least": of(BOUND), "available_at_most": of(BOUND),
            "balance_at_least": of(BOUND), "balance_at_most": of(BOUND),
        }),
        &bounds,
    );
    let members = json!({
        "postings": {
            "type": "array", "items": {"oneOf": [plain, captured]}, "minItems": 1, "maxItems": 100,
        },
        "conditions": {"type": "array", "items": condition, "maxItems": 100},
        "reference": reference(), "metadata": metadata(),
        "dry_run": told(switch(false), "Whether the answer is all that comes of it"),
    });
    let optional = ["conditions", "reference", "metadata", "dry_run"];
    shapes.written("v1.NewTransaction", &object(members, &optional))
}

pub(super) fn saying(shapes: &mut Shapes) -> Ref {
    let members = json!({"reference": reference(), "metadata": metadata()});
    let shape = object(members, &["reference", "metadata"]);
    shapes.written("v1.Saying", &shape)
}

pub(super) fn hold(shapes: &mut Shapes) -> Ref {
    shapes.written("v1.Hold", &hold_shape())
}

pub(super) fn new_hold(shapes: &mut Shapes) -> Ref {
    let members = json!({
        "account": of(NUMBER), "amount": of(LIMIT), "currency": of(CURRENCY),
        "expires_at": told(of(MOMENT), "In seven days if nothing is said, at most in 90"), "reference": reference(), "metadata": metadata(),
    });
    let shape = object(members, &["expires_at", "reference", "metadata"]);
    shapes.written("v1.NewHold", &shape)
}

pub(super) fn hold_change(shapes: &mut Shapes) -> Ref {
    let members = json!({
        "amount": told(of(LIMIT), "All that is set aside, with what is captured of it"),
        "expires_at": told(of(MOMENT), "At most in 90 days"),
    });
    shapes.written("v1.HoldChange", &object(members, &["amount", "expires_at"]))
}

pub(super) fn new_capture(shapes: &mut Shapes) -> Ref {
    let members = json!({
        "to": told(of(SIDE), "What takes: another account, or `world`"),
        "amount": told(of(LIMIT), "All that remains if nothing is said"),
        "final": told(switch(true), "Whether what remains of the hold is released"),
        "overcapture": told(switch(false), OVERCAPTURE), "reference": reference(), "metadata": metadata(),
    });
    let optional = ["amount", "final", "overcapture", "reference", "metadata"];
    shapes.written("v1.NewCapture", &object(members, &optional))
}

fn switch(default: bool) -> Value {
    json!({"type": "boolean", "default": default})
}

/// A shape with what it is for.
fn told(mut shape: Value, what: &str) -> Value {
    shape["description"] = what.into();
    shape
}

/// A body that says nothing.
pub(super) fn nothing(shapes: &mut Shapes) -> Ref {
    let shape = json!({"type": "object", "maxProperties": 0});
    shapes.written("v1.Nothing", &shape)
}

pub(super) fn user(shapes: &mut Shapes) -> Ref {
    let members = json!({
        "id": of(USER), "name": {"type": ["string", "null"]}, "email": {"type": ["string", "null"]},
        "created_at": of(TIME),
    });
    shapes.written("v1.User", &object(members, &[]))
}

pub(super) fn new_user(shapes: &mut Shapes) -> Ref {
    let members = json!({
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "email": {"type": "string", "format": "email", "maxLength": 254},
    });
    shapes.written("v1.NewUser", &object(members, &["name", "email"]))
}

pub(super) fn book(shapes: &mut Shapes) -> Ref {
    let members = json!({"name": of(BOOK), "opened_at": of(TIME)});
    shapes.written("v1.Book", &object(members, &[]))
}

pub(super) fn new_book(shapes: &mut Shapes) -> Ref {
    shapes.written("v1.NewBook", &object(json!({"name": of(BOOK)}), &[]))
}

pub(super) fn currency(shapes: &mut Shapes) -> Ref {
    let members = json!({
        "code": of(CURRENCY), "name": text(), "scale": {"type": "integer"},
        "crypto": {"type": "boolean"},
    });
    shapes.written("v1.Currency", &object(members, &[]))
}

/// What became of a request under a key.
pub(super) fn key(shapes: &mut Shapes) -> Ref {
    problem(shapes);
    let members = json!({
        "key": text(), "state": one_of(&["done", "running"]), "status": {"type": "integer"},
        "transaction": of(UUID), "location": text(),
        "problem": {"$ref": "#/components/schemas/v1.Problem"},
    });
    let optional = ["status", "transaction", "location", "problem"];
    shapes.written("v1.Key", &object(members, &optional))
}

/// An API key, as it is listed.
pub(super) fn api_key(shapes: &mut Shapes) -> Ref {
    shapes.written("v1.ApiKey", &object(api_key_members(), &[]))
}

/// The same with its secret.
pub(super) fn made_api_key(shapes: &mut Shapes) -> Ref {
    let mut members = api_key_members();
    members["key"] = of(SECRET);
    shapes.written("v1.MadeApiKey", &object(members, &[]))
}

pub(super) fn new_api_key(shapes: &mut Shapes) -> Ref {
    let members = json!({
        "name": of(SERVICE), "scopes": several(&json!({"type": "string", "enum": ["read", "write", "admin"]}), 3),
        "books": several(&of(BOOK), 100), "expires_in": of(SPAN),
    });
    shapes.written(
        "v1.NewApiKey",
        &object(members, &["scopes", "books", "expires_in"]),
    )
}

pub(super) fn rotation(shapes: &mut Shapes) -> Ref {
    let members = json!({"overlap": of(SPAN)});
    shapes.written("v1.Rotation", &object(members, &["overlap"]))
}

fn api_key_members() -> Value {
    json!({
        "id": of(UUID), "principal": of(SERVICE), "prefix": text(),
        "scopes": {"type": "array", "items": one_of(&["read", "write", "admin"])},
        "books": {"type": "array", "items": of(BOOK)}, "created_at": of(TIME),
        "expires_at": or_null(TIME), "revoked_at": or_null(TIME),
    })
}

fn several(item: &Value, most: usize) -> Value {
    json!({"type": "array", "items": item, "minItems": 1, "maxItems": most})
}

pub(super) fn explained(shapes: &mut Shapes) -> Ref {
    let members = json!({
        "type": text(), "code": {"type": "string"}, "status": {"type": "integer"},
        "title": text(), "explanation": text(), "remembered": {"type": "boolean"},
    });
    shapes.written("v1.Explained", &object(members, &[]))
}

/// Every code that there is, on one page.
pub(super) fn all_explained(shapes: &mut Shapes) -> Ref {
    explained(shapes);
    let items = json!({"$ref": "#/components/schemas/v1.Explained"});
    let members = json!({"data": {"type": "array", "items": items}});
    shapes.written("v1.AllExplained", &object(members, &[]))
}

/// A page of what has a shape, under a name.
pub(super) fn page(shapes: &mut Shapes, name: &str, item: &Ref) -> Ref {
    let members = json!({
        "data": {"type": "array", "items": {"$ref": item.ref_location}, "maxItems": 100},
        "next_cursor": {"type": ["string", "null"]},
    });
    shapes.written(name, &object(members, &[]))
}

fn transaction_members() -> Value {
    let posting = object(
        json!({
            "from": of(SIDE), "to": of(SIDE), "amount": of(LIMIT), "currency": of(CURRENCY),
            "hold": of(UUID),
        }),
        &["hold"],
    );
    let touched = object(
        json!({
            "id": of(NUMBER), "version": {"type": "integer"}, "balance": of(BOUND),
            "held": of(LIMIT), "available": of(BOUND),
        }),
        &[],
    );
    json!({
        "id": of(UUID), "kind": text(), "postings": {"type": "array", "items": posting},
        "reference": {"type": ["string", "null"]}, "metadata": shown_metadata(),
        "effective_at": of(TIME), "reverses": or_null(UUID), "reversed_by": or_null(UUID),
        "created_at": of(TIME), "accounts": {"type": "array", "items": touched},
        "erased_at": of(TIME),
    })
}

fn hold_shape() -> Value {
    let members = json!({
        "id": of(UUID), "account": of(NUMBER), "currency": of(CURRENCY), "amount": of(LIMIT),
        "captured": of(LIMIT), "remaining": of(LIMIT),
        "status": one_of(&["active", "captured", "voided", "expired"]),
        "reference": {"type": ["string", "null"]}, "metadata": shown_metadata(),
        "expires_at": of(TIME), "version": {"type": "integer"}, "created_at": of(TIME),
        "erased_at": of(TIME),
    });
    object(members, &["erased_at"])
}

/// An object of these members and no others, of which some may be left out.
fn object(members: Value, optional: &[&str]) -> Value {
    let names = members.as_object().into_iter().flat_map(Map::keys);
    let required: Vec<&String> = names
        .filter(|name| !optional.contains(&name.as_str()))
        .collect();
    let mut shape = json!({"type": "object", "additionalProperties": false});
    if !required.is_empty() {
        shape["required"] = json!(required);
    }
    shape["properties"] = members;
    shape
}

fn text() -> Value {
    json!({"type": "string"})
}

fn of(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

fn or_null(pattern: &str) -> Value {
    json!({"type": ["string", "null"], "pattern": pattern})
}

fn one_of(values: &[&str]) -> Value {
    json!({"type": "string", "enum": values})
}

fn reference() -> Value {
    json!({"type": "string", "maxLength": 255})
}

fn metadata() -> Value {
    json!({
        "type": "object", "maxProperties": 50, "propertyNames": of("^[A-Za-z0-9_.-]{1,40}$"),
        "additionalProperties": {"type": "string", "maxLength": 500},
    })
}

fn shown_metadata() -> Value {
    json!({"type": ["object", "null"], "additionalProperties": text()})
}

fn metadata_patch() -> Value {
    let mut shape = metadata();
    shape["type"] = json!(["object", "null"]);
    shape["additionalProperties"]["type"] = json!(["string", "null"]);
    shape
}
