//! Rule `rooms`: which crate may know which. Arrows go down only.
//!
//! Owns the table of rooms, lowest first, and holds every declared dependency (normal, dev and build) against
//! it. What the sources of pure rooms may mention is rule `purity`'s business.

use crate::metadata::Package;
use crate::report::Violation;
use crate::tree::File;

/// One crate's place in the house.
#[derive(Debug)]
pub(crate) struct Room {
    /// The package's name.
    pub(crate) package: &'static str,
    /// Its folder, relative to the root.
    pub(crate) folder: &'static str,
    /// Whether it is pure: no sockets, files, threads, time or chance of its own.
    pub(crate) pure_room: bool,
    /// The workspace packages it may depend on. Each stands higher up in the table.
    pub(crate) may_know: &'static [&'static str],
}

/// The rooms, lowest first.
pub(crate) const ROOMS: &[Room] = &[
    Room { package: "predis-types", folder: "proto/types", pure_room: true, may_know: &[] },
    Room { package: "predis-resp", folder: "proto/resp", pure_room: true, may_know: &["predis-types"] },
    Room { package: "predis-proto", folder: "proto", pure_room: false, may_know: &[] },
    Room { package: "predis-router", folder: "router", pure_room: true, may_know: &["predis-types"] },
    Room {
        package: "predis-client",
        folder: "router/client",
        pure_room: false,
        may_know: &["predis-types", "predis-resp", "predis-proto", "predis-router"],
    },
    Room { package: "predis-meta", folder: "raft/meta", pure_room: true, may_know: &["predis-types"] },
    Room {
        package: "predis-raft",
        folder: "raft",
        pure_room: false,
        may_know: &["predis-types", "predis-proto", "predis-meta"],
    },
    Room { package: "predis-policy", folder: "node/policy", pure_room: true, may_know: &["predis-types"] },
    Room {
        package: "predis-shard",
        folder: "node/shard",
        pure_room: true,
        may_know: &["predis-types", "predis-resp", "predis-policy"],
    },
    Room { package: "predis-replica", folder: "node/replica", pure_room: true, may_know: &["predis-types"] },
    Room {
        package: "predis-node",
        folder: "node",
        pure_room: false,
        may_know: &[
            "predis-types",
            "predis-resp",
            "predis-proto",
            "predis-router",
            "predis-client",
            "predis-meta",
            "predis-raft",
            "predis-policy",
            "predis-shard",
            "predis-replica",
        ],
    },
    Room {
        package: "predis-backup",
        folder: "cli/backup",
        pure_room: false,
        may_know: &["predis-types", "predis-proto"],
    },
    Room {
        package: "predis",
        folder: "cli",
        pure_room: false,
        may_know: &[
            "predis-types",
            "predis-resp",
            "predis-proto",
            "predis-router",
            "predis-client",
            "predis-policy",
            "predis-shard",
            "predis-node",
            "predis-backup",
        ],
    },
    Room {
        package: "predis-chaos",
        folder: "chaos",
        pure_room: false,
        may_know: &[
            "predis-types",
            "predis-resp",
            "predis-proto",
            "predis-router",
            "predis-client",
            "predis-meta",
            "predis-raft",
            "predis-policy",
            "predis-shard",
            "predis-replica",
            "predis-node",
        ],
    },
    Room {
        package: "predis-benches",
        folder: "benches",
        pure_room: false,
        may_know: &[
            "predis-types",
            "predis-resp",
            "predis-proto",
            "predis-router",
            "predis-client",
            "predis-meta",
            "predis-raft",
            "predis-policy",
            "predis-shard",
            "predis-replica",
            "predis-node",
        ],
    },
    Room { package: "xtask", folder: "xtask", pure_room: false, may_know: &[] },
];

/// Third-party crates that belong to some rooms only.
const OWNED: &[(&str, &[&str])] = &[
    ("openraft", &["predis-raft"]),
    ("sled", &["predis-raft"]),
    ("turmoil", &["predis-chaos"]),
    ("hashring", &["predis-router"]),
    ("anyhow", &["predis", "predis-chaos", "predis-benches", "xtask"]),
];

/// Third-party crates, and families of crates by their prefix, through which a pure room would touch the world.
const WORLDLY: &[&str] = &[
    "async",
    "crossbeam",
    "futures",
    "getrandom",
    "hyper",
    "libc",
    "mio",
    "nix",
    "openraft",
    "rand",
    "rayon",
    "rustix",
    "sled",
    "smol",
    "socket2",
    "tokio",
    "tonic",
    "tower",
    "turmoil",
];

const RULE: &str = "rooms";

/// Holds the workspace's packages against the table. `files` lends the manifests' lines, `root` is the
/// absolute path of the workspace.
pub(crate) fn check(packages: &[Package], files: &[File], root: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in packages {
        let manifest = package.manifest_path.strip_prefix(root).unwrap_or(&package.manifest_path);
        let manifest = manifest.trim_start_matches('/');
        let text = files.iter().find(|file| file.path == manifest).map_or("", |file| &file.text);
        let Some(room) = ROOMS.iter().find(|room| room.package == package.name) else {
            let message = format!("{} has no room: give it a row in xtask/src/tidy/rooms.rs", package.name);
            violations.push(Violation::new(manifest, 0, RULE, message));
            continue;
        };
        if manifest != format!("{}/Cargo.toml", room.folder) {
            let message = format!("{} belongs in {}/: move it or mend its row", package.name, room.folder);
            violations.push(Violation::new(manifest, 0, RULE, message));
        }
        for dependency in &package.dependencies {
            if let Some(message) = refuse(room, &dependency.name) {
                let kind = dependency.kind.as_deref().unwrap_or("normal");
                let line = line_of(text, &dependency.name);
                violations.push(Violation::new(
                    manifest,
                    line,
                    RULE,
                    format!("{message} ({kind} dependency)"),
                ));
            }
        }
    }
    for room in ROOMS.iter().filter(|room| packages.iter().all(|package| package.name != room.package)) {
        let message = format!("{} is in the table and not in the workspace: remove its row", room.package);
        violations.push(Violation::new("xtask/src/tidy/rooms.rs", 0, RULE, message));
    }
    violations
}

