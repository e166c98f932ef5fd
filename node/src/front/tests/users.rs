//! Users: who may come in, what each may do, what becomes of those who may no more, and what is noted of it.

use super::*;
use predis_meta::{Expect, NewToken, NewUser, UserRole};
use predis_types::Secret;

/// A token for tests, the same for the same number.
pub(super) fn token(number: u8) -> Secret {
    Secret::token(&[number; 32])
}

pub(super) fn new_token(id: &str, number: u8, expires_at_ms: Option<u64>) -> NewToken {
    NewToken { id: id.to_owned(), hash: token(number).digest().to_string(), expires_at_ms }
}

pub(super) fn create(name: &str, tenant: u32, role: UserRole, number: u8) -> Action {
    let tokens = vec![new_token("first", number, None)];
    Action::CreateUser { user: NewUser { name: name.to_owned(), tenant: TenantId(tenant), role, tokens } }
}

pub(super) fn require_auth(value: &str) -> Action {
    Action::SetConfig { key: "require-auth".to_owned(), value: Some(value.to_owned()), expect: Expect::Any }
}

/// A node of a cluster that requires authentication, with one user a role.
async fn closed() -> Rig {
    let rig = Rig::new().await;
    rig.agree(create("root", 0, UserRole::Admin, 1)).await;
    rig.agree(create("ops", 0, UserRole::Operator, 2)).await;
    rig.agree(create("app", 0, UserRole::ReadWrite, 3)).await;
    rig.agree(create("report", 0, UserRole::ReadOnly, 4)).await;
    rig.agree(require_auth("yes")).await;
    rig
}

async fn log_in(rig: &Rig, user: &str, number: u8) -> Client {
    let mut client = rig.client();
    let line = format!("AUTH {user} {}", token(number).expose());
    assert_eq!(client.call(&line).await, Reply::ok(), "{user}");
    client
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let rig = closed().await;
    let mut client = rig.client();
    assert_eq!(client.error("GET a").await, "NOAUTH Authentication required.");
    assert_eq!(client.error("PING").await, "NOAUTH Authentication required.");
    assert!(client.error("HELLO 3").await.starts_with("NOAUTH HELLO must be called with the client already"));
    let wrong = "WRONGPASS invalid username-password pair or user is disabled.";
    let right = token(3).expose().to_owned();
    for line in
        ["AUTH nonsense", "AUTH app nonsense", &format!("AUTH ops {right}"), &format!("AUTH nobody {right}")]
    {
        assert_eq!(client.error(line).await, wrong);
    }
    assert_eq!(client.error(&format!("HELLO 3 AUTH ops {right}")).await, wrong);
    // All of it or nothing.
    assert!(
        client.error(&format!("HELLO 3 AUTH app {right} NONSENSE")).await.starts_with("ERR Syntax error")
    );
    assert_eq!(client.error("GET a").await, "NOAUTH Authentication required.");
    // A token alone tells whose it is.
    assert_eq!(client.call(&format!("AUTH {right}")).await, Reply::ok());
    assert_eq!(client.text("ACL WHOAMI").await, "app");
    assert_eq!(client.call("SET a 1").await, Reply::ok());
    assert_eq!(client.call("RESET").await, Reply::simple("RESET"));
    assert_eq!(client.error("GET a").await, "NOAUTH Authentication required.");
    // Clients that were given a password alone name the default user.
    let mut alone = rig.client();
    assert!(matches!(alone.call(&format!("HELLO 3 AUTH default {right}")).await, Reply::Map(_)));
    assert_eq!(alone.text("ACL WHOAMI").await, "app");
    assert_eq!(rig.client().error("AUTH default nonsense").await, wrong);
    let mut modern = rig.client();
    let hello = format!("HELLO 3 AUTH app {right} SETNAME me");
    assert!(matches!(modern.call(&hello).await, Reply::Map(_)));
    let info = modern.text("CLIENT INFO").await;
    assert!(info.contains(" user=app ") && !info.contains(&right), "{info}");
}

