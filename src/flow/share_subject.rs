//! Sharing a household or a vehicle: its owner states who has which share from a day on, a member
//! leaves. Each statement stands beside the earlier ones and never reaches back.

use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;
use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Detail, Problem};
use crate::domain::wallet::Day;
use crate::domain::wallet::sharing::{
    AHEAD_DAYS_MAX, Share, Statement, checked, in_force, member_reference, subject_reference,
    to_come,
};
use crate::store::link::{LinkRow, hold_subject, links_of_account, links_of_subject};
use crate::store::share::{StatementRow, append_statement, statements_of, subjects_shared_with};
use crate::store::{Conn, Tx};

use super::FlowResult;
use super::catalogue::Catalogue;
use super::end_link::end_link;

/// What the city allows.
#[derive(Debug, Clone, Copy)]
pub struct SharingRules {
    /// The most accounts that share one subject, its owner among them.
    pub members_max: usize,
    /// The city's day.
    pub today: Day,
}

/// How the owner names a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By a link code that this account gave out.
    Proved(Uuid),
    /// By the reference of one who shares already.
    Known(String),
}

/// Who shall share from a day on. Whoever is not named has no share from then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The first day; tomorrow if it is not said.
    pub from: Option<Day>,
    /// The owner's own weight.
    pub own: u32,
    pub others: Vec<(Named, u32)>,
}

/// A subject as one account sees it.
#[derive(Debug, Clone)]
pub struct Found {
    pub subject: SubjectHash,
    /// The link that covers `today`, or the next one.
    pub link: LinkRow,
    /// What was stated under that link, in order.
    pub statements: Vec<Statement>,
    /// The newest statement's place among all of the subject's.
    pub last_seq: i32,
    /// The account is the one that the subject is linked to.
    pub is_owner: bool,
}

/// The subjects that are linked to an account or shared with it, now or from a day to come, in the
/// order of their linking.
///
/// # Errors
/// The store failed.
pub fn subjects_of(conn: &mut Conn, account: Uuid, today: Day) -> FlowResult<Vec<Found>> {
    let own = links_of_account(conn, account)?;
    let mut subjects: Vec<SubjectHash> = Vec::new();
    for link in &own {
        subjects.push(link.subject()?);
    }
    subjects.extend(subjects_shared_with(conn, account)?);
    let mut found: Vec<Found> = Vec::new();
    for subject in subjects {
        if found.iter().any(|known| known.subject == subject) {
            continue;
        }
        found.extend(look(conn, account, &subject, today)?);
    }
    found.sort_by_key(|found| (found.link.linked_at, found.subject));
    Ok(found)
}

/// One subject of an account by its reference.
///
/// # Errors
/// `not_found`, also for a subject of others.
pub fn subject_of(
    conn: &mut Conn,
    account: Uuid,
    reference: &str,
    today: Day,
) -> FlowResult<Found> {
    let all = subjects_of(conn, account, today)?;
    all.into_iter()
        .find(|found| subject_reference(&found.subject).eq_ignore_ascii_case(reference))
        .ok_or_else(|| Code::NotFound.into())
}

fn look(
    conn: &mut Conn,
    account: Uuid,
    subject: &SubjectHash,
    today: Day,
) -> FlowResult<Option<Found>> {
    let stated = statements_of(conn, subject)?;
    let last_seq = stated.last().map_or(0, |(row, _)| row.seq);
    let ahead = |link: &LinkRow| link.out_day.is_none_or(|out| out > today);
    for link in links_of_subject(conn, subject)?.into_iter().filter(ahead) {
        let under = stated.iter().filter(|(row, _)| row.link_seq == link.seq);
        let statements: Vec<Statement> = under.map(|(_, statement)| statement.clone()).collect();
        let is_owner = link.account_id.0 == account;
        let shares = |statement: &Statement| statement.shares.iter().any(|s| s.account == account);
        let is_member = in_force(&statements, today).is_some_and(shares)
            || to_come(&statements, today).into_iter().any(shares);
        if is_owner || is_member {
            return Ok(Some(Found {
                subject: *subject,
                link,
                statements,
                last_seq,
                is_owner,
            }));
        }
    }
    Ok(None)
}

