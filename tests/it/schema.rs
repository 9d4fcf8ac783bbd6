//! What the schema promises whatever database it is put into.

use crate::support::Bank;

/// The collations of what the unique indexes are ordered by, where that is text.
const ORDERS: &str = "
    select format('%s: %s', indexrelid::regclass, collname)
    from pg_index, unnest(indcollation) as used (id), pg_collation
    where indisunique and pg_collation.oid = used.id
        and indrelid in ('transactions'::regclass, 'account_names'::regclass, 'books'::regclass)
    order by 1";

#[tokio::test]
async fn names_are_in_the_order_of_their_bytes_whatever_the_locale() {
    let bank = Bank::open().await;
    let orders: Vec<(String,)> = bank.rows(ORDERS).await;
    let orders: Vec<&str> = orders.iter().map(|(order,)| order.as_str()).collect();
    assert_eq!(orders, ["account_names_pkey: C", "books_open_name: C"]);
    bank.close().await;
}

/// The schema before migration V13, with whatever is in it.
const BEFORE_KEY_HASH: &str = "
    alter table transactions drop column key_hash;
    create unique index transactions_idempotency_key
        on transactions (scope_kind, scope_id, idempotency_key) where idempotency_key is not null;
    delete from refinery_schema_history where version = 13";

#[tokio::test]
async fn keys_from_before_they_had_hashes_are_known() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let keys = [
        "plain",
        "back\\slash",
        "100%s",
        "';--",
        "01a1ffa1-b74a-7385-9e0e-ae87eb9d1cf6",
    ];
    let mut firsts = Vec::new();
    for key in keys {
        firsts.push(user.change_once(key, "-1").await);
    }
    assert_eq!(user.change("-1").await.status, 200);
    let url = bank.database_url.clone();
    bank.plant(BEFORE_KEY_HASH).await;
    let id = user.id;
    bank.stop().await;

    let bank = Bank::open_on(&url, &[]).await;
    let user = bank.user_again(id);
    for (key, first) in keys.into_iter().zip(firsts) {
        let again = user.change_once(key, "-1").await;
        assert_eq!(
            (again.text.as_str(), again.is_replayed()),
            (first.text.as_str(), true),
            "{key}"
        );
    }
    assert_eq!(user.balance().await, "94.00");
    bank.close().await;
}
