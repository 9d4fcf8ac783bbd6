//! How a pooler between the service and `PostgreSQL` has to be set up, said to whoever did.

use super::StorageError;

pub(super) const HANDED_OVER: &str = "a pooler in between hands prepared statements to other servers, which do not know them and may answer \
    with the rows of another client: PgBouncer needs version 1.21 or newer with max_prepared_statements = 200, or \
    pool_mode = session (docs/pgbouncer.md)";

/// All that has to be set where a pooler does not pass on what a connection says of itself, ready to paste.
pub(super) fn dropped(role: &str, settings: &[(&str, &str)]) -> StorageError {
    let role = role.replace('"', "\"\"");
    let lines = settings
        .iter()
        .map(|(name, value)| format!("alter role \"{role}\" set {name} = '{value}';\n"));
    let lines: String = lines.collect();
    StorageError::Unfit(format!(
        "a pooler in between does not pass on how the connection is to be set. Run once on PostgreSQL itself, and let the pooler \
         connect anew:\n\n{lines}\nand if it is PgBouncer, with this in pgbouncer.ini (docs/pgbouncer.md):\n\n\
         ignore_startup_parameters = extra_float_digits, options\n"
    ))
}

/// What a pooler's own errors mean for whoever set it up. `settings` are those that a lane needs.
pub(super) fn explain(
    error: StorageError,
    role: &str,
    settings: impl FnOnce() -> Vec<(&'static str, &'static str)>,
) -> StorageError {
    let (code, message) = match &error {
        StorageError::Database(sqlx::Error::Database(error)) => {
            (error.code().unwrap_or_default(), error.message())
        }
        StorageError::Database(_)
        | StorageError::Corrupt(_)
        | StorageError::Unfit(_)
        | StorageError::Lost(_) => {
            return error;
        }
    };
    match code.as_ref() {
        // "unsupported startup parameter: options", "unsupported startup parameter in options: jit"
        "08P01" if message.contains("startup parameter") => dropped(role, &settings()),
        // A statement is not there, or another client's is there under its name.
        "26000" | "42P05" => StorageError::Unfit(HANDED_OVER.to_owned()),
        _ => error,
    }
}
