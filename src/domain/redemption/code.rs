//! Voucher codes: what a citizen shows and a merchant types or scans.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::domain::problem::{Code, Problem};

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// What stands before every code; not part of what is signed.
const PREFIX: &str = "TPH";
/// Symbols that carry the signature, 5 bits each: 75 bits, so that a guesser who is let through
/// 1,000 times a second for a century hits one of a thousand million vouchers once in ten.
const SIGNED: usize = 15;
/// And one that catches typing errors before anything is looked up.
const SYMBOLS: usize = SIGNED + 1;

/// The secret under which voucher codes are signed; never shown.
#[derive(Clone)]
pub struct CodeKey([u8; 32]);

/// A voucher's code (券码), `TPH-XXXX-XXXX-XXXX-XXXX`: the HMAC-SHA256 of the voucher's id, cut to
/// 75 bits, and a check symbol. It is derived whenever it is shown and kept nowhere; the books hold
/// its digest. One wrong symbol or two exchanged ones are always noticed.
#[derive(Clone, PartialEq, Eq)]
pub struct VoucherCode([u8; SYMBOLS]);

impl CodeKey {
    pub fn new(secret: [u8; 32]) -> CodeKey {
        CodeKey(secret)
    }

    /// The code of one voucher.
    pub fn code_of(&self, voucher: Uuid) -> VoucherCode {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0)
            .expect("HMAC takes a key of any length");
        mac.update(b"tanpuhui voucher code 1\0");
        mac.update(voucher.as_bytes());
        let tag = mac.finalize().into_bytes();
        let (head, _) = tag.split_at(16);
        let mut bits = head
            .iter()
            .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let mut symbols = [0; SYMBOLS];
        let mut check = 0;
        for symbol in &mut symbols[..SIGNED] {
            *symbol = (bits >> 123) as u8;
            bits <<= 5;
            check = times_x(check) ^ *symbol;
        }
        symbols[SIGNED] = times_x(check);
        VoucherCode(symbols)
    }

    /// Whether `code` is this voucher's, in constant time.
    pub fn signed(&self, voucher: Uuid, code: &VoucherCode) -> bool {
        self.code_of(voucher).0.ct_eq(&code.0).into()
    }
}

impl VoucherCode {
    /// Reads a code as people type it: either case, with or without prefix and dashes, `O` for 0,
    /// `I` and `L` for 1.
    ///
    /// # Errors
    /// `voucher_code_mistyped`, without telling what is wrong.
    pub fn parse(text: &str) -> Result<VoucherCode, Problem> {
        Self::read(text).ok_or_else(|| Problem::on(Code::VoucherCodeMistyped, "code"))
    }

    fn read(text: &str) -> Option<VoucherCode> {
        let typed: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        let head = typed.get(..PREFIX.len())?;
        let body = if typed.len() > SYMBOLS && head.eq_ignore_ascii_case(PREFIX) {
            typed.get(PREFIX.len()..)?
        } else {
            &typed
        };
        let mut symbols = [0; SYMBOLS];
        let mut places = symbols.iter_mut();
        let mut check = 0;
        for c in body.chars() {
            let symbol = symbol_of(c)?;
            *places.next()? = symbol;
            check = times_x(check) ^ symbol;
        }
        (places.next().is_none() && check == 0).then_some(VoucherCode(symbols))
    }

    /// What the books keep instead of the code: SHA-256 of it. With 75 random bits it cannot be
    /// run backwards.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(b"tanpuhui voucher digest 1\0");
        hasher.update(self.0);
        hasher.finalize().into()
    }
}

impl fmt::Display for VoucherCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        for (place, symbol) in self.0.iter().enumerate() {
            if place % 4 == 0 {
                f.write_str("-")?;
            }
            let letter = ALPHABET.get(usize::from(*symbol)).unwrap_or(&b'0');
            write!(f, "{}", char::from(*letter))?;
        }
        Ok(())
    }
}

/// A code is as good as the thing it buys, so it stays out of logs.
impl fmt::Debug for VoucherCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VoucherCode(<redacted>)")
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKey(<redacted>)")
    }
}

/// Multiplies by x in GF(32) with x⁵ + x² + 1, where x has order 31: longer than a code, so every
/// exchange of two unequal symbols changes the sum.
fn times_x(a: u8) -> u8 {
    let doubled = a << 1;
    if doubled & 0x20 == 0 {
        doubled
    } else {
        (doubled ^ 0x25) & 0x1f
    }
}

fn symbol_of(c: char) -> Option<u8> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET
        .iter()
        .position(|letter| char::from(*letter) == c)?;
    u8::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> CodeKey {
        CodeKey::new([7; 32])
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = key().code_of(Uuid::from_u128(5));
        let shown = code.to_string();
        assert_eq!(shown.len(), "TPH-XXXX-XXXX-XXXX-XXXX".len());
        for typed in [
            shown.clone(),
            shown.to_lowercase(),
            shown.replace('-', ""),
            shown.replace("TPH-", "").replace('-', " "),
            shown.replace('0', "o").replace('1', "l"),
        ] {
            assert_eq!(VoucherCode::parse(&typed).as_ref(), Ok(&code), "{typed}");
        }
        for wrong in [
            "",
            "TPH",
            "TPH-",
            "券码",
            "TPH-U000-0000-0000-0000",
            &shown[..20],
        ] {
            assert!(VoucherCode::parse(wrong).is_err(), "{wrong}");
        }
        assert!(VoucherCode::parse(&format!("{shown}0")).is_err());
    }

    #[test]
    fn another_key_or_voucher_gives_another_code() {
        let code = key().code_of(Uuid::from_u128(5));
        assert!(key().signed(Uuid::from_u128(5), &code));
        assert!(!key().signed(Uuid::from_u128(6), &code));
        assert!(!CodeKey::new([8; 32]).signed(Uuid::from_u128(5), &code));
        assert_ne!(code.digest(), key().code_of(Uuid::from_u128(6)).digest());
    }

    proptest! {
        #[test]
        fn one_wrong_symbol_or_an_exchange_is_noticed(
            id: u128, at in 0..SYMBOLS, with in 1_u8..32, other in 0..SYMBOLS,
        ) {
            let code = key().code_of(Uuid::from_u128(id));
            prop_assert_eq!(VoucherCode::parse(&code.to_string()), Ok(code.clone()));
            let mut typed = code.clone();
            typed.0[at] ^= with;
            prop_assert!(VoucherCode::parse(&typed.to_string()).is_err());
            let mut exchanged = code.clone();
            exchanged.0.swap(at, other);
            let same = exchanged == code;
            prop_assert_eq!(VoucherCode::parse(&exchanged.to_string()).is_ok(), same);
        }

        #[test]
        fn reading_never_panics(text in ".{0,40}") {
            let _ = VoucherCode::parse(&text);
        }
    }
}
