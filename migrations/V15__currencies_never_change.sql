-- A currency is never edited: its number of decimals is sealed into every account that holds it, and its name is what clients
-- call it by. What guards the journal guards the registry as well.
create trigger currencies_append_only before update or delete on currencies
    for each row execute function history_is_append_only();
create trigger currencies_no_truncate before truncate on currencies
    for each statement execute function history_is_append_only();

alter table currencies enable always trigger currencies_append_only;
alter table currencies enable always trigger currencies_no_truncate;
