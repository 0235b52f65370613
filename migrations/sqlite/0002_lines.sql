-- What carriers' lines bring that needs a place of its own: messages put aside, and receipts a segment at a time.

-- A message that could not be taken for what it was sent as, put aside before it was answered. Bounded: the oldest go.
-- `sealed` holds the PDU, or its beginning; `octets` is its whole length.
create table quarantine (
    key integer primary key,
    at integer not null,
    carrier text not null,
    line integer not null,
    trap text not null,
    status integer not null,
    octets integer not null,
    sealed blob not null
);

-- The id as the response had it. `message_id` is the form under which it is looked up, or `to:` and the token of the
-- citizen where the ids say nothing.
alter table receipt_id add column raw_id text not null default '';
update receipt_id set raw_id = message_id;

-- A reply whose receipts are awaited. `segments` has one letter for each segment: `.` awaited, `?` awaited without an id,
-- `-` not taken, `H` in hand, `A` accepted, `U` unknown, `D` delivered, `F` failed. `result` is what they come to, once
-- they do. `ids` names its rows in receipt_id, one a line. Pruned by age.
create table awaited_receipt (
    carrier text not null,
    exchange_key integer not null,
    stream text not null,
    line integer,
    at integer not null,
    destination blob,
    segments text not null,
    ids text not null,
    result text,
    primary key (carrier, exchange_key)
) without rowid;
create index awaited_receipt_open on awaited_receipt (carrier, at) where result is null;
create index awaited_receipt_closed on awaited_receipt (carrier, at) where result is not null;
insert into awaited_receipt (carrier, exchange_key, stream, line, at, segments, ids)
    select r.carrier, r.exchange_key, coalesce(min(s.stream), 'T'), min(s.line), max(r.at), substr('................................', 1, max(r.segment) + 1), group_concat(r.message_id, char(10))
    from receipt_id r left join settlement s on s.exchange_key = r.exchange_key and s.closes = 1
    group by r.carrier, r.exchange_key;

-- Token of whom the receipt names as its message's receiver.
alter table early_receipt add column destination blob;
create index early_receipt_at on early_receipt (at);
