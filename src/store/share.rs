//! Statements of who shares a subject, and what each share of a record came to.

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::Day;
use crate::domain::wallet::sharing::{Part, Share, Statement, in_force};

use super::behaviour::{hash, place};
use super::bulk;
use super::link::Link;
use super::reduction::ReductionRow;
use super::schema::{corrections, reduction_shares, reductions, share_statements, subject_shares};
use super::{Conn, Id, StoreError, StoreResult, Ts, Tx};

/// Who said when that a subject is shared from which day on.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = share_statements, treat_none_as_default_value = false)]
pub struct StatementRow {
    pub subject: Vec<u8>,
    /// A subject's statements one after the other, from 1.
    pub seq: i32,
    /// The link under which it was made.
    pub link_seq: i32,
    pub from_day: Day,
    /// The city's day on which it was stated.
    pub stated_day: Day,
    pub stated_at: Ts,
    /// The account that stated it: the owner's, or that of a member who left.
    pub stated_by: Id,
}

/// One account's share in one statement.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = subject_shares, treat_none_as_default_value = false)]
pub struct ShareRow {
    pub subject: Vec<u8>,
    pub seq: i32,
    pub account_id: Id,
    pub weight: i32,
}

/// A reduction that is one share of what a record came to.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = reduction_shares, treat_none_as_default_value = false)]
pub struct PartRow {
    pub batch_id: Id,
    pub pos: i32,
    pub subject: Vec<u8>,
    pub day: Day,
    /// The record from which it was computed.
    pub record_batch: Id,
    pub record_pos: i32,
    /// What all shares of the record come to, in mg CO₂e.
    pub whole_mg: i64,
    pub weight: i32,
    /// The sum of all weights.
    pub weights: i32,
}

impl PartRow {
    /// One part, as [`crate::domain::wallet::sharing::parts`] gave it for these shares.
    pub fn new(
        reduction: ReductionId,
        subject: SubjectHash,
        day: Day,
        record: ReductionId,
        whole_mg: i64,
        part: &Part,
        shares: &[Share],
    ) -> PartRow {
        let small = |weight: u32| i32::try_from(weight).unwrap_or(i32::MAX);
        PartRow {
            batch_id: reduction.batch.into(),
            pos: small(reduction.pos),
            subject: subject.to_vec(),
            day,
            record_batch: record.batch.into(),
            record_pos: small(record.pos),
            whole_mg,
            weight: small(part.weight),
            weights: small(shares.iter().map(|share| share.weight).sum()),
        }
    }
}

/// The statements of some subjects; most subjects have none.
#[derive(Debug, Clone, Default)]
pub struct Sharing {
    by_subject: HashMap<SubjectHash, Vec<(i32, Statement)>>,
}

impl Sharing {
    /// Who shares a subject on a day of this link; empty where all of it is the link's account's.
    pub fn on(&self, subject: &SubjectHash, link: &Link, day: Day) -> Vec<Share> {
        let Some(statements) = self.by_subject.get(subject) else {
            return Vec::new();
        };
        let under: Vec<Statement> = statements
            .iter()
            .filter(|(under, _)| *under == link.seq)
            .map(|(_, statement)| statement.clone())
            .collect();
        match in_force(&under, day) {
            Some(statement) if statement.shares.len() > 1 => statement.shares.clone(),
            _ => Vec::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }
}

/// Who shares these subjects. `subjects` are sorted and distinct.
///
/// # Errors
/// The query failed.
pub fn sharing_of(conn: &mut Conn, subjects: &[SubjectHash]) -> StoreResult<Sharing> {
    // Most cities share few subjects, and many batches hold none of them.
    let any = share_statements::table.select(share_statements::seq);
    let anybody: bool = diesel::select(diesel::dsl::exists(any)).get_result(conn)?;
    if !anybody {
        return Ok(Sharing::default());
    }
    let (statements, shares) = match conn {
        Conn::Pg(c) => bulk::postgres::shares_of(c, subjects)?,
        Conn::Sqlite(c) => bulk::sqlite::shares_of(c, subjects)?,
    };
    let mut sharing = Sharing::default();
    for (row, statement) in assembled(statements, shares) {
        let subject = hash(&row.subject, "share_statements.subject")?;
        let known = sharing.by_subject.entry(subject).or_default();
        known.push((row.link_seq, statement));
    }
    Ok(sharing)
}

/// Everything that was stated of one subject, in order.
///
/// # Errors
/// The query failed.
pub fn statements_of(
    conn: &mut Conn,
    subject: &SubjectHash,
) -> StoreResult<Vec<(StatementRow, Statement)>> {
    let statements = share_statements::table
        .filter(share_statements::subject.eq(subject.as_slice()))
        .order(share_statements::seq.asc())
        .load(conn)?;
    let shares = subject_shares::table
        .filter(subject_shares::subject.eq(subject.as_slice()))
        .order((subject_shares::seq.asc(), subject_shares::account_id.asc()))
        .load(conn)?;
    Ok(assembled(statements, shares))
}

fn assembled(
    statements: Vec<StatementRow>,
    shares: Vec<ShareRow>,
) -> Vec<(StatementRow, Statement)> {
    let mut by_statement: HashMap<(Vec<u8>, i32), Vec<Share>> = HashMap::new();
    for row in shares {
        let share = Share {
            account: row.account_id.0,
            weight: u32::try_from(row.weight).unwrap_or(0),
        };
        let of = by_statement.entry((row.subject, row.seq)).or_default();
        of.push(share);
    }
    let with_shares = |row: StatementRow| {
        let shares = by_statement.remove(&(row.subject.clone(), row.seq));
        let mut shares = shares.unwrap_or_default();
        shares.sort_by_key(|share| share.account);
        let statement = Statement {
            seq: row.seq,
            from: row.from_day,
            shares,
        };
        (row, statement)
    };
    statements.into_iter().map(with_shares).collect()
}

/// The subjects of which some statement gives this account a share.
///
/// # Errors
/// The query failed.
pub fn subjects_shared_with(conn: &mut Conn, account: Uuid) -> StoreResult<Vec<SubjectHash>> {
    let subjects: Vec<Vec<u8>> = subject_shares::table
        .filter(subject_shares::account_id.eq(Id(account)))
        .select(subject_shares::subject)
        .distinct()
        .load(conn)?;
    subjects
        .iter()
        .map(|subject| hash(subject, "subject_shares.subject"))
        .collect()
}

/// States who shares a subject.
///
/// # Errors
/// The place is taken, a share is out of bounds, or the write failed.
pub fn append_statement(tx: &mut Tx<'_>, row: &StatementRow, shares: &[Share]) -> StoreResult<()> {
    diesel::insert_into(share_statements::table)
        .values(row)
        .execute(&mut **tx)?;
    let shares: Vec<ShareRow> = shares
        .iter()
        .map(|share| ShareRow {
            subject: row.subject.clone(),
            seq: row.seq,
            account_id: Id(share.account),
            weight: i32::try_from(share.weight).unwrap_or(0),
        })
        .collect();
    each_backend!(&mut **tx, |c| diesel::insert_into(subject_shares::table)
        .values(&shares)
        .execute(c)?);
    Ok(())
}

/// Writes that reductions are shares of what a record came to.
///
/// # Errors
/// The write failed.
pub fn append_parts(tx: &mut Tx<'_>, rows: &[PartRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(reduction_shares::table)
                .values(chunk)
                .execute(c)?;
        }
    });
    Ok(())
}