/// Why a room may not depend on a package, or `None` when it may.
fn refuse(room: &Room, dependency: &str) -> Option<String> {
    let package = room.package;
    if ROOMS.iter().any(|other| other.package == dependency) {
        let known = room.may_know.contains(&dependency);
        return (!known).then(|| {
            format!("{package} may not know {dependency}: pass a value or a trait down instead of looking up")
        });
    }
    if let Some((_, owners)) = OWNED.iter().find(|(owned, _)| *owned == dependency)
        && !owners.contains(&package)
    {
        return Some(format!("{dependency} is for {} alone: go through that crate", owners.join(", ")));
    }
    if room.pure_room && WORLDLY.iter().any(|family| is_of(dependency, family)) {
        return Some(format!(
            "{package} is pure and {dependency} touches the world: take what it gives as a value"
        ));
    }
    None
}

/// Whether a crate is the family's head or named after it.
fn is_of(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

/// Line of a dependency in a manifest, or 0 when it is not written there.
fn line_of(manifest: &str, dependency: &str) -> usize {
    let named =
        |line: &str| line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    manifest.lines().position(named).map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    /// The whole house without dependencies, and one more dependency planted.
    fn house(package: &str, dependency: &str, kind: Option<&str>) -> Vec<Package> {
        let dependency = Dependency { name: dependency.into(), kind: kind.map(str::to_string) };
        let package_of = |room: &Room| Package {
            name: room.package.into(),
            manifest_path: format!("/root-of-it/{}/Cargo.toml", room.folder),
            dependencies: if room.package == package { vec![dependency.clone()] } else { vec![] },
            ..Package::default()
        };
        ROOMS.iter().map(package_of).collect()
    }

    fn found(package: &str, dependency: &str, kind: Option<&str>) -> usize {
        check(&house(package, dependency, kind), &[], "/root-of-it").len()
    }

    #[test]
    fn arrows_go_down_only() {
        for (index, room) in ROOMS.iter().enumerate() {
            for known in room.may_know {
                assert!(
                    ROOMS[..index].iter().any(|lower| lower.package == *known),
                    "{}: {known}",
                    room.package
                );
            }
        }
    }

    #[test]
    fn a_pure_room_knows_pure_rooms_only() {
        for room in ROOMS.iter().filter(|room| room.pure_room) {
            for known in room.may_know {
                assert!(ROOMS.iter().any(|other| other.package == *known && other.pure_room));
            }
        }
    }

    #[test]
    fn a_house_in_order_passes() {
        assert_eq!(found("predis-node", "predis-shard", None), 0);
        assert_eq!(found("predis-raft", "openraft", None), 0);
        assert_eq!(found("predis-shard", "proptest", Some("dev")), 0);
    }

    #[test]
    fn an_arrow_up_is_found_whatever_its_kind() {
        assert_eq!(found("predis-shard", "predis-node", None), 1);
        assert_eq!(found("predis-shard", "predis-node", Some("dev")), 1);
        assert_eq!(found("predis-types", "predis-meta", Some("build")), 1);
    }

    #[test]
    fn owned_crates_stay_with_their_owner() {
        assert_eq!(found("predis-node", "openraft", None), 1);
        assert_eq!(found("predis-node", "sled", None), 1);
        assert_eq!(found("predis-node", "turmoil", Some("dev")), 1);
    }

    #[test]
    fn pure_rooms_take_no_worldly_crate() {
        assert_eq!(found("predis-replica", "tokio", Some("dev")), 1);
        assert_eq!(found("predis-router", "futures-util", None), 1);
        assert_eq!(found("predis-meta", "rand_core", None), 1);
        assert_eq!(found("predis-meta", "randomised-names", None), 0);
        assert_eq!(found("predis-node", "tokio", None), 0);
    }

    #[test]
    fn strangers_and_empty_rooms_are_found() {
        let mut packages = house("", "", None);
        packages.push(Package { name: "predis-attic".into(), ..Package::default() });
        packages.retain(|package| package.name != "predis-router");
        let messages: Vec<String> =
            check(&packages, &[], "/root-of-it").into_iter().map(|found| found.message).collect();
        assert_eq!(messages.len(), 2);
        assert!(messages[0].contains("predis-attic") && messages[1].contains("predis-router"));
    }

    #[test]
    fn a_crate_in_the_wrong_folder_is_found() {
        let mut packages = house("", "", None);
        packages[0].manifest_path = "/root-of-it/elsewhere/Cargo.toml".into();
        assert_eq!(check(&packages, &[], "/root-of-it").len(), 1);
    }

    #[test]
    fn the_manifest_line_is_named() {
        let manifest = "[dependencies]\nserde.workspace = true\nsled.workspace = true\n";
        let files = [File::new("node/Cargo.toml", manifest)];
        let violations = check(&house("predis-node", "sled", None), &files, "/root-of-it");
        assert_eq!((violations[0].path.as_str(), violations[0].line), ("node/Cargo.toml", 3));
    }
}
