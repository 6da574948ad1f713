//! One event: the rules of its type, and the record it becomes.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::json_records::misread;
use super::super::json_text::object;
use super::declaration::Declaration;
use super::declared::Declared;
use super::fields::{a_uri, instant, invalid, items, member, missing, place, text, word};
use super::identity::{Columns, named};
use super::kind::Kind;
use super::members;
use super::quantity::{Goods, Tally};
use super::vocabulary::{BIZ_STEP, DISPOSITION, is_uri};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem, detail};

/// The fields of all five types of event; each its own text.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "eventID")]
    event_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "eventTime")]
    event_time: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "eventTimeZoneOffset")]
    offset: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "recordTime")]
    record_time: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "errorDeclaration")]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    action: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "bizStep")]
    biz_step: Option<&'a RawValue>,
    #[serde(borrow, default)]
    disposition: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "readPoint")]
    pub(super) read_point: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "bizLocation")]
    pub(super) biz_location: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "parentID")]
    pub(super) parent_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "transformationID")]
    transformation_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "epcList")]
    epc_list: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "quantityList")]
    quantity_list: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "childEPCs")]
    child_epcs: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "childQuantityList")]
    child_quantity_list: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "inputEPCList")]
    input_epc_list: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "inputQuantityList")]
    input_quantity_list: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "outputEPCList")]
    output_epc_list: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "outputQuantityList")]
    output_quantity_list: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "bizTransactionList")]
    pub(super) biz_transaction_list: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "sourceList")]
    pub(super) source_list: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "destinationList")]
    pub(super) destination_list: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) ilmd: Option<&'a RawValue>,
}

/// What an event came to.
pub(super) struct Reading {
    pub(super) record: Record,
    /// What an event said that is now declared to be in error.
    pub(super) reversed: Option<Tally>,
}

/// The parts that a record is made of, checked.
struct Facts<'a> {
    kind: Kind,
    at: DateTime<Utc>,
    action: Option<Cow<'a, str>>,
    biz_step: Option<String>,
    disposition: Option<String>,
    read_point: Option<Cow<'a, str>>,
    biz_location: Option<Cow<'a, str>>,
    parent: Option<Cow<'a, str>>,
    transactions: Vec<Cow<'a, str>>,
    /// What went in, for a transformation.
    input: Goods<'a>,
    goods: Goods<'a>,
}

impl<'a> Event<'a> {
    /// # Errors
    /// `row_malformed`: no JSON object, or a key stands twice.
    pub(super) fn parse(text: &'a str) -> Result<Event<'a>, Problem> {
        object(text).map_err(|error| misread(&error))
    }

    /// # Errors
    /// The first rule that is broken, with the field.
    pub(super) fn reading(&self, declared: &Declared, whole: &'a str) -> Result<Reading, Problem> {
        let facts = self.facts(declared)?;
        members::check(facts.kind, whole)?;
        declared.takes(facts.biz_step.as_deref())?;
        let subject = declared.subject.of(self, whole)?;
        let id = match text("eventID", self.event_id)? {
            Some(id) if is_event_id(&id) => named(&id),
            Some(_) => return Err(invalid("eventID", a_uri())),
            None => facts.hashed(&subject),
        };
        let mut record = Record {
            source_id: id,
            subject,
            from: facts.at,
            to: facts.at,
            quantities: Vec::new(),
            attributes: facts.attributes(declared)?,
            revises: None,
        };
        if let Some(error) = self.error {
            Declaration::read(error, facts.at, &record.source_id)?.apply(&mut record);
            let reversed = Some(facts.goods.tally);
            return Ok(Reading { record, reversed });
        }
        record.quantities = facts.goods.tally.quantities("");
        if record.quantities.is_empty() {
            return Err(facts.kind.nothing_measured());
        }
        let input = facts.input.tally.quantities("input_");
        record.quantities.extend(input);
        Ok(Reading {
            record,
            reversed: None,
        })
    }

    fn facts(&self, declared: &Declared) -> Result<Facts<'a>, Problem> {
        let kind = Kind::of(self.kind)?;
        let at = self.times()?;
        let action = self.action(kind)?;
        let parent = self.uri("parentID", self.parent_id)?;
        let (input, goods) = self.goods(kind, declared)?;
        let facts = Facts {
            kind,
            at,
            action,
            biz_step: word("bizStep", self.biz_step, &BIZ_STEP)?,
            disposition: word("disposition", self.disposition, &DISPOSITION)?,
            read_point: place("readPoint", self.read_point)?,
            biz_location: place("bizLocation", self.biz_location)?,
            parent,
            transactions: self.transactions()?,
            input,
            goods,
        };
        self.whole(&facts)?;
        Ok(facts)
    }

