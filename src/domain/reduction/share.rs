//! Sharing what a household or a vehicle earned among people.

/// Splits an amount by weights: each gets its part rounded down, and what is left goes one by one
/// to those whose part lost most, the first of equals first. The parts add up to the amount; with
/// no weight at all the first gets everything.
pub fn split(amount: i64, weights: &[u32]) -> Vec<i64> {
    let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if total == 0 {
        let rest = std::iter::repeat_n(0, weights.len().saturating_sub(1));
        return weights
            .first()
            .map(|_| amount)
            .into_iter()
            .chain(rest)
            .collect();
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut lost: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
    let mut left = i128::from(amount);
    for (place, weight) in weights.iter().enumerate() {
        let exact = i128::from(amount) * i128::from(*weight);
        let part = exact.div_euclid(total);
        left -= part;
        lost.push((exact.rem_euclid(total), place));
        parts.push(i64::try_from(part).unwrap_or(amount));
    }
    lost.sort_by_key(|(lost, place)| (std::cmp::Reverse(*lost), *place));
    for (_, place) in lost.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        parts[place] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_share_a_gram_to_the_milligram() {
        assert_eq!(split(1_000, &[1, 1, 1]), [334, 333, 333]);
        assert_eq!(split(1_000, &[2, 1]), [667, 333]);
        assert_eq!(split(7, &[0, 5]), [0, 7]);
        assert_eq!(split(7, &[0, 0]), [7, 0]);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole(amount in 0_i64..i64::MAX, weights in prop::collection::vec(0_u32..1_000_000, 1..8)) {
            let parts = split(amount, &weights);
            prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(amount));
            prop_assert!(parts.iter().all(|part| *part >= 0));
        }
    }
}
