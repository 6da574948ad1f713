use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::*;
use crate::domain::party::content_digest::ContentDigest;
use crate::domain::party::key::{HmacSecret, SignKey, VerifyKey};
use crate::domain::party::vectors;
use crate::domain::problem::{Code, Problem};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// No demands but those of the format: for the published vectors, which have no nonce.
const LENIENT: Policy = Policy {
    required: &[],
    window_seconds: 300,
    nonce_required: false,
};

#[derive(Deserialize)]
struct File {
    request: FileRequest,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct FileRequest {
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    key_b64: Option<String>,
    signature_input: String,
    signature: String,
}

#[test]
fn the_vectors_of_appendix_b_2_verify_and_are_reproduced() {
    let Some(folder) = vectors::path("rfc9421-http-signatures") else {
        return;
    };
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let file: File = serde_json::from_str(&read("vectors.json")).unwrap();
    let headers: Vec<(&str, &str)> = file
        .request
        .headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    for vector in &file.vectors {
        let (sign_key, verify_key) = match &vector.key_b64 {
            Some(secret) => (
                SignKey::hmac_sha256(secret).unwrap(),
                VerifyKey::hmac_sha256(secret).unwrap(),
            ),
            None => (
                SignKey::ed25519(&read("test-key-ed25519.key")).unwrap(),
                VerifyKey::ed25519(&read("test-key-ed25519.pem")).unwrap(),
            ),
        };
        let fields = [
            &headers[..],
            &[
                ("Signature-Input", &*vector.signature_input),
                ("Signature", &*vector.signature),
            ],
        ]
        .concat();
        let fields = FieldList(&fields);
        let request = Request {
            method: "POST",
            scheme: "https",
            authority: "example.com",
            path: "/foo",
            query: Some("param=Value&Pet=dog"),
            fields: &fields,
        };
        let body = Body::Whole(file.request.body.as_bytes());
        let keys = |_: &str| Some(&verify_key);
        let verified = verify(&request, body, &LENIENT, at(1_618_884_473), keys).unwrap();
        assert_eq!(verified.created, at(1_618_884_473), "{}", vector.name);
        assert_eq!(
            verified.digest,
            Some(ContentDigest::sha512(file.request.body.as_bytes()))
        );
        let put = Request {
            method: "PUT",
            path: "/other",
            authority: "other",
            ..request
        };
        let refused = verify(&put, body, &LENIENT, at(1_618_884_473), keys).unwrap_err();
        assert_eq!(refused.code, Code::SignatureInvalid);
        assert_eq!(
            resigned(&request, vector, &verified.key_id, &sign_key),
            (vector.signature_input.clone(), vector.signature.clone(),)
        );
    }
    assert_eq!(file.vectors.len(), 2);
}

fn resigned(
    request: &Request<'_>,
    vector: &Vector,
    key_id: &str,
    key: &SignKey,
) -> (String, String) {
    use Component::{Authority, Field, Method, Path};
    let (label, components) = match vector.name.starts_with("B.2.5") {
        true => (
            "sig-b25",
            vec![Field("date"), Authority, Field("content-type")],
        ),
        false => {
            let fields = [Field("content-type"), Field("content-length")];
            (
                "sig-b26",
                [&[Field("date"), Method, Path, Authority], &fields[..]].concat(),
            )
        }
    };
    let created = at(1_618_884_473);
    let signing = Signing {
        label,
        nonce: None,
        ..Signing::new(key_id, &components, created, "")
    };
    let fields = sign(request, &signing, key).unwrap();
    (fields.signature_input, fields.signature)
}

const NOW: i64 = 1_793_000_000;
const NONCE: &str = "n0nce-0123456789abcdef";

fn keys() -> [SignKey; 2] {
    [
        SignKey::HmacSha256(HmacSecret::new(vec![7; 32]).unwrap()),
        SignKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[8; 32])),
    ]
}

