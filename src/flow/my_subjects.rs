//! What is linked to a citizen or shared with them (我的户号与车辆), as the citizen is shown it: the
//! partner's own name for it is not kept, so a short reference, the scenes and the days tell it.

use chrono::{Datelike, Months, NaiveDate};
use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;
use crate::domain::wallet::Day;
use crate::domain::wallet::sharing::{
    Share, Statement, in_force, member_reference, member_since, subject_reference, to_come,
};
use crate::store::link::{LinkRow, links_of_account};
use crate::store::party::{PartnerRow, partner};
use crate::store::share::parts_between;
use crate::store::subject_days::{days_recorded, days_rewarded, days_shared};
use crate::store::{Conn, Ts};

use super::FlowResult;
use super::catalogue::Catalogue;
use super::share_subject::{Found, may_be_shared, subjects_of};

/// How far back the last record of an account is looked for, in days.
const LOOK_BACK: Day = 400;

/// One household, vehicle, card or account of a citizen.
#[derive(Debug, Clone)]
pub struct MySubject {
    pub reference: String,
    /// The citizen is the one to whom it is linked.
    pub is_owner: bool,
    /// Its partner counts something that several people may share.
    pub may_be_shared: bool,
    /// Unknown for links made before this was kept.
    pub partner: Option<PartnerRow>,
    /// Where records of it are known.
    pub scenes: Vec<SceneSeen>,
    pub linked_at: Ts,
    /// The first day on which it is no longer linked, once somebody ended the link.
    pub out_day: Option<Day>,
    /// Since when the citizen has had a share without a break; `None` for an owner who shares with
    /// nobody, and for a member from a day to come.
    pub since: Option<Day>,
    /// Who shares today; the owner alone if nobody else does.
    pub shares: Vec<ShareSeen>,
    /// Who will share from which day on.
    pub to_come: Vec<(Day, Vec<ShareSeen>)>,
    pub last_month: Option<Month>,
}

/// A scene in which a subject is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SceneSeen {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    /// The last day that a record covers; `None` where this cannot be told apart from the
    /// account's other subjects of the same partner.
    pub last_day: Option<Day>,
    /// What it earns is shared; a person's own trips are not.
    pub shared: bool,
}

/// One who shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareSeen {
    /// What the people of this household call each other here.
    pub member: String,
    pub weight: u32,
    pub is_me: bool,
    pub is_owner: bool,
}

/// How a month's shared reductions were split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    pub first: NaiveDate,
    pub whole_mg: i64,
    pub parts: Vec<(ShareSeen, i64)>,
}

/// Everything that is linked to an account or shared with it.
///
/// # Errors
/// The store failed.
pub fn my_subjects(
    conn: &mut Conn,
    catalogue: &Catalogue,
    account: Uuid,
    today: Day,
) -> FlowResult<Vec<MySubject>> {
    let own = links_of_account(conn, account)?;
    let rewarded = days_rewarded(conn, account, today.saturating_sub(LOOK_BACK))?;
    let mut subjects = Vec::new();
    for found in subjects_of(conn, account, today)? {
        let of_partner = own.iter().filter(|link| {
            link.partner_id == found.link.partner_id && link.out_day.is_none_or(|out| out > today)
        });
        let seen = Seen {
            found: &found,
            account,
            alone: found.is_owner && of_partner.count() == 1,
            rewarded: &rewarded,
        };
        subjects.push(seen.tell(conn, catalogue, today)?);
    }
    Ok(subjects)
}

struct Seen<'f> {
    found: &'f Found,
    account: Uuid,
    /// The account has no other subject of the same partner.
    alone: bool,
    /// The last day of the account's own reductions in each scene.
    rewarded: &'f [(i32, Day)],
}

