//! How an operation says what it is asked and answers, in the terms of OpenAPI 3.1.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Content, ContentBuilder, HeaderBuilder, Object, ObjectBuilder, OneOfBuilder, Ref, RefOr,
    Required, Response, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::access::{COOKIE_NAME, Needs};
use super::request::idempotency;

/// What describes an operation; the shapes of its bodies are kept under their names.
pub(in crate::http) type Describe = fn(&mut Shapes) -> OperationBuilder;

pub(in crate::http) const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";
/// What is said if the database is away.
pub(in crate::http) const UNAVAILABLE: &str =
    "Service is unavailable, nothing was applied, retry later";
pub(in crate::http) const REQUEST_ID: &str = "01932b4e-7c1a-7000-8000-0123456789ab";
/// A JSON number, which an amount is in a string or in a query too.
pub(in crate::http) const AMOUNT: &str = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$";
/// How somebody shows that they have signed in.
const SESSION: &str = "session";
const TOKEN: &str = "token";
const KEY: &str = "key";

/// What is refused before anybody looks at what a body says; `BodyError` has the words.
pub(in crate::http) const OF_A_BODY: [(StatusCode, &str, &str); 3] = [
    (
        StatusCode::REQUEST_TIMEOUT,
        "The body took longer than 5 s, and nothing was applied",
        "Request body did not arrive in time",
    ),
    (
        StatusCode::PAYLOAD_TOO_LARGE,
        "The body is larger than 64 KiB",
        "Request body is larger than 64 KiB",
    ),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body is encoded as nobody here can decode it",
        "Content-Encoding must be gzip, or left out",
    ),
];

/// What is refused before anybody looks at what is asked, unless it is everybody's.
pub(in crate::http) const OF_ACCESS: [(StatusCode, &str, &str); 3] = [
    (
        StatusCode::UNAUTHORIZED,
        "Nobody knows who asks",
        "Show who you are, by a key or a session",
    ),
    (
        StatusCode::FORBIDDEN,
        "Whoever asks may not do this",
        "You may not do this",
    ),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "The database is away, and nothing was applied",
        UNAVAILABLE,
    ),
];

/// The shapes of bodies, each under a name of its own.
#[derive(Default)]
pub(in crate::http) struct Shapes(BTreeMap<String, RefOr<Schema>>);

/// An amount as it is asked: a JSON number, or a string of one (see `Amounts` in `docs/dialects.md`).
pub(in crate::http) struct Amount;

/// A whole number as it is asked, which is an id or a version: a JSON number, or its digits in a string.
pub(in crate::http) struct Digits;

/// What `events` says of an account that is not there.
pub(in crate::http) struct Zero;

impl Shapes {
    /// The shape of a type, which is kept. Two types of one name have to be one.
    pub(in crate::http) fn of<T: ToSchema>(&mut self) -> Ref {
        let mut named = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut named);
        for (name, shape) in named {
            let kept = self.0.entry(name.clone()).or_insert_with(|| shape.clone());
            assert!(*kept == shape, "{name} names two shapes");
        }
        Ref::from_schema_name(T::name())
    }

    /// A shape that is written as JSON Schema, under a name.
    pub(in crate::http) fn written(&mut self, name: &str, shape: &Value) -> Ref {
        let read: RefOr<Schema> = Deserialize::deserialize(shape).expect("a schema");
        let again = serde_json::to_value(&read).expect("a schema is JSON");
        assert_eq!(again, *shape, "{name} loses something");
        let kept = self
            .0
            .entry(name.to_owned())
            .or_insert_with(|| read.clone());
        assert!(*kept == read, "{name} names two shapes");
        Ref::from_schema_name(name)
    }

    /// A JSON body that has to be sent.
    pub(in crate::http) fn body<T: ToSchema>(&mut self, example: Value) -> RequestBody {
        let content = content(self.of::<T>(), example);
        RequestBody::builder()
            .content(JSON, content)
            .required(Some(Required::True))
            .build()
    }

    /// A JSON body of which everything may be left out.
    pub(in crate::http) fn optional_body<T: ToSchema>(&mut self, example: Value) -> RequestBody {
        let content = content(self.of::<T>(), example);
        RequestBody::builder().content(JSON, content).build()
    }

    /// The same fields in a form or in JSON.
    pub(in crate::http) fn form<T: ToSchema>(&mut self, example: Value) -> RequestBody {
        let content = content(self.of::<T>(), example);
        RequestBody::builder()
            .content(JSON, content.clone())
            .content(FORM, content)
            .build()
    }

    /// An answer in JSON.
    pub(in crate::http) fn answer<T: ToSchema>(&mut self, what: &str, example: Value) -> Response {
        json(what, self.of::<T>(), example)
    }

    /// An answer in JSON of one shape or another.
    pub(in crate::http) fn either<A: ToSchema, B: ToSchema>(
        &mut self,
        what: &str,
        examples: [(&str, Value); 2],
    ) -> Response {
        let shapes = OneOfBuilder::new()
            .item(self.of::<A>())
            .item(self.of::<B>());
        let examples = examples.map(|(name, value)| {
            let example = ExampleBuilder::new().value(Some(value)).build();
            (name, RefOr::T(example))
        });
        let content = ContentBuilder::new()
            .schema(Some(Schema::from(shapes)))
            .examples_from_iter(examples);
        ResponseBuilder::new()
            .description(what)
            .content(JSON, content.build())
            .build()
    }

    /// What there is no answer for now; it says when to ask again.
    pub(in crate::http) fn unavailable<T: ToSchema>(&mut self, example: Value) -> Response {
        let what = "The queue is full or the database is away. The message says whether anything was applied.";
        let mut response = self.answer::<T>(what, example);
        let seconds = Object::builder().schema_type(Type::Integer).build();
        let header = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("Seconds after which to ask again"))
            .build();
        response.headers.insert("Retry-After".into(), header.into());
        response
    }

    pub(in crate::http) fn into_map(self) -> BTreeMap<String, RefOr<Schema>> {
        self.0
    }
}

