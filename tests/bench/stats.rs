//! Medians and percentiles of a few samples.

/// The value below which a share `p` (0 to 1) of the samples lies, nearest rank. Zero without samples.
pub(crate) fn percentile(samples: &[f64], p: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a few thousand samples"
    )]
    let rank = (p * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The middle sample; of an even number the mean of the two in the middle.
pub(crate) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => 0.0,
        (n, half) if n % 2 == 1 => sorted[half],
        (_, half) => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_sample_and_the_median_is_the_middle() {
        let samples = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(
            (percentile(&samples, 0.5), percentile(&samples, 0.99), percentile(&samples, 0.2)),
            (3.0, 5.0, 1.0)
        );
        assert_eq!((median(&samples), median(&[1.0, 2.0]), median(&[])), (3.0, 1.5, 0.0));
    }
}
