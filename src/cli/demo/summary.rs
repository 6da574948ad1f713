//! What the walk came to: for people, and as one JSON object.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::store::platform_sums::PlatformSums;

use super::walk::Walked;

/// A walk's results; every figure is from the books or from the platform's answers.
pub struct Summary<'a> {
    pub walked: &'a Walked,
    pub sums: PlatformSums,
}

impl Summary<'_> {
    /// The last line.
    pub fn json(&self) -> Value {
        let (walked, sums) = (self.walked, &self.sums);
        let tally = &walked.tally;
        json!({
            "behaviours": {
                "accepted": tally.accepted, "replayed": tally.replayed,
                "refused": tally.refused, "held": tally.held,
            },
            "reduction_mg": sums.reduction_mg,
            "points": {
                "issued": sums.points_issued, "redeemed": sums.points_redeemed,
                "expired": sums.points_expired,
            },
            "vouchers_written_off": sums.vouchers_written_off,
            "settlement_fen": walked.settlement_fen,
            "cer": {
                "issued_t": sums.issued_t, "first_serial": sums.first_serial,
                "last_serial": sums.last_serial, "sold_t": sums.sold_t, "retired_t": sums.retired_t,
            },
            "log": {"size": walked.log.size, "root": hex::encode(walked.log.root)},
            "audit_ok": walked.audit_ok,
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