/// What a statement would say; nothing is written. Whoever uses up codes asks this first.
///
/// # Errors
/// `not_found`, `not_owner`, `subject_personal`, `share_day`, `link_ended`, `member_unknown`,
/// `member_twice`, `member_limit`, `invalid_field` for a weight.
pub fn plan_shares(
    conn: &mut Conn,
    catalogue: &Catalogue,
    rules: SharingRules,
    owner: Uuid,
    reference: &str,
    wanted: &Wanted,
) -> FlowResult<(Found, Day, Vec<Share>)> {
    let found = subject_of(conn, owner, reference, rules.today)?;
    if !found.is_owner {
        return Err(Code::NotOwner.into());
    }
    if !may_be_shared(catalogue, &found.link) {
        return Err(Code::SubjectPersonal.into());
    }
    let tomorrow = rules.today.saturating_add(1).max(found.link.from_day);
    let from = wanted.from.unwrap_or(tomorrow);
    if from < tomorrow || from > rules.today.saturating_add(AHEAD_DAYS_MAX) {
        return Err(Problem::on(Code::ShareDay, "from").into());
    }
    if found.link.out_day.is_some_and(|out| from >= out) {
        return Err(Problem::on(Code::LinkEnded, "from").into());
    }
    let mut shares = vec![Share {
        account: owner,
        weight: wanted.own,
    }];
    for (named, weight) in &wanted.others {
        shares.push(Share {
            account: found.member(named, rules.today.saturating_add(1))?,
            weight: *weight,
        });
    }
    let shares = checked(shares, rules.members_max)?;
    Ok((found, from, shares))
}

/// Whether any scene of the link's partner counts what several people may share.
pub fn may_be_shared(catalogue: &Catalogue, link: &LinkRow) -> bool {
    let Some(partner) = link.partner_id else {
        return true;
    };
    let mut scenes = catalogue.scenes.values();
    scenes.any(|scene| scene.row.partner_id == partner && scene.view.is_shareable())
}

impl Found {
    /// What will hold from a day on: the first day and the statement of each stretch.
    fn as_of_day(&self, day: Day) -> Vec<(Day, &Statement)> {
        let holds = in_force(&self.statements, day).map(|statement| (day, statement));
        let later = to_come(&self.statements, day).into_iter();
        holds
            .into_iter()
            .chain(later.map(|statement| (statement.from, statement)))
            .collect()
    }

    /// Whom the owner means. Who shares from tomorrow on has agreed and need not give another
    /// code; whoever left, or was left out, does.
    fn member(&self, named: &Named, tomorrow: Day) -> FlowResult<Uuid> {
        let reference = match named {
            Named::Proved(account) => return Ok(*account),
            Named::Known(reference) => reference,
        };
        let coming = self.as_of_day(tomorrow).into_iter();
        let mut shares = coming.flat_map(|(_, statement)| &statement.shares);
        let known = shares.find(|share| {
            member_reference(&self.subject, share.account).eq_ignore_ascii_case(reference)
        });
        let unknown = || Problem::at(Code::MemberUnknown, "members", Detail::value(reference));
        known
            .map(|share| share.account)
            .ok_or_else(|| unknown().into())
    }
}

/// States who shares a subject from a day on.
///
/// # Errors
/// As [`plan_shares`].
pub fn share_subject(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    catalogue: &Catalogue,
    rules: SharingRules,
    owner: Uuid,
    reference: &str,
    wanted: &Wanted,
) -> FlowResult<()> {
    let seen = subject_of(tx, owner, reference, rules.today)?;
    hold_subject(tx, &seen.subject)?;
    let (found, from, shares) = plan_shares(tx, catalogue, rules, owner, reference, wanted)?;
    state(
        tx,
        ctx,
        rules.today,
        &found,
        owner,
        found.last_seq + 1,
        from,
        &shares,
    )
}

/// Leaves: a member has no share from tomorrow on, in what holds then and in what is stated for
/// later days; an owner ends the link.
///
/// # Errors
/// `not_found`, also for a subject of others.
pub fn leave_subject(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account: Uuid,
    reference: &str,
    today: Day,
) -> FlowResult<Day> {
    let seen = subject_of(tx, account, reference, today)?;
    hold_subject(tx, &seen.subject)?;
    let found = subject_of(tx, account, reference, today)?;
    if found.is_owner {
        let ended = end_link(tx, ctx, &found.subject, today)?;
        return ended.out_day.ok_or_else(|| Code::Internal.into());
    }
    let tomorrow = today.saturating_add(1);
    let mut seq = found.last_seq;
    for (from, statement) in found.as_of_day(tomorrow) {
        let rest: Vec<Share> = statement
            .shares
            .iter()
            .filter(|share| share.account != account)
            .copied()
            .collect();
        seq += 1;
        state(tx, ctx, today, &found, account, seq, from, &rest)?;
    }
    Ok(tomorrow)
}

#[expect(clippy::too_many_arguments, reason = "one row and its parts")]
fn state(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    today: Day,
    found: &Found,
    by: Uuid,
    seq: i32,
    from: Day,
    shares: &[Share],
) -> FlowResult<()> {
    assert!(from > today, "shares never reach back");
    let row = StatementRow {
        subject: found.subject.to_vec(),
        seq,
        link_seq: found.link.seq,
        from_day: from,
        stated_day: today,
        stated_at: ctx.now.into(),
        stated_by: by.into(),
    };
    Ok(append_statement(tx, &row, shares)?)
}
