//! The query of a request, read strictly: what is unknown, or given twice, is refused.

use super::codes::Code;
use super::metadata;
use super::problem::Problem;
use crate::http::request::fields::Fields;
use crate::ledger::Metadata;

/// What stands before the name of a member of metadata that a list is filtered by.
const METADATA: &str = "metadata.";

/// The parameters of a request, which are all known and given once.
#[derive(Debug)]
pub(in crate::http) struct Query(Fields);

/// What is known of a query's parameters: their names. `metadata.` stands for one of each name that metadata may have.
pub(in crate::http) type Names<'n> = &'n [&'static str];

impl Query {
    /// # Errors
    /// If it is malformed, or has something else than what is known.
    pub(in crate::http) fn parse(text: &str, known: Names<'_>) -> Result<Self, Problem> {
        let fields = Fields::parse(text).map_err(|error| invalid(error.to_string()))?;
        let mut seen: Vec<&str> = Vec::new();
        let mut complaints: Vec<String> = Vec::new();
        for (name, value) in fields.pairs() {
            if !is_known(name, known) {
                complaints.push(format!("{name:?} is no parameter of this path"));
            } else if seen.contains(&name) {
                complaints.push(format!("{name} is given more than once"));
            } else if value.contains('\0') {
                complaints.push(format!("{name} must not contain a NUL character"));
            }
            seen.push(name);
        }
        if !complaints.is_empty() {
            return Err(invalid(complaints.join("; ")));
        }
        Ok(Self(fields))
    }

    /// A parameter's value; none if it is not given.
    ///
    /// # Errors
    /// If it is wrong, in the words of whoever reads it: “must be …”.
    pub(in crate::http) fn value<T>(
        &self,
        name: &'static str,
        reader: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Problem> {
        let value = self.text(name).map(reader).transpose();
        value.map_err(|complaint| invalid(format!("{name} {complaint}")))
    }

    pub(in crate::http) fn text(&self, name: &str) -> Option<&str> {
        let mut named = self.0.pairs().filter(|(given, _)| *given == name);
        named.next().map(|(_, value)| value)
    }

    /// What metadata has to have, all of it: names with values.
    pub(in crate::http) fn metadata(&self) -> Metadata {
        let pairs = self.0.pairs();
        let members = pairs.filter_map(|(name, value)| {
            let name = name.strip_prefix(METADATA)?;
            Some((name.to_owned(), value.to_owned()))
        });
        Metadata(members.collect())
    }

    pub(in crate::http) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.pairs()
    }
}

fn is_known(name: &str, known: Names<'_>) -> bool {
    let is_filter = || name.strip_prefix(METADATA).is_some_and(metadata::is_name);
    (known.contains(&name) && name != METADATA) || (known.contains(&METADATA) && is_filter())
}

pub(super) fn invalid(detail: String) -> Problem {
    Problem::new(Code::ValidationFailed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::v1::values;

    fn complaint(text: &str) -> String {
        let query = Query::parse(text, &["account", "limit", METADATA]);
        let problem = query.expect_err("something is wrong");
        assert_eq!(problem.code, Code::ValidationFailed);
        problem.detail
    }

    #[test]
    fn what_is_known_is_read() {
        let text = "account=000000000777&metadata.a=1&metadata.b_-.9=%C3%A4&limit=";
        let query = Query::parse(text, &["account", "limit", METADATA]).expect("a query");
        let account = query.value("account", values::account).expect("an account");
        assert_eq!(account, values::account("000000000777").ok());
        assert_eq!(query.text("limit"), Some(""));
        let metadata = [("a", "1"), ("b_-.9", "\u{e4}")];
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(query.metadata(), Metadata(metadata.into()));
        let none = query.value("from", values::time);
        assert_eq!(none.ok(), Some(None));
        let wrong = query
            .value("limit", values::uuid)
            .map_err(|problem| problem.detail);
        assert_eq!(wrong, Err("limit must be a UUID".to_owned()));
    }

    #[test]
    fn what_is_unknown_or_given_twice_is_named() {
        for (text, words) in [
            ("acount=1", "\"acount\" is no parameter of this path"),
            ("Account=1", "\"Account\" is no parameter of this path"),
            ("=1", "\"\" is no parameter of this path"),
            ("metadata.=1", "\"metadata.\" is no parameter of this path"),
            (
                "metadata.a%20b=1",
                "\"metadata.a b\" is no parameter of this path",
            ),
            ("account=1&account=1", "account is given more than once"),
            (
                "metadata.a=1&metadata.a=2",
                "metadata.a is given more than once",
            ),
            ("account=%00", "account must not contain a NUL character"),
            (
                "x=1&limit=1&limit=2",
                "\"x\" is no parameter of this path; limit is given more than once",
            ),
        ] {
            assert_eq!(complaint(text), words, "{text}");
        }
        for text in ["account=%", "account=%ff", "account=%zz"] {
            assert!(complaint(text).contains("percent-encoded"), "{text}");
        }
        assert!(Query::parse("metadata.a=1", &["account"]).is_err());
    }
}
