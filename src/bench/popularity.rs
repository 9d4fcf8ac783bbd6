//! Which accounts a transfer is between: any, or a few far more often than the others.

/// How accounts are chosen.
pub(super) enum Popularity {
    Uniform {
        accounts: u64,
    },
    /// The k-th account with a weight of 1/k: the sums of the weights up to each account.
    Zipf {
        sums: Vec<f64>,
    },
}

impl Popularity {
    pub(super) fn zipf(accounts: u64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=accounts).map(|rank| 1.0 / rank as f64);
        let sums = weights.map(|weight| {
            sum += weight;
            sum
        });
        Self::Zipf {
            sums: sums.collect(),
        }
    }

    /// Two accounts that are not the same, counted from 0. There have to be two at least.
    pub(super) fn pick_two(&self, random: &mut fastrand::Rng) -> (u64, u64) {
        let from = self.pick(random);
        loop {
            let to = self.pick(random);
            if to != from {
                return (from, to);
            }
        }
    }

    fn pick(&self, random: &mut fastrand::Rng) -> u64 {
        match self {
            Self::Uniform { accounts } => random.u64(..accounts),
            Self::Zipf { sums } => {
                let point = random.f64() * sums.last().copied().unwrap_or_default();
                sums.partition_point(|sum| *sum <= point) as u64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_accounts_are_never_the_same_and_always_there() {
        let mut random = fastrand::Rng::with_seed(1);
        for popularity in [Popularity::Uniform { accounts: 2 }, Popularity::zipf(2)] {
            for _ in 0..1_000 {
                let (from, to) = popularity.pick_two(&mut random);
                assert!(from != to && from < 2 && to < 2, "{from} to {to}");
            }
        }
    }

    #[test]
    fn the_first_account_of_zipf_is_as_popular_as_it_should_be() {
        let mut random = fastrand::Rng::with_seed(1);
        let popularity = Popularity::zipf(1_000);
        let picked = (0..100_000).filter(|_| popularity.pick(&mut random) == 0);
        // 1 / H(1000) = 0.1336
        let first = picked.count();
        assert!((12_800..13_900).contains(&first), "{first}");
    }
}
