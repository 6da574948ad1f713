//! What the walk came to: for people, and as one JSON object.

use std::fmt::Write as _;

use serde::Serialize;

use crate::store::platform_sums::PlatformSums;

use super::walk::Walked;

/// A walk's results; every figure is from the books or from the platform's answers.
pub struct Summary<'a> {
    pub walked: &'a Walked,
    pub sums: PlatformSums,
}

/// The last line's object, in this order.
#[derive(Serialize)]
struct Figures {
    behaviours: Behaviours,
    reduction_mg: i64,
    points: Points,
    vouchers_written_off: i64,
    settlement_fen: i64,
    cer: Cer,
    log: Log,
    audit_ok: bool,
}

/// Records by the platform's answers; one that was held and credited later counts in both.
#[derive(Serialize)]
struct Behaviours {
    accepted: i64,
    replayed: i64,
    refused: i64,
    held: i64,
}

#[derive(Serialize)]
struct Points {
    issued: i64,
    redeemed: i64,
    expired: i64,
}

#[derive(Serialize)]
struct Cer {
    issued_t: i64,
    first_serial: i64,
    last_serial: i64,
    sold_t: i64,
    retired_t: i64,
}

#[derive(Serialize)]
struct Log {
    size: u64,
    /// Hexadecimal.
    root: String,
}

impl Summary<'_> {
    /// The last line.
    ///
    /// # Errors
    /// Plain numbers always serialise.
    pub fn json(&self) -> serde_json::Result<String> {
        let (walked, sums) = (self.walked, &self.sums);
        let tally = &walked.tally;
        serde_json::to_string(&Figures {
            behaviours: Behaviours {
                accepted: tally.accepted,
                replayed: tally.replayed,
                refused: tally.refused,
                held: tally.held,
            },
            reduction_mg: sums.reduction_mg,
            points: Points {
                issued: sums.points_issued,
                redeemed: sums.points_redeemed,
                expired: sums.points_expired,
            },
            vouchers_written_off: sums.vouchers_written_off,
            settlement_fen: walked.settlement_fen,
            cer: Cer {
                issued_t: sums.issued_t,
                first_serial: sums.first_serial,
                last_serial: sums.last_serial,
                sold_t: sums.sold_t,
                retired_t: sums.retired_t,
            },
            log: Log {
                size: walked.log.size,
                root: hex::encode(walked.log.root),
            },
            audit_ok: walked.audit_ok,
        })
    }

    /// For people, Chinese first.
    pub fn text(&self) -> String {
        let (walked, sums) = (self.walked, &self.sums);
        let tally = &walked.tally;
        let mut text = String::from(
            "\n示范城市小结（示例数据） · the demonstration city in short (sample data)\n",
        );
        let mut line = |zh: &str, en: &str, value: String| {
            let _ = writeln!(text, "  {zh} · {en}: {value}");
        };
        line(
            "行为记录",
            "behaviours",
            format!(
                "计入 accepted {}（其中释放 released {}），重放 replayed {}，拒绝 refused {}，暂存 held {}",
                tally.accepted, tally.released, tally.replayed, tally.refused, tally.held
            ),
        );
        let reasons: Vec<String> = tally
            .reasons
            .iter()
            .map(|(code, count)| format!("{code} {count}"))
            .collect();
        line(
            "拒绝与暂存的原因",
            "why refused or held",
            reasons.join(", "),
        );
        line(
            "减排量",
            "reductions",
            format!("{} kg CO2e", thousandths(sums.reduction_mg / 1_000)),
        );
        line(
            "积分",
            "points",
            format!(
                "发放 issued {}，兑换 redeemed {}，过期 expired {}",
                sums.points_issued, sums.points_redeemed, sums.points_expired
            ),
        );
        line(
            "核销",
            "vouchers written off",
            format!(
                "{}，应付商户 owed to merchants {}.{:02} 元 yuan",
                sums.vouchers_written_off,
                walked.settlement_fen / 100,
                walked.settlement_fen % 100
            ),
        );
        line(
            "核证减排量",
            "certified units",
            format!(
                "签发 issued {} t，售出 sold {} t，注销 retired {} t（{}）",
                sums.issued_t, sums.sold_t, sums.retired_t, walked.units.certificate
            ),
        );
        for serial in &walked.units.issued {
            line("序列号", "serials", serial.clone());
        }
        line(
            "公开日志",
            "public log",
            format!(
                "{} 片叶 leaves，根 root {}",
                walked.log.size,
                hex::encode(walked.log.root)
            ),
        );
        let verdict = match walked.audit_ok {
            true => "账目相符 the books agree",
            false => "账目不符 THE BOOKS DISAGREE",
        };
        line("审计", "audit", verdict.to_owned());
        text
    }
}

/// Grams as kilograms with three decimals.
fn thousandths(grams: i64) -> String {
    format!("{}.{:03}", grams / 1_000, grams % 1_000)
}
