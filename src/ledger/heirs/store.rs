//! The SQL of several instances on one store. What a start wrote belongs to the instance whose start it was, or to the
//! one that took it over, carrier by carrier.

use super::{Sign, Taken};
use crate::{
    clock::Micros,
    db::{Db, DbError, Tx, in_tx, reading},
    message::{CarrierId, EPOCH_BITS},
};

/// The last start of each other instance.
pub(super) async fn signs(db: &Db, instance: &str) -> Result<Vec<Sign>, DbError> {
    let rows: Result<Vec<(String, i64, i64, i64)>, sqlx::Error> = reading!(db, pool => sqlx::query_as(
        "select w.instance, w.epoch, w.commits, cast(case when w.ended_at is null then 0 else 1 end as bigint) from writer w
         where w.epoch in (select max(epoch) from writer where instance <> $1 group by instance)",
    ).bind(instance).fetch_all(pool).await);
    let sign = |(instance, epoch, commits, ended)| Sign { instance, epoch, commits, ended: ended != 0 };
    rows.map(|rows| rows.into_iter().map(sign).collect()).map_err(|error| db.fault(&error))
}

/// Ends the starts of the dead, unless one has committed since it was seen, and takes over what they own with these
/// carriers. Gives who was ended and what was taken.
pub(super) async fn take_over(
    db: &Db,
    (heir, instance): (i64, &str),
    dead: &[Sign],
    carriers: &[CarrierId],
    now: Micros,
) -> Result<(Vec<String>, Vec<Taken>), DbError> {
    let mut tx = db.begin().await?;
    if let Tx::Postgres(..) = &tx {
        // Keeps out a start, which locks the table against all writers, and no commit of anybody: a process that is paused
        // in the middle of one must not hold up the others behind this.
        let locked = in_tx!(&mut tx, conn => sqlx::raw_sql(
            "set local lock_timeout = 1000; lock table writer in row exclusive mode",
        ).execute(conn).await.map(|_| ()));
        locked.map_err(|error| tx.fault(&error))?;
    }
    let mut fenced = Vec::new();
    for sign in dead.iter().filter(|sign| !sign.ended) {
        // A commit that is under way is waited for, and then counts.
        let done = in_tx!(&mut tx, conn => sqlx::query(
            "update writer set ended_at = committed_at where epoch = $1 and commits = $2 and ended_at is null",
        ).bind(sign.epoch).bind(sign.commits).execute(conn).await.map(|done| done.rows_affected()));
        if done.map_err(|error| tx.fault(&error))? == 1 {
            fenced.push(sign.instance.clone());
        }
    }
    let mut taken = Vec::new();
    for carrier in carriers {
        for (epoch, owner, before) in left(&mut tx, instance, carrier).await? {
            if !dead.iter().any(|sign| sign.instance == owner) {
                continue;
            }
            let done = in_tx!(&mut tx, conn => sqlx::query(
                "insert into adopted (epoch, carrier, heir, at) values ($1, $2, $3, $4)
                 on conflict (epoch, carrier) do update set heir = excluded.heir, at = excluded.at where adopted.heir = $5",
            )
            .bind(epoch)
            .bind(carrier.as_str())
            .bind(heir)
            .bind(now.0)
            .bind(before)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()));
            if done.map_err(|error| tx.fault(&error))? == 1 {
                taken.push(Taken { epoch, carrier: carrier.clone(), of: owner });
            }
        }
    }
    tx.commit().await?;
    Ok((fenced, taken))
}

/// Starts with replies or parts of a carrier whose owner is another instance and does not run: epoch, owner, and which
/// start had taken it over before (0: none).
async fn left(tx: &mut Tx<'_>, instance: &str, carrier: &CarrierId) -> Result<Vec<(i64, String, i64)>, DbError> {
    let rows: Result<Vec<(i64, String, i64)>, sqlx::Error> = in_tx!(&mut *tx, conn => sqlx::query_as(
        "select w.epoch, coalesce(h.instance, w.instance), coalesce(a.heir, 0) from writer w
         left join adopted a on a.epoch = w.epoch and a.carrier = $1
         left join writer h on h.epoch = a.heir
         where w.ended_at is not null and coalesce(h.instance, w.instance) <> $2
           and not exists (select 1 from writer l where l.instance = coalesce(h.instance, w.instance) and l.ended_at is null)
           and (exists (select 1 from outbox o
                        where o.key >= (w.epoch << 40) and o.key < ((w.epoch + 1) << 40) and o.carrier = $1)
             or exists (select 1 from part p
                        where p.key >= (w.epoch << 40) and p.key < ((w.epoch + 1) << 40) and p.carrier = $1))
         order by w.epoch",
    ).bind(carrier.as_str()).bind(instance).fetch_all(conn).await);
    rows.map_err(|error| tx.fault(&error))
}

/// What a start has taken over: epoch and carrier.
pub(super) async fn taken_by(db: &Db, heir: i64) -> Result<Vec<(i64, String)>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select epoch, carrier from adopted where heir = $1 order by epoch, carrier",
    ).bind(heir).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

// The statements shift by the bits that a key leaves to its number.
const _: () = assert!(EPOCH_BITS == 62 - 40);
