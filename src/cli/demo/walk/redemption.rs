//! Points become vouchers, vouchers become money owed to merchants; some are taken back, some lapse.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::cli::demo::city::{BASIS, Person, hand_out};
use crate::cli::demo::courier::refused;
use crate::cli::demo::problem::{DemoResult, wrong};
use crate::domain::context::Actor;
use crate::domain::party::Role;
use crate::flow::expire_points::expire_lots;
use crate::flow::release_voucher::expire_vouchers;

use super::{Walk, ZONE};

/// Citizens who redeem.
const SHOPPERS: u32 = 60;
/// Every so many shoppers takes the voucher of one day and forgets it.
const FORGETFUL: u32 = 12;
/// Of this many vouchers, one is kept for later.
const KEPT: u32 = 7;

/// Who sells and what.
pub struct Market {
    merchants: Vec<Person>,
    /// Offer and whose it is.
    offers: Vec<(Value, usize)>,
    /// A voucher of it is good for a day.
    fleeting: Value,
}

struct Goods {
    merchant: usize,
    title: (&'static str, &'static str),
    points: i64,
    fen: i64,
    days: i32,
}

impl Market {
    /// # Errors
    /// There is none, which the walk does not let happen.
    pub fn first_merchant(&self) -> DemoResult<&Person> {
        self.merchants
            .first()
            .ok_or_else(|| wrong("there is no merchant"))
    }
}

