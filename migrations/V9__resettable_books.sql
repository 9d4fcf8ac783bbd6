-- The book of the `events` interface, whose clients may reset it: the book is sealed, and a new one opened under its name.
insert into books (name) values ('events');

alter type transaction_kind add value 'reset';

-- What the other account of a transfer is called.
create index account_names_account_id on account_names (account_id);
