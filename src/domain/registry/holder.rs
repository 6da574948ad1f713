//! Who can hold units.

/// The kind of a registry account (登记账户). Retired, cancelled and listed units stay in their
/// holder's account under a state of their own, so no account is needed for these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderKind {
    /// A scene's pool: what its periods issue arrives here.
    Project,
    Enterprise,
    /// A natural person; the name is masked where others can read it.
    Person,
    /// A public reserve (收储).
    Reserve,
}

impl HolderKind {
    pub const ALL: [HolderKind; 4] = [
        HolderKind::Project,
        HolderKind::Enterprise,
        HolderKind::Person,
        HolderKind::Reserve,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            HolderKind::Project => "project",
            HolderKind::Enterprise => "enterprise",
            HolderKind::Person => "person",
            HolderKind::Reserve => "reserve",
        }
    }

    pub fn parse(text: &str) -> Option<HolderKind> {
        HolderKind::ALL.into_iter().find(|k| k.as_str() == text)
    }
}
