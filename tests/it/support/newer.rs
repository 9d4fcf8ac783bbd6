//! What a newer program beside this one leaves in the database, and how it is taken away again.

use super::postgres;

/// An outcome under a key that this program cannot read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Odd {
    Refusal,
    Kind,
    Scope,
}

impl Odd {
    pub(crate) const ALL: [Self; 3] = [Self::Refusal, Self::Kind, Self::Scope];

    fn columns(self) -> (&'static str, &'static str, &'static str) {
        const REFUSAL: &str = r#"'{"card_stolen": {"card": 7}}'"#;
        match self {
            Self::Refusal => ("withdrawal", "account", REFUSAL),
            Self::Kind => ("capture", "account", "null"),
            Self::Scope => ("withdrawal", "galaxy", "null"),
        }
    }
}

/// Words that the types do not have yet, as a migration of a newer program adds them.
pub(crate) async fn add_words(url: &str) {
    for word in [
        "transaction_kind add value 'capture'",
        "account_status add value 'dormant'",
        "scope_kind add value 'galaxy'",
    ] {
        postgres::execute(url, &format!("alter type {word}")).await;
    }
    let applied = "insert into refinery_schema_history (version, name, applied_on, checksum)
        values (9999, 'later', '2030-01-01T00:00:00Z', '0')";
    postgres::execute(url, applied).await;
}

/// An outcome under the key of an account, of which an expression gives the id.
pub(crate) async fn add_outcome(url: &str, odd: Odd, account: &str, key: &str) {
    let (kind, scope, refusal) = odd.columns();
    let sql = format!(
        "insert into transactions (id, kind, scope_kind, scope_id, created_at, idempotency_key, key_hash, request_digest, refusal)
         values (gen_random_uuid(), '{kind}', '{scope}', {account}, now(), '{key}',
            encode(substring(sha256(('account ' || {account} || ' {key}')::bytea) from 1 for 16), 'hex')::uuid, sha256('it'), {refusal})"
    );
    postgres::execute(url, &sql).await;
}

/// Takes away what [`add_outcome`] added: the books are as this program keeps them.
pub(crate) async fn remove_outcomes(url: &str) {
    postgres::tamper(
        url,
        "delete from transactions where request_digest = sha256('it')",
    )
    .await;
}
