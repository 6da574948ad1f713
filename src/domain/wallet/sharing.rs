//! Who shares what a household or a vehicle earns (共享): statements that follow each other, each
//! in force from a day on. What one record comes to is split by the statement in force on its
//! first day, to the milligram.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Day;
use crate::domain::behaviour::SubjectHash;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::reduction::split;

/// The heaviest share. Small numbers, because people must see at a glance who gets which part.
pub const WEIGHT_MAX: u32 = 100;
/// How far ahead a statement can begin.
pub const AHEAD_DAYS_MAX: Day = 366;

/// One account's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub account: Uuid,
    /// Its part of the sum of all weights.
    pub weight: u32,
}

/// Who shares from a day on. An empty statement, or one of a single share, leaves everything to
/// the account that the subject is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// A subject's statements in the order in which they were made.
    pub seq: i32,
    pub from: Day,
    /// By account, each once.
    pub shares: Vec<Share>,
}

/// One account's part of what a record came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub account: Uuid,
    pub mg: i64,
    pub weight: u32,
}

/// The statement that counts on a day: of those that have begun, the last one made.
pub fn in_force(statements: &[Statement], day: Day) -> Option<&Statement> {
    let begun = statements.iter().filter(|statement| statement.from <= day);
    begun.max_by_key(|statement| statement.seq)
}

/// What changes after a day: each statement that will take over, in order of its first day. One
/// that a later statement keeps from ever counting is not among them.
pub fn to_come(statements: &[Statement], after: Day) -> Vec<&Statement> {
    let mut coming: Vec<&Statement> = statements
        .iter()
        .filter(|statement| statement.from > after)
        .filter(|statement| {
            in_force(statements, statement.from).is_some_and(|ruling| ruling.seq == statement.seq)
        })
        .collect();
    coming.sort_by_key(|statement| statement.from);
    coming
}

/// Since when an account has had a share without a break, up to `day`.
pub fn member_since(statements: &[Statement], account: Uuid, day: Day) -> Option<Day> {
    let mut days: Vec<Day> = statements
        .iter()
        .map(|statement| statement.from)
        .filter(|from| *from <= day)
        .collect();
    days.sort_unstable();
    days.dedup();
    let shares_on = |at: Day| {
        in_force(statements, at)
            .is_some_and(|ruling| ruling.shares.iter().any(|share| share.account == account))
    };
    let run = days.into_iter().rev().take_while(|at| shares_on(*at));
    run.last()
}

/// What each share of an amount is; the parts add up to it.
pub fn parts(shares: &[Share], mg: i64) -> Vec<Part> {
    let weights: Vec<u32> = shares.iter().map(|share| share.weight).collect();
    shares
        .iter()
        .zip(split(mg, &weights))
        .map(|(share, mg)| Part {
            account: share.account,
            mg,
            weight: share.weight,
        })
        .collect()
}

/// Shares as they may be stated, by account.
///
/// # Errors
/// `invalid_field` for a weight out of bounds, `member_twice`, `member_limit`.
pub fn checked(mut shares: Vec<Share>, members_max: usize) -> Result<Vec<Share>, Problem> {
    if shares.len() > members_max {
        let detail = detail!(
            "同一户号或车辆最多由 {members_max} 人共享",
            "at most {members_max} people share one subject"
        );
        return Err(Problem::at(Code::MemberLimit, "members", detail));
    }
    if shares
        .iter()
        .any(|share| !(1..=WEIGHT_MAX).contains(&share.weight))
    {
        let detail = detail!(
            "须为 1 至 {WEIGHT_MAX} 的整数",
            "a whole number from 1 to {WEIGHT_MAX}"
        );
        return Err(Problem::at(Code::InvalidField, "weight", detail));
    }
    shares.sort_by_key(|share| share.account);
    if shares
        .windows(2)
        .any(|two| two[0].account == two[1].account)
    {
        return Err(Problem::on(Code::MemberTwice, "members"));
    }
    Ok(shares)
}

/// By which name people speak of a subject, and the platform shows it: `7K3M-9Q2X`. The partner's
/// own name is not kept, only its hash, so this is made from the hash.
pub fn subject_reference(subject: &SubjectHash) -> String {
    reference(b"tanpuhui/subject-reference/v1\0", &[subject])
}

