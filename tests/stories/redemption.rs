//! Points become a voucher, and a voucher ends once: written off, cancelled or expired.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tanpuhui::domain::context::{Actor, Ctx};
use tanpuhui::domain::problem::{Code, Problem};
use tanpuhui::domain::redemption::{
    CANCEL_WINDOW, CodeKey, Merchant, Offer, OfferState, Voucher, VoucherCode, VoucherState, day_in,
};
use tanpuhui::domain::unit::Fen;
use tanpuhui::domain::wallet::{EXPIRED, Entry, ISSUANCE, Lot, REDEEMED, Transfer, TransferKind};
use tanpuhui::flow::audit_books;
use tanpuhui::flow::expire_points::{LAPSE_CHUNK, expire_lots};
use tanpuhui::flow::group_commit::{GroupCommit, GroupLimits, in_one_transaction};
use tanpuhui::flow::merchant::{change_offer, put_up_offer, register_merchant, restock_offer};
use tanpuhui::flow::redeem::{Desk, RedeemRequest, Redeemed, redeem_many, start_queue};
use tanpuhui::flow::release_voucher::{cancel_voucher, expire_vouchers};
use tanpuhui::flow::settle::merchant_statement;
use tanpuhui::flow::write_off::write_off;
use tanpuhui::flow::{FlowError, FlowResult};
use tanpuhui::store::wallet::{lots_of, open_lots, post};
use tanpuhui::store::{Pool, StoreError, offer, redemption};
use uuid::Uuid;

use crate::world::{Postgres, ctx_at, ctx_of, noon};

fn desk() -> Desk {
    Desk {
        key: CodeKey::new([9; 32]),
        zone: chrono_tz::Asia::Shanghai,
    }
}

pub fn today() -> i32 {
    day_in(noon(), desk().zone)
}

fn bureau(now: DateTime<Utc>) -> Ctx {
    ctx_of(
        Actor {
            role: "bureau",
            id: Uuid::from_u128(1),
        },
        now,
    )
}

/// A merchant and an offer of `stock` pieces for `points`, worth 900 fen.
pub fn offer_of(pool: &Pool, points: i64, stock: i64) -> Offer {
    let mut ctx = bureau(noon());
    let merchant = Merchant {
        id: ctx.id(),
        code: format!("m-{}", Uuid::now_v7().simple()),
        name_zh: "咖啡店".into(),
        name_en: "Coffee".into(),
        registered_at: ctx.now,
    };
    let offer = Offer {
        id: ctx.id(),
        merchant: merchant.id,
        title_zh: "咖啡".into(),
        title_en: "A coffee".into(),
        points,
        settlement_fen: 900,
        stocked: stock,
        stock,
        validity_days: 30,
        state: OfferState::Live,
        from: noon() - Duration::days(1),
        to: noon() + Duration::days(400),
        created_at: ctx.now,
    };
    pool.write_now::<_, FlowError>(|tx| {
        register_merchant(tx, &ctx, &merchant, "contract 7")?;
        put_up_offer(tx, &ctx, &offer, "contract 7")
    })
    .expect("an offer is put up");
    offer
}

/// Gives `account` points in lots `(bucket, points)` out of issuance.
pub fn grant(pool: &Pool, account: Uuid, amounts: &[(i32, i64)]) {
    let mut ctx = ctx_at(noon());
    let transfer = ctx.id();
    let mut sides: Vec<Entry> = amounts
        .iter()
        .map(|(bucket, points)| Entry::points(account, today(), *bucket, *points, 0))
        .collect();
    let sum: i64 = amounts.iter().map(|(_, points)| points).sum();
    sides.push(Entry::points(ISSUANCE, today(), 0, -sum, 0));
    let lots: Vec<Lot> = amounts
        .iter()
        .map(|(bucket, points)| Lot {
            available: *points,
            ..Lot::empty(account, *bucket)
        })
        .collect();
    pool.write_now::<_, StoreError>(|tx| {
        open_lots(tx, &lots)?;
        let moved = Transfer::of(transfer, TransferKind::Credit, noon(), &sides).unwrap();
        post(tx, &moved, &sides)
    })
    .expect("points are granted");
}

