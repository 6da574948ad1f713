//! Signed notes (C2SP `signed-note`) with Ed25519: a text, an empty line, and signature lines.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::domain::problem::{Code, Detail, Problem, detail};

/// The signature type byte of plain Ed25519.
const ED25519: u8 = 0x01;
/// The longest note read: a checkpoint is under 1 kB, and room for 16 post-quantum cosignatures.
pub const NOTE_BYTES_MAX: usize = 128 * 1024;
/// Signature lines read in one note; the format asks for at least 16.
pub const NOTE_SIGNATURES_MAX: usize = 64;
/// Leads a signature line: em dash, space.
const LEAD: &str = "\u{2014} ";

/// A text with signatures, none of them checked yet. The text must not be used before
/// [`NoteVerifier::open`] said yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The key's name, for a log its origin.
    pub name: String,
    /// Which of the name's keys: see [`key_id`].
    pub key_id: [u8; 4],
    /// 64 bytes for Ed25519; other kinds are carried along.
    pub signature: Vec<u8>,
}

impl SignedNote {
    /// An unsigned note, to be signed.
    ///
    /// # Errors
    /// `checkpoint_malformed` if `text` does not end in a newline or has control characters.
    pub fn new(text: String) -> Result<SignedNote, Problem> {
        let foreign = |c: char| c < ' ' && c != '\n';
        if !text.ends_with('\n') || text.len() > NOTE_BYTES_MAX || text.contains(foreign) {
            return Err(malformed(detail!(
                "正文不是由可打印字符组成的行",
                "the text is not lines of printable text"
            )));
        }
        Ok(SignedNote {
            text,
            signatures: Vec::new(),
        })
    }

    /// Reads a note; signatures are not checked.
    ///
    /// # Errors
    /// `checkpoint_malformed`.
    pub fn parse(note: &str) -> Result<SignedNote, Problem> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(malformed(detail!("签名文本过长", "the note is too long")));
        }
        // The text may have empty lines of its own: the last one divides.
        let divide = note.rfind("\n\n").ok_or_else(|| {
            malformed(detail!(
                "签名之前没有空行",
                "no empty line before signatures"
            ))
        })?;
        let (text, lines) = (&note[..=divide], &note[divide + 2..]);
        let lines = lines
            .strip_suffix('\n')
            .ok_or_else(|| malformed(detail!("末尾没有换行", "no newline at the end")))?;
        let mut read = SignedNote::new(text.to_owned())?;
        for line in lines.split('\n') {
            read.signatures.push(NoteSignature::parse(line)?);
        }
        if read.signatures.len() > NOTE_SIGNATURES_MAX {
            return Err(malformed(detail!("签名过多", "too many signatures")));
        }
        Ok(read)
    }

    /// What the signatures cover, the last newline included.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds the signer's line; one that it made before is replaced.
    pub fn sign(&mut self, signer: &NoteSigner) {
        let key_id = signer.key_id;
        self.signatures
            .retain(|line| line.name != signer.name || line.key_id != key_id);
        self.signatures.push(NoteSignature {
            name: signer.name.clone(),
            key_id,
            signature: signer.key.sign(self.text.as_bytes()).to_bytes().to_vec(),
        });
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            let bytes = [&line.key_id[..], &line.signature].concat();
            writeln!(f, "{LEAD}{} {}", line.name, STANDARD.encode(bytes))?;
        }
        Ok(())
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Result<NoteSignature, Problem> {
        let read = || {
            let (name, text) = line.strip_prefix(LEAD)?.split_once(' ')?;
            let bytes = STANDARD.decode(text).ok()?;
            let (key_id, signature) = bytes.split_first_chunk::<4>()?;
            let (key_id, signature) = (*key_id, signature.to_vec());
            let line = NoteSignature {
                name: name.to_owned(),
                key_id,
                signature,
            };
            (is_key_name(name) && !line.signature.is_empty()).then_some(line)
        };
        read().ok_or_else(|| {
            malformed(detail!(
                "有签名行不是 `— name base64`",
                "a signature line is not `— name base64`"
            ))
        })
    }
}

/// `SHA-256(name || 0x0A || 0x01 || public key)[..4]`.
pub fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(key.as_bytes())
        .finalize();
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash);
    [a, b, c, d]
}

fn is_key_name(name: &str) -> bool {
    let foreign = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    !name.is_empty() && !name.contains(foreign)
}

/// A named Ed25519 secret; wiped when dropped, never printed.
pub struct NoteSigner {
    name: String,
    key_id: [u8; 4],
    key: SigningKey,
}

