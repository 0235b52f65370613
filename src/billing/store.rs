//! The SQL of billing files: their numbers and claims, given in one transaction under a lock.

use std::collections::HashMap;

use sqlx::FromRow;

use super::{
    BillingError, CloseReason,
    calendar::Calendar,
    file::{FORMAT, Head},
    line::{FIRST_HASH, FIRST_SHA256},
};
use crate::{
    clock::Micros,
    db::{Column, Db, DbError, Insert, Tx, in_tx, reading},
    ledger::read::store::{RecordKind, Span, extent, first_event, high_water_in},
    message::{CarrierId, RowKey, Stream},
};

static CLAIM: Insert = Insert::into("billing_claim", &["carrier", "stream", "file_seq", "epoch", "kind", "lo", "hi"]);

/// A closed file, as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(super) struct FileRow {
    pub(super) carrier: String,
    pub(super) stream: String,
    pub(super) file_seq: i64,
    pub(super) format: String,
    pub(super) operator: String,
    pub(super) code: String,
    pub(super) zone: String,
    pub(super) charge_basis: String,
    /// What the contract's key makes of a constant, so that another key is noticed.
    pub(super) token_check: Option<String>,
    pub(super) period: String,
    pub(super) first_seq: i64,
    pub(super) records: i64,
    pub(super) opened_at: i64,
    pub(super) closed_at: i64,
    pub(super) close_reason: String,
    pub(super) lost: i64,
    pub(super) prev_sha256: String,
    pub(super) prev_line_hash: String,
    pub(super) name: String,
    /// None until it is published.
    pub(super) sha256: Option<String>,
    /// None until it is published.
    pub(super) line_hash: Option<String>,
}

impl FileRow {
    /// The header that the file has.
    pub(super) fn head(&self, calendar: &Calendar) -> Option<Head> {
        Some(Head {
            format: self.format.clone(),
            operator: self.operator.clone(),
            carrier: self.code.clone(),
            stream: self.stream.clone(),
            file_seq: self.file_seq.to_string(),
            period: self.period.clone(),
            opened: calendar.text(Micros(self.opened_at))?,
            closed: calendar.text(Micros(self.closed_at))?,
            zone: self.zone.clone(),
            close_reason: self.close_reason.clone(),
            lost: self.lost.to_string(),
            prev_sha256: self.prev_sha256.clone(),
            prev_line_hash: self.prev_line_hash.clone(),
            tariffs: String::new(),
        })
    }
}

/// What a file claims of one epoch: `lo < n <= hi`.
#[derive(Clone, Debug, FromRow)]
pub(super) struct ClaimRow {
    pub(super) epoch: i64,
    pub(super) kind: String,
    pub(super) lo: i64,
    pub(super) hi: i64,
}

/// Whose next file is to be claimed, and what its header shall say.
pub(super) struct Order<'a> {
    pub(super) carrier: &'a CarrierId,
    pub(super) stream: Stream,
    pub(super) code: &'a str,
    pub(super) operator: &'a str,
    pub(super) zone: &'a str,
    pub(super) token_check: Option<String>,
    pub(super) reason: CloseReason,
}

/// What became of an order.
pub(super) enum Claimed {
    /// The file is numbered; `more` when records of a later month were left to the next one.
    File { file: Box<FileRow>, more: bool },
    /// The file before is not published yet, so its SHA-256 is not known.
    Behind,
}

const COLUMNS: &str = "carrier, stream, file_seq, format, operator, code, zone, charge_basis, token_check, period, \
                       first_seq, records, opened_at, closed_at, close_reason, lost, prev_sha256, prev_line_hash, name, \
                       sha256, line_hash";

