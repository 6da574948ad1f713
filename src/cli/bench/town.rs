//! A made-up town: accounts, linked riders, one live scene, keys, an offer; and its trips.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use crate::config::{Clock, Config};
use crate::domain::behaviour::subject_hash;
use crate::domain::context::{Actor, Ctx};
use crate::domain::methodology::{EMBEDDED_DOCUMENTS, Library, SignOffs};
use crate::domain::party::{Role, Token};
use crate::domain::redemption::{Merchant, Offer, OfferState};
use crate::flow::access::issue_token;
use crate::flow::approve::{file_document, file_rule, go_live, sign_off};
use crate::flow::catalogue::{Catalogue, Scene};
use crate::flow::ingest::{Row, commit, prepare};
use crate::flow::log_keys::LogKeys;
use crate::flow::merchant::{put_up_offer, register_merchant};
use crate::flow::{FlowError, FlowResult};
use crate::server::{Running, start_on};
use crate::store::party::{
    AccountRow, PartnerKeyRow, PartnerRow, add_partner_key, open_account, register_partner,
};
use crate::store::scene::{SceneRow, open_scene};
use crate::store::{Pool, Ts, Tx};

use super::Failure;

pub(super) const SCENE: &str = "bench-metro";
pub(super) const KEY_ID: &str = "bench-key";
pub(super) const SECRET: [u8; 32] = [5; 32];
const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";
const RULE: &str = "code = 'bench'\nversion = '1'\ntitle_zh = '压测规则'\ntitle_en = 'benchmark rule'\n\
    effective_from = 2022-01-01T00:00:00+08:00\nmg_per_point = 1000\ndaily_cap_points = 1000000\n\
    valid_months = 24\nsource = 'benchmark'\n";
/// Citizens who have a token, for balance reads and redemptions.
pub(super) const TOKENS: usize = 5_000;
/// Accounts, tokens or links in one transaction of the set-up.
const SETTLE_CHUNK: usize = 10_000;
/// Trips of one account are this far apart, so that none overlap.
const BETWEEN_TRIPS: TimeDelta = TimeDelta::hours(11);

/// The town and how many trips were made in it so far.
pub(super) struct Town {
    accounts: usize,
    trips: AtomicUsize,
    pub(super) offers: Vec<Uuid>,
    pub(super) catalogue: Catalogue,
    pub(super) keys: LogKeys,
    start: DateTime<Utc>,
}

impl Town {
    /// Makes everything that trips need.
    pub(super) fn settle(pool: &Pool, accounts: usize) -> Result<Town, FlowError> {
        let now = now();
        let mut ctx = ctx(now, 1);
        let partner = ctx.id();
        pool.write_now::<_, FlowError>(|tx| scene(tx, &ctx, partner))?;
        let offers = pool.write_now::<_, FlowError>(|tx| shop(tx, &mut ctx.clone()))?;
        for chunk in 0..accounts.div_ceil(SETTLE_CHUNK) {
            let to = accounts.min((chunk + 1) * SETTLE_CHUNK);
            let range = chunk * SETTLE_CHUNK..to;
            pool.write_now::<_, FlowError>(|tx| people(tx, &ctx, partner, range.clone()))?;
        }
        Ok(Town {
            accounts,
            trips: AtomicUsize::new(0),
            offers,
            catalogue: pool.read_now(Catalogue::load)?,
            keys: LogKeys::from_seed("bench.invalid/log", [7; 32])?,
            // Three years back leaves room for 2,300 trips of each account.
            start: now - TimeDelta::days(3 * 365),
        })
    }

    /// Serves the town on a free port, without limits on callers.
    pub(super) fn serve(&self, pool: &Pool) -> Result<Running, Failure> {
        let mut config = Config::default();
        config.http.listen = ([127, 0, 0, 1], 0).into();
        config.http.workers = 2;
        config.limits.caller.per_minute = 0;
        config.limits.address.per_minute = 0;
        config.limits.partner.per_minute = 0;
        config.log.seed = Some(SEED.parse()?);
        config.log.origin = Some("bench.invalid/log".to_owned());
        config.redemption.code_key = Some(SEED.parse()?);
        config.database.url = SecretString::from("sqlite:unused");
        Ok(start_on(
            pool.clone(),
            config,
            Clock::running(TimeDelta::zero()),
        )?)
    }

