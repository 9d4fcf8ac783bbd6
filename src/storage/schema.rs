//! What the design relies on of the schema: that all of it is there, valid and enabled.

use std::collections::BTreeMap;
use std::fmt;

use super::{Connection, StorageError, embedded};

/// A line for each part, "part: how it is", as [`PARTS`] tells of a schema that was just migrated. A test holds the two together.
const RELIED_ON: &str = include_str!("schema/relied_on.txt");

/// How each part stands that the design may rely on. What may differ from one server to another (owners, statistics, grants to others) is left out.
const PARTS: &str = "
    with relied (relation) as (
        select oid from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'
            and relname in (
                'currencies', 'books', 'users', 'accounts', 'account_names', 'transactions', 'entries', 'sessions',
                'principals', 'callers', 'holds', 'transaction_details', 'account_details', 'external_ids', 'leases',
                'api_keys', 'principal_books', 'access_changes', 'audit_events'
            )
    ), role (name) as (
        select rolname from pg_roles where rolname = 'passbook_runtime'
    )
    select format('table %s', relname),
        concat_ws(', ',
            case relpersistence when 'p' then 'permanent' when 'u' then 'unlogged' else 'temporary' end,
            case when relrowsecurity then 'with row security' end,
            case when exists (select from pg_rewrite where ev_class = relation) then 'with rules' end,
            case when exists (select from pg_inherits where inhparent = relation) then 'with tables that inherit' end,
            (
                select 'with ' || string_agg(tgname, ', ' order by tgname) || ' before its rows are written'
                from pg_trigger
                where tgrelid = relation and not tgisinternal and tgtype & 2 <> 0
                    and tgname not in (relname || '_append_only', relname || '_no_truncate')
            ))
    from relied join pg_class on pg_class.oid = relation
union all
    select format('column %s.%s', relation::regclass, attname),
        concat_ws(' ', format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
            'collate ' || nullif(collname, 'default'), 'default ' || pg_get_expr(adbin, adrelid), case when attidentity <> '' then 'identity' end)
    from relied join pg_attribute on attrelid = relation and attnum > 0 and not attisdropped
        left join pg_collation on pg_collation.oid = attcollation
        left join pg_attrdef on adrelid = relation and adnum = attnum
union all
    select format('constraint %s of %s', conname, relation::regclass),
        concat_ws(', ', pg_get_constraintdef(pg_constraint.oid, true),
            case when exists (
                select from pg_trigger where tgconstraint = pg_constraint.oid and tgenabled not in ('O', 'A')
            ) then 'disabled' end)
    from relied join pg_constraint on conrelid = relation and contype in ('p', 'u', 'c', 'f')
union all
    select format('index %s', indexrelid::regclass),
        concat_ws(', ', pg_get_indexdef(indexrelid, 0, true),
            case when not (indisvalid and indisready and indislive) then 'invalid' end)
    from relied join pg_index on indrelid = relation
union all
    select format('trigger %s of %s', tgname, relation::regclass),
        concat_ws(', ', pg_get_triggerdef(pg_trigger.oid, true),
            case tgenabled when 'A' then 'always' when 'O' then 'not always' when 'R' then 'on replicas alone' else 'disabled' end)
    from relied join pg_trigger on tgrelid = relation and not tgisinternal
union all
    select format('function %s', proname), 'body ' || md5(prosrc)
    from pg_proc where pronamespace = current_schema()::regnamespace and proname = 'history_is_append_only'
union all
    select format('type %s', typname), (select string_agg(enumlabel, ', ' order by enumsortorder) from pg_enum where enumtypid = pg_type.oid)
    from pg_type where typnamespace = current_schema()::regnamespace
        and typname in ('account_status', 'transaction_kind', 'scope_kind', 'entry_kind', 'hold_status')
