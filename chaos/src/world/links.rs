//! What is known of the links between machines: which are cut or held, so that what hides a link for a moment can
//! put it back.

use std::collections::BTreeMap;

/// What was done to the link between two machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nothing gets through.
    Both,
    /// Nothing gets through from this machine, the first or the second of the pair.
    From(bool),
    /// Everything waits.
    Held,
}

/// The links that are not whole.
#[derive(Debug, Default)]
pub(crate) struct Links(BTreeMap<(String, String), Cut>);

impl Links {
    /// Notes what was done to the link from one machine to another; of two things the later one counts.
    pub(crate) fn cut(&mut self, a: &str, b: &str, cut: Cut) {
        let (pair, swapped) = pair(a, b);
        let cut = match cut {
            Cut::From(first) => Cut::From(first != swapped),
            cut => cut,
        };
        let cut = match (self.0.get(&pair), cut) {
            (Some(Cut::From(before)), Cut::From(now)) if *before != now => Cut::Both,
            (Some(Cut::Both), Cut::From(_)) => Cut::Both,
            _ => cut,
        };
        self.0.insert(pair, cut);
    }

    /// Notes that a link is whole again.
    pub(crate) fn mended(&mut self, a: &str, b: &str) {
        self.0.remove(&pair(a, b).0);
    }

    /// What was done to the link from one machine to another.
    pub(crate) fn of(&self, a: &str, b: &str) -> Option<Cut> {
        let (pair, swapped) = pair(a, b);
        self.0.get(&pair).map(|cut| match cut {
            Cut::From(first) => Cut::From(*first != swapped),
            cut => *cut,
        })
    }
}

/// Two machines in order, and whether they had to be swapped for that.
fn pair(a: &str, b: &str) -> ((String, String), bool) {
    if a <= b { ((a.to_owned(), b.to_owned()), false) } else { ((b.to_owned(), a.to_owned()), true) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_remembered_from_both_ends() {
        let mut links = Links::default();
        links.cut("b", "a", Cut::From(true));
        assert_eq!(links.of("b", "a"), Some(Cut::From(true)));
        assert_eq!(links.of("a", "b"), Some(Cut::From(false)));
        links.cut("a", "b", Cut::From(true));
        assert_eq!(links.of("b", "a"), Some(Cut::Both), "cut one way, then the other");
        links.mended("b", "a");
        assert_eq!(links.of("a", "b"), None);
    }
}
