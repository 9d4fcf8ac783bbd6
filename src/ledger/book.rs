//! Books: namespaces of account names, of which one of each kind is open.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};

/// A namespace of account names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BookId(pub i64);

/// Which book is meant, whatever its id is: of the books of a name, the one that is open. A lower-case ASCII letter, and up to
/// 63 letters, digits, `_` and `-` after it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BookName {
    text: [u8; Self::LENGTH_MAX],
    len: u8,
}

/// The book of a name that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenBook {
    pub id: BookId,
    /// Nothing of the book is earlier, whatever the clock of who writes it says.
    pub opened_at: DateTime<Utc>,
}

/// Which book of each name is open. The main book is always known.
#[derive(Clone, Debug, Default)]
pub struct Books(HashMap<BookName, OpenBook>);

impl BookId {
    /// The book of everyone but those who ask for one of their own.
    pub const MAIN: Self = Self(1);
}

impl BookName {
    /// The longest name, in characters.
    pub const LENGTH_MAX: usize = 64;

    /// The book of everyone but those who ask for one of their own. It is never reset.
    pub const MAIN: Self = Self::known("main");
    /// The book of the `events` interface, which its clients may reset.
    pub const EVENTS: Self = Self::known("events");

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = text.bytes();
        let starts = bytes.next()?.is_ascii_lowercase();
        let is_fit = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
        };
        let fits = starts && bytes.all(is_fit) && text.len() <= Self::LENGTH_MAX;
        fits.then(|| Self::known(text))
    }

    const fn known(text: &str) -> Self {
        let mut name = [0; Self::LENGTH_MAX];
        let (start, _) = name.split_at_mut(text.len());
        start.copy_from_slice(text.as_bytes());
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "a constant function has no other way, and no name is as long"
        )]
        let len = text.len() as u8;
        Self { text: name, len }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.text.get(..usize::from(self.len)).unwrap_or_default();
        str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Display for BookName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for BookName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Books {
    #[must_use]
    pub fn id(&self, name: BookName) -> Option<BookId> {
        if name == BookName::MAIN {
            Some(BookId::MAIN)
        } else {
            self.find(name).map(|book| book.id)
        }
    }

    /// The open book of a name that can be reset, if it is known.
    #[must_use]
    pub fn find(&self, name: BookName) -> Option<OpenBook> {
        self.0.get(&name).copied()
    }

    pub fn insert(&mut self, name: BookName, book: OpenBook) {
        self.0.insert(name, book);
    }

    /// What an open book is called.
    #[must_use]
    pub fn name(&self, book: BookId) -> Option<BookName> {
        let mut books = self.0.iter();
        books.find_map(|(name, open)| (open.id == book).then_some(*name))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
