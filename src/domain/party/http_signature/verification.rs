//! Judging a signature, as the receiver does.

use std::borrow::Borrow;

use chrono::{DateTime, Utc};
use sfv::{BareItem, Dictionary, InnerList, ListEntry, ListSerializer, Parser};

use super::component::Component;
use super::request::Request;
use super::signing::base_of;
use crate::domain::party::content_digest::ContentDigest;
use crate::domain::party::key::VerifyKey;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// A nonce's shortest and longest length, in characters: room for 96 bits in base64, and for a
/// SHA-256 in hexadecimal.
pub const NONCE_CHARS_MIN: usize = 16;
pub const NONCE_CHARS_MAX: usize = 64;
/// Signatures looked at on one request; proxies may add their own.
const SIGNATURES_MAX: usize = 8;
/// Components that one signature may cover; keeps the check for doubles small.
const COMPONENTS_MAX: usize = 64;

/// When a component must be covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    /// If the request's target has a query.
    WithQuery,
    /// If the request has a body.
    WithBody,
}

/// What a signature has to do to be accepted.
#[derive(Debug, Clone)]
pub struct Policy {
    pub required: &'static [(When, Component<'static>)],
    /// How far `created` may lie from now, in seconds, into the past and, for clocks that run
    /// ahead, into the future.
    pub window_seconds: i64,
    pub nonce_required: bool,
}

impl Policy {
    /// For partners: the method, the whole target and the body, five minutes, once.
    pub const PARTNER: Policy = Policy {
        required: &[
            (When::Always, Component::Method),
            (When::Always, Component::Authority),
            (When::Always, Component::Path),
            (When::WithQuery, Component::Query),
            (When::WithBody, Component::Field("content-digest")),
            (When::WithBody, Component::Field("content-type")),
        ],
        window_seconds: 300,
        nonce_required: true,
    };

    /// The components that this policy asks of such a request: what a client should sign.
    pub fn components(
        &self,
        with_query: bool,
        with_body: bool,
    ) -> impl Iterator<Item = Component<'static>> + Clone {
        let applies = move |when: When| match when {
            When::Always => true,
            When::WithQuery => with_query,
            When::WithBody => with_body,
        };
        self.required
            .iter()
            .filter(move |(when, _)| applies(*when))
            .map(|(_, component)| *component)
    }
}

/// The body, as far as it is known when the signature is judged.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// All of it; empty for a request without one.
    Whole(&'a [u8]),
    /// Still to come: the caller feeds it to [`ContentDigest::start`] of [`Verified::digest`].
    Streamed,
}

/// A signature that held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub key_id: String,
    /// To be used once per key within the policy's window; the caller keeps count. Empty only
    /// under a policy that requires none.
    pub nonce: String,
    pub created: DateTime<Utc>,
    /// What the body must match; a whole body has been checked.
    pub digest: Option<ContentDigest>,
}

/// The signatures that a request presents, read but not judged: for callers who must fetch the key
/// before they can judge. [`verify`] does both at once.
#[derive(Debug)]
pub struct Presented {
    signatures: Vec<Claim>,
}

/// One signature and what it says of itself.
#[derive(Debug)]
struct Claim {
    list: InnerList,
    key_id: String,
    signature: Vec<u8>,
}

/// Judges a request's signature by the first of its keys that `key_of` knows.
///
/// # Errors
/// In this order: `signature_missing`, `signature_malformed`, `key_unknown`, `signature_stale`,
/// `component_missing`, `digest_mismatch`, `signature_invalid`, `nonce_missing`.
pub fn verify<K: Borrow<VerifyKey>>(
    request: &Request<'_>,
    body: Body<'_>,
    policy: &Policy,
    now: DateTime<Utc>,
    key_of: impl Fn(&str) -> Option<K>,
) -> Result<Verified, Problem> {
    Presented::read(request)?.verify(request, body, policy, now, key_of)
}

