//! The first words on a connection: RESP3, who is calling, and what the connection is for.
//!
//! Knows nothing of how the connection came to be.

use crate::{credentials::Login, error::code, net::BoxedStream, upstream::Mode};
use bytes::BytesMut;
use predis_resp::{Reply, ReplyDecoder, encode_command};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What is said first.
pub(crate) struct Greeting {
    /// Who is calling.
    pub(crate) login: Option<Login>,
    /// What the connection is for.
    pub(crate) mode: Mode,
}

/// A connection on which the first words were said, and what was read behind them.
pub(crate) struct Link {
    pub(crate) stream: BoxedStream,
    pub(crate) decoder: ReplyDecoder,
    pub(crate) input: BytesMut,
}

/// Why a node refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HandshakeError {
    /// It does not know, or not accept, who is calling.
    Auth(String),
    /// Something else; its error line.
    Refused(String),
    /// The connection broke, or what came is no answer.
    Broken(String),
}

/// Says the first words and hears the answers. The caller sets the time limit.
pub(crate) async fn shake_hands(
    mut stream: BoxedStream,
    greeting: &Greeting,
) -> Result<Link, HandshakeError> {
    let broken = |error: &dyn std::fmt::Display| HandshakeError::Broken(error.to_string());
    let (words, count) = greeting.words();
    stream.write_all(&words).await.map_err(|error| broken(&error))?;
    stream.flush().await.map_err(|error| broken(&error))?;
    let (mut decoder, mut input) = (ReplyDecoder::default(), BytesMut::new());
    for _ in 0..count {
        let reply = loop {
            match decoder.decode(&mut input) {
                Ok(Some(Reply::Push(_))) => {}
                Ok(Some(reply)) => break reply,
                Ok(None) => match stream.read_buf(&mut input).await {
                    Ok(0) => return Err(broken(&"the connection was closed")),
                    Ok(_) => {}
                    Err(error) => return Err(broken(&error)),
                },
                Err(error) => return Err(broken(&error)),
            }
        };
        if let Reply::Error(line) = reply {
            return Err(match code(&line) {
                "NOAUTH" | "WRONGPASS" | "NOPERM" => HandshakeError::Auth(line.into_owned()),
                _ => HandshakeError::Refused(line.into_owned()),
            });
        }
    }
    Ok(Link { stream, decoder, input })
}

impl Greeting {
    /// The commands, and how many they are.
    fn words(&self) -> (BytesMut, usize) {
        let mut words = BytesMut::new();
        let mut count = 1;
        match &self.login {
            None => encode_command(&["HELLO", "3"], &mut words),
            Some(Login { user: Some(user), token }) => {
                encode_command(&["HELLO", "3", "AUTH", user, token.expose()], &mut words);
            }
            Some(Login { user: None, token }) => {
                encode_command(&["AUTH", token.expose()], &mut words);
                encode_command(&["HELLO", "3"], &mut words);
                count += 1;
            }
        }
        let more: &[&str] = match self.mode {
            Mode::Primary => return (words, count),
            Mode::Replica => &["READONLY"],
            Mode::Tracked => &["CLIENT", "TRACKING", "ON"],
        };
        encode_command(more, &mut words);
        count += 1;
        (words, count)
    }
}