union all
    select format('grant on %s to %s', relation::regclass, role.name), coalesce((
            select string_agg(told, ', ' order by told) from (
                select privilege as told
                from unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as privilege
                where has_table_privilege(role.name, relation, privilege)
            union all
                select format('update (%s)', attname)
                from pg_attribute
                where attrelid = relation and attnum > 0 and not attisdropped
                    and has_column_privilege(role.name, relation, attname, 'update')
                    and not has_table_privilege(role.name, relation, 'update')
            ) as privileges
        ), 'nothing')
    from relied, role
union all
    select format('grant on %s to %s', sequence, role.name),
        case when has_sequence_privilege(role.name, sequence, 'usage') then 'usage' else 'nothing' end
    from unnest(array[
            'accounts_id_seq', 'users_id_seq', 'books_id_seq', 'principals_id_seq', 'callers_id_seq', 'audit_events_id_seq'
        ]) as sequence, role
union all
    select format('grant on the schema to %s', role.name),
        case when has_schema_privilege(role.name, current_schema(), 'usage') then 'usage' else 'nothing' end
    from role
union all
    select 'role passbook_runtime',
        concat_ws(', ', 'a login',
            case when rolsuper or rolbypassrls or rolreplication or rolcreaterole then 'with powers over others' end,
            case when exists (
                select from (
                    select relowner from relied join pg_class on pg_class.oid = relation
                union all
                    select proowner from pg_proc where pronamespace = current_schema()::regnamespace and proname = 'history_is_append_only'
                ) as owned (owner) where pg_has_role(role.name, owner, 'member')
            ) then 'can become the owner of what guards the ledger' end)
    from role join pg_roles on rolname = role.name";

/// A part of the schema that is not as the design needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Such as `trigger entries_append_only of entries`.
    pub part: String,
    /// None where it is missing.
    pub found: Option<String>,
    pub expected: &'static str,
}

/// A schema beside the one that this program migrates to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Age {
    /// With the first migration that it lacks.
    Older {
        lacks: String,
    },
    Same,
    /// With the last migration that it has, which this program does not know.
    Newer {
        has: i32,
    },
}

pub async fn fetch_age(connection: &mut Connection) -> Result<Age, StorageError> {
    const SQL: &str = "select version from refinery_schema_history";
    let applied: Vec<i32> = sqlx::query_scalar(SQL).fetch_all(connection).await?;
    if let Some(lacks) = embedded::first_missing(&applied) {
        return Ok(Age::Older { lacks });
    }
    let last = applied.into_iter().max().unwrap_or_default();
    Ok(if embedded::last() < last {
        Age::Newer { has: last }
    } else {
        Age::Same
    })
}

/// What is missing, invalid, disabled or other than it was made. What the schema has besides is its owner's affair.
pub async fn list_flaws(connection: &mut Connection) -> Result<Vec<Flaw>, StorageError> {
    Ok(compare(&list_parts(connection).await?))
}

/// How each part stands, by its name.
pub async fn list_parts(
    connection: &mut Connection,
) -> Result<BTreeMap<String, String>, StorageError> {
    let parts: Vec<(String, String)> = sqlx::query_as(PARTS).fetch_all(connection).await?;
    Ok(parts.into_iter().collect())
}

fn compare(parts: &BTreeMap<String, String>) -> Vec<Flaw> {
    // The role belongs to the whole server: another database may have made it, and this one be its owner's alone.
    let has_role = parts
        .iter()
        .any(|(part, found)| part.starts_with("grant ") && found != "nothing");
    let relied_on = RELIED_ON.lines().filter_map(|line| line.split_once(": "));
    relied_on
        .filter(|(part, _)| has_role || !is_of_role(part))
        .map(|(part, expected)| (part, expected, parts.get(part).cloned()))
        .filter(|(_, expected, found)| found.as_deref() != Some(expected))
        .map(|(part, expected, found)| Flaw {
            part: part.to_owned(),
            found,
            expected,
        })
        .collect()
}

fn is_of_role(part: &str) -> bool {
    part.starts_with("grant ") || part.starts_with("role ")
}

/// What is wrong with the part.
impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = self.expected;
        match &self.found {
            None => write!(formatter, "is missing: {expected}"),
            Some(found) => write!(formatter, "is {found}, instead of {expected}"),
        }
    }
}
