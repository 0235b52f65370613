-- Removal of the old.

-- How far the oldest rows of an epoch were removed by age. The audit chain goes on from here: `audit_hash` is that of the
-- last exchange removed. `seal` is a keyed token of the row, so that rows taken away by hand cannot pass for pruned ones.
create table pruned (
    epoch integer primary key,
    exchange_n integer not null,
    exchanges integer not null,
    audit_hash blob not null,
    settlement_n integer not null,
    settlements integer not null,
    at integer not null,
    seal blob not null
);

-- A start asks for the last hours alone.
create index session_break_at on session_break (at);
-- Who runs now, whatever ran before: asked for by starts and by those who look after others.
create index writer_live on writer (instance) where ended_at is null;
