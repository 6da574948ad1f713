//! Reductions become tonnes with serials: closed, verified by another, issued, passed on, retired,
//! and sold on the exchange.

use chrono::{Datelike, Days, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cli::demo::city::{BASIS, METRO, Person, ROOFS, hand_out};
use crate::cli::demo::exchange::BUYER;
use crate::cli::demo::feeds;
use crate::cli::demo::problem::{DemoResult, wrong};
use crate::domain::party::Role;

use super::{Walk, wait_for};

/// Yuan a tonne; within a tenth of the sandbox's last close.
const PRICE: &str = "46.00";

/// Registry accounts of the demonstration.
pub struct Holders {
    /// Where the scenes' units arrive.
    pub pool: Person,
    pub buyer: Person,
}

/// Serials as people read them.
#[derive(Debug, Default)]
pub struct Units {
    pub issued: Vec<String>,
    pub certificate: String,
}

/// A part of a block: whose, which, how much.
struct Piece<'p> {
    owner: &'p Person,
    block: Uuid,
    tonnes: i64,
}

impl Walk<'_> {
    /// Every step from closed periods to a sale.
    pub(super) async fn certify(&self) -> DemoResult<(Holders, Units)> {
        let holders = self.open_accounts().await?;
        let mut units = Units::default();
        let day = self.day();
        let yesterday = day - Days::new(1);
        let metro = (yesterday - Days::new(60), yesterday);
        let months = feeds::months_before(day, 3);
        let roofs = match (months.first(), day.with_day(1)) {
            (Some(first), Some(this)) => (*first, this - Days::new(1)),
            _ => return Err(wrong("the calendar has no months")),
        };
        for (scene, window) in [(METRO, metro), (ROOFS, roofs)] {
            units
                .issued
                .push(self.issue(scene, window, &holders.pool).await?);
        }
        self.trade(&holders, &mut units).await?;
        Ok((holders, units))
    }

    async fn open_accounts(&self) -> DemoResult<Holders> {
        let open = async |kind: &str, code: &str, name: &str, member: Option<&str>| {
            let body = json!({"kind": kind, "code": code, "name": name, "exchange_member": member});
            let made = self
                .courier
                .post("/api/bureau/holders", &self.city.clerk.token, &body)
                .await?;
            let id = id_of(&made)?;
            let token = hand_out(self.state, Role::Holder, id)?;
            DemoResult::Ok(Person { id, token })
        };
        Ok(Holders {
            pool: open("project", "DEMO-POOL", "示例减排量池（仅为演示）", None).await?,
            buyer: open(
                "enterprise",
                "DEMO-BUYER",
                "示例买方公司（仅为演示）",
                Some(BUYER),
            )
            .await?,
        })
    }

    /// A monitoring period from opening to issuance; answers the serial range.
    async fn issue(
        &self,
        scene: &str,
        (from, to): (NaiveDate, NaiveDate),
        holder: &Person,
    ) -> DemoResult<String> {
        let stage = self
            .screen
            .stage(&format!("监测期与签发 · period and issuance, {scene}"), 6);
        let (clerk, director, verifier) =
            (&self.city.clerk, &self.city.director, &self.city.verifier);
        let body =
            json!({"scene": scene, "from": from, "to": to, "holder": holder.id, "reason": BASIS});
        let opened = self
            .courier
            .post("/api/bureau/periods", &clerk.token, &body)
            .await?;
        let id = id_of(&opened)?;
        stage.step();
        let at = |step: &str| format!("/api/bureau/periods/{id}/{step}");
        let because = json!({"reason": BASIS});
        let closed = self
            .courier
            .post(&at("close"), &clerk.token, &because)
            .await?;
        let whole = number(&closed, "whole_t")?;
        stage.step();
        let asked = json!({"finding": "请说明监测口径（演示） / which records were counted? (demonstration)"});
        let path = format!("/api/verifier/periods/{id}/findings");
        self.courier.post(&path, &verifier.token, &asked).await?;
        stage.step();
        let answer = json!({"answer": "公开日志中全部成员（演示） / every member in the public log (demonstration)"});
        self.courier
            .post(&at("answer"), &clerk.token, &answer)
            .await?;
        stage.step();
        let statement = json!({"accepted_t": whole, "statement": "逐条复算一致（仅为演示） / re-added and equal (demonstration only)"});
        let path = format!("/api/verifier/periods/{id}/accept");
        self.courier
            .post(&path, &verifier.token, &statement)
            .await?;
        stage.step();
        let issued = self
            .courier
            .post(&at("issue"), &director.token, &because)
            .await?;
        let serial = issued["serial"].as_str().unwrap_or_default().to_owned();
        stage.step();
        stage.done(format!("{whole} t，{serial}"));
        Ok(serial)
    }

    /// Passes part on, retires part, sells part.
    async fn trade(&self, holders: &Holders, units: &mut Units) -> DemoResult<()> {
        let stage = self
            .screen
            .stage("划转、注销、挂牌 · transfer, retirement, sale", 4);
        let blocks = self
            .courier
            .get("/api/holder/blocks", &holders.pool.token)
            .await?;
        let list = blocks["blocks"].as_array().map_or(&[][..], Vec::as_slice);
        let (Some(first), Some(last)) = (list.first(), list.last()) else {
            return Err(wrong("nothing was issued"));
        };
        let (given, retired) = (number(first, "tonnes")? / 4, number(first, "tonnes")? / 4);
        let sold = number(last, "tonnes")? / 2;
        if given < 1 || sold < 1 || list.len() < 2 {
            return Err(wrong("too few tonnes to show anything"));
        }
        let piece = Piece {
            owner: &holders.pool,
            block: id_of(first)?,
            tonnes: given,
        };
        let moved = self.pass_on(&piece, &holders.buyer).await?;
        stage.step();
        let piece = Piece {
            owner: &holders.buyer,
            block: moved,
            tonnes: retired,
        };
        units.certificate = self.retire(&piece).await?;
        stage.step();
        let piece = Piece {
            owner: &holders.pool,
            block: id_of(last)?,
            tonnes: sold,
        };
        self.sell(&piece, &stage).await?;
        stage.done(format!(
            "划转 {given} t，注销 {retired} t，售出 {sold} t · {given} t passed on, {retired} t retired, {sold} t sold"
        ));
        Ok(())
    }

    async fn pass_on(&self, piece: &Piece<'_>, to: &Person) -> DemoResult<Uuid> {
        let path = format!("/api/holder/blocks/{}/transfer", piece.block);
        let body = json!({"tonnes": piece.tonnes, "to_holder": to.id, "reason": BASIS});
        let moved = self.courier.post(&path, &piece.owner.token, &body).await?;
        uuid_of(&moved["block"])
    }

    async fn retire(&self, piece: &Piece<'_>) -> DemoResult<String> {
        let path = format!("/api/holder/blocks/{}/retire", piece.block);
        let body = json!({
            "tonnes": piece.tonnes, "purpose": "event", "beneficiary": "示例马拉松（仅为演示）",
            "claim": "示例赛事碳中和（仅为演示） / carbon neutrality of a sample race (demonstration only)",
        });
        let retired = self.courier.post(&path, &piece.owner.token, &body).await?;
        let number = retired["certificate_no"].as_str().unwrap_or_default();
        let shown = self
            .courier
            .look(&format!("/api/registry/retirements/{number}"))
            .await?;
        if shown["tonnes"].as_i64() != Some(piece.tonnes) {
            return Err(wrong("the certificate says another quantity"));
        }
        Ok(number.to_owned())
    }

    /// Lists, has the buyer click on the exchange, and waits until title has moved.
    async fn sell(&self, piece: &Piece<'_>, stage: &super::super::screen::Stage) -> DemoResult<()> {
        let path = format!("/api/holder/blocks/{}/list", piece.block);
        let body = json!({"tonnes": piece.tonnes, "price": PRICE});
        let listing = self.courier.post(&path, &piece.owner.token, &body).await?;
        let id = &listing["id"];
        wait_for("the listing to reach the exchange", || {
            self.listing(piece.owner, id, |listing| listing["state"] == "open")
        })
        .await?;
        stage.step();
        let url = format!("{}/click", self.exchange.url);
        let click = json!({"quantity": piece.tonnes, "limit": PRICE});
        self.courier
            .at(&url, &self.exchange.buyer_token, &click)
            .await?;
        wait_for("title to move", || {
            self.listing(piece.owner, id, |listing| listing["sold_t"] == piece.tonnes)
        })
        .await?;
        stage.step();
        Ok(())
    }

    /// Whether the listing is as wished.
    async fn listing(
        &self,
        owner: &Person,
        id: &Value,
        wished: impl Fn(&Value) -> bool,
    ) -> DemoResult<Option<()>> {
        let page = self
            .courier
            .get("/api/holder/listings", &owner.token)
            .await?;
        let listings = page["listings"].as_array().map_or(&[][..], Vec::as_slice);
        let found = listings.iter().find(|listing| listing["id"] == *id);
        Ok(found.filter(|listing| wished(listing)).map(|_| ()))
    }
}

/// The `id` of an answer.
///
/// # Errors
/// It has none.
pub(super) fn id_of(answer: &Value) -> DemoResult<Uuid> {
    uuid_of(&answer["id"])
}

fn uuid_of(value: &Value) -> DemoResult<Uuid> {
    let text = value.as_str().unwrap_or_default();
    Uuid::parse_str(text).map_err(|_| wrong("an answer has no id"))
}

fn number(answer: &Value, name: &str) -> DemoResult<i64> {
    answer[name]
        .as_i64()
        .ok_or_else(|| wrong(format!("an answer has no {name}")))
}