pub fn citizen(pool: &Pool, amounts: &[(i32, i64)]) -> Uuid {
    let account = Uuid::now_v7();
    grant(pool, account, amounts);
    account
}

fn wish(account: Uuid, offer: Uuid, at: DateTime<Utc>) -> RedeemRequest {
    RedeemRequest::new(&mut ctx_at(at), account, offer, None)
}

fn redeem(pool: &Pool, requests: &[RedeemRequest]) -> Vec<Result<Redeemed, Problem>> {
    pool.write_now(|tx| redeem_many(tx, &desk(), requests))
        .expect("the store works")
}

pub fn redeemed(pool: &Pool, account: Uuid, offer: Uuid) -> Redeemed {
    redeem(pool, &[wish(account, offer, noon())])
        .remove(0)
        .expect("it can be redeemed")
}

fn written_off(
    pool: &Pool,
    merchant: Uuid,
    code: &VoucherCode,
    at: DateTime<Utc>,
) -> Result<Voucher, Code> {
    let ctx = ctx_at(at);
    code_of(pool.write_now(|tx| write_off(tx, &mut ctx.clone(), &desk(), merchant, code)))
}

fn cancelled(pool: &Pool, voucher: &Voucher, at: DateTime<Utc>) -> Result<Voucher, Code> {
    let ctx = ctx_at(at);
    let (account, id) = (voucher.account, voucher.id);
    code_of(pool.write_now(|tx| cancel_voucher(tx, &mut ctx.clone(), desk().zone, account, id)))
}

fn code_of<T>(result: FlowResult<T>) -> Result<T, Code> {
    result.map_err(|error| match error {
        FlowError::Refused(problem) => problem.code,
        other => panic!("not a refusal: {other:?}"),
    })
}

/// `(bucket, available, held)` of each lot.
fn wallet(pool: &Pool, account: Uuid) -> Vec<(i32, i64, i64)> {
    pool.read_now(|conn| lots_of(conn, account))
        .unwrap()
        .iter()
        .map(|lot| (lot.bucket, lot.available, lot.held))
        .collect()
}

/// What all entries of an account add up to.
fn balance_in_entries(pool: &Pool, account: Uuid) -> (i64, i64) {
    use tanpuhui::store::Id;
    use tanpuhui::store::schema::entries;
    let rows: Vec<(i64, i64)> = pool
        .read_now::<_, StoreError>(|conn| {
            Ok(entries::table
                .filter(entries::account_id.eq(Id(account)))
                .select((entries::available, entries::held))
                .load(conn)?)
        })
        .unwrap();
    rows.iter().fold((0, 0), |(a, h), (available, held)| {
        (a + available, h + held)
    })
}

fn stock(pool: &Pool, id: Uuid) -> i64 {
    let offer = pool.read_now(|conn| offer::offer(conn, id)).unwrap();
    offer.expect("the offer is there").stock
}

/// Every check of the books but the public log's, which these stories do not write.
fn differences(pool: &Pool) -> Vec<audit_books::Difference> {
    pool.read_now(audit_books::points_books)
        .unwrap()
        .into_iter()
        .filter_map(|check| check.difference)
        .collect()
}

