//! Files as bytes: cut short, flipped, strange, and any others.

use super::{change, set};
use crate::{
    Damage,
    contents::{Contents, Header, Item, Trailer},
    frame::{Frames, Kind, head, prefix},
};
use predis_proto::replica::effect;
use predis_types::ClusterId;
use proptest::prelude::*;

const HEADER: Header = Header { cluster: ClusterId(7), partition: 3, partition_count: 8 };

fn frame(kind: Kind, payload: &[u8]) -> Vec<u8> {
    [&head(kind, payload).unwrap()[..], payload].concat()
}

/// A file of these frames.
fn file(frames: &[(Kind, Vec<u8>)]) -> Vec<u8> {
    frames.iter().fold(prefix(), |file, (kind, payload)| [file, frame(*kind, payload)].concat())
}

fn good() -> Vec<(Kind, Vec<u8>)> {
    let delete = effect::Kind::Delete(predis_proto::replica::Delete { key: "a".into(), reason: 0 });
    let trailer = Trailer { epoch: 2, sequence: 9, pages: 2, keys: 3, changes: 1 };
    vec![
        (Kind::Header, HEADER.encode()),
        (Kind::Page, change(0, vec![set("a", "1", None), set("b", "", Some(5))]).to_vec()),
        (Kind::Page, change(4, vec![set("c", "3", None)]).to_vec()),
        (Kind::Change, change(0, vec![delete]).to_vec()),
        (Kind::Trailer, trailer.encode()),
    ]
}

/// Pages and changes to the end.
fn read(file: &[u8]) -> Result<(usize, usize), Damage> {
    let mut contents = Contents::begin(file)?;
    let (mut pages, mut changes) = (0, 0);
    while let Some(item) = contents.next()? {
        match item {
            Item::Page(_) => pages += 1,
            Item::Change(_) => changes += 1,
        }
    }
    assert!(contents.trailer().is_some(), "an end without a trailer is none");
    Ok((pages, changes))
}

#[test]
fn a_good_file_is_read_to_its_end() {
    let file = file(&good());
    assert_eq!(read(&file).unwrap(), (2, 1));
    let contents = Contents::begin(&file[..]).unwrap();
    assert_eq!(contents.header(), HEADER);
}

#[test]
fn a_file_that_ends_anywhere_else_is_refused() {
    let file = file(&good());
    for length in 0..file.len() {
        let refused = read(&file[..length]).unwrap_err();
        let fits = match length {
            0..8 => matches!(refused, Damage::NotABackup),
            _ => matches!(refused, Damage::Truncated(at) if at <= length as u64),
        };
        assert!(fits, "{length}: {refused}");
    }
    let longer = [&file[..], &frame(Kind::Page, &[])].concat();
    assert!(matches!(read(&longer).unwrap_err(), Damage::GoesOn(at) if at == file.len() as u64));
    assert!(matches!(read(&[&file[..], b"x"].concat()).unwrap_err(), Damage::Truncated(_)));
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let file = file(&good());
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut flipped = file.clone();
            flipped[at] ^= 1 << bit;
            assert!(read(&flipped).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn strange_files_are_refused_with_the_rule() {
    let mut newer = file(&good());
    newer[8] = 2;
    assert_eq!(
        read(&newer).unwrap_err().to_string(),
        "is of format 2, and this program reads up to 1: upgrade it"
    );
    assert!(matches!(read(b"something else").unwrap_err(), Damage::NotABackup));
    let good = good();
    let [header, page, _, changed, trailer] = &good[..] else { panic!("five frames") };
    let miscounted = Trailer { epoch: 2, sequence: 9, pages: 1, keys: 3, changes: 0 };
    let unknown = predis_proto::replica::Change {
        effects: vec![predis_proto::replica::Effect { kind: None }],
        ..Default::default()
    };
    let unknown = prost::Message::encode_to_vec(&unknown);
    for (frames, rule) in [
        (vec![page.clone()], "the frame at byte 12 is no header"),
        (vec![(Kind::Header, vec![1; 19])], "the frame at byte 12 is no header"),
        (vec![header.clone(), header.clone()], "is another header"),
        (vec![header.clone(), changed.clone(), page.clone()], "is a page behind changes"),
        (vec![header.clone(), (Kind::Page, changed.1.clone())], "is no page of keys"),
        (vec![header.clone(), (Kind::Change, vec![0xff])], "is no change"),
        (vec![header.clone(), (Kind::Change, unknown)], "is no change"),
        (vec![header.clone(), (Kind::Trailer, vec![0; 39])], "is no trailer"),
        (vec![header.clone(), page.clone(), trailer.clone()], "counts other frames than there are"),
        (
            vec![header.clone(), page.clone(), (Kind::Trailer, miscounted.encode())],
            "counts other frames than there are",
        ),
    ] {
        let refused = read(&file(&frames)).unwrap_err().to_string();
        assert!(refused.contains(rule), "{refused}: {rule}");
    }
    assert!(head(Kind::Page, &[0; 3]).is_some());
    // An announced length is no reason to take memory.
    let mut long = prefix();
    long.extend([2, 0xff, 0xff, 0xff, 0x4a, 0, 0, 0, 0]);
    assert!(matches!(Frames::begin(&long[..]).unwrap().next(), Err(Damage::Truncated(_))));
    long[15] = 0x4b;
    assert!(Frames::begin(&long[..]).unwrap().next().is_err());
    long[16] = 0x4c;
    let refused = Frames::begin(&long[..]).unwrap().next().unwrap_err();
    assert!(refused.to_string().contains("is longer than one can be"), "{refused}");
}

/// Bytes that begin as a file does, with frames whose checksums are right and whose payloads are anything.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![Just(Kind::Header), Just(Kind::Page), Just(Kind::Change), Just(Kind::Trailer)];
    let payload = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        proptest::sample::select(good()).prop_map(|(_, payload)| payload),
    ];
    proptest::collection::vec((kind, payload), 0..6).prop_map(|mut frames| {
        if frames.len() > 2 {
            frames.insert(0, good().swap_remove(0));
        }
        file(&frames)
    })
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read_and_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes).is_err());
        let _ = read(&[prefix(), bytes.clone()].concat());
        let _ = crate::Index::decode(&bytes);
    }

    #[test]
    fn frames_of_anything_are_refused_or_read_and_nothing_panics(bytes in nearly()) {
        let _ = read(&bytes);
    }

    #[test]
    fn what_is_framed_comes_back(payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..9)) {
        let frames: Vec<(Kind, Vec<u8>)> = payloads.into_iter().map(|payload| (Kind::Change, payload)).collect();
        let file = file(&frames);
        let mut read = Frames::begin(&file[..]).unwrap();
        for (kind, payload) in frames {
            let frame = read.next().unwrap().unwrap();
            prop_assert_eq!((frame.kind, &frame.payload[..]), (kind, &payload[..]));
        }
        prop_assert_eq!(read.next().unwrap(), None);
    }
}
