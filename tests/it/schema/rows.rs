//! Rows as JSON, with `SEAL` for 32 bytes, `UUID` for an id and `LONG` for a text that is too long.

/// Rows of a table, by what makes them other than the first.
pub(super) struct Rows {
    pub(super) table: &'static str,
    /// All checks take it.
    pub(super) row: &'static str,
    /// What makes other rows that all checks take.
    pub(super) taken: &'static [&'static str],
    /// What makes a row that the check of this name refuses, and it alone.
    pub(super) refused: &'static [(&'static str, &'static str)],
}

pub(super) const ROWS: [Rows; 16] = [
    ACCOUNTS,
    BOOKS,
    PLAIN_ENTRIES,
    MONEY_ENTRIES,
    HOLD_ENTRIES,
    TRANSACTIONS,
    KEYED_TRANSACTIONS,
    PRINCIPALS,
    CALLERS,
    HOLDS,
    TRANSACTION_DETAILS,
    ACCOUNT_DETAILS,
    EXTERNAL_IDS,
    API_KEYS,
    PRINCIPAL_BOOKS,
    AUDIT_EVENTS,
];

const ACCOUNTS: Rows = Rows {
    table: "accounts",
    row: r#"{"id": 1, "book_id": 1, "currency": "USD", "version": 7, "opened_at": "2026-01-02", "status": "open",
        "last_entry_at": "2026-01-02", "balance": 5, "floor": 0, "held": 0, "active_holds": 0, "seal": "SEAL"}"#,
    taken: &[
        r#"{"balance": -5, "floor": -5}"#,
        r#"{"held": 5, "active_holds": 1000, "due_at": "2026-01-03", "state_version": 7}"#,
        r#"{"balance": -5, "floor": -10, "held": 5, "active_holds": 1, "details_digest": "SEAL"}"#,
        r#"{"status": "frozen"}"#,
    ],
    refused: &[
        (
            "accounts_available_not_negative",
            r#"{"balance": 4, "held": 5, "active_holds": 1}"#,
        ),
        ("accounts_available_not_negative", r#"{"floor": 5.01}"#),
        ("accounts_held_check", r#"{"held": -1, "active_holds": 1}"#),
        (
            "accounts_held_check",
            r#"{"held": 1e28, "active_holds": 1, "balance": 9e27, "floor": -9e27}"#,
        ),
        (
            "accounts_held_check",
            r#"{"held": "NaN", "active_holds": 1}"#,
        ),
        (
            "accounts_active_holds_check",
            r#"{"active_holds": -1, "held": 1}"#,
        ),
        (
            "accounts_active_holds_check",
            r#"{"active_holds": 1001, "held": 1}"#,
        ),
        ("accounts_holds_have_money", r#"{"active_holds": 1}"#),
        ("accounts_holds_have_money", r#"{"held": 1}"#),
        ("accounts_state_is_of_version", r#"{"state_version": 6}"#),
        (
            "accounts_details_digest_check",
            r#"{"details_digest": "\\x00"}"#,
        ),
        ("accounts_balance_check", r#"{"balance": "NaN"}"#),
        ("accounts_balance_check", r#"{"balance": 1e28}"#),
        ("accounts_floor_check", r#"{"floor": -1e28}"#),
        ("accounts_id_check", r#"{"id": 0}"#),
        ("accounts_seal_check", r#"{"seal": "\\x00"}"#),
        ("accounts_version_check", r#"{"version": 0}"#),
        ("accounts_check", r#"{"last_entry_at": "2026-01-01"}"#),
    ],
};

const BOOKS: Rows = Rows {
    table: "books",
    row: r#"{"id": 9, "name": "nine", "opened_at": "2026-01-02"}"#,
    taken: &[r#"{"closed_through": "2026-01-02", "closed_at": "2026-01-03"}"#],
    refused: &[
        (
            "books_closing_has_moment",
            r#"{"closed_through": "2026-01-02"}"#,
        ),
        ("books_closing_has_moment", r#"{"closed_at": "2026-01-03"}"#),
        ("books_name_check", r#"{"name": "Nine"}"#),
        ("books_check", r#"{"sealed_at": "2026-01-01"}"#),
    ],
};

/// Of the first format.
const PLAIN_ENTRIES: Rows = Rows {
    table: "entries",
    row: r#"{"account_id": 1, "version": 2, "created_at": "2026-01-02", "transaction_id": "UUID", "amount": 5,
        "balance": 5, "seal": "SEAL"}"#,
    taken: &[r#"{"counterparty_id": 2, "amount": -5}"#],
    refused: &[
        ("entries_amount_check", r#"{"amount": 0}"#),
        ("entries_amount_check", r#"{"amount": 1e28}"#),
        ("entries_amount_check", r#"{"amount": "NaN"}"#),
        ("entries_plain_has_no_state", r#"{"posting": 0}"#),
        ("entries_plain_has_no_state", r#"{"held": 0}"#),
        ("entries_plain_has_no_state", r#"{"floor": 0}"#),
        ("entries_plain_has_no_state", r#"{"status": "open"}"#),
        (
            "entries_plain_has_no_state",
            r#"{"details_digest": "SEAL"}"#,
        ),
        (
            "entries_plain_has_no_state",
            r#"{"effective_at": "2026-01-02"}"#,
        ),
        ("entries_hold_is_whole", r#"{"hold_remaining": 1}"#),
        (
            "entries_hold_has_kind",
            r#"{"hold_id": "UUID", "hold_remaining": 1, "hold_expires_at": "2026-01-03"}"#,
        ),
        ("entries_balance_check", r#"{"balance": "Infinity"}"#),
        ("entries_check", r#"{"counterparty_id": 1}"#),
        ("entries_seal_check", r#"{"seal": "\\x00"}"#),
        ("entries_version_check", r#"{"version": 1}"#),
    ],
};

const MONEY_ENTRIES: Rows = Rows {
    table: "entries",
    row: r#"{"account_id": 1, "version": 2, "created_at": "2026-01-02", "transaction_id": "UUID", "amount": 5,
        "balance": 5, "seal": "SEAL", "kind": "money", "posting": 0, "held": 0, "floor": 0, "status": "open"}"#,
    taken: &[
        r#"{"posting": 99, "floor": -3, "status": "frozen", "details_digest": "SEAL"}"#,
        r#"{"counterparty_id": 2, "effective_at": "2026-01-02"}"#,
        r#"{"kind": "frozen", "status": "frozen", "amount": 0}"#,
        r#"{"kind": "unfrozen", "amount": 0}"#,
        r#"{"kind": "closed", "status": "closed", "amount": 0, "balance": 0}"#,
        r#"{"kind": "limit", "amount": 0, "floor": -100}"#,
        r#"{"kind": "details", "amount": 0, "details_digest": "SEAL"}"#,
    ],
    refused: &[
        ("entries_amount_check", r#"{"amount": 0}"#),
        ("entries_amount_check", r#"{"kind": "limit"}"#),
        (
            "entries_counterparty_has_money",
            r#"{"kind": "frozen", "amount": 0, "counterparty_id": 2}"#,
        ),
        ("entries_state_is_whole", r#"{"posting": null}"#),
        ("entries_state_is_whole", r#"{"held": null}"#),
        ("entries_state_is_whole", r#"{"floor": null}"#),
        ("entries_state_is_whole", r#"{"status": null}"#),
        ("entries_posting_check", r#"{"posting": -1}"#),
        ("entries_posting_check", r#"{"posting": 100}"#),
        ("entries_held_check", r#"{"held": -1}"#),
        ("entries_held_check", r#"{"held": 1e28}"#),
        ("entries_held_check", r#"{"held": "NaN"}"#),
        ("entries_floor_check", r#"{"floor": "NaN"}"#),
        ("entries_floor_check", r#"{"floor": -1e28}"#),
        (
            "entries_details_digest_check",
            r#"{"details_digest": "\\x00"}"#,
        ),
        (
            "entries_hold_has_kind",
            r#"{"hold_id": "UUID", "hold_remaining": 1, "hold_expires_at": "2026-01-03"}"#,
        ),
    ],
};

const HOLD_ENTRIES: Rows = Rows {
    table: "entries",
    row: r#"{"account_id": 1, "version": 2, "created_at": "2026-01-02", "transaction_id": "UUID", "amount": 0,
        "balance": 5, "seal": "SEAL", "kind": "hold_placed", "posting": 0, "held": 3, "floor": 0, "status": "open",
        "hold_id": "UUID", "hold_remaining": 3, "hold_expires_at": "2026-01-03"}"#,
    taken: &[
        r#"{"kind": "hold_captured", "amount": -3, "hold_remaining": 0, "counterparty_id": 2}"#,
        r#"{"kind": "hold_changed", "hold_remaining": 4}"#,
        r#"{"kind": "hold_voided", "hold_remaining": 0}"#,
        r#"{"kind": "hold_expired", "hold_remaining": 0}"#,
    ],
    refused: &[
        ("entries_amount_check", r#"{"amount": -3}"#),
        ("entries_amount_check", r#"{"kind": "hold_captured"}"#),
        (
            "entries_counterparty_has_money",
            r#"{"counterparty_id": 2}"#,
        ),
        ("entries_hold_is_whole", r#"{"hold_remaining": null}"#),
        ("entries_hold_is_whole", r#"{"hold_expires_at": null}"#),
        (
            "entries_hold_has_kind",
            r#"{"hold_id": null, "hold_remaining": null, "hold_expires_at": null}"#,
        ),
        ("entries_hold_remaining_check", r#"{"hold_remaining": -1}"#),
        (
            "entries_hold_remaining_check",
            r#"{"hold_remaining": 1e28}"#,
        ),
        (
            "entries_hold_remaining_check",
            r#"{"hold_remaining": "NaN"}"#,
        ),
    ],
};

const TRANSACTIONS: Rows = Rows {
    table: "transactions",
    row: r#"{"id": "UUID", "kind": "transaction", "scope_kind": "caller", "scope_id": 1, "created_at": "2026-01-02"}"#,
    taken: &[
        r#"{"reverses": "UUID", "part_of": "UUID", "place": 0, "details_digest": "SEAL"}"#,
        r#"{"effective_at": "2026-01-01"}"#,
        r#"{"kind": "user_opened", "user_id": 1}"#,
        r#"{"kind": "book_opened", "book_id": 1}"#,
    ],
    refused: &[
        ("transactions_part_has_place", r#"{"part_of": "UUID"}"#),
        ("transactions_part_has_place", r#"{"place": 0}"#),
        (
            "transactions_place_check",
            r#"{"part_of": "UUID", "place": -1}"#,
        ),
        (
            "transactions_details_digest_check",
            r#"{"details_digest": "\\x00"}"#,
        ),
        ("transactions_key_salt_check", r#"{"key_salt": "\\x00"}"#),
        ("transactions_account_has_version", r#"{"account_id": 1}"#),
        (
            "transactions_account_version_check",
            r#"{"account_id": 1, "account_version": 0}"#,
        ),
        (
            "transactions_key_has_digest",
            r#"{"request_digest": "SEAL"}"#,
        ),
        ("transactions_key_has_hash", r#"{"key_hash": "UUID"}"#),
        ("transactions_refusal_has_key", r#"{"refusal": {}}"#),
    ],
};

const KEYED_TRANSACTIONS: Rows = Rows {
    table: "transactions",
    row: r#"{"id": "UUID", "kind": "transaction", "scope_kind": "caller", "scope_id": 1, "created_at": "2026-01-02",
        "idempotency_key": "key", "key_hash": "UUID", "request_digest": "SEAL"}"#,
    taken: &[r#"{"refusal": {}}"#],
    refused: &[
        (
            "transactions_idempotency_key_check",
            r#"{"idempotency_key": "LONG"}"#,
        ),
        (
            "transactions_request_digest_check",
            r#"{"request_digest": "\\x00"}"#,
        ),
    ],
};

const PRINCIPALS: Rows = Rows {
    table: "principals",
    row: r#"{"id": 9, "kind": "service", "name": "nine", "created_at": "2026-01-02"}"#,
    taken: &[
        r#"{"kind": "person", "name": null, "user_id": 9}"#,
        r#"{"name": "A.b_c-9"}"#,
    ],
    refused: &[
        ("principals_kind_check", r#"{"kind": "robot"}"#),
        ("principals_name_check", r#"{"kind": "anyone", "name": ""}"#),
        (
            "principals_name_check",
            r#"{"kind": "anyone", "name": "LONG"}"#,
        ),
        ("principals_service_has_name", r#"{"name": null}"#),
        ("principals_service_has_name", r#"{"name": "two words"}"#),
        ("principals_service_has_name", r#"{"name": "a\nb"}"#),
        ("principals_person_is_user", r#"{"kind": "person"}"#),
        ("principals_person_is_user", r#"{"user_id": 9}"#),
    ],
};

const CALLERS: Rows = Rows {
    table: "callers",
    row: r#"{"id": 9, "principal_id": 1, "book_id": 2}"#,
    taken: &[],
    refused: &[],
};

const HOLDS: Rows = Rows {
    table: "holds",
    row: r#"{"id": "UUID", "account_id": 1, "amount": 5, "captured": 0, "status": "active", "version": 2,
        "created_at": "2026-01-02", "expires_at": "2026-01-03"}"#,
    taken: &[
        r#"{"captured": 4.99}"#,
        r#"{"captured": 5, "status": "captured"}"#,
        r#"{"captured": 7, "status": "captured"}"#,
        r#"{"captured": 1, "status": "voided"}"#,
        r#"{"status": "expired"}"#,
    ],
    refused: &[
        ("holds_amount_check", r#"{"amount": 0, "status": "voided"}"#),
        ("holds_amount_check", r#"{"amount": "NaN"}"#),
        ("holds_amount_check", r#"{"amount": 1e28}"#),
        ("holds_captured_check", r#"{"captured": -1}"#),
        (
            "holds_captured_check",
            r#"{"captured": "NaN", "status": "captured"}"#,
        ),
        (
            "holds_captured_check",
            r#"{"captured": 1e28, "status": "captured"}"#,
        ),
        ("holds_active_has_remaining", r#"{"captured": 5}"#),
        ("holds_version_check", r#"{"version": 1}"#),
    ],
};

const TRANSACTION_DETAILS: Rows = Rows {
    table: "transaction_details",
    row: r#"{"transaction_id": "UUID", "reference": "r", "metadata": {"a": "b"}, "salt": "SEAL"}"#,
    taken: &[
        r#"{"metadata": null}"#,
        r#"{"reference": null, "salt": "\\x000102030405060708090a0b0c0d0e0f"}"#,
        r#"{"reference": null, "metadata": null, "salt": null, "erased_at": "2026-01-02"}"#,
    ],
    refused: &[
        (
            "transaction_details_reference_check",
            r#"{"reference": "LONG"}"#,
        ),
        (
            "transaction_details_metadata_check",
            r#"{"metadata": ["a"]}"#,
        ),
        (
            "transaction_details_salt_check",
            r#"{"salt": "\\x000102030405060708090a0b0c0d0e"}"#,
        ),
        ("transaction_details_kept_or_erased", r#"{"salt": null}"#),
        (
            "transaction_details_kept_or_erased",
            r#"{"erased_at": "2026-01-02"}"#,
        ),
        (
            "transaction_details_kept_or_erased",
            r#"{"metadata": null, "salt": null, "erased_at": "2026-01-02"}"#,
        ),
        (
            "transaction_details_kept_or_erased",
            r#"{"reference": null, "salt": null, "erased_at": "2026-01-02"}"#,
        ),
    ],
};

const ACCOUNT_DETAILS: Rows = Rows {
    table: "account_details",
    row: r#"{"account_id": 1, "version": 2, "metadata": {"a": "b"}, "salt": "SEAL"}"#,
    taken: &[r#"{"metadata": null, "salt": null, "erased_at": "2026-01-02"}"#],
    refused: &[
        ("account_details_version_check", r#"{"version": 1}"#),
        ("account_details_metadata_check", r#"{"metadata": "a"}"#),
        ("account_details_salt_check", r#"{"salt": "\\x00"}"#),
        ("account_details_kept_or_erased", r#"{"salt": null}"#),
        (
            "account_details_kept_or_erased",
            r#"{"erased_at": "2026-01-02"}"#,
        ),
        (
            "account_details_kept_or_erased",
            r#"{"salt": null, "erased_at": "2026-01-02"}"#,
        ),
    ],
};

const EXTERNAL_IDS: Rows = Rows {
    table: "external_ids",
    row: r#"{"book_id": 1, "external_id": "assets:bank:7", "account_id": 1}"#,
    taken: &[r#"{"external_id": "A_z.0-9:"}"#],
    refused: &[
        ("external_ids_external_id_check", r#"{"external_id": ""}"#),
        (
            "external_ids_external_id_check",
            r#"{"external_id": "LONG"}"#,
        ),
        (
            "external_ids_external_id_check",
            r#"{"external_id": "a b"}"#,
        ),
        (
            "external_ids_external_id_check",
            r#"{"external_id": "a\n"}"#,
        ),
        (
            "external_ids_external_id_check",
            r#"{"external_id": "\u00e9"}"#,
        ),
    ],
};

const API_KEYS: Rows = Rows {
    table: "api_keys",
    row: r#"{"id": "UUID", "principal_id": 1, "digest": "SEAL", "prefix": "pbk_Ab9z", "scope": "read",
        "created_at": "2026-01-02"}"#,
    taken: &[
        r#"{"scope": "write", "expires_at": "2026-01-03"}"#,
        r#"{"scope": "admin", "revoked_at": "2026-01-02"}"#,
    ],
    refused: &[
        ("api_keys_digest_check", r#"{"digest": "\\x00"}"#),
        ("api_keys_prefix_check", r#"{"prefix": "pbk_Ab9z5"}"#),
        ("api_keys_scope_check", r#"{"scope": "all"}"#),
        (
            "api_keys_expires_after_it_begins",
            r#"{"expires_at": "2026-01-02"}"#,
        ),
        (
            "api_keys_revoked_after_it_begins",
            r#"{"revoked_at": "2026-01-01"}"#,
        ),
    ],
};

const PRINCIPAL_BOOKS: Rows = Rows {
    table: "principal_books",
    row: r#"{"principal_id": 1, "place": 1, "name": "main"}"#,
    taken: &[r#"{"place": 100}"#],
    refused: &[
        ("principal_books_place_check", r#"{"place": 0}"#),
        ("principal_books_place_check", r#"{"place": 101}"#),
        ("principal_books_name_check", r#"{"name": "Main"}"#),
    ],
};

const AUDIT_EVENTS: Rows = Rows {
    table: "audit_events",
    row: r#"{"id": 9, "at": "2026-01-02", "actor_kind": "anyone", "action": "key_made", "outcome": "done",
        "written_by": "owner"}"#,
    taken: &[
        r#"{"actor_kind": "service", "actor": "shop", "object": "UUID", "request_id": "UUID"}"#,
        r#"{"actor_kind": "person", "actor": "17", "details": {"a": 1}}"#,
        r#"{"actor_kind": "command_line"}"#,
    ],
    refused: &[
        ("audit_events_actor_kind_check", r#"{"actor_kind": "god"}"#),
        ("audit_events_actor_has_name", r#"{"actor_kind": "person"}"#),
        ("audit_events_actor_has_name", r#"{"actor": "shop"}"#),
        (
            "audit_events_actor_check",
            r#"{"actor_kind": "service", "actor": ""}"#,
        ),
        ("audit_events_action_check", r#"{"action": "a b"}"#),
        ("audit_events_object_check", r#"{"object": "LONG"}"#),
        ("audit_events_request_id_check", r#"{"request_id": "LONG"}"#),
        ("audit_events_outcome_check", r#"{"outcome": ""}"#),
        ("audit_events_details_check", r#"{"details": []}"#),
    ],
};