on_both! {
    fn a_voucher_is_paid_from_the_lots_that_expire_first_and_written_off_once(pool: Pool) {
        let offer = offer_of(&pool, 500, 10);
        let account = citizen(&pool, &[(today() - 1, 1_000), (today(), 200), (today() + 30, 1_000)]);
        let got = redeemed(&pool, account, offer.id);
        let (d, late) = (today(), today() + 30);
        assert_eq!(wallet(&pool, account), [(d - 1, 1_000, 0), (d, 0, 200), (late, 700, 300)]);
        assert_eq!(stock(&pool, offer.id), 9);
        assert_eq!(differences(&pool), []);

        // The code as a merchant types it; the book keeps only its digest.
        let typed = VoucherCode::parse(&got.code.to_string().to_lowercase()).unwrap();
        let at = noon() + Duration::hours(1);
        assert_eq!(written_off(&pool, Uuid::from_u128(77), &typed, at), Err(Code::VoucherElsewhere));
        let used = written_off(&pool, offer.merchant, &typed, at).unwrap();
        assert_eq!(used.state, VoucherState::Used);
        assert_eq!(wallet(&pool, account), [(d - 1, 1_000, 0), (d, 0, 0), (late, 700, 0)]);
        assert_eq!(balance_in_entries(&pool, REDEEMED), (500, 0));
        assert_eq!(stock(&pool, offer.id), 9);

        let ctx = ctx_at(at + Duration::hours(1));
        let again = pool.write_now(|tx| write_off(tx, &mut ctx.clone(), &desk(), offer.merchant, &typed));
        let Err(FlowError::Refused(problem)) = again else { panic!("{again:?}") };
        assert_eq!(problem.code, Code::VoucherUsed);
        assert!(problem.detail.en().contains("2026-11-20T05:00:00Z"), "{problem}");
        assert_eq!(cancelled(&pool, &got.voucher, noon()), Err(Code::VoucherUsed));
        assert_eq!(differences(&pool), []);
    }

    fn a_code_that_nobody_was_given_is_unknown(pool: Pool) {
        let offer = offer_of(&pool, 5, 10);
        let account = citizen(&pool, &[(today(), 10)]);
        let got = redeemed(&pool, account, offer.id);
        let forged = CodeKey::new([8; 32]).code_of(got.voucher.id);
        assert_eq!(written_off(&pool, offer.merchant, &forged, noon()), Err(Code::NotFound));
        // A row whose digest somebody changed by hand does not make a code good.
        let digest: String = forged.digest().iter().map(|byte| format!("{byte:02X}")).collect();
        let literal = match pool.target() {
            tanpuhui::store::Target::Postgres(_) => format!("decode('{digest}', 'hex')"),
            tanpuhui::store::Target::Sqlite(_) => format!("x'{digest}'"),
        };
        pool.write_now::<_, StoreError>(|tx| {
            Ok(tx.batch_execute(&format!("UPDATE vouchers SET code_digest = {literal}"))?)
        })
        .unwrap();
        assert_eq!(written_off(&pool, offer.merchant, &forged, noon()), Err(Code::NotFound));
    }

    fn cancelling_within_ten_minutes_gives_the_points_back_to_their_lots(pool: Pool) {
        let offer = offer_of(&pool, 50, 2);
        let before = [(today(), 20, 0), (today() + 9, 90, 0)];
        let account = citizen(&pool, &[(today(), 20), (today() + 9, 90)]);
        let (first, second) = (redeemed(&pool, account, offer.id), redeemed(&pool, account, offer.id));
        assert_eq!(cancelled(&pool, &first.voucher, noon() + CANCEL_WINDOW).unwrap().state, VoucherState::Cancelled);
        let late = noon() + CANCEL_WINDOW + Duration::microseconds(1);
        assert_eq!(cancelled(&pool, &second.voucher, late), Err(Code::CancelTooLate));
        assert_eq!(cancelled(&pool, &first.voucher, noon()), Err(Code::VoucherCancelled));
        assert_eq!(written_off(&pool, offer.merchant, &first.code, noon()), Err(Code::VoucherCancelled));
        let stranger = Voucher { account: Uuid::now_v7(), ..second.voucher.clone() };
        assert_eq!(cancelled(&pool, &stranger, noon()), Err(Code::NotFound));
        assert_eq!(cancelled(&pool, &second.voucher, noon()).unwrap().state, VoucherState::Cancelled);
        assert_eq!(wallet(&pool, account), before);
        assert_eq!(stock(&pool, offer.id), 2);
        assert_eq!(differences(&pool), []);
    }

    fn an_expired_voucher_gives_back_and_a_passed_lot_lapses(pool: Pool) {
        let offer = offer_of(&pool, 50, 5);
        let account = citizen(&pool, &[(today(), 20), (today() + 300, 90)]);
        let got = redeemed(&pool, account, offer.id);
        let end = got.voucher.expires_at;
        let expire = |at| {
            let ctx = ctx_at(at);
            pool.write_now(|tx| expire_vouchers(tx, &mut ctx.clone(), desk().zone)).unwrap()
        };
        let lapse = |at| {
            let ctx = ctx_at(at);
            pool.write_now(|tx| expire_lots(tx, &mut ctx.clone(), desk().zone, None)).unwrap()
        };
        assert_eq!(expire(end - Duration::microseconds(1)), 0);
        // The lot passed while its points were held: they stay until the voucher ends.
        assert_eq!(lapse(end - Duration::hours(1)).points, 0);
        assert_eq!(written_off(&pool, offer.merchant, &got.code, end), Err(Code::VoucherExpired));
        assert_eq!(cancelled(&pool, &got.voucher, end), Err(Code::VoucherExpired));
        assert_eq!(expire(end), 1);
        assert_eq!(expire(end), 0);
        assert_eq!(wallet(&pool, account), [(today(), 20, 0), (today() + 300, 90, 0)]);
        assert_eq!(written_off(&pool, offer.merchant, &got.code, end), Err(Code::VoucherExpired));
        let lapsed = lapse(end);
        assert_eq!((lapsed.lots, lapsed.points, lapsed.next), (1, 20, None));
        assert_eq!(wallet(&pool, account), [(today(), 0, 0), (today() + 300, 90, 0)]);
        assert_eq!(balance_in_entries(&pool, EXPIRED), (20, 0));
        assert_eq!(lapse(end).lots, 0);
        assert_eq!(stock(&pool, offer.id), 5);
        assert_eq!(differences(&pool), []);
    }

    fn lots_lapse_in_bounded_chunks_the_day_after_their_last(pool: Pool) {
        let people = LAPSE_CHUNK + 3;
        for _ in 0..people {
            citizen(&pool, &[(today(), 2), (today() + 1, 1)]);
        }
        let run = |at, after| {
            let ctx = ctx_at(at);
            pool.write_now(|tx| expire_lots(tx, &mut ctx.clone(), desk().zone, after)).unwrap()
        };
        assert_eq!(run(noon(), None).lots, 0);
        let tomorrow = noon() + Duration::days(1);
        let first = run(tomorrow, None);
        assert_eq!((first.lots, first.points), (LAPSE_CHUNK as usize, 2 * LAPSE_CHUNK));
        let rest = run(tomorrow, first.next);
        assert_eq!((rest.lots, rest.next), (3, None));
        assert_eq!(balance_in_entries(&pool, EXPIRED), (2 * people, 0));
        assert_eq!(differences(&pool), []);
    }

    fn a_group_gives_the_first_what_is_left_and_tells_the_others(pool: Pool) {
        let (scarce, plenty) = (offer_of(&pool, 10, 2), offer_of(&pool, 60, 100));
        let rich = citizen(&pool, &[(today(), 1_000)]);
        let poor = citizen(&pool, &[(today() - 1, 500), (today(), 65)]);
        let nobody = Uuid::now_v7();
        let answers = redeem(&pool, &[
            wish(nobody, scarce.id, noon()),
            wish(rich, scarce.id, noon()),
            wish(poor, plenty.id, noon()),
            wish(poor, scarce.id, noon()),
            wish(rich, scarce.id, noon()),
            wish(rich, scarce.id, noon()),
            wish(rich, Uuid::now_v7(), noon()),
            wish(rich, plenty.id, noon() + Duration::days(400)),
        ]);
        let told: Vec<Result<i64, Code>> = answers
            .into_iter()
            .map(|answer| answer.map(|got| got.voucher.points).map_err(|problem| problem.code))
            .collect();
        assert_eq!(told, [
            Err(Code::PointsInsufficient), Ok(10), Ok(60), Err(Code::PointsInsufficient), Ok(10),
            Err(Code::OutOfStock), Err(Code::NotFound), Err(Code::OfferNotOpen),
        ]);
        assert_eq!(wallet(&pool, rich), [(today(), 980, 20)]);
        assert_eq!(wallet(&pool, poor), [(today() - 1, 500, 0), (today(), 5, 60)]);
        assert_eq!((stock(&pool, scarce.id), stock(&pool, plenty.id)), (0, 99));
        assert_eq!(differences(&pool), []);
    }

    fn the_same_key_gives_the_same_voucher(pool: Pool) {
        let (offer, other) = (offer_of(&pool, 10, 5), offer_of(&pool, 10, 5));
        let account = citizen(&pool, &[(today(), 100)]);
        let keyed = |offer, key: &str| {
            RedeemRequest::new(&mut ctx_at(noon()), account, offer, Some(key.into()))
        };
        let first = redeem(&pool, &[keyed(offer.id, "a"), keyed(offer.id, "a"), keyed(offer.id, "b")]);
        let ids: Vec<(Uuid, bool)> = first.iter().map(|answer| {
            let got = answer.as_ref().unwrap();
            (got.voucher.id, got.replayed)
        }).collect();
        assert_eq!((ids[0].0, ids[0].1, ids[1].1, ids[2].1), (ids[1].0, false, true, false));
        assert_ne!(ids[0].0, ids[2].0);
        let again = redeem(&pool, &[keyed(offer.id, "a")]).remove(0).unwrap();
        assert_eq!((again.voucher.id, again.replayed), (ids[0].0, true));
        assert_eq!(again.code, first[0].as_ref().unwrap().code);
        let mismatch = redeem(&pool, &[keyed(other.id, "a")]).remove(0);
        assert_eq!(mismatch.unwrap_err().code, Code::IdempotencyMismatch);
        // Another account's key is another key.
        let neighbour = citizen(&pool, &[(today(), 100)]);
        let theirs = RedeemRequest::new(&mut ctx_at(noon()), neighbour, other.id, Some("a".into()));
        assert!(!redeem(&pool, &[theirs]).remove(0).unwrap().replayed);
        assert_eq!(wallet(&pool, account), [(today(), 80, 20)]);
    }

    fn a_merchants_statement_adds_up_what_was_written_off(pool: Pool) {
        let (offer, other) = (offer_of(&pool, 10, 50), offer_of(&pool, 10, 50));
        let account = citizen(&pool, &[(today() + 300, 1_000)]);
        // 15:59 and 16:00 UTC are two days in Shenzhen, and the latter a new month.
        let times = ["2026-11-30T15:59:00Z", "2026-11-30T16:00:00Z", "2026-11-30T16:00:00Z", "2026-12-01T04:00:00Z"];
        for at in times {
            let got = redeem(&pool, &[wish(account, offer.id, at.parse().unwrap())]).remove(0).unwrap();
            written_off(&pool, offer.merchant, &got.code, at.parse().unwrap()).unwrap();
        }
        let elsewhere = redeemed(&pool, account, other.id);
        written_off(&pool, other.merchant, &elsewhere.code, noon()).unwrap();
        redeemed(&pool, account, offer.id);

        let days = (today(), today() + 30);
        let mut lines = Vec::new();
        let mut place = None;
        loop {
            let page = pool
                .read_now(|conn| merchant_statement(conn, offer.merchant, days, place, 3))
                .unwrap();
            assert!(page.lines.len() <= 3);
            assert_eq!((page.vouchers, page.fen), (4, Fen(3_600)));
            let totals: Vec<(i32, i64, Fen)> =
                page.days.iter().map(|day| (day.day, day.vouchers, day.fen)).collect();
            assert_eq!(totals, [(today() + 10, 1, Fen(900)), (today() + 11, 3, Fen(2_700))]);
            let months = tanpuhui::domain::redemption::months(&page.days).unwrap();
            let months: Vec<(u32, i64, Fen)> =
                months.iter().map(|total| (total.month, total.vouchers, total.fen)).collect();
            assert_eq!(months, [(11, 1, Fen(900)), (12, 3, Fen(2_700))]);
            lines.extend(page.lines);
            place = page.next;
            if place.is_none() { break }
        }
        assert_eq!(lines.len(), 4);
        assert!(lines.windows(2).all(|pair| (pair[0].at, pair[0].voucher) > (pair[1].at, pair[1].voucher)));
        let wrong = pool.read_now(|conn| merchant_statement(conn, offer.merchant, (5, 4), None, 3));
        assert_eq!(code_of(wrong), Err(Code::InvalidField));
    }

    fn the_bureaus_acts_are_recorded_and_bounded(pool: Pool) {
        let put_up = offer_of(&pool, 10, 1);
        let ctx = bureau(noon());
        let change = |to, basis: &str| {
            code_of(pool.write_now(|tx| change_offer(tx, &ctx, put_up.id, to, basis))).map(|offer| offer.state)
        };
        assert_eq!(change(OfferState::Suspended, " "), Err(Code::MissingField));
        assert_eq!(change(OfferState::Suspended, "complaint 3"), Ok(OfferState::Suspended));
        let account = citizen(&pool, &[(today(), 100)]);
        let refused = redeem(&pool, &[wish(account, put_up.id, noon())]).remove(0);
        assert_eq!(refused.unwrap_err().code, Code::OfferNotOpen);
        assert_eq!(change(OfferState::Live, "settled"), Ok(OfferState::Live));
        let restock = |pieces| {
            code_of(pool.write_now(|tx| restock_offer(tx, &ctx, put_up.id, pieces, "more")))
        };
        assert_eq!(restock(0), Err(Code::InvalidField));
        assert_eq!(restock(i64::MAX), Err(Code::InvalidField));
        assert_eq!(restock(4).map(|offer| offer.stock), Ok(5));
        assert_eq!(stock(&pool, put_up.id), 5);
        assert_eq!(change(OfferState::Closed, "contract ended"), Ok(OfferState::Closed));
        assert_eq!(change(OfferState::Live, "again"), Err(Code::InvalidField));
        let acts = pool.read_now(|conn| tanpuhui::store::audit::after(conn, 0, 100)).unwrap();
        let actions: Vec<&str> = acts.iter().map(|act| act.action.as_str()).collect();
        assert_eq!(actions, ["merchant.register", "offer.put_up", "offer.change", "offer.change", "offer.restock", "offer.change"]);
        assert_eq!(differences(&pool), []);
    }

    fn the_audit_names_a_hold_that_no_voucher_explains(pool: Pool) {
        let offer = offer_of(&pool, 10, 5);
        let account = citizen(&pool, &[(today(), 100)]);
        redeemed(&pool, account, offer.id);
        assert_eq!(differences(&pool), []);
        let broken = |sql: &str| {
            pool.write_now::<_, StoreError>(|tx| Ok(tx.batch_execute(sql)?)).unwrap();
            let books: Vec<&str> = differences(&pool).iter().map(|found| found.book).collect();
            books
        };
        assert_eq!(broken("UPDATE offers SET stock = stock - 1"), ["stock gone = vouchers issued or used"]);
        assert_eq!(broken("UPDATE offers SET stock = stock + 1"), [] as [&str; 0]);
        let books = broken("UPDATE voucher_lots SET points = points + 1");
        assert_eq!(books, ["held = vouchers issued", "a voucher's price = its lots"]);
        broken("UPDATE voucher_lots SET points = points - 1");
        let books = broken("UPDATE vouchers SET hold_id = id");
        assert_eq!(books, ["every voucher has its transfers", "every hold and its end have a voucher"]);
    }

    fn the_queue_answers_everybody_after_the_commit(pool: Pool) {
        let offer = offer_of(&pool, 10, 150);
        let people: Vec<Uuid> = (0..40).map(|_| citizen(&pool, &[(today(), 40)])).collect();
        let queue = start_queue(&pool, Arc::new(desk()), GroupLimits { group: 16, committers: 3, ..GroupLimits::default() }).unwrap();
        // 40 people want 5 each and can pay 4: 160 of 150 pieces.
        let told: Vec<Result<Redeemed, Problem>> = std::thread::scope(|scope| {
            let threads: Vec<_> = people.iter().map(|account| {
                let (queue, account) = (&queue, *account);
                scope.spawn(move || (0..5).map(|_| {
                    queue.submit_now(wish(account, offer.id, noon())).unwrap()
                }).collect::<Vec<_>>())
            }).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        queue.stop();
        let got = told.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!((got, stock(&pool, offer.id)), (150, 0));
        assert!(told.iter().filter_map(|answer| answer.as_ref().err()).all(|problem| {
            matches!(problem.code, Code::OutOfStock | Code::PointsInsufficient)
        }));
        assert_eq!(differences(&pool), []);
    }

    fn a_bad_request_fails_alone_and_a_panic_stops_nobody(pool: Pool) {
        let queue: GroupCommit<i64, Result<i64, Problem>> = GroupCommit::start(
            "test", &pool, GroupLimits { queue: 100, group: 10, committers: 1 },
            |pool, group: Vec<i64>| {
                // Waits so that requests pile up behind this group.
                std::thread::sleep(std::time::Duration::from_millis(20));
                assert!(!group.contains(&-2), "a defect");
                in_one_transaction(pool, &group, |_, group| {
                    if group.contains(&-1) {
                        return Err(StoreError::Constraint("no minus one".into()).into());
                    }
                    Ok(group.iter().map(|n| if n % 2 == 0 { Ok(n * 10) } else { Err(Code::NotFound.into()) }).collect())
                })
            },
        ).unwrap();
        let ask = |n| queue.submit_now(n).map(|answer| answer.map_err(|problem| problem.code));
        std::thread::scope(|scope| {
            let threads: Vec<_> = (-1..20).map(|n| (n, scope.spawn(move || ask(n)))).collect();
            for (n, thread) in threads {
                let expected = match n {
                    -1 => Err(Code::Internal),
                    n if n % 2 == 0 => Ok(n * 10),
                    _ => Err(Code::NotFound),
                };
                assert_eq!(thread.join().unwrap().unwrap(), expected, "{n}");
            }
        });
        assert_eq!(queue.submit_now(-2).unwrap_err().code, Code::Internal);
        assert_eq!(queue.submit_now(4).unwrap(), Ok(40));
    }

    fn a_full_queue_says_so_and_a_stop_answers_who_waits(pool: Pool) {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let queue: GroupCommit<u8, u8> = GroupCommit::start(
            "test", &pool, GroupLimits { queue: 3, group: 2, committers: 1 },
            move |_, group: Vec<u8>| { let _ = wait.lock().unwrap().recv(); group },
        ).unwrap();
        let queue = Arc::new(queue);
        let waiting: Vec<_> = (0..20_u8).map(|n| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || queue.submit_now(n))
        }).collect();
        // At most 3 wait and 2 are being committed; everybody else has been told.
        while waiting.iter().filter(|thread| thread.is_finished()).count() < 15 {
            std::thread::yield_now();
        }
        drop(go);
        let answers: Vec<_> = waiting.into_iter().map(|thread| thread.join().unwrap()).collect();
        Arc::try_unwrap(queue).ok().expect("nobody waits any more").stop();
        for (n, answer) in (0..20_u8).zip(&answers) {
            match answer {
                Ok(echo) => assert_eq!(*echo, n),
                Err(problem) => assert_eq!(problem.code, Code::Unavailable),
            }
        }
        assert!(answers.iter().filter(|answer| answer.is_ok()).count() >= 3);
    }
}

