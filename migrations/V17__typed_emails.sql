-- What was typed of an email, where it is not the canonical form that `email` holds since then: any case, letters that are not
-- composed, a domain in Punycode. Rows from before keep the text that they have, and two of them that mean one address stay two.
alter table users add column email_typed text constraint users_email_typed
    check (char_length(email_typed) between 3 and 254);
