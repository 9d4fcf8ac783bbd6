//! Edits of transactions and of what is beside them, and what the audit says of each.

/// Edits of transactions, of texts and of registers.
pub(super) const EDITS: [(&str, &str); 41] = [
    (
        "update transactions set reverses = '<NOTED>' where id = '<BACK>'",
        "transaction <BACK>: does not move back, the last first, what was moved by <NOTED>",
    ),
    (
        "update transactions set reverses = '<REFUSED>' where id = '<BACK>'",
        "transaction <BACK>: reverses what is no accepted transaction: <REFUSED>",
    ),
    (
        "update transactions set reverses = gen_random_uuid() where id = '<BACK>'",
        "transaction <BACK>: reverses what is no accepted transaction: ",
    ),
    (
        "update transactions set reverses = '<BACK>' where id = '<TAKEN>'",
        "transaction <TAKEN>: does not move back, the last first, what was moved by <BACK>",
    ),
    (
        "update transactions set reverses = '<NOTED>' where id = '<OVER>'",
        "transaction <OVER>: says that it reverses another, but moves no money",
    ),
    (
        "update transactions set reverses = '<NOTED>' where id = '<REFUSED>'",
        "transaction <REFUSED>: was refused, but says what only an accepted transaction can",
    ),
    (
        "update transactions set part_of = '<NOTED>', place = 0 where id = '<MANY>'",
        "transaction <MANY>: says that it is an item of another",
    ),
    (
        "update transactions set effective_at = now() where id = '<MANY>'",
        "counts for another time than its transaction",
    ),
    (
        "update transactions set effective_at = now() where id = '<EMPTY>'",
        "transaction <EMPTY>: counts for another time, but moves no money",
    ),
    (
        "update transactions set user_id = <ALICE> where id = '<MANY>'",
        "transaction <MANY>: names a user, which its kind does not",
    ),
    (
        "update transactions set book_id = 1 where id = '<MANY>'",
        "transaction <MANY>: names a book, which its kind does not",
    ),
    (
        "update transactions set user_id = 999 where id = '<USER>'",
        "transaction <USER>: opened what does not exist",
    ),
    (
        "update transactions set user_id = null where id = '<USER>'",
        "transaction <USER>: opened something, but does not say what",
    ),
    (
        "update transactions set user_id = 999 where id = '<USER>'",
        "user <ALICE>: has no account",
    ),
    ("delete from transactions where id = '<USER>'", "user <ALICE>: has no account"),
    (
        "update users set created_at = created_at - interval '1 ms' where id = <ALICE>",
        "transaction <USER>: opened what was opened at another time",
    ),
    (
        "update transactions set book_id = 999 where id = '<BOOK>'",
        "transaction <BOOK>: opened what does not exist",
    ),
    (
        "update transactions set book_id = 1 where id = '<BOOK>'",
        "transaction <BOOK>: opened book 1, as something else did",
    ),
    (
        "delete from transactions where id = '<BOOK>'; update books set opened_at = opened_at - interval '5 minutes'
         where id = <SHOP>",
        "book <SHOP>: is called shop, and no transaction opened it",
    ),
    (
        "update transactions set kind = 'transfer' where id = '<MANY>'",
        "transaction <MANY>: has more entries than its kind",
    ),
    (
        "update transactions set kind = 'transaction' where id = '<TAKEN>'",
        "transaction <TAKEN>: is of several postings, but has one",
    ),
    (
        "update transactions set kind = 'hold_changed' where id = '<OVER>'",
        "transaction <OVER>: has an entry of another kind than its own",
    ),
    (
        "update transactions set kind = 'frozen' where kind = 'closed'",
        ": has an entry of another kind than its own",
    ),
    (
        "update transactions set kind = 'amended' where kind = 'frozen'",
        ": has an entry of another kind than its own",
    ),
    (
        "update transactions set scope_id = 77 where id = '<MANY>'",
        "transaction <MANY>: has the scope of a caller that does not exist",
    ),
    (
        "update transactions set scope_id = 77 where id = '<REFUSED>'",
        "transaction <REFUSED>: was refused for an account or a caller that does not exist",
    ),
    (
        "update transactions set refusal = refusal -> 'rejection' where id = '<REFUSED>'",
        "transaction <REFUSED>: has a refusal that its kind or its scope cannot have",
    ),
    (
        "update transactions set refusal = jsonb_set(refusal, '{account,account}', '<RICH>') where id = '<REFUSED>'",
        "transaction <REFUSED>: has a refusal that its kind or its scope cannot have",
    ),
    (
        "update transactions set refusal = jsonb_set(refusal, '{at}', '\"2020-01-01T00:00:00Z\"') where id = '<REFUSED>'",
        "transaction <REFUSED>: was refused at another time than it says",
    ),
    (
        "update transactions set key_salt = '\\x07070707070707070707070707070707', key_hash = null, request_digest = null,
            idempotency_key = null where id = '<MANY>'",
        "transaction <MANY>: has the salt of a key, but no key of a caller",
    ),
    (
        "update transactions set details_digest = null where id = '<NOTED>'",
        "account <RICH>, entry 3: is not what was sealed",
    ),
    (
        "update transactions set details_digest = null where id = '<NOTED>'",
        "transaction <NOTED>: has details without a digest",
    ),
    (
        "update transaction_details set reference = 'bribe' where transaction_id = '<NOTED>'",
        "transaction <NOTED>: has a digest of other details than are stored",
    ),
    (
        "update transaction_details set metadata = '{\"tier\":\"silver\"}' where transaction_id = '<NOTED>'",
        "transaction <NOTED>: has a digest of other details than are stored",
    ),
    (
        "delete from transaction_details where transaction_id = '<NOTED>'",
        "transaction <NOTED>: has a digest of details that are not stored",
    ),
    (
        "insert into transaction_details values ('<MANY>', 'more', '{}', '\\x07070707070707070707070707070707')",
        "transaction <MANY>: has details without a digest",
    ),
    (
        "update account_details set metadata = '{}' where account_id = <RICH>",
        "account <RICH>, entry 2: seals other details than are stored",
    ),
    (
        "delete from account_details where account_id = <RICH>",
        "account <RICH>, entry 2: seals details that are not stored",
    ),
    (
        "insert into account_details values (<RICH>, 3, '{}', '\\x07070707070707070707070707070707')",
        "account <RICH>, entry 3: has details that it does not seal",
    ),
    (
        "update external_ids set book_id = 2 where account_id = <RICH>",
        "external id rich of book 2: is of account <RICH>, which is not in that book",
    ),
    (
        "update principals set kind = 'service' where id = 1",
        "caller 1: is not everybody in the main book any more",
    ),
];
