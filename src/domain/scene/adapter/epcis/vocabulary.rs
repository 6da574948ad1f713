//! Words of the Core Business Vocabulary (CBV 2.0), however they are spelled: a bare word, a CURIE
//! (`cbv:BizStep-collecting`), a web URI (`https://ref.gs1.org/cbv/BizStep-collecting`) or the
//! older URN (`urn:epcglobal:cbv:bizstep:collecting`). All become the bare word. A URI of somebody
//! else's vocabulary stays as it is.

/// One list of the vocabulary.
pub(super) struct Vocabulary {
    /// As in `cbv:BizStep-`.
    web: &'static str,
    /// As in `urn:epcglobal:cbv:bizstep:`.
    urn: &'static str,
    words: &'static [&'static str],
}

/// Business steps. Source: EPCIS-JSON-Schema.json of EPCIS 2.0, definition `bizStep`.
pub(super) const BIZ_STEP: Vocabulary = Vocabulary {
    web: "BizStep-",
    urn: "bizstep:",
    words: &[
        "accepting",
        "arriving",
        "assembling",
        "collecting",
        "commissioning",
        "consigning",
        "creating_class_instance",
        "cycle_counting",
        "decommissioning",
        "departing",
        "destroying",
        "disassembling",
        "dispensing",
        "encoding",
        "entering_exiting",
        "holding",
        "inspecting",
        "installing",
        "killing",
        "loading",
        "other",
        "packing",
        "picking",
        "receiving",
        "removing",
        "repackaging",
        "repairing",
        "replacing",
        "reserving",
        "retail_selling",
        "sampling",
        "sensor_reporting",
        "shipping",
        "staging_outbound",
        "stock_taking",
        "stocking",
        "storing",
        "transporting",
        "unloading",
        "unpacking",
        "void_shipping",
    ],
};

/// Dispositions. Source: the same schema, definition `disposition`.
pub(super) const DISPOSITION: Vocabulary = Vocabulary {
    web: "Disp-",
    urn: "disp:",
    words: &[
        "active",
        "available",
        "completeness_inferred",
        "completeness_verified",
        "conformant",
        "container_closed",
        "container_open",
        "damaged",
        "destroyed",
        "dispensed",
        "disposed",
        "encoded",
        "expired",
        "in_progress",
        "in_transit",
        "inactive",
        "mismatch_class",
        "mismatch_instance",
        "mismatch_quantity",
        "needs_replacement",
        "no_pedigree_match",
        "non_conformant",
        "non_sellable_other",
        "partially_dispensed",
        "recalled",
        "reserved",
        "retail_sold",
        "returned",
        "sellable_accessible",
        "sellable_not_accessible",
        "stolen",
        "unavailable",
        "unknown",
    ],
};

/// Kinds of source and destination. Source: the same schema, `source-dest-type`.
pub(super) const PARTY: Vocabulary = Vocabulary {
    web: "SDT-",
    urn: "sdt:",
    words: &["location", "owning_party", "possessing_party"],
};

/// Kinds of business transaction. Source: the same schema, `bizTransaction-type`.
pub(super) const TRANSACTION: Vocabulary = Vocabulary {
    web: "BTT-",
    urn: "btt:",
    words: &[
        "bol",
        "cert",
        "desadv",
        "inv",
        "pedigree",
        "po",
        "poc",
        "prodorder",
        "recadv",
        "rma",
        "testprd",
        "testres",
        "upevt",
    ],
};

/// Why an event is in error. Source: the same schema, `error-reason`.
pub(super) const ERROR_REASON: Vocabulary = Vocabulary {
    web: "ER-",
    urn: "er:",
    words: &["did_not_occur", "incorrect_data"],
};

impl Vocabulary {
    /// The bare word, or a URI of another vocabulary; `None` for a word that is not in the list.
    pub(super) fn word<'a>(&self, text: &'a str) -> Option<&'a str> {
        let own = text
            .strip_prefix("cbv:")
            .or_else(|| text.strip_prefix("https://ref.gs1.org/cbv/"))
            .or_else(|| text.strip_prefix("http://ref.gs1.org/cbv/"));
        let word = match own {
            Some(rest) => Some(rest.strip_prefix(self.web)?),
            None => match text.strip_prefix("urn:epcglobal:cbv:") {
                Some(rest) => Some(rest.strip_prefix(self.urn)?),
                None => None,
            },
        };
        match word {
            None if text.contains(':') => is_uri(text).then_some(text),
            word => {
                let word = word.unwrap_or(text);
                self.words.contains(&word).then_some(word)
            }
        }
    }
}

/// A scheme or prefix, a colon and something after it; visible characters, at most 256 bytes.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b'_'));
    let visible = |c: char| !c.is_whitespace() && !c.is_control();
    named && !rest.is_empty() && text.len() <= 256 && text.chars().all(visible)
}