/// An operation with its summary.
pub(in crate::http) fn operation(summary: &str) -> OperationBuilder {
    OperationBuilder::new().summary(Some(summary))
}

/// Whoever has signed in: by the cookie, or by the same token in a header.
pub(in crate::http) fn schemes() -> [(&'static str, SecurityScheme); 3] {
    let cookie = ApiKey::Cookie(ApiKeyValue::new(COOKIE_NAME));
    let bearer = |what: &str| {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        SecurityScheme::Http(scheme.description(Some(what)).build())
    };
    [
        (SESSION, SecurityScheme::ApiKey(cookie)),
        (TOKEN, bearer("The token of a session")),
        (KEY, bearer("An API key")),
    ]
}

/// What whoever asks has to show: one of these. Nothing, if nobody has to say who they are.
pub(in crate::http) fn securities(needs: Needs) -> Option<Vec<SecurityRequirement>> {
    let anything = SecurityRequirement::default();
    let of = |name: &str| SecurityRequirement::new(name, [""; 0]);
    let session = || [of(SESSION), of(TOKEN)];
    match needs {
        Needs::Nothing => None,
        Needs::Session => Some(session().into()),
        Needs::Deposit => Some([&session()[..], &[of(KEY)]].concat()),
        Needs::KeyOrSession(_) => Some([&[anything, of(KEY)], &session()[..]].concat()),
        Needs::Key(_) | Needs::Administrator | Needs::SignUp | Needs::Metrics | Needs::Docs => {
            Some(vec![anything, of(KEY)])
        }
    }
}

/// An answer in JSON of a shape that is kept.
pub(in crate::http) fn json(what: &str, shape: Ref, example: Value) -> Response {
    ResponseBuilder::new()
        .description(what)
        .content(JSON, content(shape, example))
        .build()
}

/// An answer that is no JSON.
pub(in crate::http) fn text(what: &str, kind: &str, example: Option<&str>) -> Response {
    let text = Object::builder().schema_type(Type::String).build();
    let content = ContentBuilder::new()
        .schema(Some(text))
        .example(example.map(Value::from));
    ResponseBuilder::new()
        .description(what)
        .content(kind, content.build())
        .build()
}

/// As [`text`], of plain text.
pub(in crate::http) fn plain(what: &str, example: Option<&str>) -> Response {
    text(what, TEXT, example)
}

/// The header of idempotency keys.
pub(in crate::http) fn key() -> Parameter {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(idempotency::LENGTH_MAX))
        .pattern(Some("^[!-~]+$"));
    parameter(
        ParameterIn::Header,
        "Idempotency-Key",
        "The same request under the same key is carried out once, and answered as the first time.",
        text,
    )
    .build()
}

/// A positive whole number in the path.
pub(in crate::http) fn path_id(what: &str) -> Parameter {
    parameter(ParameterIn::Path, "id", what, positive())
        .required(Required::True)
        .example(Some(1.into()))
        .build()
}

/// A field of the query that has to be given.
pub(in crate::http) fn query(
    name: &str,
    what: &str,
    shape: ObjectBuilder,
    example: impl Into<Value>,
) -> Parameter {
    parameter(ParameterIn::Query, name, what, shape)
        .required(Required::True)
        .example(Some(example.into()))
        .build()
}

/// A field of the query that may be left out.
pub(in crate::http) fn optional_query(
    name: &str,
    what: &str,
    shape: ObjectBuilder,
) -> ParameterBuilder {
    parameter(ParameterIn::Query, name, what, shape)
}

/// How much a page shows.
pub(in crate::http) fn limit(otherwise: u8) -> ParameterBuilder {
    let shape = integer().minimum(Some(1)).maximum(Some(100));
    let shape = shape.default(Some(otherwise.into()));
    optional_query("limit", "How much a page shows", shape)
}

pub(in crate::http) fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(in crate::http) fn integer() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
}

pub(in crate::http) fn positive() -> ObjectBuilder {
    integer().minimum(Some(1))
}

pub(in crate::http) fn parameter(
    place: ParameterIn,
    name: &str,
    what: &str,
    shape: ObjectBuilder,
) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(what))
        .schema(Some(shape.build()))
}

pub(in crate::http) fn content(shape: Ref, example: Value) -> Content {
    ContentBuilder::new()
        .schema(Some(shape))
        .example(Some(example))
        .build()
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        let text = string().pattern(Some(AMOUNT));
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Number))
            .item(text)
            .description(Some("Exact, with no more decimals than the currency has"))
            .into()
    }
}

impl ToSchema for Amount {}

impl PartialSchema for Digits {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(positive())
            .item(string().pattern(Some("^[1-9][0-9]{0,17}$")))
            .into()
    }
}

impl ToSchema for Digits {}

impl PartialSchema for Zero {
    fn schema() -> RefOr<Schema> {
        integer().enum_values(Some([0])).into()
    }
}

impl ToSchema for Zero {}