impl Presented {
    /// Reads `Signature-Input` and `Signature`.
    ///
    /// # Errors
    /// `signature_missing`, `signature_malformed`.
    pub fn read(request: &Request<'_>) -> Result<Presented, Problem> {
        let inputs = dictionary(request, "signature-input")?;
        let mut values = dictionary(request, "signature")?;
        if inputs.len() > SIGNATURES_MAX {
            return Err(malformed(
                "signature-input",
                detail!("签名过多", "too many signatures"),
            ));
        }
        // A proxy's own signature may be of a kind that is not read here; one that is suffices.
        let mut signatures = Vec::with_capacity(inputs.len());
        let mut refused = None;
        for (label, input) in inputs {
            match Claim::read(input, values.swap_remove(&label)) {
                Ok(claim) => signatures.push(claim),
                Err(problem) => refused = refused.or(Some(problem)),
            }
        }
        match signatures.is_empty() {
            false => Ok(Presented { signatures }),
            true => Err(refused.unwrap_or_else(|| missing("signature-input"))),
        }
    }

    /// The keys that are said to have signed, to be looked up.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|claim| claim.key_id.as_str())
    }

    /// As [`verify`], with the request that was read.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify<K: Borrow<VerifyKey>>(
        &self,
        request: &Request<'_>,
        body: Body<'_>,
        policy: &Policy,
        now: DateTime<Utc>,
        key_of: impl Fn(&str) -> Option<K>,
    ) -> Result<Verified, Problem> {
        let found = self.signatures.iter().find_map(|claim| {
            let key = key_of(&claim.key_id)?;
            Some((claim, key))
        });
        let (claim, key) = found.ok_or_else(|| {
            Problem::at(
                Code::KeyUnknown,
                "keyid",
                detail!(
                    "没有由已登记密钥所作的签名",
                    "no signature by a key that is known"
                ),
            )
        })?;
        claim.verify(request, body, policy, now, key.borrow())
    }
}

impl Claim {
    fn read(input: ListEntry, value: Option<ListEntry>) -> Result<Claim, Problem> {
        let ListEntry::InnerList(list) = input else {
            return Err(malformed(
                "signature-input",
                detail!(
                    "有成员不是组成部分的列表",
                    "a member is not a list of components"
                ),
            ));
        };
        let signature = match value {
            Some(ListEntry::Item(item)) => match item.bare_item {
                BareItem::ByteSequence(bytes) => bytes,
                _ => {
                    return Err(malformed(
                        "signature",
                        detail!(
                            "有成员不是两个冒号之间的 base64",
                            "a member is not base64 between colons"
                        ),
                    ));
                }
            },
            _ => {
                return Err(malformed(
                    "signature",
                    detail!(
                        "Signature-Input 中有标签没有对应的值",
                        "no value for a label of Signature-Input"
                    ),
                ));
            }
        };
        let key_id = text(&list, "keyid")?
            .ok_or_else(|| malformed("keyid", detail!("必填", "is required")))?;
        let key_id = key_id.to_owned();
        Ok(Claim {
            list,
            key_id,
            signature,
        })
    }

    fn verify(
        &self,
        request: &Request<'_>,
        body: Body<'_>,
        policy: &Policy,
        now: DateTime<Utc>,
        key: &VerifyKey,
    ) -> Result<Verified, Problem> {
        self.check_algorithm(key)?;
        let components = self.components()?;
        let nonce = text(&self.list, "nonce")?;
        let created = self.check_time(policy, now)?;
        check_coverage(&components, policy, request, body)?;
        let base = self.base(request, &components)?;
        let digest = check_digest(request, body)?;
        if !key.verifies(base.as_bytes(), &self.signature) {
            return Err(Problem::new(Code::SignatureInvalid));
        }
        let nonce = check_nonce(nonce, policy)?;
        Ok(Verified {
            key_id: self.key_id.clone(),
            nonce,
            created,
            digest,
        })
    }

    fn check_algorithm(&self, key: &VerifyKey) -> Result<(), Problem> {
        match text(&self.list, "alg")? {
            Some(stated) if stated != key.algorithm().as_str() => Err(malformed(
                "alg",
                detail!("与密钥的算法不符", "is not the algorithm of the key"),
            )),
            _ => Ok(()),
        }
    }

