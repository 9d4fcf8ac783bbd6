//! Typed reading of a body: all that is wrong is found, and answered at once.

use std::ops::RangeInclusive;

use super::json::{Json, Place};
use super::problem::{Flaw, Problem};

/// A body that was parsed.
pub(in crate::http) struct Body {
    pub json: Json,
    flaws: Vec<Flaw>,
}

/// An object that is being read, member by member.
///
/// What reads a member answers `None` if something is wrong with it, which is noted then. So a reader asks for all
/// members first, and puts them together with `?` after.
pub(in crate::http) struct Object<'b> {
    members: &'b [(String, Json)],
    known: Vec<&'static str>,
    place: Place<'b>,
    flaws: &'b mut Vec<Flaw>,
}

impl Body {
    /// # Errors
    /// If the bytes are not JSON.
    pub(in crate::http) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let (json, flaws) = Json::parse(bytes)?;
        Ok(Self { json, flaws })
    }

    /// No body, for an operation whose members are all optional.
    pub(in crate::http) fn empty() -> Self {
        Self {
            json: Json::Object(Vec::new()),
            flaws: Vec::new(),
        }
    }

    /// Reads the object that the body has to be.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(in crate::http) fn read<T>(
        &self,
        reader: impl FnOnce(&mut Object<'_>) -> Option<T>,
    ) -> Result<T, Problem> {
        let mut flaws = self.flaws.clone();
        match read_object(&self.json, Place::Root, &mut flaws, reader) {
            Some(read) if flaws.is_empty() => Ok(read),
            Some(_) | None => Err(Problem::of_flaws(flaws)),
        }
    }
}

/// What reads a text, as what reads a member that has to be one.
pub(in crate::http) fn text<T>(
    reader: impl Fn(&str) -> Result<T, String>,
) -> impl Fn(&Json) -> Result<T, String> {
    move |json| match json {
        Json::Text(text) => reader(text),
        other => Err(format!("must be a string, not {}", other.kind())),
    }
}

/// A reader says what is wrong with a value in words about its field: “must be …”.
impl<'b> Object<'b> {
    pub(in crate::http) fn required<T>(
        &mut self,
        name: &'static str,
        reader: impl Fn(&Json) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.find_required(name)?;
        self.note(name, reader(value))
    }

    /// `Some(None)` if it is not given.
    #[expect(clippy::option_option, reason = "wrong and not given are two things")]
    pub(in crate::http) fn optional<T>(
        &mut self,
        name: &'static str,
        reader: impl Fn(&Json) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.find(name) {
            None => Some(None),
            Some(value) => self.note(name, reader(value)).map(Some),
        }
    }

    /// An array of objects, so many.
    pub(in crate::http) fn objects<T>(
        &mut self,
        name: &'static str,
        count: RangeInclusive<usize>,
        reader: impl Fn(&mut Object<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = match self.find_required(name)? {
            Json::Array(items) => items,
            other => {
                self.flaw(name, format!("must be an array, not {}", other.kind()));
                return None;
            }
        };
        if !count.contains(&items.len()) {
            let (least, most) = (count.start(), count.end());
            self.flaw(name, format!("must have {least} to {most} items"));
            return None;
        }
        let place = Place::Member(&self.place, name);
        let mut read = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            read.push(read_object(
                item,
                Place::Item(&place, at),
                self.flaws,
                &reader,
            ));
        }
        read.into_iter().collect()
    }

    /// Whether a member is given, whatever it is.
    pub(in crate::http) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(given, _)| given == name)
    }

    /// Says what is wrong with a member; for rules over more than one.
    pub(in crate::http) fn flaw(&mut self, name: &str, detail: impl Into<String>) {
        let flaw = Place::Member(&self.place, name).flaw(detail);
        self.flaws.push(flaw);
    }

    /// The same of what is within a member that is an object.
    pub(in crate::http) fn flaw_within(&mut self, name: &str, inner: &str, detail: &str) {
        let member = Place::Member(&self.place, name);
        let flaw = Place::Member(&member, inner).flaw(detail);
        self.flaws.push(flaw);
    }

    /// A member for whoever reads it by other means.
    pub(in crate::http) fn find(&mut self, name: &'static str) -> Option<&'b Json> {
        self.known.push(name);
        let mut named = self.members.iter().filter(|(given, _)| given == name);
        named.next().map(|(_, value)| value)
    }

    fn find_required(&mut self, name: &'static str) -> Option<&'b Json> {
        let found = self.find(name);
        if found.is_none() {
            self.flaw(name, "is required");
        }
        found
    }

    fn note<T>(&mut self, name: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|detail| self.flaw(name, detail)).ok()
    }

    /// Nothing is left out by mistake, and nothing is said twice.
    fn finish(&mut self) {
        for (at, (name, _)) in self.members.iter().enumerate() {
            if !self.known.contains(&name.as_str()) {
                self.flaw(name, "is unknown");
            } else if self.members[..at].iter().any(|(before, _)| before == name) {
                self.flaw(name, "is given more than once");
            }
        }
    }
}

