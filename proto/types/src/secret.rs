//! Secrets and their digests: how a token is held, named in agreed metadata, and compared.
//!
//! A token is drawn from 256 random bits, so one round of SHA-256 is all that is needed to keep it: nobody can guess
//! their way back. Knows nothing of who a token belongs to.

use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What every token begins with, so that people and scanners recognise one.
const PREFIX: &str = "predis_";

/// The digits of a token: 64 of them, six bits each (RFC 4648, base64url).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A secret text. Not shown by `Debug`, and overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// A token from 256 random bits; `bits` must come from the operating system.
    pub fn token(bits: &[u8; 32]) -> Secret {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 43));
        text.push_str(PREFIX);
        for chunk in bits.chunks(3) {
            let word =
                chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            for digit in 0..=chunk.len() {
                text.push(char::from(DIGITS[(word >> (18 - 6 * digit)) as usize & 63]));
            }
        }
        Secret(text)
    }

    /// Whether a text begins as tokens do.
    pub fn looks_like_token(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The secret itself. Never to be logged, nor put into an error.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its digest.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(self.expose().as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// SHA-256 of a token; written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of what somebody presents as a token.
    pub fn of(token: &[u8]) -> TokenDigest {
        TokenDigest(Sha256::digest(token).into())
    }

    /// The digest that 64 lower-case hexadecimal digits stand for.
    pub fn from_hex(text: &str) -> Option<TokenDigest> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut digest = [0; 32];
        let pairs = text.as_bytes().chunks_exact(2);
        if text.len() != 64 || pairs.len() != digest.len() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(pairs) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(TokenDigest(digest))
    }

    /// Whether two digests are the same, in a time that does not depend on where they differ.
    pub fn matches(&self, other: &TokenDigest) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_all_of_its_bits_and_shows_none() {
        let token = Secret::token(&[0xff; 32]);
        // 256 ones are 42 full digits and four bits more.
        assert_eq!(token.expose(), format!("predis_{}8", "_".repeat(42)));
        assert_eq!(Secret::token(&[0; 32]).expose(), format!("predis_{}", "A".repeat(43)));
        assert_eq!(format!("{token:?}"), "Secret(..)");
    }

    #[test]
    fn digests_are_sha_256_and_read_back() {
        // FIPS 180-2, appendix B.1.
        let abc = TokenDigest::of(b"abc");
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(abc.to_string(), hex);
        assert!(TokenDigest::from_hex(hex).unwrap().matches(&abc));
        assert!(!TokenDigest::of(b"abd").matches(&abc));
        for bad in ["", "ba", &hex.to_uppercase(), &hex.replace('b', "g"), &format!("{hex}00")] {
            assert!(TokenDigest::from_hex(bad).is_none(), "{bad}");
        }
    }
}
