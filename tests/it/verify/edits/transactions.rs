//! Edits of transactions and what the audit says of each.

/// Edits of transactions: their keys, refusals, kinds, scopes, versions and times.
pub(super) const EDITS: [(&str, &str); 33] = [
    (
        "update transactions set key_hash = gen_random_uuid() where id = '<KEYED>'",
        "transaction <KEYED>: has a key, a digest and a hash that do not belong together",
    ),
    (
        "update transactions set idempotency_key = 'other' where id = '<KEYED>'",
        "transaction <KEYED>: has a key, a digest and a hash that do not belong together",
    ),
    (
        "alter table transactions drop constraint transactions_key_has_digest,
            drop constraint transactions_key_has_hash;
         update transactions set idempotency_key = null, request_digest = null where id = '<KEYED>'",
        "transaction <KEYED>: has a key, a digest and a hash that do not belong together",
    ),
    (
        "alter table transactions drop constraint transactions_key_has_hash;
         update transactions set key_hash = null where id = '<KEYED>'",
        "transaction <KEYED>: has a key, a digest and a hash that do not belong together",
    ),
    (
        "update transactions set key_hash = null, idempotency_key = null, request_digest = null where id = '<EMPTY>'",
        "transaction <EMPTY>: changed nothing, but has no key",
    ),
    (
        "update transactions set refusal = '{\"no\":\"such\"}' where id = '<REFUSED>'",
        "transaction <REFUSED>: has a refusal that this program cannot read",
    ),
    (
        "update transactions set refusal = '\"email_taken\"' where id = '<REFUSED>'",
        "transaction <REFUSED>: has a refusal that its kind or its scope cannot have",
    ),
    (
        "update transactions set refusal = '{\"account_not_found\":{\"side\":\"source\"}}' where id = '<REFUSED>'",
        "transaction <REFUSED>: has a refusal that its kind or its scope cannot have",
    ),
    (
        "update transactions set refusal = jsonb_set(refusal, '{insufficient_funds,account}', '<BOB>')
         where id = '<REFUSED>'",
        "transaction <REFUSED>: has a refusal that its kind or its scope cannot have",
    ),
    (
        "update transactions set refusal = jsonb_set(refusal, '{insufficient_funds,available}', '\"-1\"')
         where id = '<REFUSED>'",
        "transaction <REFUSED>: has a refusal that its kind or its scope cannot have",
    ),
    (
        "update transactions set kind = 'deposit' where id = '<REFUSED>'",
        "transaction <REFUSED>: has a refusal that its kind or its scope cannot have",
    ),
    (
        "update transactions set refusal = null where id = '<REFUSED>'",
        "transaction <REFUSED>: was accepted, but has no entry",
    ),
    (
        "update transactions set refusal = '{\"insufficient_funds\":{\"account\":<ADA>,\"available\":\"1\"}}'
         where id = '<KEYED>'",
        "transaction <KEYED>: was refused, but has entries",
    ),
    (
        "update transactions set account_id = <ADA>, account_version = 2 where id = '<REFUSED>'",
        "transaction <REFUSED>: was refused, but names an account",
    ),
    (
        "update transactions set kind = 'withdrawal' where id = '<KEYED>'",
        "transaction <KEYED>: has an entry of the other sign than its kind",
    ),
    (
        "update transactions set kind = 'transfer' where id = '<KEYED>'",
        "account <ADA>, entry 3: has no counterpart on the other account",
    ),
    (
        "update transactions set kind = 'deposit' where id = '<MOVED>'",
        "transaction <MOVED>: has more entries than its kind",
    ),
    (
        "update transactions set kind = 'opening' where id = '<KEYED>'",
        "transaction <KEYED>: opened an account, but has another scope",
    ),
    (
        "update transactions set kind = 'empty' where id = '<KEYED>'",
        "transaction <KEYED>: changed nothing, but has entries",
    ),
    (
        "update transactions set kind = 'reset' where id = '<EMPTY>'",
        "transaction <EMPTY>: reset a book, but names another account or scope",
    ),
    (
        "update transactions set kind = 'empty' where id = '<RESET>'",
        "transaction <RESET>: changed nothing, but has no key",
    ),
    (
        "update transactions set scope_id = <BOB> where id = '<KEYED>'",
        "transaction <KEYED>: has the scope of another account than its entry",
    ),
    (
        "update transactions set scope_id = <BOB> where id = '<MOVED>'",
        "transaction <MOVED>: has the scope of another account than the one that gives",
    ),
    (
        "update transactions set scope_id = 2 where kind = 'opening' and account_id = <BARE>",
        "opened an account, but has another scope than the main book or a caller",
    ),
    (
        "update transactions set scope_kind = 'caller', scope_id = 77 where id = '<MOVED>'",
        "transaction <MOVED>: has the scope of a caller that does not exist",
    ),
    (
        "update transactions set account_version = 9 where id = '<EMPTY>'",
        "transaction <EMPTY>: names a version that its account has never had",
    ),
    (
        "update transactions set account_id = <BOB> where id = '<EMPTY>'",
        "transaction <EMPTY>: has the scope of another account than the one that it names",
    ),
    (
        "update transactions set account_version = 2 where account_id = <BARE>",
        "opened an account of another version or another time",
    ),
    (
        "update transactions set account_version = 1 where account_id = <FILLED>",
        "opened an account of another version, or another account, than its entry",
    ),
    (
        "update transactions set account_id = <NUMBERED> where account_id = <BARE>",
        "account <BARE>: has 0 openings instead of 1",
    ),
    (
        "update transactions set created_at = created_at + interval '1 ms' where id = '<KEYED>'",
        "account <ADA>, entry 3: has another time than its transaction",
    ),
    (
        "update transactions set created_at = created_at + interval '1 ms' where account_id = <BARE>",
        "opened an account of another version or another time",
    ),
    (
        "update transactions set created_at = created_at + interval '1 ms' where id = '<RESET>'",
        "transaction <RESET>: reset a book, but none was opened then",
    ),
];
