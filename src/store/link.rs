//! Links (绑定): whose account a partner's subject is, from which day to which. A subject's links
//! follow each other without a gap; an ended link keeps its days for ever.

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;
use crate::domain::context::Actor;
use crate::domain::wallet::Day;

use super::behaviour::hash;
use super::bulk;
use super::schema::subject_links;
use super::{Conn, Id, StoreError, StoreResult, Ts, Tx};

/// The first day of a subject's first link: whatever was recorded before it was made counts too.
pub const FROM_THE_START: Day = -1_000_000;

/// One link.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = subject_links, treat_none_as_default_value = false)]
pub struct LinkRow {
    pub subject: Vec<u8>,
    /// A subject's links one after the other, from 1.
    pub seq: i32,
    pub account_id: Id,
    pub linked_at: Ts,
    /// Unknown for links made before this was kept.
    pub partner_id: Option<Id>,
    pub from_day: Day,
    /// The first day that is no longer this account's; `None` while nobody ended it.
    pub out_day: Option<Day>,
    pub ended_at: Option<Ts>,
    /// `citizen`, `partner` or `bureau`, and the party's id.
    pub ended_role: Option<String>,
    pub ended_by: Option<Id>,
}

impl LinkRow {
    pub fn covers(&self, day: Day) -> bool {
        self.from_day <= day && self.out_day.is_none_or(|out| day < out)
    }

    /// # Errors
    /// The stored hash is not 32 bytes.
    pub fn subject(&self) -> StoreResult<SubjectHash> {
        hash(&self.subject, "subject_links.subject")
    }
}

/// What a batch needs of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub account: Uuid,
    pub seq: i32,
    from: Day,
    out: Option<Day>,
}

impl Link {
    fn covers(&self, day: Day) -> bool {
        self.from <= day && self.out.is_none_or(|out| day < out)
    }
}

/// The links of some subjects. Nearly all have one, without an end.
#[derive(Debug, Clone, Default)]
pub struct Links {
    newest: HashMap<SubjectHash, Link>,
    earlier: HashMap<SubjectHash, Vec<Link>>,
}