    pub(super) fn scene(&self) -> &Scene {
        &self.catalogue.scenes[SCENE]
    }

    /// Reserves the next `count` trips.
    pub(super) fn next_trips(&self, count: usize) -> std::ops::Range<usize> {
        let first = self.trips.fetch_add(count, Ordering::Relaxed);
        first..first + count
    }

    /// One trip in the platform's own form. Riders come in an order that scatters them over the
    /// accounts; each rider's trips are some hours apart.
    pub(super) fn trip(&self, number: usize) -> String {
        let rider = scatter(number % self.accounts, self.accounts);
        let nth = i32::try_from(number / self.accounts).unwrap_or(i32::MAX);
        let from = self.start + BETWEEN_TRIPS * nth + TimeDelta::seconds((rider % 3_600) as i64);
        let to = from + TimeDelta::minutes(25);
        format!(
            "{{\"id\":\"trip-{number:012}\",\"subject\":\"rider-{rider:09}\",\"from\":\"{}\",\
             \"to\":\"{}\",\"quantities\":{{\"distance\":{{\"value\":\"{}.{}\",\"unit\":\"km\"}}}},\
             \"attributes\":{{\"mode\":\"metro\"}}}}",
            from.format("%Y-%m-%dT%H:%M:%SZ"),
            to.format("%Y-%m-%dT%H:%M:%SZ"),
            3 + number % 20,
            number % 10,
        )
    }

    /// Stores trips by the ordinary way, without HTTP.
    pub(super) fn store(&mut self, pool: &Pool, count: usize) -> Result<(), FlowError> {
        let threads = 3;
        std::thread::scope(|scope| {
            let town = &*self;
            let workers: Vec<_> = (0..threads)
                .map(|worker| {
                    scope.spawn(move || -> Result<(), FlowError> {
                        let mut ctx = ctx(now(), 100 + worker);
                        for _ in 0..count.div_ceil(threads as usize * 10_000) {
                            town.store_batch(pool, &mut ctx, 10_000)?;
                        }
                        Ok(())
                    })
                })
                .collect();
            workers.into_iter().try_for_each(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| Err(crate::domain::problem::Code::Internal.into()))
            })
        })
    }

    fn store_batch(&self, pool: &Pool, ctx: &mut Ctx, size: usize) -> FlowResult<()> {
        let prepared = self.prepared(size);
        let batch = ctx.id();
        let ctx = ctx.clone();
        let receipt = pool.write_now::<_, FlowError>(|tx| {
            commit(
                tx,
                &ctx,
                batch,
                &self.scene().view,
                &self.keys.settings,
                &prepared,
            )
        })?;
        assert_eq!(receipt.accepted, size, "every trip is new");
        Ok(())
    }

    /// The next `size` trips, read and quantified.
    pub(super) fn prepared(&self, size: usize) -> crate::flow::ingest::Prepared {
        use crate::domain::scene::adapter::native::parse_record;
        let rows = self
            .next_trips(size)
            .map(|number| match parse_record(&self.trip(number)) {
                Ok(record) => Row::Record(record),
                Err(problem) => Row::Refused(String::new(), problem),
            });
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&self.trips.load(Ordering::Relaxed).to_be_bytes());
        prepare(&self.scene().view, rows, digest, now())
    }
}

/// Another number below `of` for each number below `of`, without an order that an index likes.
fn scatter(number: usize, of: usize) -> usize {
    // 7,368,787 is prime and larger than the towns measured, so that it is a permutation.
    (number * 7_368_787) % of
}

