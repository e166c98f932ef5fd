//! Moves a connection's bytes: writes all there is at once, reads, hands replies to the queue.
//!
//! Knows nothing of what is asked or answered.

use super::{Link, Queue};
use bytes::BytesMut;
use predis_resp::{Reply, ReplyDecoder};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split},
    time::{Instant, interval},
};

use crate::{near::Near, net::BoxedStream};

/// Room made for each read, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The node, or whatever is in between, ended it: nothing more of what was sent will be carried out.
    Gone,
    /// This side did: the node may yet read, and carry out, what was sent.
    GaveUp,
}

/// Serves the queue over a connection until one of them ends; the queue is closed then. Whether calls were waiting.
/// What the node says of its own accord is for the near cache, if there is one.
pub(crate) async fn drive(link: Link, queue: &Queue, silence_limit: Duration, near: Option<&Near>) -> bool {
    let (reader, writer) = split(link.stream);
    let end = tokio::select! {
        end = read(reader, link.decoder, link.input, queue, near) => end,
        end = write(writer, queue) => end,
        end = listen(queue, silence_limit) => end,
    };
    queue.close(end)
}

async fn write(mut writer: WriteHalf<BoxedStream>, queue: &Queue) -> End {
    let mut sending = BytesMut::new();
    loop {
        queue.filled().await;
        // Others that are ready to call get into the same write.
        tokio::task::yield_now().await;
        sending = queue.take(sending);
        if write_all(&mut writer, &sending, queue).await.is_err() {
            return End::Gone;
        }
    }
}

async fn write_all(writer: &mut WriteHalf<BoxedStream>, bytes: &[u8], queue: &Queue) -> io::Result<()> {
    let mut written = 0;
    while written < bytes.len() {
        match writer.write(&bytes[written..]).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            taken => {
                queue.wrote(taken);
                written += taken;
            }
        }
    }
    writer.flush().await
}

async fn read(
    mut reader: ReadHalf<BoxedStream>,
    mut decoder: ReplyDecoder,
    mut input: BytesMut,
    queue: &Queue,
    near: Option<&Near>,
) -> End {
    let mut replies = Vec::new();
    loop {
        loop {
            match decoder.decode(&mut input) {
                // Answers nobody: a message of the node's own.
                Ok(Some(Reply::Push(message))) => {
                    if let Some(near) = near {
                        near.hear(&message);
                    }
                }
                Ok(Some(reply)) => replies.push(reply),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "a node breaks the protocol");
                    return End::GaveUp;
                }
            }
        }
        if queue.heard(&mut replies).is_err() {
            tracing::warn!("a node answers what nobody asked");
            return End::GaveUp;
        }
        input.reserve(READ_BYTES);
        match reader.read_buf(&mut input).await {
            Ok(0) | Err(_) => return End::Gone,
            Ok(_) => {}
        }
    }
}

/// Returns when the node is silent for too long.
async fn listen(queue: &Queue, limit: Duration) -> End {
    let mut ticks = interval((limit / 4).max(Duration::from_millis(1)));
    loop {
        ticks.tick().await;
        if queue.is_silent(limit, Instant::now()) {
            return End::GaveUp;
        }
    }
}