/// A request that owns its parts, so that a test can bend one.
#[derive(Debug, Clone, PartialEq)]
struct Sent {
    method: String,
    authority: String,
    path: String,
    query: Option<String>,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    fn with<T>(&self, use_it: impl FnOnce(&Request<'_>) -> T) -> T {
        let fields: Vec<(&str, &str)> = self
            .fields
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        use_it(&Request {
            method: &self.method,
            scheme: "https",
            authority: &self.authority,
            path: &self.path,
            query: self.query.as_deref(),
            fields: &FieldList(&fields),
        })
    }

    fn signed(mut self, key: &SignKey) -> Sent {
        let digest = ContentDigest::sha256(&self.body).field();
        self.fields.push(("Content-Digest".into(), digest));
        let components: Vec<_> = Policy::PARTNER
            .components(self.query.is_some(), !self.body.is_empty())
            .collect();
        let signing = Signing::new("partner-1", &components, at(NOW), NONCE);
        let signed = self.with(|request| sign(request, &signing, key)).unwrap();
        self.fields
            .push(("Signature-Input".into(), signed.signature_input));
        self.fields.push(("Signature".into(), signed.signature));
        self
    }

    fn verdict(&self, key: &SignKey) -> Result<Verified, Problem> {
        self.verdict_at(key, NOW)
    }

    fn verdict_at(&self, key: &SignKey, now: i64) -> Result<Verified, Problem> {
        let key = key.verify_key();
        let key_of = |id: &str| (id == "partner-1").then_some(&key);
        let body = Body::Whole(&self.body);
        self.with(|request| verify(request, body, &Policy::PARTNER, at(now), key_of))
    }

    fn code(&self, key: &SignKey) -> Code {
        self.verdict(key).unwrap_err().code
    }

    fn field(&mut self, name: &str) -> &mut String {
        &mut self
            .fields
            .iter_mut()
            .find(|(key, _)| key == name)
            .unwrap()
            .1
    }
}

fn sample() -> Sent {
    Sent {
        method: "POST".into(),
        authority: "api.example.cn".into(),
        path: "/v1/behaviours".into(),
        query: Some("dry_run=true".into()),
        fields: vec![("Content-Type".into(), "application/json".into())],
        body: b"{\"records\":[]}".to_vec(),
    }
}

fn any_sent() -> impl Strategy<Value = Sent> {
    (
        prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE"]),
        "[a-z]{1,12}\\.example(:[1-9][0-9]{2,3})?",
        "(/[A-Za-z0-9%._~-]{0,10}){1,4}",
        prop::option::of("[a-z0-9=&%+]{0,20}"),
        "[a-z]{1,8}/[a-z+]{1,8}",
        prop::collection::vec(any::<u8>(), 0..60),
    )
        .prop_map(|(method, authority, path, query, kind, body)| Sent {
            method: method.into(),
            authority,
            path,
            query,
            fields: vec![
                ("content-type".into(), kind),
                ("X-Other".into(), "free".into()),
            ],
            body,
        })
}

/// Another printable character in one place; `None` if that place is empty or it means the same.
fn bent(text: &str, at: &prop::sample::Index, to: char) -> Option<String> {
    let mut chars: Vec<char> = text.chars().collect();
    let place = chars.get_mut(at.index(text.len().max(1)))?;
    if place.eq_ignore_ascii_case(&to) {
        return None;
    }
    *place = to;
    Some(chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn what_is_signed_verifies_and_any_bent_part_fails(
        sent in any_sent(), which in 0usize..2, at: prop::sample::Index,
        to in prop::char::range('!', '~'), bit in 0u32..8,
    ) {
        let key = &keys()[which];
        let signed = sent.signed(key);
        let verified = signed.verdict(key).unwrap();
        prop_assert_eq!(verified.nonce, NONCE);
        prop_assert_eq!(verified.key_id, "partner-1");

        let mut others = Vec::new();
        let mut bend = |text: &str, put: &dyn Fn(&mut Sent, String)| {
            if let Some(text) = bent(text, &at, to) {
                let mut other = signed.clone();
                put(&mut other, text);
                others.push(other);
            }
        };
        bend(&signed.method, &|sent, text| sent.method = text);
        bend(&signed.authority, &|sent, text| sent.authority = text);
        bend(&signed.path, &|sent, text| sent.path = text);
        if let Some(query) = &signed.query {
            bend(query, &|sent, text| sent.query = Some(text));
        }
        let covered: &[&str] = match signed.body.is_empty() {
            true => &["Signature-Input"],
            false => &["Signature-Input", "content-type", "Content-Digest"],
        };
        for name in covered {
            let text = signed.clone().field(name).clone();
            bend(&text, &|sent, text| *sent.field(name) = text);
        }
        for other in &others {
            prop_assert!(other.verdict(key).is_err(), "{other:?}");
        }
        if !signed.body.is_empty() {
            let mut other = signed.clone();
            let place = at.index(other.body.len());
            other.body[place] ^= 1 << bit;
            prop_assert_eq!(other.code(key), Code::DigestMismatch);
        }
        let mut other = signed.clone();
        other.field("X-Other").push('!');
        prop_assert!(other.verdict(key).is_ok(), "what is not covered is free");
        prop_assert!(signed.verdict(&keys()[1 - which]).is_err());
    }

    #[test]
    fn a_bent_signature_fails(which in 0usize..2, at: prop::sample::Index, bit in 0u32..8) {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::STANDARD;
        let key = &keys()[which];
        let mut signed = sample().signed(key);
        let field = signed.field("Signature");
        let text = field.trim_start_matches("sig1=:").trim_end_matches(':');
        let mut bytes = engine.decode(text).unwrap();
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        *field = format!("sig1=:{}:", engine.encode(bytes));
        prop_assert_eq!(signed.code(key), Code::SignatureInvalid);
    }

    #[test]
    fn any_fields_are_read_without_panic(
        input in "(sig1=)?[ -~]{0,60}", value in "(sig1=:)?[ -~]{0,30}",
    ) {
        let mut sent = sample();
        sent.fields.push(("Signature-Input".into(), input));
        sent.fields.push(("Signature".into(), value));
        prop_assert!(sent.verdict(&keys()[0]).is_err());
    }
}

#[test]
fn each_refusal_has_its_code() {
    let [key, _] = keys();
    let good = sample().signed(&key);
    assert!(good.verdict(&key).is_ok());
    assert_eq!(sample().code(&key), Code::SignatureMissing);

    let edited = |name: &str, from: &str, to: &str| {
        let mut sent = good.clone();
        let text = sent.field(name);
        assert!(text.contains(from), "{text} has no {from}");
        *text = text.replace(from, to);
        sent.code(&key)
    };
    let input = |from: &str, to: &str| edited("Signature-Input", from, to);
    assert_eq!(input("sig1=(", "sig1="), Code::SignatureMalformed);
    assert_eq!(input("sig1=", "sig2="), Code::SignatureMalformed);
    assert_eq!(
        input("\"@method\"", "\"@method\" \"@method\""),
        Code::SignatureMalformed
    );
    assert_eq!(
        input("\"@method\"", "\"@method\" \"@status\""),
        Code::SignatureMalformed
    );
    assert_eq!(
        input("\"content-type\"", "\"content-type\";sf"),
        Code::SignatureMalformed
    );
    assert_eq!(
        input(";keyid", ";alg=\"ed25519\";keyid"),
        Code::SignatureMalformed
    );
    assert_eq!(input(";keyid=\"partner-1\"", ""), Code::SignatureMalformed);
    assert_eq!(input(";created=1793000000", ""), Code::SignatureMalformed);
    assert_eq!(
        input("=1793000000", "=\"1793000000\""),
        Code::SignatureMalformed
    );
    assert_eq!(input("partner-1", "partner-2"), Code::KeyUnknown);
    assert_eq!(
        input(";created=1793000000", ";created=1792999699"),
        Code::SignatureStale
    );
    assert_eq!(
        input(";created=1793000000", ";created=1793000301"),
        Code::SignatureStale
    );
    assert_eq!(
        input(";keyid", ";expires=1792999999;keyid"),
        Code::SignatureStale
    );
    assert_eq!(input("\"content-digest\" ", ""), Code::ComponentMissing);
    assert_eq!(input("\"@query\" ", ""), Code::ComponentMissing);
    assert_eq!(
        input("\"@method\"", "\"@method\" \"x-absent\""),
        Code::ComponentMissing
    );
    assert_eq!(
        edited("Content-Digest", "sha-256", "sha-512"),
        Code::DigestMismatch
    );
    assert_eq!(
        input(";created=1793000000", ";created=1793000001"),
        Code::SignatureInvalid
    );
    assert_eq!(
        input(NONCE, "another-nonce-of-22-ch"),
        Code::SignatureInvalid
    );
}

#[test]
fn a_short_or_absent_nonce_is_refused_though_signed() {
    let [key, _] = keys();
    for (nonce, fine) in [
        (None, false),
        (Some("x".repeat(15)), false),
        (Some("x".repeat(16)), true),
        (Some("x".repeat(64)), true),
        (Some("x".repeat(65)), false),
    ] {
        let mut sent = Sent {
            body: Vec::new(),
            query: None,
            ..sample()
        };
        let components: Vec<_> = Policy::PARTNER.components(false, false).collect();
        let signing = Signing {
            nonce: nonce.as_deref(),
            state_algorithm: true,
            tag: Some("feed"),
            expires: Some(at(NOW + 60)),
            ..Signing::new("partner-1", &components, at(NOW), "")
        };
        let signed = sent.with(|request| sign(request, &signing, &key)).unwrap();
        sent.fields
            .push(("Signature-Input".into(), signed.signature_input));
        sent.fields.push(("Signature".into(), signed.signature));
        let verdict = sent.verdict(&key);
        assert_eq!(verdict.is_ok(), fine, "{nonce:?}: {verdict:?}");
        if !fine {
            let refused = verdict.unwrap_err();
            assert_eq!(refused.code, Code::NonceMissing);
            assert_eq!(refused.detail.zh(), "长度不是 16 至 64 个字符");
        }
        if fine {
            assert!(sent.verdict_at(&key, NOW + 60).is_ok());
            assert_eq!(
                sent.verdict_at(&key, NOW + 61).unwrap_err().param.unwrap(),
                "expires"
            );
        }
    }
}

#[test]
fn the_window_is_closed_at_both_ends() {
    let [key, _] = keys();
    let signed = sample().signed(&key);
    for (shift, fine) in [(-301, false), (-300, true), (300, true), (301, false)] {
        assert_eq!(
            signed.verdict_at(&key, NOW + shift).is_ok(),
            fine,
            "{shift}"
        );
    }
}

#[test]
fn a_wider_component_covers_the_narrower() {
    let [key, _] = keys();
    let mut sent = Sent {
        body: Vec::new(),
        ..sample()
    };
    let components = [Component::Method, Component::TargetUri];
    let signing = Signing::new("partner-1", &components, at(NOW), NONCE);
    let signed = sent.with(|request| sign(request, &signing, &key)).unwrap();
    sent.fields
        .push(("Signature-Input".into(), signed.signature_input));
    sent.fields.push(("Signature".into(), signed.signature));
    assert!(sent.verdict(&key).is_ok());
    sent.query = Some("dry_run=false".into());
    assert_eq!(sent.code(&key), Code::SignatureInvalid);
}

#[test]
fn another_s_signature_beside_ours_is_passed_over() {
    let [key, _] = keys();
    let mut signed = sample().signed(&key);
    let proxy = "odd=1, proxy=(\"@method\");created=1;keyid=\"proxy\", ".to_owned();
    let input = signed.field("Signature-Input");
    *input = proxy + input;
    let value = signed.field("Signature");
    *value = format!("proxy=:AAAA:, {value}");
    assert!(signed.verdict(&key).is_ok());
    let ids = signed.with(|request| {
        let presented = Presented::read(request).unwrap();
        presented.key_ids().map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(ids, ["proxy", "partner-1"]);
}

#[test]
fn a_streamed_body_is_judged_at_its_end() {
    let [key, _] = keys();
    let signed = sample().signed(&key);
    let verify_key = key.verify_key();
    let verified = signed
        .with(|request| {
            verify(request, Body::Streamed, &Policy::PARTNER, at(NOW), |_| {
                Some(&verify_key)
            })
        })
        .unwrap();
    let digest = verified.digest.unwrap();
    let (first, second) = signed.body.split_at(3);
    let mut check = digest.start();
    check.update(first);
    check.clone().finish().unwrap_err();
    check.update(second);
    check.finish().unwrap();
}

#[test]
fn a_closure_serves_as_fields() {
    let fields = |name: &str, visit: &mut dyn FnMut(&[u8])| {
        if name == "x-a" {
            visit(b" 1 ");
            visit(b"2");
        }
    };
    let request = Request {
        method: "GET",
        scheme: "http",
        authority: "h:80",
        path: "",
        query: None,
        fields: &fields,
    };
    let mut text = String::new();
    Component::Field("x-a")
        .write_line(&request, &mut text)
        .unwrap();
    Component::TargetUri
        .write_line(&request, &mut text)
        .unwrap();
    assert_eq!(text, "\"x-a\": 1, 2\n\"@target-uri\": http://h/\n");
}
