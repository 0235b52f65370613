-- The ledger: what was asked, what was decided, what was sent, what became of it.
-- Keys are (writer epoch << 40 | n), in commit order. Times are UTC microseconds. Nothing on the message path is
-- updated but the one row of `writer`, and no table on it has an index beside its key.

-- One row for each start of a process. Its high-water marks say which keys are committed; `ended_at` fences a process
-- that was replaced. `salt` makes the epoch's sealing keys.
create table writer (
    epoch integer primary key,
    instance text not null,
    started_at integer not null,
    salt blob not null,
    key_id integer not null,
    exchange_high integer not null,
    settlement_high integer not null,
    commits integer not null,
    committed_at integer not null,
    lease_until integer not null,
    audit_head blob not null,
    ended_at integer
);

-- One row for each citizen's message: the question's billing record (MO), the pending part of the reply's (MT) and the
-- audit entry are fields of it. `sealed` holds the sender's number.
create table exchange (
    key integer primary key,
    received_at integer not null,
    committed_at integer not null,
    carrier text not null,
    stream text not null,
    line integer not null,
    short_code text not null,
    sender_token blob,
    subject_token blob,
    key_token blob,
    outcome integer not null,
    reason integer not null,
    service integer not null,
    lang text not null,
    fields integer not null,
    parts integer not null,
    concat_ref integer,
    data_coding integer not null,
    chars integer not null,
    charge_class integer not null,
    fingerprints blob not null,
    template_version integer,
    reply_segments integer not null,
    reply_coding integer,
    reply_chars integer,
    sealed blob,
    audit_hash blob not null
);

-- A reply that is not settled. Deleted when it is.
create table outbox (
    key integer primary key,
    carrier text not null,
    created_at integer not null,
    expires_at integer not null,
    sealed blob not null
);

-- Replies about to be sent, only for carriers whose rule for lost responses is `hold`: after a crash these are in doubt.
create table sending (
    key integer primary key
);

-- What became of a reply, appended. The one row with closes = 1 is the reply's billing record (MT).
create table settlement (
    key integer primary key,
    exchange_key integer,
    kind integer not null,
    closes integer not null,
    carrier text not null,
    stream text not null,
    line integer,
    submitted_at integer,
    settled_at integer not null,
    result text not null,
    seg_planned integer not null,
    seg_accepted integer not null,
    seg_delivered integer,
    status integer,
    error text,
    message_ids text,
    flags integer not null
);

-- Message ids that receipts may name, for carriers with receipts. Pruned by age.
create table receipt_id (
    carrier text not null,
    message_id text not null,
    exchange_key integer not null,
    segment integer not null,
    at integer not null,
    primary key (carrier, message_id, exchange_key, segment)
) without rowid;

-- Receipts whose message id no response has named yet: a receipt may overtake the response to its submit_sm.
-- Taken out when the id comes. Pruned by age.
create table early_receipt (
    carrier text not null,
    message_id text not null,
    settlement_key integer not null,
    line integer not null,
    at integer not null,
    result text not null,
    error text not null,
    raw_id text not null,
    primary key (carrier, message_id, settlement_key)
) without rowid;

-- A part of a long text whose other parts have not come yet. Deleted in the transaction of its exchange.
create table part (
    key integer primary key,
    received_at integer not null,
    carrier text not null,
    line integer not null,
    set_token blob not null,
    part_index integer not null,
    part_total integer not null,
    concat_ref integer not null,
    data_coding integer not null,
    fingerprint blob not null,
    sealed blob not null
);

-- A question (or part) that the SMSC sent again and that was recognised.
create table repeat_question (
    key integer primary key,
    of_key integer not null,
    carrier text not null,
    received_at integer not null
);

-- A closed billing file, numbered from 1 for each carrier and stream. It holds all that stands in the file beside the
-- ledger's rows, so that the same bytes can be made again for ever. Only `sha256` and `line_hash` come later: once it is
-- published. `first_seq` goes on where the file before ended; an empty file has records = 0.
create table billing_file (
    carrier text not null,
    stream text not null,
    file_seq integer not null,
    format text not null,
    operator text not null,
    code text not null,
    zone text not null,
    charge_basis text not null,
    token_check text,
    period text not null,
    first_seq integer not null,
    records integer not null,
    opened_at integer not null,
    closed_at integer not null,
    close_reason text not null,
    lost integer not null,
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
    file_seq integer not null,
    epoch integer not null,
    kind text not null,
    lo integer not null,
    hi integer not null,
    primary key (carrier, stream, file_seq, epoch, kind),
    unique (carrier, stream, epoch, kind, hi),
    check (lo < hi)
);

-- A session with a carrier ended: what was answered shortly before may be sent again (`high_key`: the last exchange then).
create table session_break (
    epoch integer not null,
    carrier text not null,
    at integer not null,
    high_key integer not null,
    primary key (epoch, carrier, at)
);
