//! What clients hear while the node does not serve: before its incarnation is agreed on, and between two lives.
//!
//! Every command gets the same refusal, so that a client goes elsewhere instead of waiting. Knows no command.

use super::ACCEPT_PAUSE;
use crate::{
    io::{Incoming, Listener},
    life::SharedListener,
};
use bytes::BytesMut;
use predis_raft::BoxedStream;
use predis_resp::{Limits, Protocol, Reply, RequestDecoder};
use std::convert::Infallible;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
};

/// The refusal, in Redis's words.
const REFUSAL: &str = "CLUSTERDOWN The cluster is down";

/// The most connections that are told so at a time; others wait to be accepted.
const MOST: usize = 1000;

/// Accepts on all doors and refuses until it is dropped, which closes the connections.
pub async fn refuse_all(resp: &SharedListener, proxy: Option<&SharedListener>) -> Infallible {
    let at_the_proxy = async {
        match proxy {
            Some(proxy) => refuse_at(proxy.clone()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        never = refuse_at(resp.clone()) => never,
        never = at_the_proxy => never,
    }
}

async fn refuse_at(mut listener: SharedListener) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MOST => match accepted {
                Ok(Incoming { stream, .. }) => {
                    connections.spawn(refuse(stream));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers every command of one connection with the refusal.
async fn refuse(mut stream: BoxedStream) {
    let mut decoder = RequestDecoder::new(Limits::before_authentication());
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    while matches!(stream.read_buf(&mut input).await, Ok(read) if read > 0) {
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(_)) => Reply::error(REFUSAL).encode(Protocol::Resp2, &mut output),
                Ok(None) => break,
                Err(_) => return,
            }
        }
        if stream.write_all_buf(&mut output).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_command_is_refused_whole_or_in_pieces() {
        let (mut client, server) = tokio::io::duplex(1024);
        let refusing = tokio::spawn(refuse(Box::new(server)));
        client.write_all(b"PING\r\n*2\r\n$3\r\nGET\r\n$1\r\n").await.unwrap();
        client.write_all(b"a\r\n").await.unwrap();
        let expected = format!("-{REFUSAL}\r\n").repeat(2);
        let mut said = vec![0; expected.len()];
        client.read_exact(&mut said).await.unwrap();
        assert_eq!(said, expected.as_bytes());
        drop(client);
        refusing.await.unwrap();
    }
}
