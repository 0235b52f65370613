-- Several instances on one store: what each has taken of late, so that a message is known that an SMSC sends again to
-- another instance than the one that had it.

-- One row for each physical message, by its fingerprint: the exchange or part that it became, and when. Written only while
-- several instances run. Rows older than a minute say nothing any more and are pruned, but for those with `unheard` = 1: the
-- SMSC was told to send the message again although it is stored.
create table asked (
    print blob primary key,
    key integer not null,
    at integer not null,
    unheard integer not null default 0
) without rowid;
