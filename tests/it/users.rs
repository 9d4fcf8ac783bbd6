//! The `users` dialect: every row of its table, every error, the shapes literally.

use crate::support::Bank;

#[tokio::test]
async fn a_balance_is_shown_with_all_its_decimals() {
    let bank = Bank::open().await;
    let user = bank.user("10000").await;
    let reply = user.change("100.50").await;
    assert_eq!(reply.status, 200);
    assert!(
        reply
            .text
            .starts_with(r#"{"success":true,"data":{"id":1,"balance":10100.50,"updatedAt":""#),
        "{}",
        reply.text
    );
    assert!(
        reply
            .text
            .ends_with(r#"Z"},"message":"Balance updated successfully"}"#),
        "{}",
        reply.text
    );
    bank.close().await;
}
