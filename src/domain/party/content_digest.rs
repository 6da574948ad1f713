//! The `Content-Digest` field (RFC 9530): a body's SHA-256 or SHA-512, covered by the signature so
//! that the signature covers the body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::domain::problem::{Code, Detail, Problem, detail};

/// The digests that a message states for its body; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentDigest {
    sha256: Option<[u8; 32]>,
    sha512: Option<[u8; 64]>,
}

impl ContentDigest {
    /// The SHA-256 of a body, for a client to send.
    pub fn sha256(body: &[u8]) -> ContentDigest {
        ContentDigest {
            sha256: Some(Sha256::digest(body).into()),
            sha512: None,
        }
    }

    /// The SHA-512 of a body.
    pub fn sha512(body: &[u8]) -> ContentDigest {
        ContentDigest {
            sha256: None,
            sha512: Some(Sha512::digest(body).into()),
        }
    }

    /// Reads the field. Algorithms other than `sha-256` and `sha-512` are passed over, as RFC 9530
    /// allows; one of the two must be there.
    ///
    /// # Errors
    /// `digest_mismatch`.
    pub fn parse(field: &[u8]) -> Result<ContentDigest, Problem> {
        let fields: Dictionary = Parser::new(field)
            .parse()
            .map_err(|_| mismatch(detail!("该字段不是字典结构", "the field is no dictionary")))?;
        let digest = ContentDigest {
            sha256: member(&fields, "sha-256")?,
            sha512: member(&fields, "sha-512")?,
        };
        match digest {
            ContentDigest {
                sha256: None,
                sha512: None,
            } => Err(mismatch(detail!(
                "未给出 sha-256 或 sha-512",
                "neither sha-256 nor sha-512 is stated"
            ))),
            stated => Ok(stated),
        }
    }

    /// The field's value: `sha-256=:…:`.
    pub fn field(&self) -> String {
        let member = |name, bytes: &[u8]| format!("{name}=:{}:", STANDARD.encode(bytes));
        let members = [
            self.sha256.as_ref().map(|bytes| member("sha-256", bytes)),
            self.sha512.as_ref().map(|bytes| member("sha-512", bytes)),
        ];
        members.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Checks a whole body against every digest stated.
    ///
    /// # Errors
    /// `digest_mismatch`.
    pub fn check(&self, body: &[u8]) -> Result<(), Problem> {
        let mut check = self.start();
        check.update(body);
        check.finish()
    }

    /// Begins the check of a body that arrives in pieces.
    pub fn start(&self) -> BodyCheck {
        BodyCheck {
            stated: self.clone(),
            sha256: self.sha256.map(|_| Sha256::new()),
            sha512: self.sha512.map(|_| Sha512::new()),
        }
    }
}

fn member<const N: usize>(fields: &Dictionary, name: &str) -> Result<Option<[u8; N]>, Problem> {
    let Some(entry) = fields.get(name) else {
        return Ok(None);
    };
    let bytes = match entry {
        ListEntry::Item(item) => match &item.bare_item {
            BareItem::ByteSequence(bytes) => <[u8; N]>::try_from(bytes.as_slice()).ok(),
            _ => None,
        },
        ListEntry::InnerList(_) => None,
    };
    bytes.map(Some).ok_or_else(|| {
        mismatch(detail!(
            "{name} 不是 {N} 字节的 base64",
            "{name} is not {N} bytes in base64"
        ))
    })
}

/// A running check of a streamed body. Nothing may be committed before [`BodyCheck::finish`] agrees.
#[derive(Clone)]
pub struct BodyCheck {
    stated: ContentDigest,
    sha256: Option<Sha256>,
    sha512: Option<Sha512>,
}

impl BodyCheck {
    /// The next piece of the body.
    pub fn update(&mut self, piece: &[u8]) {
        if let Some(hasher) = &mut self.sha256 {
            hasher.update(piece);
        }
        if let Some(hasher) = &mut self.sha512 {
            hasher.update(piece);
        }
    }