impl NoteSigner {
    /// # Errors
    /// `checkpoint_malformed` if the name is empty or has spaces or a plus.
    pub fn new(name: &str, key: SigningKey) -> Result<NoteSigner, Problem> {
        if !is_key_name(name) {
            return Err(malformed(detail!(
                "密钥名不能为空，也不能含空格或加号",
                "a key name has neither spaces nor plus signs"
            )));
        }
        let key_id = key_id(name, &key.verifying_key());
        Ok(NoteSigner {
            name: name.to_owned(),
            key_id,
            key,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What strangers need to check this signer's notes.
    pub fn verifier(&self) -> NoteVerifier {
        NoteVerifier {
            name: self.name.clone(),
            key_id: self.key_id,
            key: self.key.verifying_key(),
        }
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({}, secret redacted)", self.name)
    }
}

/// A named public key. Its text form, `name+hash+base64`, is what is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    key_id: [u8; 4],
    key: VerifyingKey,
}

impl NoteVerifier {
    /// Reads a verifier key: name, plus, key id in hexadecimal, plus, base64 of the type byte and
    /// the public key.
    ///
    /// # Errors
    /// `checkpoint_malformed`, also if the key id is not that of the key.
    pub fn parse(text: &str) -> Result<NoteVerifier, Problem> {
        let read = || {
            let mut parts = text.splitn(3, '+');
            let (name, hash, key) = (parts.next()?, parts.next()?, parts.next()?);
            let bytes = STANDARD.decode(key).ok()?;
            let key = match bytes.split_first()? {
                (&ED25519, key) => VerifyingKey::try_from(key).ok()?,
                _ => return None,
            };
            let key_id = key_id(name, &key);
            let named = is_key_name(name) && hash == hex::encode(key_id) && !key.is_weak();
            named.then(|| NoteVerifier {
                name: name.to_owned(),
                key_id,
                key,
            })
        };
        read().ok_or_else(|| {
            malformed(detail!(
                "不是 `name+hash+base64` 形式的验证密钥",
                "not a verifier key `name+hash+base64`"
            ))
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// Whether this key signed the note; its text if so. Lines of other keys are ignored, as the
    /// format demands; a bad line of this key spoils the note.
    ///
    /// # Errors
    /// `checkpoint_untrusted`.
    pub fn open<'n>(&self, note: &'n SignedNote) -> Result<&'n str, Problem> {
        let own = |line: &&NoteSignature| line.name == self.name && line.key_id == self.key_id;
        let untrusted = |what: Detail| Problem::at(Code::CheckpointUntrusted, &self.name, what);
        let mut signed = false;
        for line in note.signatures.iter().filter(own) {
            let signature = Signature::from_slice(&line.signature).map_err(|_| {
                untrusted(detail!("签名不是 64 字节", "the signature is not 64 bytes"))
            })?;
            self.key
                .verify_strict(note.text.as_bytes(), &signature)
                .map_err(|_| {
                    untrusted(detail!("签名验证未通过", "the signature does not verify"))
                })?;
            signed = true;
        }
        if signed {
            Ok(&note.text)
        } else {
            Err(untrusted(detail!(
                "没有该密钥的签名",
                "no signature by this key"
            )))
        }
    }
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519], &self.key.as_bytes()[..]].concat();
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex::encode(self.key_id),
            STANDARD.encode(key)
        )
    }
}

fn malformed(what: Detail) -> Problem {
    Problem::at(Code::CheckpointMalformed, "note", what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The public example key pair and note of the Go package `golang.org/x/mod/sumdb/note`.
    const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
    const LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgY\
                        N1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn signer() -> NoteSigner {
        let bytes = STANDARD.decode(SEED).unwrap();
        NoteSigner::new("PeterNeumann", SigningKey::try_from(&bytes[1..]).unwrap()).unwrap()
    }

    #[test]
    fn the_published_note_verifies_and_is_reproduced() {
        let published = format!("{TEXT}\n{LINE}");
        let verifier = NoteVerifier::parse(KEY).unwrap();
        let note = SignedNote::parse(&published).unwrap();
        assert_eq!(verifier.open(&note), Ok(TEXT));
        assert_eq!(verifier.to_string(), KEY);
        let mut own = SignedNote::new(TEXT.into()).unwrap();
        own.sign(&signer());
        own.sign(&signer());
        assert_eq!(own.to_string(), published);
        assert_eq!(signer().verifier(), verifier);
    }

    #[test]
    fn the_key_id_is_that_of_the_go_checksum_database() {
        let key = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        assert_eq!(NoteVerifier::parse(key).unwrap().to_string(), key);
        assert!(NoteVerifier::parse(&key.replace("033de", "033df")).is_err());
    }

    #[test]
    fn strangers_are_ignored_and_no_one_is_not_enough() {
        let other = NoteSigner::new("witness.example", SigningKey::from_bytes(&[9; 32])).unwrap();
        let mut note = SignedNote::new("one\n\ntwo\n".into()).unwrap();
        note.sign(&other);
        let refused = signer().verifier().open(&note).unwrap_err();
        assert_eq!(refused.code, Code::CheckpointUntrusted);
        assert_eq!(refused.detail.zh(), "没有该密钥的签名");
        note.sign(&signer());
        let read = SignedNote::parse(&note.to_string()).unwrap();
        assert_eq!(read, note);
        assert_eq!(signer().verifier().open(&read), Ok("one\n\ntwo\n"));
        assert!(other.verifier().open(&read).is_ok());
    }

    #[test]
    fn a_signer_does_not_print_its_secret() {
        assert_eq!(
            format!("{:?}", signer()),
            "NoteSigner(PeterNeumann, secret redacted)"
        );
    }

    proptest! {
        #[test]
        fn a_bent_note_is_refused(at: prop::sample::Index, to in 0x20u8..0x7f) {
            let note = format!("{TEXT}\n{LINE}");
            let mut bytes = note.clone().into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != to && bytes[at].is_ascii());
            bytes[at] = to;
            let bent = String::from_utf8(bytes).unwrap();
            let opened = SignedNote::parse(&bent)
                .and_then(|note| signer().verifier().open(&note).map(str::to_owned));
            prop_assert!(opened.is_err());
        }

        #[test]
        fn any_text_is_read_without_panic(text in "(\\PC|\n|\u{2014} ){0,80}") {
            let _ = SignedNote::parse(&text);
            let _ = NoteVerifier::parse(&text);
        }
    }
}
