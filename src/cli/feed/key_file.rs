//! The key that posts are signed with: read from a file, or made.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{EncodePrivateKey, KeypairBytes};
use serde_json::json;

use crate::domain::party::key::{HmacSecret, SignKey};
use crate::domain::problem::Problem;

/// Arguments of `keygen`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A directory for the private key; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The name under which the platform will know the key
    #[arg(long, value_name = "ID", value_parser = key_id)]
    key_id: String,
    /// A shared secret for HMAC-SHA256 instead of an Ed25519 key pair
    #[arg(long)]
    hmac: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Where the signing key is.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct KeyArgs {
    /// Ed25519 private key: PKCS#8 PEM, or base64 of its 32 bytes
    #[arg(long, value_name = "FILE")]
    ed25519_key: Option<PathBuf>,
    /// HMAC-SHA256 secret in base64
    #[arg(long, value_name = "FILE")]
    hmac_key_file: Option<PathBuf>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("{}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{}: {problem}", path.display())]
    Unreadable { path: PathBuf, problem: Problem },
    #[error("{0}")]
    Encoding(String),
}

/// How a key's text becomes a key.
type ParseKey = fn(&str) -> Result<SignKey, Problem>;

impl KeyArgs {
    /// Reads the key.
    pub(super) fn read(&self) -> Result<SignKey, KeyError> {
        let (path, parse): (_, ParseKey) = match (&self.ed25519_key, &self.hmac_key_file) {
            (Some(path), _) => (path, SignKey::ed25519),
            (None, Some(path)) => (path, SignKey::hmac_sha256),
            (None, None) => return Err(KeyError::Encoding("no key file is named".into())),
        };
        let text = fs::read_to_string(path).map_err(at(path))?;
        parse(&text).map_err(|problem| KeyError::Unreadable {
            path: path.clone(),
            problem,
        })
    }
}

pub(super) fn run(args: &Args) -> ExitCode {
    match make(args) {
        Ok(text) => {
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            crate::cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn make(args: &Args) -> Result<String, KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| KeyError::Encoding(error.to_string()))?;
    let (private, public, algorithm) = match args.hmac {
        true => {
            let secret = STANDARD.encode(seed);
            // What is written must be what a post will read.
            HmacSecret::parse(&secret)
                .map_err(|problem| KeyError::Encoding(problem.to_string()))?;
            (format!("{secret}\n"), None, "hmac-sha256")
        }
        false => {
            let key = SigningKey::from_bytes(&seed);
            // Without its public half: OpenSSL before 3.5 reads no file that holds both.
            let alone = KeypairBytes {
                secret_key: seed,
                public_key: None,
            };
            let pem = alone.to_pkcs8_pem(LineEnding::LF).map_err(encoding)?;
            let public = key.verifying_key();
            let text = public.to_public_key_pem(LineEnding::LF).map_err(encoding)?;
            let raw = STANDARD.encode(public.as_bytes());
            (pem.to_string(), Some((raw, text)), "ed25519")
        }
    };
    let path = args.out.join(format!("{}.key", args.key_id));
    keep(&path, &private)?;
    Ok(match args.json {
        true => format!(
            "{}\n",
            json!({
                "key_id": args.key_id,
                "algorithm": algorithm,
                "private_key_file": path,
                "public_key": public.as_ref().map(|(raw, _)| raw),
                "public_key_pem": public.as_ref().map(|(_, pem)| pem),
            })
        ),
        false => said(&args.key_id, algorithm, &path, public),
    })
}

fn said(key_id: &str, algorithm: &str, path: &Path, public: Option<(String, String)>) -> String {
    let register = match public {
        Some((raw, pem)) => format!("public key 公钥（请登记）\n{raw}\n{pem}"),
        None => "The secret in the file is to be registered too; hand it over in confidence.\n\
                 请以保密方式登记该文件中的密钥。\n"
            .to_owned(),
    };
    format!(
        "key id 密钥编号        {key_id}\nalgorithm 算法         {algorithm}\n\
         private key 私钥文件   {}\n{register}",
        path.display()
    )
}

/// Writes a file that only its owner reads; never over another.
fn keep(path: &Path, text: &str) -> Result<(), KeyError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(at(dir))?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(at(path))?;
    file.write_all(text.as_bytes()).map_err(at(path))?;
    file.sync_all().map_err(at(path))
}

fn at(path: &Path) -> impl Fn(io::Error) -> KeyError {
    move |source| KeyError::File {
        path: path.to_owned(),
        source,
    }
}

fn encoding(error: impl std::fmt::Display) -> KeyError {
    KeyError::Encoding(error.to_string())
}

/// Key ids of this program also name files.
fn key_id(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !text.is_empty() && text.len() <= 64 && !text.starts_with('.') && text.chars().all(plain)
    {
        true => Ok(text.to_owned()),
        false => Err("1 to 64 letters, digits, hyphens, dots and underscores".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::party::key::VerifyKey;
    use std::os::unix::fs::PermissionsExt;

    fn made(hmac: bool) -> (tempfile::TempDir, serde_json::Value, Args) {
        let dir = tempfile::tempdir().unwrap();
        let args = Args {
            out: dir.path().join("keys"),
            key_id: "metro-1".into(),
            hmac,
            json: true,
        };
        let said = serde_json::from_str(&make(&args).unwrap()).unwrap();
        (dir, said, args)
    }

    #[test]
    fn a_made_key_signs_what_its_public_half_verifies() {
        let (_dir, said, args) = made(false);
        let path = PathBuf::from(said["private_key_file"].as_str().unwrap());
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let key = KeyArgs {
            ed25519_key: Some(path),
            hmac_key_file: None,
        };
        let signature = key.read().unwrap().sign(b"m");
        for form in ["public_key", "public_key_pem"] {
            let public = VerifyKey::ed25519(said[form].as_str().unwrap()).unwrap();
            assert!(public.verifies(b"m", &signature), "{form}");
        }
        assert!(make(&args).is_err(), "a key is never written over");
    }

    #[test]
    fn a_made_key_is_one_that_openssl_reads() {
        let (_dir, said, _) = made(false);
        let pem = fs::read_to_string(said["private_key_file"].as_str().unwrap()).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).unwrap();
        // RFC 8410, 7: version 0, the algorithm and the 32 bytes; nothing behind them.
        assert_eq!(&der[..5], &[0x30, 0x2e, 2, 1, 0]);
        assert_eq!(der.len(), 48);
    }

    #[test]
    fn a_made_secret_is_read_back_and_not_printed() {
        let (_dir, said, _) = made(true);
        let path = PathBuf::from(said["private_key_file"].as_str().unwrap());
        let secret = fs::read_to_string(&path).unwrap();
        assert!(!said.to_string().contains(secret.trim()));
        let key = KeyArgs {
            ed25519_key: None,
            hmac_key_file: Some(path),
        };
        assert!(matches!(key.read().unwrap(), SignKey::HmacSha256(_)));
    }

    #[test]
    fn key_ids_are_file_names() {
        for bad in ["", "a/b", "..", "钥", "a b"] {
            assert!(key_id(bad).is_err(), "{bad}");
        }
        assert!(key_id("metro.2026-1_a").is_ok());
    }
}