impl Seen<'_> {
    fn tell(&self, conn: &mut Conn, catalogue: &Catalogue, today: Day) -> FlowResult<MySubject> {
        let found = self.found;
        let link = &found.link;
        let statements = &found.statements;
        let partner = match link.partner_id {
            Some(id) => partner(conn, id.0)?,
            None => None,
        };
        let shares = self.shares(in_force(statements, today));
        let mut coming: Vec<(Day, Vec<ShareSeen>)> = Vec::new();
        for statement in to_come(statements, today) {
            let seen = self.shares(Some(statement));
            // What changes nothing is no news: two who shared and one of whom left at once.
            if seen != *coming.last().map_or(&shares, |(_, before)| before) {
                coming.push((statement.from, seen));
            }
        }
        Ok(MySubject {
            reference: subject_reference(&found.subject),
            is_owner: found.is_owner,
            may_be_shared: may_be_shared(catalogue, link),
            partner,
            scenes: self.scenes(conn, catalogue)?,
            linked_at: link.linked_at,
            out_day: link.out_day,
            since: member_since(statements, self.account, today),
            shares,
            to_come: coming,
            last_month: self.last_month(conn, today)?,
        })
    }

    fn shares(&self, statement: Option<&Statement>) -> Vec<ShareSeen> {
        let owner = Share {
            account: self.found.link.account_id.0,
            weight: 1,
        };
        let stated = statement.map_or(&[][..], |statement| &statement.shares);
        // A single share is the whole, whatever its weight.
        let shares = if stated.len() < 2 {
            &[owner][..]
        } else {
            stated
        };
        let mut seen: Vec<ShareSeen> = shares
            .iter()
            .map(|share| self.share(share.account, share.weight))
            .collect();
        // The owner first, then as in every list of theirs.
        seen.sort_by_key(|share| (!share.is_owner, share.member.clone()));
        seen
    }

    fn share(&self, account: Uuid, weight: u32) -> ShareSeen {
        ShareSeen {
            member: member_reference(&self.found.subject, account),
            weight,
            is_me: account == self.account,
            is_owner: account == self.found.link.account_id.0,
        }
    }

    /// Periods and shared records name their subject, so their days are exact; other single acts
    /// are known by the account, which tells the subject where the account has one of this partner.
    fn scenes(&self, conn: &mut Conn, catalogue: &Catalogue) -> FlowResult<Vec<SceneSeen>> {
        let mut days = days_recorded(conn, &self.found.subject)?;
        days.extend(days_shared(conn, &self.found.subject)?);
        if self.alone {
            days.extend(self.rewarded);
        }
        let of = |link: &LinkRow, owner: crate::store::Id| {
            link.partner_id.is_none_or(|partner| partner == owner)
        };
        let mut seen = Vec::new();
        for scene in catalogue.scenes.values() {
            let recorded = days.iter().filter(|(id, _)| *id == scene.row.id);
            let last_day = recorded.map(|(_, day)| *day).max();
            if last_day.is_some() && of(&self.found.link, scene.row.partner_id) {
                seen.push(SceneSeen {
                    code: scene.row.code.clone(),
                    name_zh: scene.row.name_zh.clone(),
                    name_en: scene.row.name_en.clone(),
                    last_day,
                    shared: scene.view.is_shareable(),
                });
            }
        }
        seen.sort_by(|a, b| a.code.cmp(&b.code));
        Ok(seen)
    }

    fn last_month(&self, conn: &mut Conn, today: Day) -> FlowResult<Option<Month>> {
        let Some((first, out)) = month_before(today) else {
            return Ok(None);
        };
        let subject: &SubjectHash = &self.found.subject;
        let days = (first.to_epoch_days(), out.to_epoch_days());
        let parts = parts_between(conn, subject, days.0, days.1)?;
        // What was split before this account came is not told to it.
        if !parts.iter().any(|(account, _)| *account == self.account) {
            return Ok(None);
        }
        let mut parts: Vec<(ShareSeen, i64)> = parts
            .into_iter()
            .map(|(account, mg)| (self.share(account, 0), mg))
            .collect();
        parts.sort_by_key(|(share, _)| (!share.is_owner, share.member.clone()));
        Ok(Some(Month {
            first,
            whole_mg: parts.iter().map(|(_, mg)| mg).sum(),
            parts,
        }))
    }
}

/// The first day of the month before this day's, and the first day after it.
fn month_before(today: Day) -> Option<(NaiveDate, NaiveDate)> {
    let out = NaiveDate::from_epoch_days(today)?.with_day(1)?;
    Some((out.checked_sub_months(Months::new(1))?, out))
}