/// Of what a reduction is a share, if it is one.
///
/// # Errors
/// The query failed.
pub fn part(conn: &mut Conn, id: ReductionId) -> StoreResult<Option<PartRow>> {
    Ok(reduction_shares::table
        .find((Id(id.batch), place(id)?))
        .first(conn)
        .optional()?)
}

/// The reductions that are shares of what one record came to, by account; none where it was not
/// shared.
///
/// # Errors
/// The query failed.
pub fn parts_of_record(conn: &mut Conn, record: ReductionId) -> StoreResult<Vec<ReductionRow>> {
    Ok(reduction_shares::table
        .inner_join(
            reductions::table.on(reductions::batch_id
                .eq(reduction_shares::batch_id)
                .and(reductions::pos.eq(reduction_shares::pos))),
        )
        .filter(reduction_shares::record_batch.eq(Id(record.batch)))
        .filter(reduction_shares::record_pos.eq(place(record)?))
        .order((reductions::account_id.asc(), reductions::pos.asc()))
        .select(reductions::all_columns)
        .load(conn)?)
}

/// What each account got of a shared subject's records of the days from `from` to before `out`, in
/// mg CO₂e; what was taken back since does not count.
///
/// # Errors
/// The query failed, or a sum leaves 64 bits.
pub fn parts_between(
    conn: &mut Conn,
    subject: &SubjectHash,
    from: Day,
    out: Day,
) -> StoreResult<Vec<(Uuid, i64)>> {
    let taken_back = corrections::table
        .filter(corrections::reversed_batch.eq(reduction_shares::batch_id))
        .filter(corrections::reversed_pos.eq(reduction_shares::pos));
    let rows: Vec<(Id, i64)> = reduction_shares::table
        .inner_join(
            reductions::table.on(reductions::batch_id
                .eq(reduction_shares::batch_id)
                .and(reductions::pos.eq(reduction_shares::pos))),
        )
        .filter(reduction_shares::subject.eq(subject.as_slice()))
        .filter(reduction_shares::day.ge(from))
        .filter(reduction_shares::day.lt(out))
        .filter(diesel::dsl::not(diesel::dsl::exists(taken_back)))
        .order(reductions::account_id.asc())
        .select((reductions::account_id, reductions::mg))
        .load(conn)?;
    let mut sums: Vec<(Uuid, i64)> = Vec::new();
    for (account, mg) in rows {
        match sums.last_mut().filter(|(known, _)| *known == account.0) {
            Some((_, sum)) => {
                *sum = sum
                    .checked_add(mg)
                    .ok_or_else(|| StoreError::Corrupt("reduction_shares: a sum".to_owned()))?;
            }
            None => sums.push((account.0, mg)),
        }
    }
    Ok(sums)
}