/// Runs `act` on eight threads at once against PostgreSQL and counts who succeeded.
fn race<T: Send>(act: impl Fn(usize) -> Result<T, Code> + Sync) -> usize {
    let start = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (act, start) = (&act, &start);
                scope.spawn(move || {
                    start.wait();
                    act(n).is_ok()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| usize::from(thread.join().unwrap()))
            .sum()
    })
}

fn redeem_alone(pool: &Pool, account: Uuid, offer: Uuid) -> Result<Redeemed, Code> {
    redeem(pool, &[wish(account, offer, noon())])
        .remove(0)
        .map_err(|problem| problem.code)
}

#[test]
fn eight_threads_cannot_overspend_a_wallet() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let pool = database.pool();
    let offer = offer_of(&pool, 30, 1_000);
    let account = citizen(&pool, &[(today(), 50), (today() + 9, 50)]);
    assert_eq!(race(|_| redeem_alone(&pool, account, offer.id)), 3);
    assert_eq!(
        wallet(&pool, account).iter().map(|lot| lot.1).sum::<i64>(),
        10
    );
    assert_eq!(differences(&pool), []);
}

#[test]
fn the_last_piece_is_sold_once() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let pool = database.pool();
    let offer = offer_of(&pool, 30, 1);
    let people: Vec<Uuid> = (0..8).map(|_| citizen(&pool, &[(today(), 50)])).collect();
    assert_eq!(race(|n| redeem_alone(&pool, people[n], offer.id)), 1);
    assert_eq!(stock(&pool, offer.id), 0);
    assert_eq!(differences(&pool), []);
}