    /// The verdict at the body's end.
    ///
    /// # Errors
    /// `digest_mismatch`.
    pub fn finish(self) -> Result<(), Problem> {
        let agree = |stated: Option<&[u8]>, found: Option<&[u8]>| match (stated, found) {
            (Some(stated), Some(found)) => bool::from(stated.ct_eq(found)),
            (stated, found) => stated.is_none() && found.is_none(),
        };
        let sha256 = self
            .sha256
            .map(|hasher| <[u8; 32]>::from(hasher.finalize()));
        let sha512 = self
            .sha512
            .map(|hasher| <[u8; 64]>::from(hasher.finalize()));
        let first = agree(slice(&self.stated.sha256), slice(&sha256));
        let second = agree(slice(&self.stated.sha512), slice(&sha512));
        if first && second {
            Ok(())
        } else {
            Err(mismatch(detail!(
                "请求体的摘要与此不同",
                "the body has another digest"
            )))
        }
    }
}

fn slice<const N: usize>(bytes: &Option<[u8; N]>) -> Option<&[u8]> {
    bytes.as_ref().map(|bytes| &bytes[..])
}

fn mismatch(what: Detail) -> Problem {
    Problem::at(Code::DigestMismatch, "Content-Digest", what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example body of RFC 9530, appendix A and RFC 9421, appendix B.2.
    const BODY: &[u8] = b"{\"hello\": \"world\"}";
    const SHA256: &str = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
    const SHA512: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7\
                          BNNyealdVLvRwEmTHWXvJwew==:";

    #[test]
    fn the_digests_of_the_rfc_hold() {
        assert_eq!(ContentDigest::sha256(BODY).field(), SHA256);
        assert_eq!(ContentDigest::sha512(BODY).field(), SHA512);
        let both = format!("{SHA256}, {SHA512}, md5=:AAAA:");
        let stated = ContentDigest::parse(both.as_bytes()).unwrap();
        assert_eq!(stated.field(), format!("{SHA256}, {SHA512}"));
        stated.check(BODY).unwrap();
    }

    #[test]
    fn every_digest_stated_must_agree() {
        let other = ContentDigest::sha512(b"other").field();
        let stated = ContentDigest::parse(format!("{SHA256}, {other}").as_bytes()).unwrap();
        assert_eq!(stated.check(BODY).unwrap_err().code, Code::DigestMismatch);
        assert_eq!(
            stated.check(b"other").unwrap_err().code,
            Code::DigestMismatch
        );
    }

    #[test]
    fn a_field_without_a_usable_digest_is_refused() {
        for field in [
            "",
            "md5=:AAAA:",
            "sha-256=:AAAA:",
            "sha-256=abc",
            "sha-256",
            "sha-256=(1)",
            "=",
            "sha-256=:AAAA",
        ] {
            assert!(ContentDigest::parse(field.as_bytes()).is_err(), "{field}");
        }
        let short = ContentDigest::parse(b"sha-256=:AAAA:").unwrap_err();
        assert_eq!(short.detail.zh(), "sha-256 不是 32 字节的 base64");
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole_and_a_bent_body_fails(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6),
            at: prop::sample::Index, bit in 0u32..8,
        ) {
            let mut body = pieces.concat();
            for stated in [ContentDigest::sha256(&body), ContentDigest::sha512(&body)] {
                let stated = ContentDigest::parse(stated.field().as_bytes()).unwrap();
                let mut check = stated.start();
                pieces.iter().for_each(|piece| check.update(piece));
                prop_assert!(check.finish().is_ok());
                prop_assert!(stated.check(&[&body[..], b"x"].concat()).is_err());
                if !body.is_empty() {
                    let at = at.index(body.len());
                    body[at] ^= 1 << bit;
                    prop_assert!(stated.check(&body).is_err());
                    body[at] ^= 1 << bit;
                }
            }
        }
    }
}