/// The token of the n-th citizen who has one.
pub(super) fn token(number: usize) -> Token {
    let mut secret = [9; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    Token::new(&secret)
}

pub(super) fn ctx(now: DateTime<Utc>, salt: u16) -> Ctx {
    let mut seed = [0; 10];
    getrandom::fill(&mut seed).expect("the operating system gives random bytes");
    seed[8..].copy_from_slice(&salt.to_be_bytes());
    Ctx::new(
        Actor {
            role: "operator",
            id: Uuid::from_u128(0xbe),
        },
        now,
        seed,
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bench is wiring: it measures in real time"
)]
pub(super) fn now() -> DateTime<Utc> {
    Utc::now()
}

fn account_id(number: usize) -> Uuid {
    // Scattered, as real account ids are after years of openings.
    Uuid::from_u128((number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

fn people(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    partner: Uuid,
    range: std::ops::Range<usize>,
) -> FlowResult<()> {
    for number in range {
        let id = account_id(number);
        let opened_at = Ts(ctx.now);
        open_account(
            tx,
            &AccountRow {
                id: id.into(),
                kind: "citizen".into(),
                opened_at,
            },
        )?;
        let subject = subject_hash(partner, &format!("rider-{number:09}"));
        crate::store::behaviour::link_subject(tx, &subject, id, opened_at)?;
        if number < TOKENS {
            issue_token(
                tx,
                ctx,
                &token(number),
                (Role::Citizen, id),
                TimeDelta::days(1),
            )?;
        }
    }
    Ok(())
}

fn scene(tx: &mut Tx<'_>, ctx: &Ctx, partner: Uuid) -> FlowResult<()> {
    let (code, version) = ("sz-public-transport", "2021.1");
    for (_, text) in EMBEDDED_DOCUMENTS
        .iter()
        .filter(|(path, _)| path.contains(code))
    {
        file_document(tx, ctx, text)?;
    }
    let library = Library::embedded().map_err(|_| crate::domain::problem::Code::Internal)?;
    let document = library
        .get(code, version)
        .ok_or(crate::domain::problem::Code::NotFound)?;
    for blocker in document.blockers(&SignOffs::new()) {
        sign_off(
            tx,
            ctx,
            code,
            version,
            &blocker.item,
            "benchmark",
            "benchmark",
        )?;
    }
    let mut officer = ctx.clone();
    officer.actor = Actor {
        role: "bureau",
        id: Uuid::from_u128(0xb0),
    };
    go_live(tx, &officer, code, version, "benchmark")?;
    file_rule(tx, ctx, RULE, "benchmark")?;
    register_partner(
        tx,
        &PartnerRow {
            id: partner.into(),
            code: "bench".into(),
            name_zh: "压测".into(),
            name_en: "benchmark".into(),
            registered_at: ctx.now.into(),
        },
    )?;
    add_partner_key(
        tx,
        &PartnerKeyRow {
            key_id: KEY_ID.into(),
            partner_id: partner.into(),
            algorithm: "hmac-sha256".into(),
            material: SECRET.to_vec(),
            valid_from: ctx.now.into(),
            revoked_at: None,
        },
    )?;
    open_scene(
        tx,
        &SceneRow {
            id: 1,
            code: SCENE.into(),
            partner_id: partner.into(),
            name_zh: "压测地铁".into(),
            name_en: "benchmark metro".into(),
            adapter: "native".into(),
            methodology_code: code.into(),
            exchange_rule_code: "bench".into(),
            zone: "Asia/Shanghai".into(),
            adapter_table: None,
            state: "live".into(),
            opened_at: ctx.now.into(),
            adapter_settings: None,
        },
    )?;
    Ok(())
}

fn shop(tx: &mut Tx<'_>, ctx: &mut Ctx) -> FlowResult<Vec<Uuid>> {
    let merchant = Merchant {
        id: ctx.id(),
        code: "bench".into(),
        name_zh: "压测商户".into(),
        name_en: "benchmark shop".into(),
        registered_at: ctx.now,
    };
    register_merchant(tx, ctx, &merchant, "benchmark")?;
    (0..20)
        .map(|_| {
            let offer = Offer {
                id: ctx.id(),
                merchant: merchant.id,
                title_zh: "压测商品".into(),
                title_en: "benchmark item".into(),
                points: 1,
                settlement_fen: 10,
                stocked: 1_000_000,
                stock: 1_000_000,
                validity_days: 30,
                state: OfferState::Live,
                from: ctx.now - TimeDelta::hours(1),
                to: ctx.now + TimeDelta::days(1),
                created_at: ctx.now,
            };
            put_up_offer(tx, ctx, &offer, "benchmark")?;
            Ok(offer.id)
        })
        .collect()
}
