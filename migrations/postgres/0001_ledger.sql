-- The ledger: what was asked, what was decided, what was sent, what became of it.
-- Keys are (writer epoch << 40 | n), in commit order. Times are UTC microseconds. Nothing on the message path is
-- updated but the one row of `writer`, and no table on it has an index beside its key.

-- One row for each start of a process. Its high-water marks say which keys are committed; `ended_at` fences a process
-- that was replaced. `salt` makes the epoch's sealing keys.
create table writer (
    epoch bigint primary key,
    instance text not null,
    started_at bigint not null,
    salt bytea not null,
    key_id bigint not null,
    exchange_high bigint not null,
    settlement_high bigint not null,
    commits bigint not null,
    committed_at bigint not null,
    lease_until bigint not null,
    audit_head bytea not null,
    ended_at bigint
);

-- One row for each citizen's message: the question's billing record (MO), the pending part of the reply's (MT) and the
-- audit entry are fields of it. `sealed` holds the sender's number.
create table exchange (
    key bigint primary key,
    received_at bigint not null,
    committed_at bigint not null,
    carrier text not null,
    stream text not null,
    line bigint not null,
    short_code text not null,
    sender_token bytea,
    subject_token bytea,
    key_token bytea,
    outcome bigint not null,
    reason bigint not null,
    service bigint not null,
    lang text not null,
    fields bigint not null,
    parts bigint not null,
    concat_ref bigint,
    data_coding bigint not null,
    chars bigint not null,
    charge_class bigint not null,
    fingerprints bytea not null,
    template_version bigint,
    reply_segments bigint not null,
    reply_coding bigint,
    reply_chars bigint,
    sealed bytea,
    audit_hash bytea not null
);

-- A reply that is not settled. Deleted when it is.
create table outbox (
    key bigint primary key,
    carrier text not null,
    created_at bigint not null,
    expires_at bigint not null,
    sealed bytea not null
);

-- Replies about to be sent, only for carriers whose rule for lost responses is `hold`: after a crash these are in doubt.
create table sending (
    key bigint primary key
);

-- What became of a reply, appended. The one row with closes = 1 is the reply's billing record (MT).
create table settlement (
    key bigint primary key,
    exchange_key bigint,
    kind bigint not null,
    closes bigint not null,
    carrier text not null,
    stream text not null,
    line bigint,
    submitted_at bigint,
    settled_at bigint not null,
    result text not null,
    seg_planned bigint not null,
    seg_accepted bigint not null,
    seg_delivered bigint,
    status bigint,
    error text,
    message_ids text,
    flags bigint not null
);

-- Message ids that receipts may name, for carriers with receipts. Pruned by age.
create table receipt_id (
    carrier text not null,
    message_id text not null,
    exchange_key bigint not null,
    segment bigint not null,
    at bigint not null,
    primary key (carrier, message_id, exchange_key, segment)
);

-- Receipts whose message id no response has named yet: a receipt may overtake the response to its submit_sm.
-- Taken out when the id comes. Pruned by age.
create table early_receipt (
    carrier text not null,
    message_id text not null,
    settlement_key bigint not null,
    line bigint not null,
    at bigint not null,
    result text not null,
    error text not null,
    raw_id text not null,
    primary key (carrier, message_id, settlement_key)
);

-- A part of a long text whose other parts have not come yet. Deleted in the transaction of its exchange.
create table part (
    key bigint primary key,
    received_at bigint not null,
    carrier text not null,
    line bigint not null,
    set_token bytea not null,
    part_index bigint not null,
    part_total bigint not null,
    concat_ref bigint not null,
    data_coding bigint not null,
    fingerprint bytea not null,
    sealed bytea not null
);

-- A question (or part) that the SMSC sent again and that was recognised.
create table repeat_question (
    key bigint primary key,
    of_key bigint not null,
    carrier text not null,
    received_at bigint not null
);

-- A closed billing file, numbered from 1 for each carrier and stream. It holds all that stands in the file beside the
-- ledger's rows, so that the same bytes can be made again for ever. Only `sha256` and `line_hash` come later: once it is
-- published. `first_seq` goes on where the file before ended; an empty file has records = 0.
create table billing_file (
    carrier text not null,
    stream text not null,
    file_seq bigint not null,
    format text not null,
    operator text not null,
    code text not null,
    zone text not null,
    charge_basis text not null,
    token_check text,
    period text not null,
    first_seq bigint not null,
    records bigint not null,
    opened_at bigint not null,
    closed_at bigint not null,
    close_reason text not null,
    lost bigint not null,
    prev_sha256 text not null,
    prev_line_hash text not null,
    name text not null,
    sha256 text,
    line_hash text,
    primary key (carrier, stream, file_seq)
);

-- What a billing file claims: lo < n <= hi of the exchanges (MO) or settlements (MT) of one epoch.
create table billing_claim (
    carrier text not null,
    stream text not null,
    file_seq bigint not null,
    epoch bigint not null,
    kind text not null,
    lo bigint not null,
    hi bigint not null,
    primary key (carrier, stream, file_seq, epoch, kind),
    unique (carrier, stream, epoch, kind, hi),
    check (lo < hi)
);

-- A session with a carrier ended: what was answered shortly before may be sent again (`high_key`: the last exchange then).
create table session_break (
    epoch bigint not null,
    carrier text not null,
    at bigint not null,
    high_key bigint not null,
    primary key (epoch, carrier, at)
);