    /// The time of the event. Its offset must be stated beside it, as the standard asks.
    fn times(&self) -> Result<DateTime<Utc>, Problem> {
        let at = instant("eventTime", self.event_time)?.ok_or_else(|| missing("eventTime"))?;
        let offset = text("eventTimeZoneOffset", self.offset)?
            .ok_or_else(|| missing("eventTimeZoneOffset"))?;
        if !is_offset(&offset) {
            let rule = detail!(
                "应为 +hh:mm 或 -hh:mm，不超过 14:00",
                "+hh:mm or -hh:mm, at most 14:00"
            );
            return Err(invalid("eventTimeZoneOffset", rule));
        }
        match instant("recordTime", self.record_time)? {
            Some(recorded) if recorded < at => Err(Problem::at(
                Code::TimeInvalid,
                "recordTime",
                detail!(
                    "早于 eventTime：事件发生之前不会有记录",
                    "before eventTime: nothing is recorded before it happens"
                ),
            )),
            _ => Ok(at),
        }
    }

    fn action(&self, kind: Kind) -> Result<Option<Cow<'a, str>>, Problem> {
        let action = text("action", self.action)?;
        match (kind, action.as_deref()) {
            (Kind::Transformation, None) => Ok(None),
            (Kind::Transformation, Some(_)) => Err(invalid(
                "action",
                detail!(
                    "TransformationEvent 没有这个字段",
                    "a TransformationEvent has none"
                ),
            )),
            (_, Some("ADD" | "OBSERVE" | "DELETE")) => Ok(action),
            (_, Some(_)) => Err(invalid(
                "action",
                detail!(
                    "不是 ADD、OBSERVE、DELETE 之一",
                    "none of ADD, OBSERVE, DELETE"
                ),
            )),
            (_, None) => Err(missing("action")),
        }
    }

    /// What went in and what the event is about.
    fn goods(&self, kind: Kind, declared: &Declared) -> Result<(Goods<'a>, Goods<'a>), Problem> {
        let (epcs, classes) = match kind {
            Kind::Object | Kind::Transaction => (
                ("epcList", self.epc_list),
                ("quantityList", self.quantity_list),
            ),
            Kind::Aggregation | Kind::Association => (
                ("childEPCs", self.child_epcs),
                ("childQuantityList", self.child_quantity_list),
            ),
            Kind::Transformation => (
                ("outputEPCList", self.output_epc_list),
                ("outputQuantityList", self.output_quantity_list),
            ),
        };
        let inputs = match kind {
            Kind::Transformation => Goods::read(
                ("inputEPCList", self.input_epc_list),
                ("inputQuantityList", self.input_quantity_list),
                declared,
            )?,
            _ => Goods::default(),
        };
        Ok((inputs, Goods::read(epcs, classes, declared)?))
    }

    /// What each type must have, beyond what the JSON Schema can say.
    fn whole(&self, facts: &Facts<'a>) -> Result<(), Problem> {
        let ends = facts.action.as_deref() == Some("DELETE");
        match facts.kind {
            Kind::Object if self.ilmd.is_some() && facts.action.as_deref() != Some("ADD") => {
                Err(invalid(
                    "ilmd",
                    detail!(
                        "只用于对象产生之时：action 为 ADD",
                        "only where objects come into being: action ADD"
                    ),
                ))
            }
            Kind::Aggregation | Kind::Transaction | Kind::Association if self.ilmd.is_some() => {
                Err(invalid(
                    "ilmd",
                    detail!(
                        "只用于 ObjectEvent 或 TransformationEvent",
                        "only in an ObjectEvent or TransformationEvent"
                    ),
                ))
            }
            Kind::Association if facts.parent.is_none() => Err(missing("parentID")),
            Kind::Aggregation
                if facts.parent.is_none() && facts.action.as_deref() != Some("OBSERVE") =>
            {
                Err(missing("parentID"))
            }
            Kind::Transaction if facts.transactions.is_empty() => {
                Err(missing("bizTransactionList"))
            }
            Kind::Transformation => {
                let linked = text("transformationID", self.transformation_id)?.is_some();
                let (input, output) = (facts.input.is_empty(), facts.goods.is_empty());
                match (input, output) {
                    (true, _) if !linked || output => Err(missing("inputEPCList")),
                    (_, true) if !linked => Err(missing("outputEPCList")),
                    _ => Ok(()),
                }
            }
            // All children leave: they need not be listed.
            Kind::Aggregation | Kind::Association if ends => Ok(()),
            kind if facts.goods.is_empty() => Err(kind.nothing_measured()),
            _ => Ok(()),
        }
    }

    fn transactions(&self) -> Result<Vec<Cow<'a, str>>, Problem> {
        let list = items("bizTransactionList", self.biz_transaction_list)?;
        let read = |(index, raw): (usize, &'a RawValue)| {
            let field = format!("bizTransactionList/{index}");
            let id = member(&field, raw, "bizTransaction")?;
            id.filter(|id| is_uri(id)).ok_or_else(|| {
                invalid(
                    &field,
                    detail!("bizTransaction 应为 URI", "bizTransaction is a URI"),
                )
            })
        };
        list.into_iter().enumerate().map(read).collect()
    }

    fn uri(&self, field: &str, raw: Option<&'a RawValue>) -> Result<Option<Cow<'a, str>>, Problem> {
        match text(field, raw)? {
            Some(uri) if !is_uri(&uri) => Err(invalid(field, a_uri())),
            uri => Ok(uri),
        }
    }

    /// The event's only object, where it is to name the person.
    pub(super) fn only_epc(&self) -> Result<(String, Option<Cow<'a, str>>), Problem> {
        let lists = [
            ("epcList", self.epc_list),
            ("childEPCs", self.child_epcs),
            ("outputEPCList", self.output_epc_list),
        ];
        let found = lists.into_iter().find(|(_, raw)| raw.is_some());
        let (field, raw) = found.unwrap_or(("epcList", None));
        match items(field, raw)?.as_slice() {
            [] => Ok((field.to_owned(), None)),
            [only] => Ok((field.to_owned(), text(field, Some(only))?)),
            _ => Err(invalid(
                field,
                detail!(
                    "对象不止一个，而指明用户的应只有一个",
                    "several objects, where one names the person"
                ),
            )),
        }
    }
}

