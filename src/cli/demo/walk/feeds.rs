//! People link their cards, and the feeds come in: files, batches, months; some of it wrong.

use bytes::Bytes;
use chrono::{Days, NaiveDate, TimeDelta};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::cli::demo::city::{Partner, Person};
use crate::cli::demo::feeds;
use crate::cli::demo::problem::{DemoResult, wrong};

use crate::gateway::partner_client::{
    BatchReceipt, FileLine, NDJSON, Patience, behaviours_path, files_path,
};

use super::{Tally, Walk};

/// Days of the pilot and of the feeds.
const PILOT_DAYS: u64 = 10;
const FEED_DAYS: u64 = 30;
/// Whole months that roofs report.
const ROOF_MONTHS: u32 = 2;
/// Requests under way at once.
const AT_ONCE: usize = 8;
/// Records of one posted batch.
const BATCH: usize = 1_000;

impl Walk<'_> {
    /// Citizens make codes, partners show them.
    pub(super) async fn link_people(&self) -> DemoResult<()> {
        let linked = feeds::CARDS - feeds::STRANGERS;
        let count = linked + feeds::RIDERS + feeds::ROOFS;
        let stage = self
            .screen
            .stage("绑定碳账户 · people link their accounts", count as usize);
        let city = self.city;
        let cards = (1..=linked).map(|no| (no, feeds::card(no)));
        let riders = (1..=feeds::RIDERS).map(|no| (no, feeds::rider(no)));
        let roofs = (1..=feeds::ROOFS).map(|no| (no, feeds::roof(no)));
        self.link_all(&city.metro, cards, &stage).await?;
        // A code is of its second: the same person makes the next one later.
        self.state.clock.advance(TimeDelta::minutes(1));
        self.link_all(&city.bus, riders, &stage).await?;
        self.state.clock.advance(TimeDelta::minutes(1));
        self.link_all(&city.roofs, roofs, &stage).await?;
        stage.done(format!("{count} 个绑定 · links"));
        Ok(())
    }

    async fn link_all(
        &self,
        partner: &Partner,
        people: impl Iterator<Item = (u32, String)>,
        stage: &super::super::screen::Stage,
    ) -> DemoResult<()> {
        stream::iter(people)
            .map(|(no, subject)| async move {
                let released = self.link(partner, self.city.citizen(no)?, &subject).await?;
                stage.step();
                DemoResult::Ok(released)
            })
            .buffer_unordered(AT_ONCE)
            .try_for_each(|_| async { Ok(()) })
            .await
    }

    async fn link(&self, partner: &Partner, person: &Person, subject: &str) -> DemoResult<Value> {
        let made = self
            .courier
            .post("/api/citizen/link-codes", &person.token, &json!({}))
            .await?;
        let body = json!({"subject": subject, "code": made["code"]});
        let answer = send(
            partner,
            "/api/partner/links",
            "application/json",
            body.to_string(),
        );
        Ok(serde_json::from_slice(&answer.await?)?)
    }

    /// Ten days of buses, two years ago; what nobody spends of it lapses.
    pub(super) async fn pilot(&self, tally: &mut Tally) -> DemoResult<()> {
        let stage = self.screen.stage(
            "两年前的试点 · the pilot, two years ago",
            PILOT_DAYS as usize,
        );
        for day in self.days_before(PILOT_DAYS) {
            self.post(&self.city.bus, &feeds::bus_rides(day, feeds::PILOTS), tally)
                .await?;
            stage.step();
        }
        stage.done(format!(
            "{} 条，{} 积分 · {} rides, {} points",
            tally.accepted, tally.points, tally.accepted, tally.points
        ));
        Ok(())
    }

    /// A file of taps a day; one of them is sent twice.
    pub(super) async fn metro(&self, tally: &mut Tally) -> DemoResult<()> {
        let stage = self
            .screen
            .stage("地铁刷卡文件 · metro tap files", FEED_DAYS as usize + 1);
        let before = tally.clone();
        let mut first = None;
        for day in self.days_before(FEED_DAYS) {
            let file = feeds::metro_file(day, first.is_none());
            first.get_or_insert_with(|| file.clone());
            self.post_file(&self.city.metro, file, tally).await?;
            stage.step();
        }
        if let Some(again) = first {
            let accepted = tally.accepted;
            self.post_file(&self.city.metro, again, tally).await?;
            if tally.accepted != accepted || tally.replayed == before.replayed {
                return Err(wrong("a file that was sent twice counted twice"));
            }
        }
        stage.done(progress(&before, tally));
        Ok(())
    }

    /// Batches of bus rides, with those that cannot be.
    pub(super) async fn buses(&self, tally: &mut Tally) -> DemoResult<()> {
        let days: Vec<NaiveDate> = self.days_before(FEED_DAYS).collect();
        let mut rides: Vec<Value> = days
            .iter()
            .flat_map(|day| feeds::bus_rides(*day, feeds::RIDERS))
            .collect();
        if let Some(last) = days.last() {
            rides.extend(feeds::impossible_rides(*last));
            rides.push(feeds::unknown_rider(*last));
        }
        rides.extend(feeds::wrong_rides(self.day()));
        let batches: Vec<&[Value]> = rides.chunks(BATCH).collect();
        let stage = self
            .screen
            .stage("电动公交批次 · electric bus batches", batches.len());
        let before = tally.clone();
        for batch in batches {
            self.post(&self.city.bus, batch, tally).await?;
            stage.step();
        }
        stage.done(progress(&before, tally));
        Ok(())
    }

    /// The roofs' months, one of them claimed twice.
    pub(super) async fn roofs(&self, tally: &mut Tally) -> DemoResult<()> {
        let months = feeds::months_before(self.day(), ROOF_MONTHS);
        let stage = self
            .screen
            .stage("屋顶光伏月报 · solar months", months.len() + 1);
        let before = tally.clone();
        for month in &months {
            self.post(&self.city.roofs, &feeds::roof_months(*month), tally)
                .await?;
            stage.step();
        }
        if let Some(last) = months.last() {
            self.post(&self.city.roofs, &feeds::wrong_roof_months(*last), tally)
                .await?;
            stage.step();
        }
        stage.done(progress(&before, tally));
        Ok(())
    }

    /// A person links late, and what was held for the card is credited.
    pub(super) async fn link_late(&self, tally: &mut Tally) -> DemoResult<()> {
        let stage = self.screen.stage("迟到的绑定 · a late link", 1);
        let no = feeds::CARDS;
        let person = self.city.citizen(no)?;
        let linked = self
            .link(&self.city.metro, person, &feeds::card(no))
            .await?;
        let number = |name: &str| linked[name].as_i64().unwrap_or(0);
        let (released, mg, points) = (number("released"), number("reduction_mg"), number("points"));
        if released == 0 {
            return Err(wrong("a late link released nothing"));
        }
        tally.accepted += released;
        tally.released += released;
        tally.reduction_mg += mg;
        tally.points += points;
        stage.step();
        stage.done(format!(
            "释放 {released} 条暂存 · {released} held records credited"
        ));
        Ok(())
    }

    fn days_before(&self, count: u64) -> impl Iterator<Item = NaiveDate> + use<> {
        let today = self.day();
        (1..=count).rev().map(move |back| today - Days::new(back))
    }

    async fn post(
        &self,
        partner: &Partner,
        records: &[Value],
        tally: &mut Tally,
    ) -> DemoResult<()> {
        let path = behaviours_path(partner.scene);
        let answer = send(partner, &path, NDJSON, feeds::ndjson(records)).await?;
        let receipt: BatchReceipt = serde_json::from_slice(&answer)?;
        if receipt.records.len() != records.len() {
            let (sent, told) = (records.len(), receipt.records.len());
            return Err(wrong(format!("{sent} records, {told} answers")));
        }
        receipt
            .records
            .iter()
            .for_each(|answer| tally.answer(answer));
        Ok(())
    }

    async fn post_file(
        &self,
        partner: &Partner,
        file: Vec<u8>,
        tally: &mut Tally,
    ) -> DemoResult<()> {
        let path = files_path(partner.scene);
        let answer = send(partner, &path, "application/octet-stream", file).await?;
        let mut ended = false;
        for line in answer.split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice(line)? {
                FileLine::Summary { .. } => ended = true,
                FileLine::Record { answer, .. } => tally.answer(&answer),
            }
        }
        match ended {
            true => Ok(()),
            false => Err(wrong("a file was not taken to its end")),
        }
    }
}

/// Posts under the partner's signature.
async fn send(
    partner: &Partner,
    path: &str,
    media: &str,
    body: impl Into<Bytes>,
) -> DemoResult<Vec<u8>> {
    let client = &partner.client;
    Ok(client
        .post_patiently(path, media, body.into(), &Patience::NONE, &|_, _| ())
        .await?)
}

/// What a stage added.
fn progress(before: &Tally, after: &Tally) -> String {
    format!(
        "计入 {} 重放 {} 拒绝 {} 暂存 {} · {} accepted, {} replayed, {} refused, {} held",
        after.accepted - before.accepted,
        after.replayed - before.replayed,
        after.refused - before.refused,
        after.held - before.held,
        after.accepted - before.accepted,
        after.replayed - before.replayed,
        after.refused - before.refused,
        after.held - before.held,
    )
}
