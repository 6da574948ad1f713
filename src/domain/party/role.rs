//! What a token lets its bearer do.

/// A role (角色). Partners have none: they sign their requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A carbon account's owner (公众).
    Citizen,
    /// Redeems points for goods (商户).
    Merchant,
    /// Approves and issues (主管部门).
    Bureau,
    /// Validates and verifies (审定与核查机构).
    Verifier,
    /// Runs the platform (运营机构).
    Operator,
    /// Reads everything, changes nothing (审计).
    Auditor,
    /// Holds certified units in the registry (持有人).
    Holder,
}

impl Role {
    pub const ALL: [Role; 7] = [
        Role::Citizen,
        Role::Merchant,
        Role::Bureau,
        Role::Verifier,
        Role::Operator,
        Role::Auditor,
        Role::Holder,
    ];

    /// The name in rows and in the audit chain.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Citizen => "citizen",
            Role::Merchant => "merchant",
            Role::Bureau => "bureau",
            Role::Verifier => "verifier",
            Role::Operator => "operator",
            Role::Auditor => "auditor",
            Role::Holder => "holder",
        }
    }

    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether this role acts for an office, so that its acts are recorded with a name.
    pub fn is_officer(self) -> bool {
        !matches!(self, Role::Citizen | Role::Merchant | Role::Holder)
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn every_role_reads_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("root"), None);
    }
}