impl Facts<'_> {
    /// The id of an event without one. Neither the time of recording nor an error declaration is
    /// part of it, so that the declaration finds the event it takes back.
    fn hashed(&self, subject: &str) -> String {
        let mut columns = Columns::new();
        columns.put(self.kind.word());
        columns.put(&self.at.to_rfc3339_opts(SecondsFormat::Nanos, true));
        columns.put(subject);
        for text in [
            self.action.as_deref(),
            self.biz_step.as_deref(),
            self.disposition.as_deref(),
            self.read_point.as_deref(),
            self.biz_location.as_deref(),
            self.parent.as_deref(),
        ] {
            columns.put(text.unwrap_or_default());
        }
        columns.put(&self.transactions.join(" "));
        columns.put_goods(&self.input);
        columns.put_goods(&self.goods);
        columns.finish()
    }

    fn attributes(&self, declared: &Declared) -> Result<Vec<(Cow<'static, str>, String)>, Problem> {
        let mut attributes = vec![(Cow::Borrowed("event_type"), self.kind.word().to_owned())];
        let stated = [
            ("action", self.action.as_deref()),
            ("biz_step", self.biz_step.as_deref()),
            ("disposition", self.disposition.as_deref()),
            ("read_point", self.read_point.as_deref()),
            ("biz_location", self.biz_location.as_deref()),
            ("parent", self.parent.as_deref()),
            (
                "biz_transaction",
                self.transactions.first().map(AsRef::as_ref),
            ),
        ];
        for (name, value) in stated {
            if let Some(value) = value {
                attributes.push((Cow::Borrowed(name), value.to_owned()));
            }
        }
        if let Some((name, value)) = self.material(declared)? {
            attributes.push((Cow::Borrowed(name), value));
        }
        Ok(attributes)
    }

    /// The one material, or where the scene names none the one class.
    fn material(&self, declared: &Declared) -> Result<Option<(&'static str, String)>, Problem> {
        if !declared.names_materials() {
            let mut classes = self.goods.elements.iter().map(|element| &element.class);
            let first = classes.next();
            let alone = first.filter(|first| classes.all(|class| class == *first));
            return Ok(alone.map(|class| ("epc_class", class.to_string())));
        }
        let mut found: Option<&str> = None;
        for name in self.goods.names() {
            let Some(material) = declared.material(name) else {
                let detail = detail!(
                    "场景没有声明 {name} 的材料",
                    "the scene declares no material for {name}"
                );
                return Err(invalid("epcClass", detail));
            };
            if found.is_some_and(|before| before != material) {
                let rule = detail!(
                    "一个事件里有两种材料：各有多少无从得知",
                    "two materials in one event: which is how much cannot be told"
                );
                return Err(invalid("epcClass", rule));
            }
            found = Some(material);
        }
        Ok(found.map(|material| ("material", material.to_owned())))
    }
}

/// `urn:uuid:…`, `ni:///sha-256;…` and the like; longer ones are hashed, not refused.
pub(super) fn is_event_id(text: &str) -> bool {
    let short = text
        .char_indices()
        .nth(200)
        .map_or(text, |(end, _)| text.get(..end).unwrap_or(text));
    is_uri(short) && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn is_offset(text: &str) -> bool {
    let [b'+' | b'-', h1, h2, b':', m1, m2] = text.as_bytes() else {
        return false;
    };
    let two = |tens: &u8, ones: &u8| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| (tens - b'0') * 10 + (ones - b'0'))
    };
    match (two(h1, h2), two(m1, m2)) {
        (Some(hours), Some(minutes)) => minutes < 60 && (hours < 14 || (hours, minutes) == (14, 0)),
        _ => false,
    }
}
