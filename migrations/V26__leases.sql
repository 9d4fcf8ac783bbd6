-- Whose turn it is to do a job that one node does for all, such as looking for holds that are due. A node that has gone
-- loses its turn by the clock of the database. The work itself is as correct if two do it. The table is new, and small.
create table leases (
    name       text        collate "C" primary key,
    holder     uuid        not null,
    expires_at timestamptz not null
);
