//! What the `events` dialect is asked, and how it answers, for the document of all operations.

use std::borrow::Cow;

use serde_json::json;
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{Schema, Type};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::chain::Shown;
use super::{Event, ID_MAX, Moved};
use crate::http::description::{
    Amount, Shapes, Zero, integer, key, limit, operation, optional_query, plain, query, string,
};
use crate::http::dialects::failure::{described, unavailable};

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const REUSED: &str = "Idempotency-Key was used for another request";

pub(super) fn reset(shapes: &mut Shapes) -> OperationBuilder {
    let wrong = "Idempotency-Key must be 1 to 255 visible ASCII characters, given once";
    operation("Closes the book of events, and begins a new one")
        .description(Some("It is not found if `PASSBOOK_ALLOW_RESET` is off."))
        .parameter(key())
        .response("200", plain("The book is new and empty", Some("OK")))
        .response("400", described(shapes, "The key is none", wrong))
        .response(
            "404",
            described(shapes, "Nobody may reset here", "Not found"),
        )
        .response(
            "422",
            described(shapes, "The key was used otherwise", REUSED),
        )
        .response("503", unavailable(shapes))
}

pub(super) fn event(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"type": "deposit", "destination": "100", "amount": 10});
    let moved = json!({"destination": {"id": "100", "balance": 10}});
    let what = "A deposit has a destination, a withdrawal an origin, and a transfer both.";
    operation("Moves money between accounts, or in and out")
        .description(Some(what))
        .parameter(key())
        .request_body(Some(shapes.body::<Event>(asked)))
        .response("201", shapes.answer::<Moved>("The money has moved", moved))
        .response(
            "400",
            described(
                shapes,
                "The request cannot be understood",
                "amount is required",
            ),
        )
        .response(
            "404",
            shapes.answer::<Zero>("There is no such origin", json!(0)),
        )
        .response(
            "422",
            described(shapes, "A rule says no", "insufficient funds"),
        )
        .response("503", unavailable(shapes))
}

pub(super) fn chain(shapes: &mut Shapes) -> OperationBuilder {
    let page = json!({
        "blocks": [{
            "timestamp": "2026-11-28T09:00:00.000000Z", "last_hash": HASH, "hash": HASH,
            "data": {"origin": "0", "destination": "100", "amount": 10, "signature": "deposit"},
        }],
        "next": null,
        "valid": true,
    });
    let after = integer().minimum(Some(0));
    let wrong = "after must be a whole number";
    operation("Shows an account's sealed history in blocks, oldest first")
        .parameter(query("account_id", "The account's name", string(), "100"))
        .parameter(limit(20))
        .parameter(optional_query("after", "`next` of the page before", after))
        .response("200", shapes.answer::<Shown>("A page", page))
        .response(
            "400",
            described(shapes, "The query cannot be understood", wrong),
        )
        .response(
            "404",
            shapes.answer::<Zero>("There is no such account", json!(0)),
        )
        .response("503", unavailable(shapes))
}

/// The name of an account is a text, for which a whole number may stand.
fn account_name() -> OneOfBuilder {
    let text = string().min_length(Some(1)).max_length(Some(ID_MAX));
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    OneOfBuilder::new().item(text).item(number)
}

/// Which fields count depends on the type; the others are not looked at.
impl PartialSchema for Event {
    fn schema() -> RefOr<Schema> {
        let kinds = [
            ("deposit", &["destination"][..]),
            ("withdraw", &["origin"]),
            ("transfer", &["origin", "destination"]),
        ];
        let shape = |(kind, accounts): (&str, &[&str])| {
            let shape = ObjectBuilder::new()
                .property("type", string().enum_values(Some([kind])))
                .required("type")
                .property("amount", Amount::schema())
                .required("amount");
            accounts.iter().fold(shape, |shape, account| {
                shape.property(*account, account_name()).required(*account)
            })
        };
        let shapes = kinds.into_iter().map(shape);
        let one_of = shapes.fold(OneOfBuilder::new(), OneOfBuilder::item);
        one_of.into()
    }
}

impl ToSchema for Event {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("events.Event")
    }
}
