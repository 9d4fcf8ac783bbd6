//! What a caller writes beside money, and the digest under which a seal covers it (docs/seal.md).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Names with their values, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(pub BTreeMap<String, String>);

/// What changes in metadata (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataPatch {
    /// Whether all that there was goes first.
    pub clears: bool,
    /// A value takes the place of the one before, and no value removes it.
    pub members: BTreeMap<String, Option<String>>,
}

/// Random bytes before a text under its digest, so that nobody can find the text by guessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

/// SHA-256 over a salt and a text. A seal covers this and not the text, which can therefore be erased.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DetailsDigest(pub [u8; 32]);

/// What a caller says of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub reference: Option<String>,
    pub metadata: Metadata,
    pub salt: Salt,
}

/// What is said of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDetails {
    pub metadata: Metadata,
    pub salt: Salt,
}

/// The text under a digest. Names are in the order of their bytes, and nothing else has to be decided for the one form that
/// RFC 8785 allows.
#[derive(Serialize)]
struct Canonical<'a> {
    metadata: &'a Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
}

impl Metadata {
    /// How many members there are at most.
    pub const MEMBERS_MAX: usize = 50;
    /// How many bytes all names and values have together at most.
    pub const BYTES_MAX: usize = 16 * 1024;

    /// Whether there is no more than there may be.
    #[must_use]
    pub fn fits(&self) -> bool {
        let members = self.0.iter();
        let bytes: usize = members
            .map(|(name, value)| name.len().saturating_add(value.len()))
            .fold(0, usize::saturating_add);
        self.0.len() <= Self::MEMBERS_MAX && bytes <= Self::BYTES_MAX
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With what a patch changes.
    #[must_use]
    pub fn patched(&self, patch: &MetadataPatch) -> Self {
        let mut metadata = if patch.clears {
            Self::default()
        } else {
            self.clone()
        };
        for (name, value) in &patch.members {
            match value {
                Some(value) => metadata.0.insert(name.clone(), value.clone()),
                None => metadata.0.remove(name),
            };
        }
        metadata
    }
}

impl MetadataPatch {
    /// Nothing is left.
    pub const CLEAR: Self = Self {
        clears: true,
        members: BTreeMap::new(),
    };
}

impl Note {
    #[must_use]
    pub fn digest(&self) -> DetailsDigest {
        digest(&self.salt, &self.metadata, self.reference.as_deref())
    }
}

impl AccountDetails {
    #[must_use]
    pub fn digest(&self) -> DetailsDigest {
        digest(&self.salt, &self.metadata, None)
    }
}

fn digest(salt: &Salt, metadata: &Metadata, reference: Option<&str>) -> DetailsDigest {
    let canonical = Canonical {
        metadata,
        reference,
    };
    let text = serde_json::to_vec(&canonical).expect("texts can be written as JSON");
    let mut hash = Sha256::new();
    hash.update(salt.0);
    hash.update(text);
    DetailsDigest(hash.finalize().into())
}

impl fmt::Debug for DetailsDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.iter();
        bytes.try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(members: &[(&str, &str)]) -> Metadata {
        let members = members.iter();
        let owned = members.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Metadata(owned.collect())
    }

    #[test]
    fn a_digest_is_over_the_salt_and_the_text_in_one_form() {
        let note = Note {
            reference: Some("R\u{e4}1\n".to_owned()),
            metadata: metadata(&[("b", "2"), ("a.B", "\u{1f600}\"\u{1}")]),
            salt: Salt([7; 16]),
        };
        let text = "{\"metadata\":{\"a.B\":\"\u{1f600}\\\"\\u0001\",\"b\":\"2\"},\"reference\":\"R\u{e4}1\\n\"}";
        let salted = [&[7; 16], text.as_bytes()].concat();
        assert_eq!(note.digest().0, <[u8; 32]>::from(Sha256::digest(&salted)));
        let account = AccountDetails {
            metadata: Metadata::default(),
            salt: Salt([8; 16]),
        };
        let salted = [&[8; 16], "{\"metadata\":{}}".as_bytes()].concat();
        assert_eq!(
            account.digest().0,
            <[u8; 32]>::from(Sha256::digest(&salted))
        );
    }

    #[test]
    fn a_patch_sets_what_has_a_value_and_removes_what_has_none() {
        let before = metadata(&[("a", "1"), ("b", "2")]);
        let patch = [("a", None), ("b", Some("3")), ("c", None), ("d", Some(""))];
        let patch = patch.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        let patch = MetadataPatch {
            clears: false,
            members: patch.into(),
        };
        assert_eq!(before.patched(&patch), metadata(&[("b", "3"), ("d", "")]));
        assert_eq!(before.patched(&MetadataPatch::CLEAR), Metadata::default());
    }
}
