//! Copies of values in the client: when they are used, and what makes them go.

use super::rig::{Conversation, Node, Rig, view_of};
use crate::{NearSettings, Settings};
use predis_resp::Reply;
use std::{sync::Arc, time::Duration};

const VALUE: &str = "$1\r\nx\r\n";

fn rig(near: NearSettings) -> Rig {
    Rig::with(Settings { near: Some(near), ..Settings::default() }, view_of(1, 1, |_| 1))
}

async fn tracked(node: &mut Node) -> Conversation {
    let mut conversation = node.accept().await;
    conversation.answer("CLIENT TRACKING ON", "+OK\r\n").await;
    conversation
}

impl Conversation {
    /// Is asked for a key and for how long it lasts.
    async fn is_read(&mut self, key: &str, value: &str, left_ms: i64) {
        self.expect(&format!("GET {key}")).await;
        self.expect(&format!("PTTL {key}")).await;
        self.say(&format!("{value}:{left_ms}\r\n")).await;
    }
}

impl Rig {
    /// Reads a key that the node has no part in.
    async fn reads_copy(&self, key: &str) {
        assert_eq!(self.call(&format!("GET {key}")).await.unwrap(), Ok(Reply::bulk("x")));
    }

    /// Reads a key, and the node is asked for it.
    async fn reads(&self, node: &mut Conversation, key: &str) {
        let call = self.call(&format!("GET {key}"));
        node.is_read(key, VALUE, -1).await;
        assert_eq!(call.await.unwrap(), Ok(Reply::bulk("x")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_is_read_once_until_the_node_says_that_it_changed() {
    let mut rig = rig(NearSettings::default());
    let call = rig.call("GET foo");
    let mut node = tracked(&mut rig.nodes[0]).await;
    node.is_read("foo", VALUE, -1).await;
    assert_eq!(call.await.unwrap(), Ok(Reply::bulk("x")));
    rig.reads_copy("foo").await;
    rig.reads(&mut node, "bar").await;
    node.say(">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nfoo\r\n").await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    rig.reads_copy("bar").await;
    rig.reads(&mut node, "foo").await;
    node.say(">2\r\n$10\r\ninvalidate\r\n_\r\n").await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    rig.reads(&mut node, "bar").await;
}

#[tokio::test(start_paused = true)]
async fn what_changes_while_it_is_read_is_not_kept_and_absent_values_are_not() {
    let mut rig = rig(NearSettings::default());
    let call = rig.call("GET foo");
    let mut node = tracked(&mut rig.nodes[0]).await;
    node.expect("GET foo").await;
    node.expect("PTTL foo").await;
    node.say(&format!("{VALUE}:-1\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nfoo\r\n")).await;
    assert_eq!(call.await.unwrap(), Ok(Reply::bulk("x")));
    rig.reads(&mut node, "foo").await;
    for _ in 0..2 {
        let call = rig.call("GET none");
        node.is_read("none", "_\r\n", -2).await;
        assert_eq!(call.await.unwrap(), Ok(Reply::Null));
    }
}

#[tokio::test(start_paused = true)]
async fn what_this_client_writes_it_forgets_whatever_comes_of_it() {
    let mut rig = rig(NearSettings::default());
    let call = rig.call("GET foo");
    let mut node = tracked(&mut rig.nodes[0]).await;
    node.is_read("foo", VALUE, -1).await;
    call.await.unwrap().unwrap();
    let write = rig.call("SET foo y");
    let mut writes = rig.nodes[0].accept().await;
    writes.answer("SET foo y", "+OK\r\n").await;
    write.await.unwrap().unwrap();
    rig.reads(&mut node, "foo").await;
    let late = rig.call_within("INCR foo", Duration::from_millis(10));
    writes.expect("INCR foo").await;
    rig.reads_copy("foo").await;
    late.await.unwrap().unwrap_err();
    rig.reads(&mut node, "foo").await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_goes_with_its_time_its_epoch_and_its_connection() {
    let mut rig = rig(NearSettings::default());
    let call = rig.call("GET foo");
    let mut node = tracked(&mut rig.nodes[0]).await;
    node.is_read("foo", VALUE, 500).await;
    call.await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    rig.reads_copy("foo").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    rig.reads(&mut node, "foo").await;

    rig.view.send_replace(Arc::new(view_of(2, 1, |_| 1)));
    tokio::task::yield_now().await;
    rig.reads(&mut node, "foo").await;

    drop(node);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let call = rig.call("GET foo");
    let mut node = tracked(&mut rig.nodes[0]).await;
    node.is_read("foo", VALUE, -1).await;
    assert_eq!(call.await.unwrap(), Ok(Reply::bulk("x")));
}

#[tokio::test(start_paused = true)]
async fn a_node_is_trusted_only_while_it_proves_that_it_serves() {
    let mut rig = rig(NearSettings::default());
    let call = rig.call("GET foo");
    let mut node = tracked(&mut rig.nodes[0]).await;
    node.is_read("foo", VALUE, -1).await;
    call.await.unwrap().unwrap();
    for _ in 0..10 {
        // foo is in partition 11.
        node.answer("PARTITION LEN 11", ":1\r\n").await;
        rig.reads_copy("foo").await;
    }
    // It has lost its lease, and does not know what others write meanwhile.
    for _ in 0..2 {
        node.answer("PARTITION LEN 11", "-CLUSTERDOWN The cluster is down\r\n").await;
        rig.reads_copy("foo").await;
    }
    node.answer("PARTITION LEN 11", "-CLUSTERDOWN The cluster is down\r\n").await;
    rig.reads(&mut node, "foo").await;
    rig.reads_copy("foo").await;
}

#[tokio::test(start_paused = true)]
async fn trouble_on_the_way_is_for_an_ordinary_call() {
    let mut rig = rig(NearSettings::default());
    let call = rig.call("GET foo");
    let mut node = tracked(&mut rig.nodes[0]).await;
    node.is_read("foo", "-TRYAGAIN later\r\n", -1).await;
    rig.nodes[0].accept().await.answer("GET foo", VALUE).await;
    assert_eq!(call.await.unwrap(), Ok(Reply::bulk("x")));
}

#[tokio::test(start_paused = true)]
async fn where_writes_wait_for_a_quorum_copies_are_kept_only_when_asked_for() {
    for under_quorum in [false, true] {
        let mut view = view_of(1, 1, |_| 1);
        view.quorum = true;
        let near = NearSettings { under_quorum, ..NearSettings::default() };
        let mut rig = Rig::with(Settings { near: Some(near), ..Settings::default() }, view);
        let call = rig.call("GET foo");
        let mut node = rig.nodes[0].accept().await;
        if under_quorum {
            node.answer("CLIENT TRACKING ON", "+OK\r\n").await;
            node.is_read("foo", VALUE, -1).await;
        } else {
            node.answer("GET foo", VALUE).await;
        }
        assert_eq!(call.await.unwrap(), Ok(Reply::bulk("x")));
    }
}
