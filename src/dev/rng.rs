//! Chance that is the same on every machine.

/// `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", 2014). Written out so that no update of a package changes the
/// worlds.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

/// The letters and digits that Kubernetes puts into generated names: no
/// vowels, so that no word comes out.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Rng {
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `below`, without it; 0 when there is none.
    pub(crate) const fn below(&mut self, below: u64) -> u64 {
        let drawn = self.next();
        if below == 0 { 0 } else { drawn % below }
    }

    /// One of several; the first of none is the caller's affair.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u64) as usize)
    }

    /// So many letters as Kubernetes generates them.
    pub(crate) fn letters(&mut self, count: usize) -> String {
        (0..count).filter_map(|_| self.pick(ALPHABET)).map(|letter| char::from(*letter)).collect()
    }

    /// A uid, which is a UUID of version 4.
    pub(crate) fn uid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48) & 0x3fff,
            low & 0xffff_ffff_ffff
        )
    }
}

/// FNV-1a (Fowler, Noll, Vo) in 64 bits: turns a text into a seed.
pub(crate) fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequences_are_the_published_ones() {
        let mut rng = Rng::seeded(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| rng.next()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
        assert_eq!(fnv("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(rng.uid().len(), 36);
    }
}
