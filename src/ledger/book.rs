//! Books: namespaces of account names, of which one of each kind is open.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

/// A namespace of account names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BookId(pub i64);

/// Which book is meant, whatever its id is: of the books of a name, the one that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BookName(&'static str);

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
    /// The book of everyone but those who ask for one of their own. It is never reset.
    pub const MAIN: Self = Self("main");
    /// The book of the `events` interface, which its clients may reset.
    pub const EVENTS: Self = Self("events");
    /// Those of which there may be sealed books.
    pub const RESETTABLE: [Self; 1] = [Self::EVENTS];

    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0
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

    /// Which books are open, beside the main one.
    pub fn ids(&self) -> impl Iterator<Item = BookId> {
        self.0.values().map(|book| book.id)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