#[test]
fn one_key_from_eight_threads_is_one_voucher() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let pool = database.pool();
    let offer = offer_of(&pool, 30, 100);
    let account = citizen(&pool, &[(today(), 1_000)]);
    let keyed = || RedeemRequest::new(&mut ctx_at(noon()), account, offer.id, Some("k".into()));
    assert_eq!(
        race(|_| Ok(redeem(&pool, &[keyed()]).remove(0).unwrap())),
        8
    );
    assert_eq!(wallet(&pool, account), [(today(), 970, 30)]);
}

#[test]
fn two_terminals_write_one_voucher_off_once() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let pool = database.pool();
    let offer = offer_of(&pool, 30, 100);
    let account = citizen(&pool, &[(today(), 1_000)]);
    for _ in 0..10 {
        let got = redeemed(&pool, account, offer.id);
        assert_eq!(
            race(|_| written_off(&pool, offer.merchant, &got.code, noon())),
            1
        );
    }
    assert_eq!(balance_in_entries(&pool, REDEEMED), (300, 0));
    assert_eq!(differences(&pool), []);
}

#[test]
fn a_cancel_and_a_write_off_at_once_end_it_once() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let pool = database.pool();
    let offer = offer_of(&pool, 30, 100);
    let account = citizen(&pool, &[(today(), 1_000)]);
    for _ in 0..10 {
        let got = redeemed(&pool, account, offer.id);
        let ended = race(|n| match n % 2 {
            0 => written_off(&pool, offer.merchant, &got.code, noon()),
            _ => cancelled(&pool, &got.voucher, noon()),
        });
        assert_eq!(ended, 1);
    }
    assert_eq!(wallet(&pool, account)[0].2, 0);
    assert_eq!(differences(&pool), []);
}

