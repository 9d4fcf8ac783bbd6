//! The head of a request as it comes in: where it ends, and the offers in it that are not taken.

/// A header, and the word in it that offers to go on in another protocol.
struct Offer {
    name: &'static [u8],
    word: &'static [u8],
}

/// What actix acts on. Whoever does not speak the other protocol ignores the offer (RFC 9110, section 7.8), but actix
/// says `Connection: upgrade` in its answer, closes afterwards, and does not see the end of a body behind `Upgrade:
/// websocket`.
const OFFERS: [Offer; 2] = [
    Offer {
        name: b"connection",
        word: b"upgrade",
    },
    Offer {
        name: b"upgrade",
        word: b"websocket",
    },
];
/// What the last letter of such a word becomes: then it is a word that nobody knows.
const UNKNOWN: u8 = b'-';

/// How far a head has come, byte by byte.
pub(super) struct Head {
    /// Nothing stands in the line so far.
    is_blank: bool,
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    LineStart,
    /// In the name of a header, of which so many letters are those of an offer.
    Name(&'static Offer, usize),
    /// In its value; in a word, of which so many letters are those of the offer, if it may be that one.
    Value(&'static Offer, Option<usize>),
    Elsewhere,
}

impl Head {
    pub(super) fn new() -> Self {
        Self {
            is_blank: true,
            place: Place::LineStart,
        }
    }

    /// Reads on in a head and makes unknown what it offers. How many bytes there are up to the empty line that ends it,
    /// or none where the end is not among them; what comes behind the end is not read.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> Option<usize> {
        let end = self.skip(bytes);
        for byte in bytes.iter_mut().take(end.unwrap_or(usize::MAX)) {
            self.place = self.place.after(byte);
        }
        end
    }

    /// The same of what is no head but ends with an empty line as well: a body in chunks (RFC 9112, section 7.1).
    pub(super) fn skip(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = bytes.iter().position(|byte| match byte {
            b'\n' if self.is_blank => true,
            b'\n' => {
                self.is_blank = true;
                false
            }
            b'\r' => false,
            _ => {
                self.is_blank = false;
                false
            }
        });
        end.map(|at| at + 1)
    }
}

impl Place {
    /// Where the next byte is, once this one is read.
    fn after(self, byte: &mut u8) -> Self {
        let letter = byte.to_ascii_lowercase();
        match self {
            _ if letter == b'\n' => Self::LineStart,
            Self::LineStart => {
                let mut offers = OFFERS.iter();
                let offer = offers.find(|offer| offer.name.first() == Some(&letter));
                offer.map_or(Self::Elsewhere, |offer| Self::Name(offer, 1))
            }
            Self::Name(offer, read) => match offer.name.get(read) {
                None if letter == b':' => Self::Value(offer, Some(0)),
                Some(next) if *next == letter => Self::Name(offer, read + 1),
                None | Some(_) => Self::Elsewhere,
            },
            Self::Value(offer, _) if b", \t".contains(&letter) => Self::Value(offer, Some(0)),
            Self::Value(offer, read) => {
                let read = read.filter(|read| offer.word.get(*read) == Some(&letter));
                let read = read.map(|read| read + 1);
                if read == Some(offer.word.len()) {
                    *byte = UNKNOWN;
                }
                Self::Value(offer, read)
            }
            Self::Elsewhere => Self::Elsewhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What becomes of a head that comes in pieces of so many bytes, and of whether it ends with the last one.
    fn read(head: &str, piece: usize) -> (String, bool) {
        let mut bytes = head.as_bytes().to_vec();
        let mut reader = Head::new();
        let mut end = None;
        let mut at = 0;
        for piece in bytes.chunks_mut(piece) {
            assert_eq!(end, None, "{head:?}");
            end = reader.read(piece).map(|end| at + end);
            at += piece.len();
        }
        let is_end = end == Some(bytes.len());
        (String::from_utf8(bytes).expect("text"), is_end)
    }

    #[test]
    fn only_the_words_of_an_offer_become_unknown() {
        for (line, becomes) in [
            ("Connection: upgrade", "Connection: upgrad-"),
            ("CONNECTION:Upgrade,close", "CONNECTION:Upgrad-,close"),
            (
                "connection: keep-alive, UPGRADE\t",
                "connection: keep-alive, UPGRAD-\t",
            ),
            (
                "Connection: upgrade, upgrade",
                "Connection: upgrad-, upgrad-",
            ),
            ("Connection: keep-alive", "Connection: keep-alive"),
            ("Connection: xupgrade", "Connection: xupgrade"),
            ("Connections: upgrade", "Connections: upgrade"),
            ("Connectio: upgrade", "Connectio: upgrade"),
            ("X-Connection: upgrade", "X-Connection: upgrade"),
            ("Upgrade: websocket", "Upgrade: websocke-"),
            ("Upgrade: h2c", "Upgrade: h2c"),
            ("Upgrade: upgrade", "Upgrade: upgrade"),
            (
                "Upgrade-Insecure-Requests: 1",
                "Upgrade-Insecure-Requests: 1",
            ),
            ("X: Connection: upgrade", "X: Connection: upgrade"),
        ] {
            for end in ["\r\n", "\n"] {
                let head = |line| format!("GET / HTTP/1.1{end}A: b{end}{line}{end}C: d{end}{end}");
                for piece in [1, 2, 7, 1_000] {
                    assert_eq!(read(&head(line), piece), (head(becomes), true), "{line}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_head_ends_where_httparse_says(text in "[GET/:aA \t\r\n]{0,60}") {
            let head = format!("GET / HTTP/1.1\r\n{text}\r\n\r\nmore");
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let parsed = httparse::Request::new(&mut headers).parse(head.as_bytes());
            if let Ok(httparse::Status::Complete(length)) = parsed {
                let end = Head::new().read(&mut head.clone().into_bytes());
                prop_assert_eq!(end, Some(length));
            }
        }
    }
}
