//! The files under `tests/golden/encoding`, read and compared.

use std::{fs, path::PathBuf};

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/encoding").join(name)
}

#[allow(dead_code, reason = "not every test binary uses it")]
pub fn read(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The bytes must be those of the file but for its final newline. `PREDIS_BLESS=1` writes the file anew.
pub fn compare(name: &str, bytes: &[u8]) {
    let mut line = bytes.to_vec();
    line.push(b'\n');
    if std::env::var_os("PREDIS_BLESS").is_some() {
        fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        fs::write(path(name), line).unwrap();
        return;
    }
    let written = fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(String::from_utf8(line).unwrap(), written, "{name}; PREDIS_BLESS=1 accepts it");
}
