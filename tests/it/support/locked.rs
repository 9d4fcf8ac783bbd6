//! What a test keeps locked in the database, so that whoever needs it waits.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::eventually;

/// Rows or a table that nobody else can have until they are released, or this is dropped.
pub(crate) struct Locked {
    connection: PgConnection,
}

impl Locked {
    /// The row of an account, as a batch that changes it locks it.
    pub(crate) async fn account(url: &str, id: i64) -> Self {
        let row = format!("select from accounts where id = {id} for no key update");
        Self::by(url, &row).await
    }

    /// The rows of all accounts.
    pub(crate) async fn accounts(url: &str) -> Self {
        Self::by(url, "select from accounts order by id for no key update").await
    }

    /// A table, for readers too.
    pub(crate) async fn table(url: &str, name: &str) -> Self {
        Self::by(url, &format!("lock table {name} in access exclusive mode")).await
    }

    async fn by(url: &str, lock: &str) -> Self {
        let mut connection = PgConnection::connect(url)
            .await
            .expect("PostgreSQL answers");
        let begin = sqlx::raw_sql(AssertSqlSafe(format!("begin; {lock}")));
        begin.execute(&mut connection).await.expect("locked");
        Self { connection }
    }

    /// The next statement of the transaction that has the lock.
    pub(crate) async fn goes_on(&mut self, sql: &str) {
        let next = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        next.execute(&mut self.connection)
            .await
            .expect("it is not in the way of whoever waits");
    }

    /// How many backends wait for it. Asked over the connection that has the lock, as another takes too long to make on a busy
    /// machine; of `pg_locks`, as a transaction sees `pg_stat_activity` as it was.
    pub(crate) async fn waiting(&mut self) -> i64 {
        let waiting = "select count(distinct pid) from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))";
        let waiting = sqlx::query_scalar(waiting).fetch_one(&mut self.connection);
        waiting.await.expect("a number")
    }

    pub(crate) async fn is_waited_for(&mut self) {
        eventually("somebody waits for what is locked", async || {
            0 < self.waiting().await
        })
        .await;
    }

    pub(crate) async fn release(mut self) {
        let released = sqlx::raw_sql("rollback")
            .execute(&mut self.connection)
            .await;
        released.expect("released");
        self.connection.close().await.expect("closed");
    }
}