fn read_object<T>(
    json: &Json,
    place: Place<'_>,
    flaws: &mut Vec<Flaw>,
    reader: impl FnOnce(&mut Object<'_>) -> Option<T>,
) -> Option<T> {
    let Json::Object(members) = json else {
        flaws.push(place.flaw(format!("must be an object, not {}", json.kind())));
        return None;
    };
    let mut object = Object {
        members,
        known: Vec::new(),
        place,
        flaws,
    };
    let read = reader(&mut object);
    object.finish();
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::v1::codes::Code;

    fn any(json: &Json) -> Result<String, String> {
        text(|text| Ok(text.to_owned()))(json)
    }

    /// The places of all that is wrong, in the order in which it is found.
    fn flaws(
        body: &str,
        reader: impl FnOnce(&mut Object<'_>) -> Option<()>,
    ) -> Vec<(String, String)> {
        let body = Body::parse(body.as_bytes()).expect("JSON");
        let problem = body.read(reader).expect_err("something is wrong");
        assert_eq!(problem.code, Code::ValidationFailed);
        let json: serde_json::Value = serde_json::from_slice(&problem.to_bytes()).expect("JSON");
        let errors = json["errors"].as_array().expect("errors");
        let text =
            |flaw: &serde_json::Value, name: &str| flaw[name].as_str().expect("text").to_owned();
        errors
            .iter()
            .map(|flaw| (text(flaw, "pointer"), text(flaw, "detail")))
            .collect()
    }

    fn pair(object: &mut Object<'_>) -> Option<()> {
        let from = object.required("from", any);
        let to = object.optional("to", any);
        from.zip(to).map(drop)
    }

    #[test]
    fn all_that_is_wrong_is_found_at_once() {
        let body =
            r#"{"list":[{"from":"a"},{"from":1,"too":2,"to":"b","to":"c"},3,{}],"other~/":1}"#;
        let found = flaws(body, |object| {
            let list = object.objects("list", 1..=4, pair);
            let name = object.required("name", any);
            list.zip(name).map(drop)
        });
        let expected = [
            ("/list/1/from", "must be a string, not a number"),
            ("/list/1/too", "is unknown"),
            ("/list/1/to", "is given more than once"),
            ("/list/2", "must be an object, not a number"),
            ("/list/3/from", "is required"),
            ("/name", "is required"),
            ("/other~0~1", "is unknown"),
        ];
        assert_eq!(
            found,
            expected.map(|(place, detail)| (place.to_owned(), detail.to_owned()))
        );
    }

    #[test]
    fn an_array_is_as_long_as_it_may_be() {
        for (body, detail) in [
            (r#"{"list":[]}"#, "must have 1 to 2 items"),
            (r#"{"list":[{},{},{}]}"#, "must have 1 to 2 items"),
            (r#"{"list":{}}"#, "must be an array, not an object"),
            (r#"{"list":null}"#, "must be an array, not null"),
            ("{}", "is required"),
        ] {
            let found = flaws(body, |object| {
                object.objects("list", 1..=2, |_| Some(())).map(drop)
            });
            assert_eq!(found, [("/list".to_owned(), detail.to_owned())], "{body}");
        }
    }

    #[test]
    fn a_body_is_an_object_and_what_is_not_given_is_none() {
        for body in ["null", "[]", "1", "\"a\""] {
            let found = flaws(body, pair);
            assert!(found[0].1.starts_with("must be an object"), "{body}");
        }
        let read = |body: Body| {
            body.read(|object| object.optional("to", any))
                .expect("read")
        };
        assert_eq!(read(Body::empty()), None);
        let given = Body::parse(br#"{"to":"a"}"#).expect("JSON");
        assert_eq!(read(given), Some("a".to_owned()));
        assert_eq!(flaws(r#"{"to":null,"from":"a"}"#, pair).len(), 1);
        // What is wrong with a text is wrong whoever reads it.
        assert_eq!(flaws(r#"{"from":"\u0000"}"#, pair).len(), 1);
    }
}
