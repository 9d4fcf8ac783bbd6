//! What no client should send: bodies, values and queries.

/// Every name of a field in any dialect.
pub(crate) const FIELDS: [&str; 24] = [
    "amount",
    "name",
    "email",
    "balance",
    "password",
    "type",
    "origin",
    "destination",
    "typeOfTransaction",
    "moneyWithdraw/Deposit",
    "expectedversion",
    "expectedVersion",
    "accountNumber",
    "senderAccountNumber",
    "receiverAccountNumber",
    "user_id",
    "source_user_id",
    "target_user_id",
    "currency_type",
    "account_id",
    "limit",
    "before",
    "after",
    "id",
];

/// What each field may well hold, so that one that is odd is all that is wrong.
pub(crate) const SANE: [(&str, &str); 16] = [
    ("amount", "1"),
    ("name", "\"a\""),
    ("email", "\"b@example.org\""),
    ("password", "\"Secret12\""),
    ("balance", "1"),
    ("type", "\"deposit\""),
    ("origin", "\"a\""),
    ("destination", "\"b\""),
    ("expectedversion", "1"),
    ("accountNumber", "\"000000000195\""),
    ("senderAccountNumber", "\"000000000195\""),
    ("receiverAccountNumber", "\"000000000292\""),
    ("user_id", "1"),
    ("source_user_id", "1"),
    ("target_user_id", "2"),
    ("currency_type", "\"bitcoin\""),
];

/// What is no JSON object, whatever is asked.
pub(crate) fn broken_bodies() -> Vec<Vec<u8>> {
    let texts = [
        "{",
        "}",
        "null",
        "[]",
        "[1]",
        "1",
        "\"a\"",
        "true",
        "{}{}",
        "{,}",
        "{\"amount\"}",
        "{\"amount\":1,}",
        "{amount:1}",
        "{'amount':1}",
        "\u{feff}\u{feff}{}",
        "user_id=%zz",
        "{\"amount\":1} x",
        "\0{}",
        "{}\0",
        "{\"x\":01}",
        "{\"x\":NaN}",
        "{\"x\":+1}",
        "{\"x\":.5}",
        "{\"x\":\"\\x\"}",
        "{\"x\":\"\n\"}",
        "<amount>1</amount>",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).to_vec();
    bodies.push(b"{\"x\":\"\xff\"}".to_vec());
    bodies.push(b"{\"x\":\"\xed\xa0\x80\"}".to_vec());
    bodies.push(b"\x1f\x8b\x08\x00".to_vec());
    bodies.push("[".repeat(10_000).into_bytes());
    bodies.push("{\"amount\":".repeat(5_000).into_bytes());
    bodies
}

/// Values of a wrong type, of no type, or too much of one.
pub(crate) fn odd_values() -> Vec<String> {
    let mut values: Vec<String> = [
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "\" \"",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "\"\\ud800\"",
        "1.5",
        "-1",
        "0",
        "1e400",
        "1e-400",
        "99999999999999999999",
        "123456789012345678901234567890123456789012345678901234567890",
        "\"NaN\"",
        "\"0x10\"",
        "\"1_000\"",
        "\" 1\"",
        "\"\u{661}\"",
        "\"'; drop table accounts; --\"",
        "\"../../etc\"",
    ]
    .map(str::to_owned)
    .to_vec();
    values.push(format!("\"{}\"", "x".repeat(20_000)));
    values.push("[".repeat(200) + &"]".repeat(200));
    values
}

/// Queries and forms that cannot be decoded, or say one thing twice.
pub(crate) fn odd_queries() -> Vec<String> {
    let mut queries: Vec<String> = ["%", "%4", "%zz", "%ff", "%C3", "%00", "%ed%a0%80"]
        .iter()
        .flat_map(|value| FIELDS.map(|name| format!("{name}={value}")))
        .collect();
    queries.extend(FIELDS.map(|name| format!("{name}=1&{name}=1")));
    queries.extend(FIELDS.map(|name| format!("{name}={}", "9".repeat(4_000))));
    queries.extend(["&&&", "=", "=1", "user_id=1&account_id=1"].map(str::to_owned));
    queries
}
