//! `--cache-size`: an absolute size, or a share of the footprint. Does not know the unit nor the trace.

use std::str::FromStr;

/// A percentage is kept in units of one millionth of a percent, so that shares are exact.
const PER_PERCENT: u64 = 1_000_000;
/// The digits after the point of a percentage that can be kept.
const DECIMALS: usize = 6;

/// How large the cache is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CacheSize {
    /// This many objects or bytes; at least 1.
    Absolute(u64),
    /// A share of the footprint.
    Share(Share),
}

/// A share above 0 % and up to 100 %, in millionths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share(u64);

/// The text is no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCacheSize {
    /// Without a percent sign.
    #[error("a cache size must be a whole number from 1, or a percentage such as 10% or 0.1%")]
    Absolute,
    /// With a percent sign.
    #[error("a percentage must be above 0% and up to 100%, with at most {DECIMALS} digits after the point")]
    Share,
}

impl Share {
    /// This share of `whole`, rounded down.
    pub(crate) fn of(self, whole: u64) -> u64 {
        let parts = u128::from(whole) * u128::from(self.0) / u128::from(100 * PER_PERCENT);
        u64::try_from(parts).unwrap_or(whole)
    }
}

impl FromStr for CacheSize {
    type Err = BadCacheSize;

    fn from_str(text: &str) -> Result<Self, BadCacheSize> {
        if let Some(number) = text.strip_suffix('%') {
            return share(number).map(CacheSize::Share).ok_or(BadCacheSize::Share);
        }
        let size = digits(text).filter(|size| *size > 0);
        size.map(CacheSize::Absolute).ok_or(BadCacheSize::Absolute)
    }
}

/// A number of digits and nothing else.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn share(text: &str) -> Option<Share> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > DECIMALS {
        return None;
    }
    let millionths = digits(fraction)? * 10u64.pow((DECIMALS - fraction.len()) as u32);
    let share = digits(whole)?.checked_mul(PER_PERCENT)?.checked_add(millionths)?;
    (1..=100 * PER_PERCENT).contains(&share).then_some(Share(share))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn share_of(text: &str, whole: u64) -> u64 {
        match text.parse() {
            Ok(CacheSize::Share(share)) => share.of(whole),
            other => panic!("{text} was read as {other:?}"),
        }
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!("1868".parse(), Ok(CacheSize::Absolute(1868)));
        assert_eq!("18446744073709551615".parse(), Ok(CacheSize::Absolute(u64::MAX)));
        assert_eq!(share_of("10%", 186_880), 18_688);
        assert_eq!(share_of("1%", 186_880), 1868, "rounded down");
        assert_eq!(share_of("0.1%", 186_880), 186);
        assert_eq!(share_of("0.3%", 1000), 3, "exactly, though 0.3 is no binary fraction");
        assert_eq!(share_of("100%", u64::MAX), u64::MAX);
        assert_eq!(share_of("0.000001%", 100_000_000), 1);
    }

    #[test]
    fn what_is_no_size_names_the_rule() {
        for wrong in ["", "0", "-1", "+1", "1.5", "ten", "1e3", "18446744073709551616"] {
            assert_eq!(wrong.parse::<CacheSize>(), Err(BadCacheSize::Absolute), "{wrong}");
        }
        for wrong in
            ["%", "0%", "0.0%", "100.1%", ".5%", "5.%", "-1%", "+1%", "1.+1%", "0.0000001%", "1%%", "nan%"]
        {
            assert_eq!(wrong.parse::<CacheSize>(), Err(BadCacheSize::Share), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,12}") {
            if let Ok(CacheSize::Absolute(size)) = text.parse() {
                prop_assert!(size > 0);
            }
        }

        #[test]
        fn a_share_is_within_one_of_the_quotient(whole in 0..1u64 << 40, thousandths in 1..=100_000u64) {
            let text = format!("{}.{:03}%", thousandths / 1000, thousandths % 1000);
            let share = share_of(&text, whole);
            prop_assert_eq!(share, whole * thousandths / 100_000);
        }
    }
}
