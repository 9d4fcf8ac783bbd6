//! What a key allows: of three scopes, each includes those before it.

/// The widest that a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Read,
    /// Moves money and opens accounts.
    Write,
    /// All else.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    #[must_use]
    pub fn includes(self, needed: Self) -> bool {
        needed <= self
    }

    /// All that it includes, by name, itself last.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let included = Self::ALL.into_iter().filter(|other| self.includes(*other));
        included.map(Self::name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_includes_those_before_it() {
        let names = Scope::ALL.map(|scope| scope.names().join(" "));
        assert_eq!(names, ["read", "read write", "read write admin"]);
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.name()), Some(scope));
        }
        for name in ["", "Read", "read ", "all"] {
            assert_eq!(Scope::parse(name), None, "{name:?}");
        }
        assert!(!Scope::Read.includes(Scope::Write) && Scope::Admin.includes(Scope::Admin));
    }
}