#[tokio::test]
async fn who_does_not_say_who_it_is_loses_its_place() {
    let rig = closed().await;
    let (mut nobody, mut app) = (rig.client(), log_in(&rig, "app", 3).await);
    assert_eq!(nobody.error("GET a").await, "NOAUTH Authentication required.");
    rig.clock.advance_ms(31_000);
    assert!(nobody.is_closed().await);
    assert_eq!(app.call("GET a").await, Reply::Null);
    // Who was somebody has as long again.
    assert_eq!(app.call("RESET").await, Reply::simple("RESET"));
    assert_eq!(app.call(&format!("AUTH app {}", token(3).expose())).await, Reply::ok());
}

#[tokio::test]
async fn before_it_is_known_who_asks_requests_are_small() {
    let rig = closed().await;
    let mut client = rig.client();
    client.raw(b"*11\r\n").await;
    assert_eq!(client.reply().await, Reply::error("ERR Protocol error: unauthenticated multibulk length"));
    assert!(client.is_closed().await);
    let mut client = rig.client();
    client.raw(b"*2\r\n$4\r\nAUTH\r\n$20000\r\n").await;
    assert_eq!(client.reply().await, Reply::error("ERR Protocol error: unauthenticated bulk length"));
    // What follows the AUTH in one piece may be as large as anybody's.
    let mut client = rig.client();
    let value = "v".repeat(30_000);
    client.send(&format!("AUTH app {}", token(3).expose())).await;
    client.send(&format!("SET big {value}")).await;
    assert_eq!((client.reply().await, client.reply().await), (Reply::ok(), Reply::ok()));
    assert_eq!(client.text("GET big").await, value);
}