/// Numbers the next file of a carrier and stream and claims its records.
pub(super) async fn claim(
    db: &Db,
    order: &Order<'_>,
    calendar: &Calendar,
    now: Micros,
) -> Result<Claimed, BillingError> {
    let mut tx = db.begin().await?;
    if let Tx::Postgres(..) = &tx {
        // SQLite's transaction holds the lock already (`begin immediate`).
        let locked = in_tx!(&mut tx, conn => sqlx::query("lock table billing_file in exclusive mode").execute(conn).await.map(drop));
        locked.map_err(|error| tx.fault(&error))?;
    }
    let last = last_file(&mut tx, order).await?;
    if last.as_ref().is_some_and(|last| last.sha256.is_none() || last.line_hash.is_none()) {
        return Ok(Claimed::Behind);
    }
    let mut spans = unclaimed(&mut tx, order).await?;
    let mut first = None;
    for span in &spans {
        let at = first_event(&mut tx, *span).await?;
        first = first.into_iter().chain(at).min();
    }
    let opened = last.as_ref().map_or_else(|| first.map_or(now, |first| first.min(now)), |last| Micros(last.closed_at));
    let closed = now.max(opened);
    let unfit = || BillingError::Zone { zone: order.zone.to_owned() };
    // A file belongs to one month: that of its first record, never before the file before it. A clock that once ran ahead
    // must not carry the files with it, so no file belongs to a month after its closing.
    let period = calendar.period(first.map_or(closed, |first| first.min(closed))).ok_or_else(unfit)?;
    let period = last.as_ref().map_or(period.clone(), |last| last.period.clone().max(period));
    let end = calendar.end_of(&period).ok_or_else(unfit)?;
    let (mut records, mut more) = (0, false);
    for span in &mut spans {
        let (count, beyond) = extent(&mut tx, *span, end).await?;
        records += match beyond.filter(|_| end <= closed) {
            None => count,
            Some(beyond) => {
                more = true;
                span.hi = RowKey(beyond.0 - 1);
                extent(&mut tx, *span, end).await?.0
            }
        };
    }
    spans.retain(|span| span.lo < span.hi);
    let mut file = FileRow {
        carrier: order.carrier.as_str().to_owned(),
        stream: order.stream.letter().to_owned(),
        file_seq: last.as_ref().map_or(0, |last| last.file_seq) + 1,
        format: FORMAT.to_owned(),
        operator: order.operator.to_owned(),
        code: order.code.to_owned(),
        zone: order.zone.to_owned(),
        charge_basis: "ACCEPTED".to_owned(),
        token_check: order.token_check.clone(),
        period,
        first_seq: last.as_ref().map_or(1, |last| last.first_seq + last.records),
        records,
        opened_at: opened.0,
        closed_at: closed.0,
        close_reason: order.reason.as_str().to_owned(),
        lost: 0,
        prev_sha256: last.as_ref().and_then(|last| last.sha256.clone()).unwrap_or_else(|| FIRST_SHA256.to_owned()),
        prev_line_hash: last.and_then(|last| last.line_hash).unwrap_or_else(|| FIRST_HASH.to_owned()),
        name: String::new(),
        sha256: None,
        line_hash: None,
    };
    file.name = file.head(calendar).and_then(|head| head.name()).ok_or_else(unfit)?;
    insert(&mut tx, &file, &spans).await?;
    tx.commit().await?;
    Ok(Claimed::File { file: Box::new(file), more })
}

async fn last_file(tx: &mut Tx<'_>, order: &Order<'_>) -> Result<Option<FileRow>, DbError> {
    let text =
        format!("select {COLUMNS} from billing_file where carrier = $1 and stream = $2 order by file_seq desc limit 1");
    let row = in_tx!(&mut *tx, conn => sqlx::query_as(sqlx::AssertSqlSafe(text))
        .bind(order.carrier.as_str()).bind(order.stream.letter()).fetch_optional(conn).await);
    row.map_err(|error| tx.fault(&error))
}

/// What lies between the claims so far and the high-water marks: in order of epoch, questions before replies. One step
/// into an index for each epoch and kind, however many files there are.
async fn unclaimed<'a>(tx: &mut Tx<'_>, order: &Order<'a>) -> Result<Vec<Span<'a>>, DbError> {
    type Row = (i64, Option<i64>, Option<i64>);
    let rows: Result<Vec<Row>, sqlx::Error> = in_tx!(&mut *tx, conn => sqlx::query_as(
        "select w.epoch,
                (select max(c.hi) from billing_claim c
                 where c.carrier = $1 and c.stream = $2 and c.epoch = w.epoch and c.kind = 'MO'),
                (select max(c.hi) from billing_claim c
                 where c.carrier = $1 and c.stream = $2 and c.epoch = w.epoch and c.kind = 'MT')
         from writer w",
    ).bind(order.carrier.as_str()).bind(order.stream.letter()).fetch_all(conn).await);
    let rows = rows.map_err(|error| tx.fault(&error))?;
    let claimed: HashMap<i64, (i64, i64)> =
        rows.into_iter().map(|(epoch, mo, mt)| (epoch, (mo.unwrap_or(0), mt.unwrap_or(0)))).collect();
    let mut spans = Vec::new();
    for mark in high_water_in(tx).await? {
        let (mo, mt) = claimed.get(&mark.epoch).copied().unwrap_or_default();
        for (kind, low, high) in [(RecordKind::Mo, mo, mark.exchange_high), (RecordKind::Mt, mt, mark.settlement_high)]
        {
            if low < high {
                let (lo, hi) = (RowKey::new(mark.epoch, low), RowKey::new(mark.epoch, high));
                spans.push(Span { kind, carrier: order.carrier, stream: order.stream, lo, hi });
            }
        }
    }
    Ok(spans)
}

