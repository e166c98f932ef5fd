//! Generates Rust from the .proto files with protox, so that no protoc is needed to build.

use std::path::PathBuf;

const FILES: [&str; 4] = [
    "predis/raft/v1/raft.proto",
    "predis/node/v1/node.proto",
    "predis/replica/v1/replica.proto",
    "predis/admin/v1/admin.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    // Reflection serves the descriptors themselves.
    std::fs::write(out.join("descriptors.bin"), protox::prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    println!("cargo:rerun-if-changed=proto");
    Ok(())
}