#[tokio::test]
async fn roles_decide_and_refusals_are_noted() {
    let rig = closed().await;
    let mut report = log_in(&rig, "report", 4).await;
    assert_eq!(report.call("GET a").await, Reply::Null);
    let refused = "NOPERM User report has no permissions to run the 'set' command";
    assert_eq!(report.error("SET a 1").await, refused);
    assert_eq!(report.error("SET a 1").await, refused);
    assert!(log_in(&rig, "app", 3).await.error("CONFIG GET *").await.starts_with("NOPERM User app has no"));
    let mut ops = log_in(&rig, "ops", 2).await;
    assert_eq!(ops.call("CONFIG SET timeout 100").await, Reply::ok());
    assert!(ops.error("ACL LIST").await.starts_with("NOPERM"));
    rig.client().error("AUTH app wrong").await;

    let mut root = log_in(&rig, "root", 1).await;
    let entries = items(root.call("ACL LOG").await);
    let texts: Vec<String> = entries
        .into_iter()
        .map(|entry| items(entry).iter().map(|part| format!("{part:?}")).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(texts.len(), 4, "{texts:#?}");
    for (text, parts) in texts.iter().zip([
        ["\"auth\"", "\"app\"", "Integer(1)"],
        ["\"command\"", "\"acl|list\"", "\"ops\""],
        ["\"command\"", "\"config|get\"", "\"app\""],
        ["\"set\"", "\"report\"", "Integer(2)"],
    ]) {
        parts.iter().for_each(|part| assert!(text.contains(part), "{part} in {text}"));
    }
    assert_eq!(root.call("ACL LOG RESET").await, Reply::ok());
    assert_eq!(root.call("ACL LOG").await, Reply::Array(vec![]));
    // Who writes a token where the name belongs does not find it in the log.
    let swapped = token(3);
    assert!(root.error(&format!("AUTH {} app", swapped.expose())).await.starts_with("WRONGPASS"));
    let log = format!("{:?}", root.call("ACL LOG").await);
    assert!(log.contains("\"auth\"") && !log.contains(swapped.expose()), "{log}");
}

#[tokio::test]
async fn acl_speaks_of_users_in_redis_s_forms() {
    let rig = closed().await;
    let mut root = log_in(&rig, "root", 1).await;
    assert_eq!(items(root.call("ACL USERS").await), ["app", "ops", "report", "root"].map(bulk));
    let list: Vec<String> = items(root.call("ACL LIST").await).iter().map(text_of).collect();
    let digest = token(4).digest();
    assert!(
        list[2].starts_with(&format!("user report on #{digest} ~* resetchannels -@all +")),
        "{}",
        list[2]
    );
    assert!(list[2].contains(" +get") && !list[2].contains(" +set ") && list[3].ends_with(" +@all"));
    let fields = items(root.call("ACL GETUSER report").await);
    assert_eq!(fields[1], Reply::Array(vec![bulk("on")]));
    assert_eq!(fields[3], Reply::Array(vec![bulk(&digest.to_string())]));
    assert_eq!((&fields[13], &fields[15]), (&bulk("read_only"), &bulk("default")));
    assert_eq!(root.call("ACL GETUSER none").await, Reply::Null);
    assert!(items(root.call("ACL CAT").await).contains(&bulk("dangerous")));
    assert!(items(root.call("ACL CAT dangerous").await).contains(&bulk("flushall")));
    assert_eq!(root.error("ACL CAT none").await, "ERR Unknown category 'none'");
    // Without authentication there is one user, who needs no token.
    let open = Rig::new().await;
    let mut client = open.client();
    assert_eq!(client.text("ACL WHOAMI").await, "default");
    let list = items(client.call("ACL LIST").await);
    assert_eq!(list, [bulk("user default on nopass ~* resetchannels +@all")]);
}

#[tokio::test]
async fn who_may_no_more_is_disconnected_and_the_others_stay() {
    let rig = closed().await;
    let mut app = log_in(&rig, "app", 3).await;
    let mut report = log_in(&rig, "report", 4).await;
    // A second token: both work until the first one is revoked.
    let second = new_token("second", 5, None);
    rig.agree(Action::AddToken { user: "app".into(), token: second, others_expire_at_ms: None }).await;
    let mut renewed = log_in(&rig, "app", 5).await;
    assert_eq!(app.call("GET a").await, Reply::Null);
    rig.agree(Action::RevokeToken { user: "app".into(), id: "first".into() }).await;
    assert!(app.is_closed().await);
    assert_eq!(renewed.call("GET a").await, Reply::Null);
    let revoked = format!("AUTH app {}", token(3).expose());
    assert!(rig.client().error(&revoked).await.starts_with("WRONGPASS"));
    // A role is another one at once; a disabled user is none.
    let role = Some(UserRole::ReadWrite);
    let update = |enabled| Action::UpdateUser { name: "report".into(), role, enabled: Some(enabled) };
    rig.agree(update(true)).await;
    while report.call("SET a 1").await != Reply::ok() {}
    rig.agree(update(false)).await;
    assert!(report.is_closed().await);
    rig.agree(Action::RemoveUser { name: "app".into() }).await;
    assert!(renewed.is_closed().await);
}

#[tokio::test]
async fn tokens_end_when_their_time_has_come() {
    let rig = closed().await;
    let end = START_MS + 60_000;
    let second = new_token("second", 5, Some(end + 60_000));
    rig.agree(Action::AddToken { user: "app".into(), token: second, others_expire_at_ms: Some(end) }).await;
    let mut first = log_in(&rig, "app", 3).await;
    let mut renewed = log_in(&rig, "app", 5).await;
    rig.clock.advance_ms(60_000);
    assert!(first.is_closed().await);
    assert_eq!(renewed.call("GET a").await, Reply::Null);
    assert!(rig.client().error(&format!("AUTH app {}", token(3).expose())).await.starts_with("WRONGPASS"));
}

#[tokio::test]
async fn closing_an_open_cluster_ends_those_who_proved_nothing() {
    let rig = Rig::new().await;
    let mut anonymous = rig.client();
    assert_eq!(anonymous.call("PING").await, Reply::simple("PONG"));
    rig.agree(create("root", 0, UserRole::Admin, 1)).await;
    let mut root = log_in(&rig, "root", 1).await;
    rig.agree(require_auth("yes")).await;
    assert!(anonymous.is_closed().await);
    assert_eq!(root.text("ACL WHOAMI").await, "root");
}