async fn insert(tx: &mut Tx<'_>, file: &FileRow, spans: &[Span<'_>]) -> Result<(), DbError> {
    let text = format!(
        "insert into billing_file ({COLUMNS}) values
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, null, null)"
    );
    let done = in_tx!(&mut *tx, conn => sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(&file.carrier)
        .bind(&file.stream)
        .bind(file.file_seq)
        .bind(&file.format)
        .bind(&file.operator)
        .bind(&file.code)
        .bind(&file.zone)
        .bind(&file.charge_basis)
        .bind(&file.token_check)
        .bind(&file.period)
        .bind(file.first_seq)
        .bind(file.records)
        .bind(file.opened_at)
        .bind(file.closed_at)
        .bind(&file.close_reason)
        .bind(file.lost)
        .bind(&file.prev_sha256)
        .bind(&file.prev_line_hash)
        .bind(&file.name)
        .execute(conn)
        .await
        .map(drop));
    done.map_err(|error| tx.fault(&error))?;
    let ints = |of: fn(&Span<'_>) -> i64| Column::Int(spans.iter().map(|span| Some(of(span))).collect());
    let same = |text: &str| Column::Text(vec![Some(text.to_owned()); spans.len()]);
    let columns = vec![
        same(&file.carrier),
        same(&file.stream),
        Column::Int(vec![Some(file.file_seq); spans.len()]),
        ints(|span| span.hi.epoch()),
        Column::Text(spans.iter().map(|span| Some(span.kind.as_str().to_owned())).collect()),
        ints(|span| span.lo.n()),
        ints(|span| span.hi.n()),
    ];
    CLAIM.run(tx, columns).await
}

/// Files of a carrier and stream behind a number, oldest first, at most `limit`; only those not published yet, unless
/// `all`.
pub(super) async fn files(
    db: &Db,
    carrier: &CarrierId,
    stream: Stream,
    after: i64,
    all: bool,
    limit: i64,
) -> Result<Vec<FileRow>, DbError> {
    let text = format!(
        "select {COLUMNS} from billing_file
         where carrier = $1 and stream = $2 and file_seq > $3
           and (cast($4 as bigint) = 1 or sha256 is null or line_hash is null)
         order by file_seq limit $5"
    );
    let rows = reading!(db, pool => sqlx::query_as(sqlx::AssertSqlSafe(text))
        .bind(carrier.as_str()).bind(stream.letter()).bind(after).bind(i64::from(all)).bind(limit)
        .fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// What a file claims, in the order of its records.
pub(super) async fn claims(db: &Db, file: &FileRow) -> Result<Vec<ClaimRow>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select epoch, kind, lo, hi from billing_claim
         where carrier = $1 and stream = $2 and file_seq = $3 order by epoch, kind",
    ).bind(&file.carrier).bind(&file.stream).bind(file.file_seq).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// What the published files hold: carrier, stream, epoch, kind, and the highest n.
pub(super) async fn published_claims(db: &Db) -> Result<Vec<(String, String, i64, String, i64)>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select c.carrier, c.stream, c.epoch, c.kind, max(c.hi) from billing_claim c
         join billing_file f on f.carrier = c.carrier and f.stream = c.stream and f.file_seq = c.file_seq
         where f.sha256 is not null and f.line_hash is not null
         group by c.carrier, c.stream, c.epoch, c.kind",
    ).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// Records that a file is published. `false` when another content was recorded before.
pub(super) async fn published(db: &Db, file: &FileRow, sha256: &str, line_hash: &str) -> Result<bool, DbError> {
    let mut tx = db.begin().await?;
    let done = in_tx!(&mut tx, conn => sqlx::query(
        "update billing_file set sha256 = $1, line_hash = $2
         where carrier = $3 and stream = $4 and file_seq = $5 and (sha256 is null or sha256 = $1)",
    )
    .bind(sha256)
    .bind(line_hash)
    .bind(&file.carrier)
    .bind(&file.stream)
    .bind(file.file_seq)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()));
    let rows = done.map_err(|error| tx.fault(&error))?;
    tx.commit().await?;
    Ok(rows == 1)
}
