//! A request as a command: under its key, in the words of what becomes of it.

use uuid::Uuid;

use super::answer::Answer;
use super::asked::Asked;
use super::codes::Code;
use super::idempotency;
use super::object::Body;
use super::problem::Problem;
use super::refusal;
use crate::ledger::{
    Action, Caller, Condition, Fault, Key, Metadata, Note, Object, Receipt, Salt, Target, Version,
};
use crate::service::Service;
use crate::service::native::{self, NoAnswer, Who};

/// What a caller says of a command.
#[derive(Clone, Debug, Default)]
pub(super) struct Saying {
    pub reference: Option<String>,
    pub metadata: Option<Metadata>,
}

/// A command that is being put together.
pub(super) struct Request<'a> {
    who: &'a Who,
    key: Option<Key>,
    salt: Salt,
    target: Option<Target>,
    conditions: Vec<Condition>,
    note: Option<Note>,
    is_dry: bool,
}

/// What became of it.
pub(super) struct Done {
    pub receipt: Receipt,
    pub is_replay: bool,
}

impl<'a> Request<'a> {
    /// # Errors
    /// If it has no key and needs one, or one that is none.
    pub(super) fn new(
        who: &'a Who,
        asked: &Asked,
        body: &Body,
        key: Option<String>,
        said: &impl Text,
    ) -> Result<Self, Problem> {
        let salt = random_salt()?;
        let key = match key {
            None => None,
            Some(text) => {
                let said = said.text().map(|text| crate::ledger::Said { text, salt });
                let print = asked.fingerprint(body)?;
                Some(crate::ledger::key::native(text, &print, said))
            }
        };
        Ok(Self {
            who,
            key,
            salt,
            target: None,
            conditions: Vec::new(),
            note: None,
            is_dry: false,
        })
    }

    /// What goes before a text in its digest.
    pub(super) fn salt(&self) -> Salt {
        self.salt
    }

    /// What the path names, and which versions it may have.
    pub(super) fn to(self, object: Object, versions: Option<Vec<Version>>) -> Self {
        let target = Some(Target { object, versions });
        Self { target, ..self }
    }

    pub(super) fn saying(self, saying: &Saying) -> Self {
        let metadata = saying.metadata.clone().unwrap_or_default();
        let is_nothing = saying.reference.is_none() && metadata.is_empty();
        let note = (!is_nothing).then(|| Note {
            reference: saying.reference.clone(),
            metadata,
            salt: self.salt,
        });
        Self { note, ..self }
    }

    pub(super) fn on(self, conditions: Vec<Condition>, is_dry: bool) -> Self {
        Self {
            conditions,
            is_dry,
            // What is not kept has no key.
            key: self.key.filter(|_| !is_dry),
            ..self
        }
    }

    /// # Errors
    /// If it is refused, or there is no answer.
    pub(super) async fn carry_out(
        self,
        service: &Service,
        action: Action,
    ) -> Result<Done, Problem> {
        let request_id = Uuid::now_v7();
        let asked = native::Asked {
            caller: Caller {
                id: self.who.id,
                book: self.who.book,
                person: self.who.reach.owner,
                request_id: request_id.to_string(),
            },
            key: self.key,
            target: self.target,
            conditions: self.conditions,
            action,
            note: self.note,
            is_dry: self.is_dry,
        };
        let answered = service.ask(asked).await.map_err(no_answer)?;
        let is_replay = answered.replayed;
        match answered.outcome {
            Ok(receipt) => Ok(Done { receipt, is_replay }),
            Err(rejection) => {
                let sight = answered.sight.as_deref();
                let problem = refusal::problem(&rejection, sight, request_id);
                Err(if is_replay {
                    problem.with(idempotency::REPLAYED.0, idempotency::REPLAYED.1)
                } else {
                    problem
                })
            }
        }
    }
}

impl Done {
    /// Says of an answer that it was given before, if it was.
    pub(super) fn mark(&self, answer: Answer) -> Answer {
        if self.is_replay {
            answer.again()
        } else {
            answer
        }
    }
}

/// What is said beside a request, in its one form; none if nothing is.
pub(super) trait Text {
    fn text(&self) -> Option<Vec<u8>>;
}

impl Text for () {
    fn text(&self) -> Option<Vec<u8>> {
        None
    }
}

impl Text for Saying {
    fn text(&self) -> Option<Vec<u8>> {
        let metadata = self.metadata.as_ref().map(|metadata| &metadata.0);
        text_of(self.reference.as_deref(), metadata)
    }
}

impl Text for Option<Metadata> {
    fn text(&self) -> Option<Vec<u8>> {
        text_of(None, self.as_ref().map(|metadata| &metadata.0))
    }
}

impl Text for Option<crate::ledger::MetadataPatch> {
    fn text(&self) -> Option<Vec<u8>> {
        let patch = self.as_ref();
        let patch = patch.map(|patch| (!patch.clears).then_some(&patch.members));
        text_of(None, patch.as_ref())
    }
}

/// RFC 8785: members in their order, and names are ASCII.
fn text_of(reference: Option<&str>, metadata: Option<&impl serde::Serialize>) -> Option<Vec<u8>> {
    if reference.is_none() && metadata.is_none() {
        return None;
    }
    let text = serde_json::json!({ "metadata": metadata.map(serde_json::to_value).and_then(Result::ok), "reference": reference });
    Some(text.to_string().into_bytes())
}

fn no_answer(why: NoAnswer) -> Problem {
    match why {
        NoAnswer::KeyInUse => Problem::new(
            Code::IdempotencyKeyInUse,
            "A request under this key is still being carried out",
        )
        .retry_soon(),
        NoAnswer::Fault(fault) => fault.into(),
    }
}

fn random_salt() -> Result<Salt, Fault> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| Fault::Bug)?;
    Ok(Salt(salt))
}
