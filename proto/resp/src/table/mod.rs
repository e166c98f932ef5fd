//! The command table: every family's rows, and the index by which a name finds its row.
//!
//! The index is an open-addressing hash table of small numbers, built by the compiler; a look-up hashes the
//! name once and compares it once or twice, whatever its case. Knows nothing of what commands do.

mod client;
mod cluster;
mod command;
mod config;
mod connection;
mod expire;
mod key;
mod memory;
mod object;
mod server;
mod string;

use crate::CommandSpec;

static FAMILIES: [&[CommandSpec]; 11] = [
    connection::COMMANDS,
    client::COMMANDS,
    server::COMMANDS,
    command::COMMANDS,
    config::COMMANDS,
    memory::COMMANDS,
    string::COMMANDS,
    key::COMMANDS,
    expire::COMMANDS,
    object::COMMANDS,
    cluster::COMMANDS,
];

const COUNT: usize = count();

static TABLE: [&CommandSpec; COUNT] = flatten();

/// A power of two that leaves at least half of the index empty.
const INDEX_SLOTS: usize = (2 * COUNT).next_power_of_two();

/// In the index: nothing here.
const EMPTY: u8 = u8::MAX;

static INDEX: [u8; INDEX_SLOTS] = index();

/// Every command in the order of the families; subcommands are in their containers.
pub fn commands() -> impl ExactSizeIterator<Item = &'static CommandSpec> + Clone {
    TABLE.iter().copied()
}

/// How many commands there are, subcommands not counted: what COMMAND COUNT answers.
pub const fn command_count() -> usize {
    COUNT
}

/// The command of this name, in whatever case.
pub(crate) fn command_named(name: &[u8]) -> Option<&'static CommandSpec> {
    let mut slot = slot_of(name);
    while INDEX[slot] != EMPTY {
        let spec = TABLE[INDEX[slot] as usize];
        if spec.name.as_bytes().eq_ignore_ascii_case(name) {
            return Some(spec);
        }
        slot = (slot + 1) % INDEX_SLOTS;
    }
    None
}

/// The subcommand of this name, in whatever case.
pub(crate) fn subcommand_named(container: &CommandSpec, name: &[u8]) -> Option<&'static CommandSpec> {
    container.subcommands.iter().find(|spec| spec.short_name().as_bytes().eq_ignore_ascii_case(name))
}

/// Where the search for a name begins: FNV-1a over what is the same in both cases, high bits folded in.
const fn slot_of(name: &[u8]) -> usize {
    // No command's name is longer; the length itself is hashed too.
    const LONGEST: usize = 16;
    let mut hash = 0x811c_9dc5 ^ name.len() as u32;
    let mut at = 0;
    while at < name.len() && at < LONGEST {
        hash = (hash ^ name[at].to_ascii_lowercase() as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash ^ hash >> 15) as usize % INDEX_SLOTS
}

const fn count() -> usize {
    let mut total = 0;
    let mut family = 0;
    while family < FAMILIES.len() {
        total += FAMILIES[family].len();
        family += 1;
    }
    total
}

const fn flatten() -> [&'static CommandSpec; COUNT] {
    let mut table = [&FAMILIES[0][0]; COUNT];
    let (mut family, mut row, mut at) = (0, 0, 0);
    while at < COUNT {
        if row == FAMILIES[family].len() {
            family += 1;
            row = 0;
        } else {
            table[at] = &FAMILIES[family][row];
            row += 1;
            at += 1;
        }
    }
    table
}

const fn index() -> [u8; INDEX_SLOTS] {
    assert!(COUNT < EMPTY as usize, "a row's number must fit the index");
    let mut index = [EMPTY; INDEX_SLOTS];
    let mut row = 0;
    while row < COUNT {
        let mut slot = slot_of(TABLE[row].name.as_bytes());
        while index[slot] != EMPTY {
            slot = (slot + 1) % INDEX_SLOTS;
        }
        index[slot] = row as u8;
        row += 1;
    }
    index
}