#[test]
fn redeeming_writing_off_cancelling_and_expiring_at_once_never_deadlocks() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let pool = database.pool();
    let offers = [offer_of(&pool, 3, 10_000), offer_of(&pool, 4, 10_000)];
    let people: Vec<Uuid> = (0..10)
        .map(|_| citizen(&pool, &[(today(), 500), (today() + 90, 500)]))
        .collect();
    race(|n| {
        for turn in 0..15 {
            let group: Vec<RedeemRequest> = (0..6)
                .map(|k| {
                    let person = people[(n * 7 + turn * 3 + k) % people.len()];
                    wish(person, offers[(n + k) % 2].id, noon())
                })
                .collect();
            for (k, got) in redeem(&pool, &group).into_iter().flatten().enumerate() {
                match k % 3 {
                    0 => drop(written_off(&pool, got.voucher.merchant, &got.code, noon())),
                    1 => drop(cancelled(&pool, &got.voucher, noon())),
                    _ => {}
                }
            }
            if turn % 5 == 4 {
                let ctx = ctx_at(noon() + Duration::days(60));
                pool.write_now(|tx| expire_vouchers(tx, &mut ctx.clone(), desk().zone))
                    .unwrap();
            }
        }
        Ok(())
    });
    assert_eq!(differences(&pool), []);
    let listed = pool
        .read_now(|conn| redemption::vouchers_of(conn, people[0], None, 1_000))
        .unwrap();
    assert!(listed.windows(2).all(|pair| pair[0].id > pair[1].id));
}
