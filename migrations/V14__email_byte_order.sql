-- As keys and names, emails are compared byte by byte, whatever the locale of the database: a unique index in an order that an
-- upgrade of the operating system changed lets a second user with the same email in. The rows stay as they are; the index is
-- built anew, and the check is read again with the letters A to Z in it, as before.
alter table users alter column email type text collate "C";