impl Walk<'_> {
    /// The bureau contracts merchants, citizens redeem, merchants write off.
    pub(super) async fn redeem(&self) -> DemoResult<Market> {
        let stage = self
            .screen
            .stage("兑换与核销 · redeeming and writing off", SHOPPERS as usize);
        let market = self.open_market().await?;
        let (mut used, mut fleeting, mut kept) = (0, 0, 0);
        for no in 1..=SHOPPERS {
            let person = self.city.citizen(no)?;
            if no % FORGETFUL == 0 {
                self.voucher(person, &market.fleeting, None).await?;
                fleeting += 1;
            } else {
                let place = no as usize % market.offers.len().max(1);
                let (offer, merchant) = market
                    .offers
                    .get(place)
                    .ok_or_else(|| wrong("there is no offer"))?;
                let voucher = self.voucher(person, offer, None).await?;
                if no % KEPT == 0 {
                    kept += 1;
                } else {
                    self.write_off(&market, *merchant, &voucher).await?;
                    used += 1;
                }
            }
            stage.step();
        }
        self.second_thoughts(&market).await?;
        stage.done(format!(
            "核销 {used}，取消 1，留用 {kept}，待过期 {fleeting} · {used} written off, 1 taken back, {kept} kept, {fleeting} forgotten"
        ));
        Ok(market)
    }

    async fn open_market(&self) -> DemoResult<Market> {
        let mut merchants = Vec::new();
        for (code, zh, en) in [
            ("sample-cafe", "示例咖啡馆", "Sample café"),
            ("sample-metro-shop", "示例地铁便利店", "Sample metro shop"),
        ] {
            let body = json!({"code": code, "name_zh": zh, "name_en": en, "reason": BASIS});
            let made = self.act("/api/bureau/merchants", &body).await?;
            let id = super::registry::id_of(&made)?;
            let token = hand_out(self.state, Role::Merchant, id)?;
            merchants.push(Person { id, token });
        }
        let coffee = self
            .offer(
                &merchants,
                &goods(0, ("咖啡一杯", "A coffee"), 100, 900, 30),
            )
            .await?;
        let ticket = self
            .offer(
                &merchants,
                &goods(1, ("单程票", "A single ticket"), 60, 500, 90),
            )
            .await?;
        let fleeting = self
            .offer(
                &merchants,
                &goods(0, ("当日面包", "Bread of the day"), 30, 300, 1),
            )
            .await?;
        Ok(Market {
            merchants,
            offers: vec![(coffee, 0), (ticket, 1)],
            fleeting,
        })
    }

    async fn offer(&self, merchants: &[Person], goods: &Goods) -> DemoResult<Value> {
        let merchant = merchants
            .get(goods.merchant)
            .ok_or_else(|| wrong("there is no such merchant"))?;
        let now = self.state.now();
        let body = json!({
            "merchant": merchant.id,
            "title_zh": format!("{}（示例）", goods.title.0),
            "title_en": format!("{} (sample)", goods.title.1),
            "points": goods.points,
            "settlement_fen": goods.fen,
            "stock": 500,
            "validity_days": goods.days,
            "from": now - TimeDelta::days(1),
            "to": now + TimeDelta::days(365),
            "reason": BASIS,
        });
        let made = self.act("/api/bureau/offers", &body).await?;
        Ok(made["id"].clone())
    }

    async fn act(&self, path: &str, body: &Value) -> DemoResult<Value> {
        self.courier.post(path, &self.city.clerk.token, body).await
    }

    async fn voucher(
        &self,
        person: &Person,
        offer: &Value,
        key: Option<&str>,
    ) -> DemoResult<Value> {
        let body = json!({ "offer": offer });
        self.courier
            .post_keyed("/api/citizen/vouchers", &person.token, &body, key)
            .await
    }

    async fn write_off(
        &self,
        market: &Market,
        merchant: usize,
        voucher: &Value,
    ) -> DemoResult<Value> {
        let merchant = market
            .merchants
            .get(merchant)
            .ok_or_else(|| wrong("there is no such merchant"))?;
        let body = json!({"code": voucher["code"]});
        self.courier
            .post("/api/merchant/write-offs", &merchant.token, &body)
            .await
    }

    /// What a careful platform is asked every day: the same wish twice, a voucher taken back, a
    /// voucher shown at the wrong shop, and one shown twice.
    async fn second_thoughts(&self, market: &Market) -> DemoResult<()> {
        let person = self.city.citizen(SHOPPERS + 1)?;
        let (offer, merchant) = market
            .offers
            .first()
            .ok_or_else(|| wrong("there is no offer"))?;
        let first = self.voucher(person, offer, Some("demo-1")).await?;
        let again = self.voucher(person, offer, Some("demo-1")).await?;
        if first["id"] != again["id"] {
            return Err(wrong("one key gave two vouchers"));
        }
        self.state.clock.advance(TimeDelta::minutes(5));
        let id = first["id"].as_str().unwrap_or_default();
        let path = format!("/api/citizen/vouchers/{id}/cancel");
        self.courier.post(&path, &person.token, &json!({})).await?;
        refused(
            self.write_off(market, *merchant, &first).await,
            "voucher_cancelled",
        )?;
        let other = self.voucher(person, offer, None).await?;
        let elsewhere = (merchant + 1) % market.merchants.len().max(1);
        refused(
            self.write_off(market, elsewhere, &other).await,
            "voucher_elsewhere",
        )?;
        self.write_off(market, *merchant, &other).await?;
        refused(
            self.write_off(market, *merchant, &other).await,
            "voucher_used",
        )
    }

    /// Ends vouchers and lots whose time is over, as the platform's job does every five minutes.
    pub(super) fn lapse(&self) -> DemoResult<()> {
        let stage = self.screen.stage("过期 · what lapses", 1);
        let zone = self.state.config.redemption.zone;
        let (mut vouchers, mut points, mut next) = (0, 0, None);
        loop {
            let ctx = self.state.ctx(Actor::SYSTEM);
            let pool = &self.state.pool;
            let ended = pool.write_now(|tx| expire_vouchers(tx, &mut ctx.clone(), zone))?;
            vouchers += ended;
            if ended == 0 {
                break;
            }
        }
        loop {
            let ctx = self.state.ctx(Actor::SYSTEM);
            let pool = &self.state.pool;
            let lapsed = pool.write_now(|tx| expire_lots(tx, &mut ctx.clone(), zone, next))?;
            points += lapsed.points;
            next = lapsed.next;
            if next.is_none() {
                break;
            }
        }
        stage.step();
        stage.done(format!(
            "{} {vouchers} 张券、{points} 积分过期 · {vouchers} vouchers and {points} points lapsed",
            self.day()
        ));
        Ok(())
    }

    /// Reads what each merchant is owed, in fen.
    pub(super) async fn settle(&self, market: &Market) -> DemoResult<i64> {
        let stage = self
            .screen
            .stage("商户结算 · settlement", market.merchants.len());
        let to = self.state.now().with_timezone(&ZONE).date_naive();
        let from = to - TimeDelta::days(60);
        let mut owed = 0;
        for merchant in &market.merchants {
            let path = format!("/api/merchant/statement?from={from}&to={to}");
            let statement = self.courier.get(&path, &merchant.token).await?;
            owed += statement["owed_fen"]
                .as_i64()
                .ok_or_else(|| wrong("a statement has no sum"))?;
            stage.step();
        }
        stage.done(format!(
            "应付 {}.{:02} 元 · owed {}.{:02} yuan",
            owed / 100,
            owed % 100,
            owed / 100,
            owed % 100
        ));
        Ok(owed)
    }
}

fn goods(
    merchant: usize,
    title: (&'static str, &'static str),
    points: i64,
    fen: i64,
    days: i32,
) -> Goods {
    Goods {
        merchant,
        title,
        points,
        fen,
        days,
    }
}
