//! What is known of one command: the row of the table and how a row is written.
//!
//! Knows nothing of what a command does, nor of the other rows.

use crate::{Categories, Category, CommandId, Flag, Flags, Group, KeyFlag, Retry, Role, WrongArity};

/// Where a command's keys are among its arguments, the command's name being argument 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeySpec {
    /// The first key; 0 when the command has none.
    pub first: usize,
    /// The last key; a negative one counts from the end, -1 being the last argument.
    pub last: isize,
    /// From one key to the next.
    pub step: usize,
}

/// A run of keys that a command treats alike: one of Redis's key specifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key, as an argument's index.
    pub first: usize,
    /// The last key, relative to the first; -1 is the last argument.
    pub last: isize,
    /// From one key to the next.
    pub step: usize,
    /// What is done with these keys.
    pub flags: &'static [KeyFlag],
}

/// Since when a command is discouraged, and in favour of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// The Redis version that discouraged it.
    pub since: &'static str,
    /// What to use instead.
    pub replaced_by: &'static str,
}

/// One command or subcommand.
#[derive(Debug)]
pub struct CommandSpec {
    /// Which command.
    pub id: CommandId,
    /// The full name in small letters: `get`, `client|id`.
    pub name: &'static str,
    /// How many arguments it takes, its name (and its container's) included; a negative number is the least.
    pub arity: i32,
    /// How it behaves.
    pub flags: Flags,
    /// Where its keys are.
    pub keys: KeySpec,
    /// The same in more detail: one or two runs of keys.
    pub key_ranges: [Option<KeyRange>; 2],
    /// By which categories access to it is granted, implied ones included.
    pub categories: Categories,
    /// Its chapter.
    pub group: Group,
    /// The Redis version that brought it.
    pub since: &'static str,
    /// Its cost.
    pub complexity: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Hints for clients that send one command to several shards.
    pub tips: &'static [&'static str],
    /// Set when it is discouraged.
    pub deprecated: Option<Deprecation>,
    /// The least a user must be to call it.
    pub role: Role,
    /// Whether its plain form may be sent again; [`CommandSpec::retry_of`] knows about the options.
    pub retry: Retry,
    /// Its subcommands.
    pub subcommands: &'static [CommandSpec],
}

impl CommandSpec {
    /// The name without the container's: `id` of `client|id`.
    pub fn short_name(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, short)| short)
    }

    /// Whether it may be called with this many arguments, its name included.
    ///
    /// # Errors
    /// [`WrongArity`], which has Redis's words.
    pub fn check_arity(&self, arg_count: usize) -> Result<(), WrongArity> {
        let stated = self.arity.unsigned_abs() as usize;
        let fits = if self.arity < 0 { arg_count >= stated } else { arg_count == stated };
        if fits { Ok(()) } else { Err(WrongArity { name: self.name }) }
    }

    /// The indexes of the keys among `args`, ascending, all of them within `args`.
    pub fn keys_of<A>(&self, args: &[A]) -> impl ExactSizeIterator<Item = usize> + Clone + use<A> {
        let count = args.len();
        let end = match usize::try_from(self.keys.last) {
            Ok(last) => (last + 1).min(count),
            Err(_) => (count + 1).saturating_sub(self.keys.last.unsigned_abs()),
        };
        let none = self.keys.first == 0;
        let (first, end) = if none { (0, 0) } else { (self.keys.first, end) };
        (first..end).step_by(self.keys.step.max(1))
    }

    /// Whether this call may be sent again when its answer was lost, options considered.
    pub fn retry_of<A: AsRef<[u8]>>(&self, args: &[A]) -> Retry {
        // From the third argument on, a condition makes the second execution answer, or do, something else.
        let conditional = || {
            args.iter().skip(3).any(|arg| {
                [&b"NX"[..], b"XX", b"GT", b"LT", b"GET"]
                    .iter()
                    .any(|word| word.eq_ignore_ascii_case(arg.as_ref()))
            })
        };
        use CommandId::{Expire, Expireat, Pexpire, Pexpireat, Set};
        match self.id {
            Set | Expire | Pexpire | Expireat | Pexpireat if conditional() => Retry::Ambiguous,
            _ => self.retry,
        }
    }

    pub(crate) const fn new(id: CommandId, arity: i32, group: Group, since: &'static str) -> Self {
        CommandSpec {
            id,
            name: id.name(),
            arity,
            flags: Flags::NONE,
            keys: KeySpec { first: 0, last: 0, step: 0 },
            key_ranges: [None, None],
            categories: Categories::NONE.with(Category::Slow),
            group,
            since,
            complexity: "",
            summary: "",
            tips: &[],
            deprecated: None,
            role: Role::Any,
            retry: Retry::Safe,
            subcommands: &[],
        }
    }

    pub(crate) const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    pub(crate) const fn complexity(mut self, complexity: &'static str) -> Self {
        self.complexity = complexity;
        self
    }

    /// Sets the flags and with them what they imply: categories, as in Redis, and the usual role.
    pub(crate) const fn flags(mut self, flags: &[Flag]) -> Self {
        let mut at = 0;
        while at < flags.len() {
            self.flags = self.flags.with(flags[at]);
            at += 1;
        }
        if self.flags.contains(Flag::Readonly) {
            self.categories = self.categories.with(Category::Read);
            self.role = Role::ReadOnly;
        }
        if self.flags.contains(Flag::Write) {
            self.categories = self.categories.with(Category::Write);
            self.role = Role::ReadWrite;
        }
        if self.flags.contains(Flag::Admin) {
            self.categories = self.categories.with(Category::Admin).with(Category::Dangerous);
            self.role = Role::Operator;
        }
        if self.flags.contains(Flag::Fast) {
            self.categories = self.categories.with(Category::Fast).without(Category::Slow);
        }
        self
    }

    pub(crate) const fn categories(mut self, categories: &[Category]) -> Self {
        let mut at = 0;
        while at < categories.len() {
            self.categories = self.categories.with(categories[at]);
            at += 1;
        }
        self
    }

    pub(crate) const fn tips(mut self, tips: &'static [&'static str]) -> Self {
        self.tips = tips;
        self
    }

    /// Adds a key. A second one must follow the first at once.
    pub(crate) const fn key(mut self, index: usize, flags: &'static [KeyFlag]) -> Self {
        let range = Some(KeyRange { first: index, last: 0, step: 1, flags });
        let last = index as isize;
        if self.keys.first == 0 {
            self.keys = KeySpec { first: index, last, step: 1 };
            self.key_ranges[0] = range;
        } else {
            self.keys.last = last;
            self.key_ranges[1] = range;
        }
        self
    }

    /// Makes every `step`th argument a key, from the first to the end.
    pub(crate) const fn keys_to_end(mut self, step: usize, flags: &'static [KeyFlag]) -> Self {
        self.keys = KeySpec { first: 1, last: -1, step };
        self.key_ranges[0] = Some(KeyRange { first: 1, last: -1, step, flags });
        self
    }

    pub(crate) const fn deprecated(mut self, since: &'static str, replaced_by: &'static str) -> Self {
        self.deprecated = Some(Deprecation { since, replaced_by });
        self
    }

    pub(crate) const fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    pub(crate) const fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    pub(crate) const fn subcommands(mut self, subcommands: &'static [CommandSpec]) -> Self {
        self.subcommands = subcommands;
        self
    }
}
