//! What PostgreSQL is told of every connection, and of those that write.

/// How every connection is set. `lock_timeout` < `statement_timeout` < what waits for the answer, so that the server gives
/// up first and says so.
pub(super) const SETTINGS: [(&str, &str); 5] = [
    ("lock_timeout", "1s"),
    ("statement_timeout", "3s"),
    ("idle_in_transaction_session_timeout", "5s"),
    ("default_transaction_isolation", "read committed"),
    ("jit", "off"),
];

/// How a lane's connection is set besides. With other joins the batch statement may lock rows in another order than the
/// given one, and two orders deadlock; with custom plans it is planned again at each execution, which costs more than
/// running it.
pub(super) const LANE_SETTINGS: [(&str, &str); 4] = [
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];
