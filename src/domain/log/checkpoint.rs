//! A checkpoint: the log's head at one size, the text of a signed note.
//!
//! # Source
//! C2SP `tlog-checkpoint`, section "Note text".

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::hash::Hash;
use super::note::{NoteSigner, NoteVerifier, SignedNote};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// The head of a log: how many leaves, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, a URL without scheme: `log.example.org/tanpuhui`.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    pub root: Hash,
    /// Opaque lines after the root; discouraged by the format, so we write none.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Checkpoint {
        Checkpoint {
            origin: origin.into(),
            size,
            root,
            extensions: Vec::new(),
        }
    }

    /// Reads a note's text; whoever signed it has been checked before.
    ///
    /// # Errors
    /// `checkpoint_malformed`.
    pub fn parse(text: &str) -> Result<Checkpoint, Problem> {
        let malformed = |what: Detail| Problem::at(Code::CheckpointMalformed, "checkpoint", what);
        let body = text
            .strip_suffix('\n')
            .ok_or_else(|| malformed(detail!("末尾没有换行", "no newline at the end")))?;
        let mut lines = body.split('\n');
        let mut line = |what| {
            lines
                .next()
                .filter(|l| !l.is_empty())
                .ok_or_else(|| malformed(what))
        };
        let origin = line(detail!("缺少来源名", "no origin"))?.to_owned();
        let size = number(line(detail!("缺少树的大小", "no tree size"))?)
            .ok_or_else(|| malformed(detail!("树的大小不是十进制数字", "no plain tree size")))?;
        let root = STANDARD
            .decode(line(detail!("缺少根哈希", "no root hash"))?)
            .ok();
        let root = root
            .and_then(|bytes| Hash::try_from(bytes).ok())
            .ok_or_else(|| {
                malformed(detail!(
                    "根不是 32 字节的 base64",
                    "the root is not base64 of 32 bytes"
                ))
            })?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(malformed(detail!(
                "有扩展行为空",
                "an extension line is empty"
            )));
        }
        Ok(Checkpoint {
            origin,
            size,
            root,
            extensions,
        })
    }

    /// The signed checkpoint as it is published.
    ///
    /// # Errors
    /// `checkpoint_malformed` if the origin or an extension is not one line of text.
    pub fn sign(&self, signer: &NoteSigner) -> Result<SignedNote, Problem> {
        let text = self.to_string();
        // What we sign must read back as what was meant, whatever the fields contained.
        if Checkpoint::parse(&text)? != *self {
            let what = detail!("有字段含换行", "a field has a line break");
            return Err(Problem::at(Code::CheckpointMalformed, "checkpoint", what));
        }
        let mut note = SignedNote::new(text)?;
        note.sign(signer);
        Ok(note)
    }

    /// Reads a published checkpoint that `verifier` signed and whose origin is the verifier's name.
    ///
    /// # Errors
    /// `checkpoint_malformed`, `checkpoint_untrusted`.
    pub fn open(published: &str, verifier: &NoteVerifier) -> Result<Checkpoint, Problem> {
        let note = SignedNote::parse(published)?;
        let checkpoint = Checkpoint::parse(verifier.open(&note)?)?;
        if checkpoint.origin != verifier.name() {
            let what = detail!("该密钥为另一来源签名", "the key signs for another origin");
            return Err(Problem::at(Code::CheckpointUntrusted, "origin", what));
        }
        Ok(checkpoint)
    }
}

/// Decimal digits without leading zeros.
fn number(text: &str) -> Option<u64> {
    text.parse()
        .ok()
        .filter(|number: &u64| number.to_string() == text)
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n{}\n{}",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )?;
        self.extensions
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::hash::empty_root;
    use super::*;
    use ed25519_dalek::SigningKey;

    fn signer(name: &str) -> NoteSigner {
        NoteSigner::new(name, SigningKey::from_bytes(&[3; 32])).unwrap()
    }

    #[test]
    fn a_checkpoint_is_three_lines_and_opens_again() {
        let signer = signer("log.example/t");
        let head = Checkpoint::new("log.example/t", 0, empty_root());
        assert_eq!(
            head.to_string(),
            "log.example/t\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
        );
        let published = head.sign(&signer).unwrap().to_string();
        assert_eq!(Checkpoint::open(&published, &signer.verifier()), Ok(head));
        let bent = published.replacen("\n0\n", "\n1\n", 1);
        let refused = Checkpoint::open(&bent, &signer.verifier()).unwrap_err();
        assert_eq!(refused.code, Code::CheckpointUntrusted);
    }

    #[test]
    fn the_text_of_the_format_s_example_reads_back() {
        let text = "example.com/behind-the-sofa\n20852163\n\
                    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let read = Checkpoint::parse(text).unwrap();
        assert_eq!((read.size, read.to_string().as_str()), (20_852_163, text));
        let extended = format!("{text}more\n");
        let read = Checkpoint::parse(&extended).unwrap();
        assert_eq!((read.extensions.len(), read.to_string()), (1, extended));
    }

    #[test]
    fn loose_spellings_are_refused() {
        let root = STANDARD.encode([1; 32]);
        for text in [
            format!("o\n01\n{root}\n"),
            format!("o\n+1\n{root}\n"),
            format!("\n1\n{root}\n"),
            format!("o\n1\n{root}"),
            format!("o\n1\n{root}\n\n"),
            format!("o\n1\n{root}=\n"),
            "o\n1\n".into(),
            "o\n1\nAAAA\n".into(),
            String::new(),
            format!("o\n18446744073709551616\n{root}\n"),
        ] {
            let refused = Checkpoint::parse(&text).unwrap_err();
            assert_eq!(refused.code, Code::CheckpointMalformed, "{text:?}");
        }
    }

    #[test]
    fn another_origin_or_a_broken_line_is_not_signed_for() {
        let head = Checkpoint::new("log.example/other", 5, [5; 32]);
        let published = head.sign(&signer("log.example/t")).unwrap().to_string();
        let refused = Checkpoint::open(&published, &signer("log.example/t").verifier());
        assert_eq!(refused.unwrap_err().code, Code::CheckpointUntrusted);
        let broken = Checkpoint::new("a\n7", 5, [5; 32]);
        assert!(broken.sign(&signer("a")).is_err());
    }
}