/// By which name the people of one household know each other. It tells nothing outside of it.
pub fn member_reference(subject: &SubjectHash, account: Uuid) -> String {
    let name = b"tanpuhui/member-reference/v1\0";
    reference(name, &[subject, account.as_bytes()])
}

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Symbols of a reference, 5 bits each.
const SYMBOLS: usize = 8;

fn reference(name: &[u8], of: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(name);
    for bytes in of {
        hasher.update(bytes);
    }
    let digest = hasher.finalize();
    let mut text = String::with_capacity(SYMBOLS + 1);
    for (place, byte) in digest.iter().take(SYMBOLS).enumerate() {
        if place == SYMBOLS / 2 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(id: u128) -> Uuid {
        Uuid::from_u128(id)
    }

    fn stated(seq: i32, from: Day, accounts: &[u128]) -> Statement {
        let shares = accounts.iter().map(|id| Share {
            account: who(*id),
            weight: 1,
        });
        Statement {
            seq,
            from,
            shares: shares.collect(),
        }
    }

    #[test]
    fn the_last_statement_that_has_begun_counts() {
        let all = [
            stated(1, 10, &[1, 2]),
            stated(2, 30, &[1, 2, 3]),
            stated(3, 20, &[1]),
        ];
        let seq = |day| in_force(&all, day).map(|statement| statement.seq);
        assert_eq!(
            (seq(9), seq(10), seq(19), seq(20)),
            (None, Some(1), Some(1), Some(3))
        );
        // The third was made later and begins earlier: the second never counts.
        assert_eq!(seq(40), Some(3));
        let coming = |day| -> Vec<i32> { to_come(&all, day).iter().map(|s| s.seq).collect() };
        assert_eq!(
            (coming(0), coming(10), coming(20)),
            (vec![1, 3], vec![3], vec![])
        );
    }

    #[test]
    fn of_two_that_begin_on_one_day_the_later_counts() {
        let all = [stated(1, 10, &[1, 2]), stated(2, 10, &[1])];
        assert_eq!(in_force(&all, 10).map(|statement| statement.seq), Some(2));
        assert_eq!(to_come(&all, 9).len(), 1);
    }

    #[test]
    fn membership_is_told_from_its_last_beginning() {
        let all = [
            stated(1, 10, &[1, 2]),
            stated(2, 20, &[1]),
            stated(3, 30, &[1, 2]),
            stated(4, 40, &[1, 2, 3]),
        ];
        let since = |id, day| member_since(&all, who(id), day);
        assert_eq!(
            (since(2, 15), since(2, 25), since(2, 45)),
            (Some(10), None, Some(30))
        );
        assert_eq!(
            (since(1, 45), since(3, 39), since(9, 45)),
            (Some(10), None, None)
        );
    }

    #[test]
    fn shares_are_refused_by_rule() {
        let share = |id, weight| Share {
            account: who(id),
            weight,
        };
        let code = |shares, most| checked(shares, most).unwrap_err().code;
        assert_eq!(code(vec![share(1, 0)], 3), Code::InvalidField);
        assert_eq!(code(vec![share(1, 101)], 3), Code::InvalidField);
        assert_eq!(code(vec![share(1, 1), share(1, 2)], 3), Code::MemberTwice);
        assert_eq!(code(vec![share(1, 1), share(2, 1)], 1), Code::MemberLimit);
        let crowded = checked(vec![share(1, 1), share(2, 1)], 1).unwrap_err();
        assert_eq!(crowded.detail.zh(), "同一户号或车辆最多由 1 人共享");
        let sorted = checked(vec![share(2, 1), share(1, 2)], 2).unwrap();
        assert_eq!(sorted, [share(1, 2), share(2, 1)]);
        let given: Vec<i64> = parts(&sorted, 1_000).iter().map(|part| part.mg).collect();
        assert_eq!(given, [667, 333]);
    }

    #[test]
    fn references_are_short_and_of_one_subject_only() {
        let one = subject_reference(&[1; 32]);
        assert_eq!((one.len(), one.as_bytes()[4]), (9, b'-'));
        assert_ne!(one, subject_reference(&[2; 32]));
        assert_ne!(
            member_reference(&[1; 32], who(1)),
            member_reference(&[2; 32], who(1))
        );
        assert_ne!(
            member_reference(&[1; 32], who(1)),
            member_reference(&[1; 32], who(2))
        );
    }
}