    fn components(&self) -> Result<Vec<Component<'_>>, Problem> {
        if self.list.items.len() > COMPONENTS_MAX {
            return Err(malformed(
                "signature-input",
                detail!("组成部分过多", "too many components"),
            ));
        }
        self.list.items.iter().map(Component::read).collect()
    }

    fn check_time(&self, policy: &Policy, now: DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
        let stale = |what| {
            Err(Problem::at(
                Code::SignatureStale,
                what,
                detail!("超出允许的时间范围", "outside the window"),
            ))
        };
        let created = time(&self.list, "created")?;
        let created =
            created.ok_or_else(|| malformed("created", detail!("必填", "is required")))?;
        let age = now.timestamp().saturating_sub(created.timestamp());
        if age.saturating_abs() > policy.window_seconds {
            return stale("created");
        }
        match time(&self.list, "expires")? {
            Some(expires) if expires.timestamp() < now.timestamp() => stale("expires"),
            _ => Ok(created),
        }
    }

    /// The signature base; its last line is the member of `Signature-Input` in canonical form.
    fn base(&self, request: &Request<'_>, components: &[Component<'_>]) -> Result<String, Problem> {
        let mut base = base_of(request, components.iter().copied())?;
        let mut list = ListSerializer::with_buffer(&mut base);
        let mut inner = list.inner_list();
        inner.items(&self.list.items);
        let _ = inner.finish().parameters(&self.list.params).finish();
        Ok(base)
    }
}

fn dictionary(request: &Request<'_>, name: &str) -> Result<Dictionary, Problem> {
    let field = request.field(name)?.ok_or_else(|| missing(name))?;
    Parser::new(&field)
        .parse()
        .map_err(|_| malformed(name, detail!("不是字典结构", "is not a dictionary")))
}

fn text<'l>(list: &'l InnerList, name: &str) -> Result<Option<&'l str>, Problem> {
    match list.params.get(name) {
        None => Ok(None),
        Some(BareItem::String(value)) => Ok(Some(value.as_str())),
        Some(_) => Err(malformed(name, detail!("不是字符串", "is not a string"))),
    }
}

fn time(list: &InnerList, name: &str) -> Result<Option<DateTime<Utc>>, Problem> {
    let unreadable = || {
        malformed(
            name,
            detail!("不是以整秒计的时间", "is not a time in whole seconds"),
        )
    };
    match list.params.get(name) {
        None => Ok(None),
        Some(BareItem::Integer(seconds)) => DateTime::from_timestamp((*seconds).into(), 0)
            .map(Some)
            .ok_or_else(unreadable),
        Some(_) => Err(unreadable()),
    }
}

fn check_coverage(
    covered: &[Component<'_>],
    policy: &Policy,
    request: &Request<'_>,
    body: Body<'_>,
) -> Result<(), Problem> {
    let with_body = !matches!(body, Body::Whole([]));
    let mut required = policy.components(request.query.is_some(), with_body);
    match required.find(|needed| !covered.iter().any(|own| own.covers(needed))) {
        Some(lacking) => {
            let what = detail!("签名须覆盖此项", "the signature must cover it");
            Err(Problem::at(Code::ComponentMissing, lacking.name(), what))
        }
        None => Ok(()),
    }
}

/// The digest that the request states, checked where the body is at hand.
fn check_digest(request: &Request<'_>, body: Body<'_>) -> Result<Option<ContentDigest>, Problem> {
    let Some(field) = request.field("content-digest")? else {
        return Ok(None);
    };
    let stated = ContentDigest::parse(field.as_bytes())?;
    if let Body::Whole(bytes) = body {
        stated.check(bytes)?;
    }
    Ok(Some(stated))
}

fn check_nonce(nonce: Option<&str>, policy: &Policy) -> Result<String, Problem> {
    let nonce = nonce.unwrap_or_default();
    let fits = (NONCE_CHARS_MIN..=NONCE_CHARS_MAX).contains(&nonce.len());
    if policy.nonce_required && !fits {
        return Err(Problem::at(
            Code::NonceMissing,
            "nonce",
            detail!("长度不是 16 至 64 个字符", "has not 16 to 64 characters"),
        ));
    }
    Ok(nonce.to_owned())
}

fn missing(field: &str) -> Problem {
    Problem::on(Code::SignatureMissing, field)
}

fn malformed(param: &str, what: Detail) -> Problem {
    Problem::at(Code::SignatureMalformed, param, what)
}
