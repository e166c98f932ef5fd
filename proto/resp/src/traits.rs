//! The traits a command can have, by the names Redis gives them: flags, ACL categories, key flags, group; and
//! Predis's own: role and retry. Knows nothing of which command has which.

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
        }

        impl $name {
            /// Every one, in the order Redis lists them.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// What Redis calls it.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
        }
    };
}

macro_rules! set {
    ($(#[$doc:meta])* $name:ident of $item:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name(u32);

        impl $name {
            /// The empty set.
            pub const NONE: $name = $name(0);

            /// The set with `item` in it too.
            pub const fn with(self, item: $item) -> $name {
                $name(self.0 | 1 << item as u32)
            }

            /// The set without `item`.
            pub const fn without(self, item: $item) -> $name {
                $name(self.0 & !(1 << item as u32))
            }

            /// Whether `item` is in the set.
            pub const fn contains(self, item: $item) -> bool {
                self.0 & (1 << item as u32) != 0
            }

            /// What is in the set, in the order Redis lists it.
            pub fn iter(self) -> impl Iterator<Item = $item> {
                $item::ALL.iter().copied().filter(move |item| self.contains(*item))
            }
        }
    };
}

names! {
    /// How a command behaves. Only those that Redis shows and that a command here has.
    Flag {
        Write = "write",
        Readonly = "readonly",
        Denyoom = "denyoom",
        Admin = "admin",
        Noscript = "noscript",
        Loading = "loading",
        Stale = "stale",
        Fast = "fast",
        NoAuth = "no_auth",
        AllowBusy = "allow_busy",
    }
}

set! {
    /// A set of [`Flag`]s.
    Flags of Flag
}

names! {
    /// A category by which access to commands is granted.
    Category {
        Keyspace = "keyspace",
        Read = "read",
        Write = "write",
        String = "string",
        Admin = "admin",
        Fast = "fast",
        Slow = "slow",
        Dangerous = "dangerous",
        Connection = "connection",
    }
}

set! {
    /// A set of [`Category`]s.
    Categories of Category
}

names! {
    /// What a command does with a key, by Redis's definition of key specifications.
    KeyFlag {
        Ro = "RO",
        Rw = "RW",
        Ow = "OW",
        Rm = "RM",
        Access = "access",
        Update = "update",
        Insert = "insert",
        Delete = "delete",
        VariableFlags = "variable_flags",
    }
}

names! {
    /// The chapter of Redis's documentation a command belongs to.
    Group {
        Generic = "generic",
        String = "string",
        Connection = "connection",
        Server = "server",
        Cluster = "cluster",
    }
}

/// The least a user must be to call a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Whoever is connected.
    Any,
    /// Who may read a tenant's data.
    ReadOnly,
    /// Who may change a tenant's data.
    ReadWrite,
    /// Who may see and change how the server runs.
    Operator,
    /// Who may change who is who.
    Admin,
}

/// The error line of a command that was carried out although the node turned out not to be allowed to answer: what it
/// did may last or not. Other `CLUSTERDOWN` lines are of commands that were not carried out.
pub const UNACKNOWLEDGED: &str = "CLUSTERDOWN The outcome is unknown";

impl Role {
    /// The word by which it is listed.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Any => "any user",
            Role::ReadOnly => "read_only",
            Role::ReadWrite => "read_write",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

/// Whether a client that lost the answer may send a command again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Executing it twice leaves what executing it once leaves.
    Safe,
    /// Executing it twice may leave, or lose, something else: the client must report the outcome as unknown.
    Ambiguous,
}
