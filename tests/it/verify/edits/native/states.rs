//! Edits of heads, of holds and of entries, and what the audit says of each.

/// Edits of heads and of holds.
pub(super) const OF_STATES: [(&str, &str); 29] = [
    (
        "update accounts set floor = floor - 1 where id = <RICH>",
        "account <RICH>: says floor -8.00, its entries make it -7.00",
    ),
    (
        "update accounts set floor = 0 where id = <RICH>",
        "account <RICH>: says floor 0.00, its entries make it -7.00",
    ),
    (
        "update accounts set status = 'open' where id = <COLD>",
        "account <COLD>: says another status than its entries",
    ),
    (
        "update accounts set status = 'open' where id = <SHUT>",
        "account <SHUT>: says another status than its entries",
    ),
    (
        "update accounts set status = 'frozen', state_version = version where id = <POOR>",
        "account <POOR>: says another status than its entries",
    ),
    (
        "update accounts set held = held + 1 where id = <RICH>",
        "account <RICH>: says held 21.00, its entries make it 20.00",
    ),
    (
        "update accounts set held = held - 1 where id = <RICH>",
        "account <RICH>: says held 19.00, of its active holds remains 20.00",
    ),
    (
        "update accounts set active_holds = 2 where id = <RICH>",
        "account <RICH>: says 2 active holds, its entries left 1",
    ),
    (
        "update accounts set details_digest = null where id = <RICH>",
        "account <RICH>: says another digest of its details than its entries",
    ),
    (
        "update accounts set due_at = due_at + interval '1 s' where id = <RICH>",
        "account <RICH>: is due later than the first of its holds",
    ),
    (
        "update accounts set due_at = null where id = <RICH>",
        "account <RICH>: is due later than the first of its holds",
    ),
    (
        "update accounts set state_version = null where id = <RICH>",
        "account <RICH>: does not keep programs of before",
    ),
    (
        "update accounts set state_version = version where id = <POOR>",
        "account <POOR>: does not keep programs of before",
    ),
    (
        "update holds set amount = amount + 1 where id = '<LEFT>'",
        "hold <LEFT>: says amount 26.00, its entries make it 25.00",
    ),
    (
        "update holds set captured = captured - 1 where id = '<LEFT>'",
        "hold <LEFT>: says captured 4.00, its entries make it 5.00",
    ),
    (
        "update holds set status = 'voided' where id = '<LEFT>'",
        "hold <LEFT>: says another status than its entries: active",
    ),
    (
        "update holds set status = 'active' where id = '<OVER>'",
        "hold <OVER>: says another status than its entries: voided",
    ),
    (
        "update holds set status = 'expired' where id = '<OVER>'",
        "hold <OVER>: says another status than its entries: voided",
    ),
    (
        "update holds set expires_at = expires_at + interval '1 s' where id = '<LEFT>'",
        "hold <LEFT>: says another expiry than its entries",
    ),
    (
        "update holds set version = 3 where id = '<LEFT>'",
        "hold <LEFT>: says version 3, its entries end at ",
    ),
    (
        "update holds set version = 99 where id = '<LEFT>'",
        "hold <LEFT>: says version 99, which its account has not",
    ),
    (
        "update holds set version = 99 where id = '<OVER>'",
        "hold <OVER>: says version 99, its entries end at ",
    ),
    (
        "update holds set created_at = created_at - interval '1 s' where id = '<OVER>'",
        "hold <OVER>: is stored with another account or another time",
    ),
    (
        "update holds set account_id = <POOR> where id = '<LEFT>'",
        "hold <LEFT>: is stored with another account or another time",
    ),
    (
        "update holds set account_id = <POOR> where id = '<LEFT>'",
        "hold <LEFT>: was placed by no entry of its account",
    ),
    (
        "delete from holds where id = '<LEFT>'",
        "hold <LEFT>: is not stored",
    ),
    (
        "delete from holds where id = '<OVER>'",
        "hold <OVER>: is not stored",
    ),
    (
        "insert into holds values ('01a00000-0000-7000-8000-000000000009', <POOR>, 1, 0, 'voided', now(), 2, now())",
        "hold 01a00000-0000-7000-8000-000000000009: was placed by no entry of its account",
    ),
    (
        "insert into holds values ('01a00000-0000-7000-8000-000000000009', <POOR>, 1, 0, 'active', now(), 2, now())",
        "account <POOR>: says 0 active holds, of which 1 are stored",
    ),
];

/// Edits of the new columns of entries.
pub(super) const OF_ENTRIES: [(&str, &str); 14] = [
    (
        "update entries set held = held + 1 where account_id = <RICH> and kind = 'hold_changed'",
        "says another sum than what remains of the active holds",
    ),
    (
        "update entries set hold_remaining = hold_remaining + 1 where account_id = <RICH> and kind = 'hold_captured'",
        "does not follow on its hold as it was",
    ),
    (
        "update entries set hold_id = '<OVER>' where account_id = <RICH> and kind = 'hold_captured'",
        "does not follow on its hold as it was",
    ),
    (
        "update entries set hold_expires_at = hold_expires_at + interval '1 s' where kind = 'hold_captured'",
        "is not what was sealed",
    ),
    (
        "update entries set floor = floor - 1 where account_id = <RICH> and kind = 'limit'",
        "is not what was sealed",
    ),
    (
        "update entries set floor = floor - 1 where account_id = <RICH> and kind = 'hold_changed'",
        "leaves a state that its kind cannot leave",
    ),
    (
        "update entries set status = 'frozen' where account_id = <RICH> and kind = 'hold_changed'",
        "leaves a state that its kind cannot leave",
    ),
    (
        "update entries set kind = 'closed', status = 'closed' where account_id = <COLD> and kind = 'frozen'",
        "account <COLD>, entry 2: is not what was sealed",
    ),
    (
        "update entries set details_digest = sha256('other') where account_id = <RICH> and kind = 'details'",
        "account <RICH>, entry 2: is not what was sealed",
    ),
    (
        "update entries set posting = 3 where transaction_id = '<MANY>' and account_id = <RICH> and posting = 2",
        "is not what was sealed",
    ),
    (
        "update entries set posting = 3 where transaction_id = '<MANY>' and posting = 2",
        "transaction <MANY>: has postings that are not numbered one after the other",
    ),
    (
        "update entries set effective_at = now() where transaction_id = '<NOTED>'",
        "counts for another time than its transaction",
    ),
    // Of one posting a half is missing, and another has the same amount.
    (
        "delete from entries where transaction_id = '<MANY>' and account_id = <POOR> and posting = 2",
        "has no counterpart on the other account",
    ),
    (
        "update entries set kind = 'money', posting = 0, held = 0, floor = 0, status = 'open'
         where account_id = <POOR> and kind is null",
        "has the columns of another kind of entry",
    ),
];