impl Links {
    /// The link that covers a day.
    pub fn on(&self, subject: &SubjectHash, day: Day) -> Option<Link> {
        let newest = self.newest.get(subject)?;
        if newest.covers(day) {
            return Some(*newest);
        }
        let mut earlier = self.earlier.get(subject)?.iter();
        earlier.find(|link| link.covers(day)).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    /// Takes in what was read later, in place of what was known of the same subjects.
    pub fn extend(&mut self, later: Links) {
        self.newest.extend(later.newest);
        self.earlier.extend(later.earlier);
    }

    fn add(&mut self, subject: SubjectHash, link: Link) {
        match self.newest.get_mut(&subject) {
            None => {
                self.newest.insert(subject, link);
            }
            Some(known) => {
                let older = if link.seq > known.seq {
                    std::mem::replace(known, link)
                } else {
                    link
                };
                self.earlier.entry(subject).or_default().push(older);
            }
        }
    }
}

/// A link's subject, place, account, first day and first day that is out.
pub(super) type LinkColumns = (Vec<u8>, i32, Id, Day, Option<Day>);

/// The links of these subjects. `subjects` are sorted and distinct.
///
/// # Errors
/// The query failed.
pub fn links_of(conn: &mut Conn, subjects: &[SubjectHash]) -> StoreResult<Links> {
    let rows = match conn {
        Conn::Pg(c) => bulk::postgres::links_of(c, subjects)?,
        Conn::Sqlite(c) => bulk::sqlite::links_of(c, subjects)?,
    };
    let mut links = Links::default();
    for (subject, seq, account, from, out) in rows {
        let link = Link {
            account: account.0,
            seq,
            from,
            out,
        };
        links.add(hash(&subject, "subject_links.subject")?, link);
    }
    Ok(links)
}

/// Everything that a subject's links were, in order.
///
/// # Errors
/// The query failed.
pub fn links_of_subject(conn: &mut Conn, subject: &SubjectHash) -> StoreResult<Vec<LinkRow>> {
    Ok(subject_links::table
        .filter(subject_links::subject.eq(subject.as_slice()))
        .order(subject_links::seq.asc())
        .load(conn)?)
}

/// An account's links, ended ones too, the oldest first.
///
/// # Errors
/// The query failed.
pub fn links_of_account(conn: &mut Conn, account: Uuid) -> StoreResult<Vec<LinkRow>> {
    Ok(subject_links::table
        .filter(subject_links::account_id.eq(Id(account)))
        .order((subject_links::linked_at.asc(), subject_links::subject.asc()))
        .load(conn)?)
}

/// Links a subject to an account, after every batch that was holding a record of it has ended. A
/// first link covers everything, a later one the days from which the earlier has ended.
///
/// # Errors
/// `Constraint`: the subject has a link without an end; or the write failed.
pub fn open_link(
    tx: &mut Tx<'_>,
    subject: &SubjectHash,
    account: Uuid,
    partner: Option<Uuid>,
    at: Ts,
) -> StoreResult<LinkRow> {
    hold_subject(tx, subject)?;
    let earlier = links_of_subject(tx, subject)?;
    let last = earlier.last();
    if last.is_some_and(|link| link.out_day.is_none()) {
        return Err(StoreError::Constraint("subject_links_open".to_owned()));
    }
    let row = LinkRow {
        subject: subject.to_vec(),
        seq: last.map_or(0, |link| link.seq) + 1,
        account_id: Id(account),
        linked_at: at,
        partner_id: partner.map(Id),
        from_day: last.and_then(|link| link.out_day).unwrap_or(FROM_THE_START),
        out_day: None,
        ended_at: None,
        ended_role: None,
        ended_by: None,
    };
    diesel::insert_into(subject_links::table)
        .values(&row)
        .execute(&mut **tx)?;
    Ok(row)
}

/// Writes a link's end; false if it has one already.
///
/// # Errors
/// The write failed.
pub fn end_link(
    tx: &mut Tx<'_>,
    link: &LinkRow,
    out: Day,
    by: &Actor,
    at: Ts,
) -> StoreResult<bool> {
    let open = subject_links::table
        .find((&link.subject, link.seq))
        .filter(subject_links::out_day.is_null());
    let ended = diesel::update(open)
        .set((
            subject_links::out_day.eq(Some(out)),
            subject_links::ended_at.eq(Some(at)),
            subject_links::ended_role.eq(Some(by.role)),
            subject_links::ended_by.eq(Some(Id(by.id))),
        ))
        .execute(&mut **tx)?;
    Ok(ended == 1)
}

/// Subjects share this many gates between records that are held and links that are made.
const LINK_GATES: u8 = 64;

fn link_gate(subject: &SubjectHash) -> i32 {
    let [first, ..] = subject;
    i32::from(first % LINK_GATES)
}

/// Keeps these subjects from being linked until the transaction ends, and waits for links of them
/// that are under way: whoever holds a record does this first and then looks again whether its
/// subject is linked. SQLite has one writer anyway.
///
/// # Errors
/// The statement failed.
pub fn keep_unlinked(tx: &mut Tx<'_>, subjects: &[SubjectHash]) -> StoreResult<()> {
    let gates: std::collections::BTreeSet<i32> = subjects.iter().map(link_gate).collect();
    match &mut **tx {
        Conn::Pg(c) => bulk::postgres::enter_link_gates(c, &gates.into_iter().collect::<Vec<_>>()),
        Conn::Sqlite(_) => Ok(()),
    }
}

/// Makes whoever changes the links or shares of a subject wait for one another.
///
/// # Errors
/// The statement failed.
pub fn hold_subject(tx: &mut Tx<'_>, subject: &SubjectHash) -> StoreResult<()> {
    match &mut **tx {
        Conn::Pg(c) => bulk::postgres::close_link_gate(c, link_gate(subject)),
        Conn::Sqlite(_) => Ok(()),
    }
}
