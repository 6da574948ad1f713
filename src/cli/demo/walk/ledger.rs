//! The audit: every book re-added, and the answers compared with the books.

use crate::cli::demo::problem::DemoResult;
use crate::flow::FlowError;
use crate::flow::audit_books::{LogGround, audit};
use crate::store::platform_sums::platform_sums;

use super::{Tally, Walk};

impl Walk<'_> {
    /// Whether all books agree; what does not is told on stderr.
    pub(super) fn audit(&self, tally: &Tally, settlement_fen: i64) -> DemoResult<bool> {
        let stage = self.screen.stage("审计 · the audit", 2);
        let catalogue = self.state.catalogue.get();
        let (scenes, methodologies) = (catalogue.scene_codes(), catalogue.methodology_names());
        let ground = LogGround {
            salt: &self.state.keys.settings.salt,
            scenes: &scenes,
            methodologies: &methodologies,
        };
        let pool = &self.state.pool;
        let books = pool.read_now::<_, FlowError>(|conn| audit(conn, &ground, |_| ()))?;
        stage.step();
        let sums = pool.read_now(platform_sums)?;
        let told = [
            ("reductions", tally.accepted, sums.reductions),
            ("reduction_mg", tally.reduction_mg, sums.reduction_mg),
            ("points", tally.points, sums.points_issued),
            ("settlement_fen", settlement_fen, sums.settlement_fen),
        ];
        stage.step();
        let differences: Vec<String> = books
            .iter()
            .filter_map(|check| check.difference.as_ref())
            .map(|found| format!("{found:?}"))
            .chain(
                told.iter()
                    .filter(|(_, answered, booked)| answered != booked)
                    .map(|(name, answered, booked)| {
                        format!("{name}: answers say {answered}, books say {booked}")
                    }),
            )
            .collect();
        let rows: u64 = books.iter().map(|check| check.looked_at).sum();
        stage.done(format!(
            "{} 本账、{rows} 行，{} 处不符 · {} books, {rows} rows, {} differences",
            books.len(),
            differences.len(),
            books.len(),
            differences.len()
        ));
        for difference in &differences {
            eprintln!("账目不符 · the books disagree: {difference}");
        }
        Ok(differences.is_empty())
    }
}
