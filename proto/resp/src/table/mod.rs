//! The command table: every family's rows, and the index by which a name finds its row.
//!
//! The index is an open-addressing hash table of small numbers, built by the compiler; a look-up hashes the
//! name once and compares it once or twice, whatever its case. Knows nothing of what commands do.

mod acl;
mod client;
mod cluster;
mod command;
mod config;
mod connection;
mod expire;
mod key;
mod memory;
mod object;
mod partition;
mod server;
mod string;

use crate::CommandSpec;

static FAMILIES: [&[CommandSpec]; 13] = [
    connection::COMMANDS,
    acl::COMMANDS,
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
    partition::COMMANDS,
];

const COUNT: usize = count();

static TABLE: [&CommandSpec; COUNT] = flatten();

/// A power of two that leaves at least three quarters of the index empty.
const INDEX_SLOTS: usize = (4 * COUNT).next_power_of_two();

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

/// Where the search for a name begins: its length and its two letters at either end, whatever their case,
/// spread by one multiplication (Knuth's). Enough for names that nobody chooses in order to collide.
const fn slot_of(name: &[u8]) -> usize {
    if name.is_empty() {
        return 0;
    }
    let last = name.len() - 1;
    let second = if last > 0 { name[1] } else { 0 };
    let letters = [name[0], second, name[last.saturating_sub(1)], name[last]];
    let hash = (u32::from_le_bytes(letters) | 0x2020_2020) ^ name.len() as u32;
    (hash.wrapping_mul(0x9e37_79b1) >> 20) as usize % INDEX_SLOTS
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_compared_with_few_others() {
        let probes = |spec: &CommandSpec| {
            let home = slot_of(spec.name.as_bytes());
            (0..).take_while(|step| TABLE[INDEX[(home + step) % INDEX_SLOTS] as usize].id != spec.id).count()
                + 1
        };
        let most = commands().map(probes).max();
        let total: usize = commands().map(probes).sum();
        assert!(most <= Some(4) && total <= COUNT * 3 / 2, "at most {most:?}, {total} for {COUNT} names");
    }
}
