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
async fn keys_and_names_are_in_the_order_of_their_bytes_whatever_the_locale() {
    let bank = Bank::open().await;
    let orders: Vec<(String,)> = bank.rows(ORDERS).await;
    let orders: Vec<&str> = orders.iter().map(|(order,)| order.as_str()).collect();
    assert_eq!(
        orders,
        [
            "account_names_pkey: C",
            "books_open_name: C",
            "transactions_idempotency_key: C"
        ]
    );
    bank.close().await;
}
