//! Making a signature, as the sender does.

use chrono::{DateTime, Utc};
use sfv::{
    DictSerializer, InnerListSerializer, Integer, KeyRef, ListSerializer, StringRef, key_ref,
};

use super::component::Component;
use super::request::Request;
use crate::domain::party::key::SignKey;
use crate::domain::problem::{Code, Problem, detail};

/// What to cover and what to say about the signature.
#[derive(Debug, Clone)]
pub struct Signing<'a> {
    /// Names the signature among others on the message: `sig1`.
    pub label: &'a str,
    pub components: &'a [Component<'a>],
    /// The name under which the receiver knows the key.
    pub key_id: &'a str,
    pub created: Option<DateTime<Utc>>,
    pub expires: Option<DateTime<Utc>>,
    /// Fresh for each request, 16 to 64 characters.
    pub nonce: Option<&'a str>,
    /// Whether to state the algorithm; the receiver knows it by the key.
    pub state_algorithm: bool,
    /// What the signature is for, where an application says so.
    pub tag: Option<&'a str>,
}

impl<'a> Signing<'a> {
    /// The usual form: label `sig1`, with time and nonce.
    pub fn new(
        key_id: &'a str,
        components: &'a [Component<'a>],
        created: DateTime<Utc>,
        nonce: &'a str,
    ) -> Signing<'a> {
        Signing {
            label: "sig1",
            components,
            key_id,
            created: Some(created),
            expires: None,
            nonce: Some(nonce),
            state_algorithm: false,
            tag: None,
        }
    }
}

/// The values of the two header fields to add to the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedFields {
    /// `Signature-Input`
    pub signature_input: String,
    /// `Signature`
    pub signature: String,
}

/// Signs a request.
///
/// # Errors
/// `component_missing` if the request lacks a component; `signature_malformed` if a value or
/// parameter is not printable ASCII or a component stands twice.
pub fn sign(
    request: &Request<'_>,
    signing: &Signing<'_>,
    key: &SignKey,
) -> Result<SignedFields, Problem> {
    let label = KeyRef::from_str(signing.label).map_err(|_| unfit("label"))?;
    let parameters = write_parameters(signing, key)?;
    let mut base = base_of(request, signing.components.iter().copied())?;
    base.push_str(&parameters);
    let bytes = key.sign(base.as_bytes());
    let mut signature = DictSerializer::new();
    let _ = signature.bare_item(label, &bytes[..]);
    Ok(SignedFields {
        signature_input: format!("{}={parameters}", signing.label),
        signature: signature.finish().unwrap_or_default(),
    })
}

/// The signature base up to the value of its last line, `@signature-params`.
pub(super) fn base_of<'a>(
    request: &Request<'_>,
    components: impl Iterator<Item = Component<'a>> + Clone,
) -> Result<String, Problem> {
    let mut base = String::with_capacity(512);
    for (position, component) in components.clone().enumerate() {
        if components
            .clone()
            .take(position)
            .any(|earlier| earlier == component)
        {
            let what = detail!("同一组成部分被覆盖了两次", "a component is covered twice");
            return Err(Problem::at(
                Code::SignatureMalformed,
                component.name(),
                what,
            ));
        }
        component.write_line(request, &mut base)?;
    }
    base.push_str("\"@signature-params\": ");
    Ok(base)
}

fn write_parameters(signing: &Signing<'_>, key: &SignKey) -> Result<String, Problem> {
    let mut text = String::with_capacity(192);
    let mut list = ListSerializer::with_buffer(&mut text);
    let mut inner = list.inner_list();
    for component in signing.components {
        write_component(component, &mut inner)?;
    }
    let mut parameters = inner.finish();
    for (name, time) in [("created", signing.created), ("expires", signing.expires)] {
        if let Some(time) = time {
            let seconds = Integer::try_from(time.timestamp()).map_err(|_| unfit(name))?;
            parameters = parameters.parameter(key_ref_of(name)?, seconds);
        }
    }
    let algorithm = signing.state_algorithm.then(|| key.algorithm().as_str());
    for (name, value) in [
        ("nonce", signing.nonce),
        ("alg", algorithm),
        ("keyid", Some(signing.key_id)),
        ("tag", signing.tag),
    ] {
        if let Some(value) = value {
            let value = StringRef::from_str(value).map_err(|_| unfit(name))?;
            parameters = parameters.parameter(key_ref_of(name)?, value);
        }
    }
    let _ = parameters.finish();
    Ok(text)
}

fn write_component(
    component: &Component<'_>,
    inner: &mut InnerListSerializer<'_>,
) -> Result<(), Problem> {
    let text = |text| StringRef::from_str(text).map_err(|_| unfit(component.name()));
    let item = inner.bare_item(text(component.name())?);
    if let Component::QueryParam(name) = component {
        let _ = item.parameter(key_ref("name"), text(name)?).finish();
    }
    Ok(())
}

fn key_ref_of(name: &str) -> Result<&KeyRef, Problem> {
    KeyRef::from_str(name).map_err(|_| unfit(name))
}

fn unfit(name: &str) -> Problem {
    Problem::at(
        Code::SignatureMalformed,
        name,
        detail!(
            "无法写成结构化字段",
            "cannot be written as a structured field"
        ),
    )
}
