-- Removal of the old.

-- How far the oldest rows of an epoch were removed by age. The audit chain goes on from here: `audit_hash` is that of the
-- last exchange removed. `seal` is a keyed token of the row, so that rows taken away by hand cannot pass for pruned ones.
create table pruned (
    epoch bigint primary key,
    exchange_n bigint not null,
    exchanges bigint not null,
    audit_hash bytea not null,
    settlement_n bigint not null,
    settlements bigint not null,
    at bigint not null,
    seal bytea not null
);

-- A start asks for the last hours alone.
create index session_break_at on session_break (at);
-- Who runs now, whatever ran before: asked for by starts and by those who look after others.
create index writer_live on writer (instance) where ended_at is null;
