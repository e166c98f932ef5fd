//! The right to make or restore a backup: one at a time, renewed, given back, in the audit.

use super::{LIMIT, Rig, START_MS, by};
use predis_meta::Action;
use predis_proto::admin::{
    BeginBackupRequest, CountBackupRequest, EndBackupRequest, ReadBackupRequest, WriteBackupRequest,
};
use predis_types::{Incarnation, NodeId};
use tonic::{Code, Status};

async fn begin(rig: &Rig, restore: bool, token: u64) -> Result<u64, Status> {
    let begun = rig.backup().begin(by("admin", BeginBackupRequest { restore, token })).await;
    begun.map(|reply| reply.into_inner().token)
}

async fn end(rig: &Rig, restore: bool, token: u64) -> Result<(), Status> {
    rig.backup().end(by("admin", EndBackupRequest { restore, token })).await.map(|_| ())
}

#[tokio::test]
async fn one_has_the_right_at_a_time_and_the_audit_has_it() {
    let rig = Rig::with_users().await;
    let token = begin(&rig, false, 0).await.unwrap();
    for restore in [false, true] {
        let refused = begin(&rig, restore, 0).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        let words =
            "a backup is under way, through node 1: one at a time; if it has died, its right ends in 30 s";
        assert_eq!(refused.message(), words);
    }
    rig.clock.advance_ms(29_000);
    assert_eq!(begin(&rig, false, token).await.unwrap(), token, "renewed");
    rig.clock.advance_ms(29_000);
    assert!(begin(&rig, false, 0).await.is_err());
    // Whoever lets it run out may find that another has begun.
    rig.clock.advance_ms(1_000);
    let second = begin(&rig, true, 0).await.unwrap();
    assert!(second > token);
    let refused = begin(&rig, false, token).await.unwrap_err();
    assert!(refused.message().starts_with("a restore is under way"), "{refused}");
    end(&rig, true, second).await.unwrap();
    assert_eq!(begin(&rig, false, token).await.unwrap(), token, "nobody has taken this right meanwhile");
    end(&rig, false, token).await.unwrap();
    assert_eq!(begin(&rig, false, token).await.unwrap_err().code(), Code::FailedPrecondition);
    assert!(end(&rig, true, second).await.is_err(), "it has none to give back");
    let noted: Vec<(String, String, String)> = rig
        .state()
        .audit()
        .iter()
        .filter(|entry| entry.action.ends_with("_role"))
        .map(|entry| (entry.actor.clone(), entry.action.clone(), entry.subject.clone()))
        .collect();
    let entry =
        |action: &str, subject: &str| ("user:admin".to_owned(), action.to_owned(), subject.to_owned());
    let wanted = [
        entry("acquire_role", "role backup 1/1"),
        entry("acquire_role", "role restore 1/1"),
        entry("release_role", "role restore 1/1"),
        entry("release_role", "role backup 1/1"),
    ];
    assert_eq!(noted, wanted, "renewals are not noted");
}

#[tokio::test]
async fn a_right_ends_when_its_time_has_come_whoever_has_it() {
    let rig = Rig::with_users().await;
    let token = begin(&rig, false, 0).await.unwrap();
    rig.join(2).await;
    assert_eq!(begin(&rig, false, token).await.unwrap(), token);
    rig.clock.advance_ms(31_000);
    assert!(begin(&rig, false, 0).await.unwrap() > token);
    let refused = begin(&rig, false, token).await.unwrap_err();
    assert!(refused.message().starts_with("a backup is under way"), "{refused}");
    // A node that is taken to be dead holds nothing and gives nothing.
    let action = Action::NodeDown { node: NodeId(1), incarnation: Incarnation(1) };
    let command = predis_meta::MetaCommand { at_ms: START_MS, actor: "test".to_owned(), action };
    rig.shared.meta.propose(&command, LIMIT).await.unwrap();
    assert_eq!(begin(&rig, false, 0).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_right_that_ran_out_is_of_no_use_beside_one_of_the_other_kind() {
    let rig = Rig::with_users().await;
    let write = |token| by("admin", WriteBackupRequest { token, ..WriteBackupRequest::default() });
    let restore = begin(&rig, true, 0).await.unwrap();
    // It has the right; this node is between two lives.
    assert_eq!(rig.backup().write(write(restore)).await.unwrap_err().code(), Code::Unavailable);
    rig.clock.advance_ms(31_000);
    let backup = begin(&rig, false, 0).await.unwrap();
    let refused = rig.backup().write(write(restore)).await.unwrap_err();
    let words = format!("token {restore} is not that of the restore under way, by what node 1 knows");
    assert_eq!((refused.code(), refused.message()), (Code::Aborted, words.as_str()));
    // Nor can it be renewed when the other has run out as well.
    rig.clock.advance_ms(31_000);
    assert_eq!(begin(&rig, true, restore).await.unwrap_err().code(), Code::FailedPrecondition);
    let read = by("admin", ReadBackupRequest { partition: 0, token: backup });
    assert_eq!(rig.backup().read(read).await.err().unwrap().code(), Code::Unavailable, "nobody else came");
    assert_eq!(begin(&rig, false, backup).await.unwrap(), backup);
}

#[tokio::test]
async fn without_the_right_nothing_is_read_or_written() {
    let rig = Rig::with_users().await;
    let token = begin(&rig, false, 0).await.unwrap();
    let read = |token| by("admin", ReadBackupRequest { partition: 0, token });
    let write = |token| by("admin", WriteBackupRequest { token, ..WriteBackupRequest::default() });
    for wrong in [0, token + 1] {
        let refused = rig.backup().read(read(wrong)).await.err().unwrap();
        assert_eq!(refused.code(), Code::Aborted);
        let words = format!("token {wrong} is not that of the backup under way, by what node 1 knows");
        assert_eq!(refused.message(), words);
    }
    assert_eq!(rig.backup().write(write(token)).await.unwrap_err().code(), Code::Aborted);
    // This node is between two lives.
    let refused = rig.backup().read(read(token)).await.err().unwrap();
    assert_eq!((refused.code(), refused.message()), (Code::Unavailable, "this node does not serve"));
    let refused = rig.backup().count(by("admin", CountBackupRequest {})).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let refused = rig.backup().begin(by("operator", BeginBackupRequest::default())).await.unwrap_err();
    assert_eq!(refused.message(), "Backup.Begin needs role admin, user operator has operator");
}
