//! Reads a trace: opening, decompression, lines, batches of requests.
//!
//! ```text
//!   file or standard input --progress--> [zstd] --lines--> parse_line --> Vec<Request>
//! ```
//! Compression is known by the first bytes, not by the name. Does not know caches or policies.

mod error;
mod line;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use bytes::{Bytes, BytesMut};
use indicatif::ProgressBar;

pub(crate) use error::TraceError;
use line::{BadLine, parse_line};

/// The path that stands for standard input.
const STANDARD_INPUT: &str = "-";
/// What every trace begins with.
const HEADER: &[u8] = b"time,key,size";
/// The first bytes of a zstd frame.
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// A longer line is refused before it is read to its end.
const MAX_LINE_BYTES: usize = 1024 * 1024;
/// How much is read from the file at a time.
const READ_BYTES: usize = 64 * 1024;
/// How many requests a batch has, but the last: few enough to stay in the processor's cache.
const BATCH: usize = 4096;

/// One request of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// When it was made, in milliseconds.
    pub(crate) time_ms: u64,
    /// Its key; shares memory with those of other requests of its batch.
    pub(crate) key: Bytes,
    /// The size of the object in bytes.
    pub(crate) size_bytes: u64,
}

/// A trace from its first request to its last.
pub(crate) struct Trace {
    name: String,
    input: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    line_number: u64,
    keys: BytesMut,
}

/// Whether the path stands for standard input, which can be read once only.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == STANDARD_INPUT
}

impl Trace {
    /// Opens a file, or standard input. The bar is told the file's length and how much of it was read.
    pub(crate) fn open(path: &Path, bar: &ProgressBar) -> Result<Trace, TraceError> {
        let name = path.display().to_string();
        if is_standard_input(path) {
            return Trace::read(name, bar.wrap_read(io::stdin()));
        }
        let length = |file: &File| file.metadata().map(|metadata| metadata.len());
        let opened = File::open(path).and_then(|file| Ok((length(&file)?, file)));
        match opened {
            Ok((length_bytes, file)) => {
                bar.set_length(length_bytes);
                Trace::read(name, bar.wrap_read(file))
            }
            Err(error) => Err(TraceError::Unreadable(name, error)),
        }
    }

    /// A trace from its bytes, compressed or not. Errors call it `name`.
    pub(crate) fn read(name: String, input: impl Read + Send + 'static) -> Result<Trace, TraceError> {
        let input = match decompressed(input) {
            Ok(input) => input,
            Err(error) => return Err(TraceError::Unreadable(name, error)),
        };
        let mut trace = Trace {
            name,
            input,
            line: Vec::new(),
            line_number: 0,
            keys: BytesMut::with_capacity(READ_BYTES),
        };
        trace.read_header()?;
        Ok(trace)
    }

    fn read_header(&mut self) -> Result<(), TraceError> {
        if !self.next_line()? {
            return Err(TraceError::Empty(self.name.clone()));
        }
        if self.line == HEADER {
            return Ok(());
        }
        Err(self.bad(BadLine::new("header", &self.line, "must be time,key,size")))
    }

    /// Replaces `batch` by the next requests; it is empty at the end of the trace.
    pub(crate) fn next_batch(&mut self, batch: &mut Vec<Request>) -> Result<(), TraceError> {
        batch.clear();
        while batch.len() < BATCH && self.next_line()? {
            let line = parse_line(&self.line).map_err(|wrong| self.bad(wrong))?;
            self.keys.extend_from_slice(line.key);
            let key = self.keys.split().freeze();
            batch.push(Request { time_ms: line.time_ms, key, size_bytes: line.size_bytes });
        }
        Ok(())
    }

    /// The error for a trace in which no request was found.
    pub(crate) fn empty(&self) -> TraceError {
        TraceError::Empty(self.name.clone())
    }

    /// Reads the next line without its line end; `false` at the end of the trace.
    fn next_line(&mut self) -> Result<bool, TraceError> {
        self.line.clear();
        self.line_number += 1;
        let mut bounded = self.input.by_ref().take(MAX_LINE_BYTES as u64 + 1);
        if let Err(error) = bounded.read_until(b'\n', &mut self.line) {
            return Err(TraceError::Unreadable(self.name.clone(), error));
        }
        if self.line.is_empty() {
            return Ok(false);
        }
        if self.line.len() > MAX_LINE_BYTES {
            return Err(self.bad(BadLine::new("line", &self.line, "must be at most 1 MiB long")));
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(true)
    }

    fn bad(&self, wrong: BadLine) -> TraceError {
        TraceError::BadLine(self.name.clone(), self.line_number, wrong)
    }
}

/// The input as it is, or what zstd makes of it.
fn decompressed(mut input: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut beginning = Vec::new();
    input.by_ref().take(ZSTD_MAGIC.len() as u64).read_to_end(&mut beginning)?;
    let compressed = beginning == ZSTD_MAGIC;
    let whole = BufReader::with_capacity(READ_BYTES, Cursor::new(beginning).chain(input));
    if !compressed {
        return Ok(Box::new(whole));
    }
    let plain = zstd::stream::read::Decoder::with_buffer(whole)?;
    Ok(Box::new(BufReader::with_capacity(READ_BYTES, plain)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All requests of a trace, or the error's words.
    fn all(bytes: &[u8]) -> Result<Vec<Request>, String> {
        let words = |error: TraceError| format!("{:#}", anyhow::Error::from(error));
        let mut trace = Trace::read("t.csv".to_owned(), Cursor::new(bytes.to_vec())).map_err(words)?;
        let (mut batch, mut requests) = (Vec::new(), Vec::new());
        loop {
            trace.next_batch(&mut batch).map_err(words)?;
            if batch.is_empty() {
                return Ok(requests);
            }
            requests.append(&mut batch);
        }
    }

    fn request(seconds: u64, key: &str, size_bytes: u64) -> Request {
        Request { time_ms: 1000 * seconds, key: Bytes::copy_from_slice(key.as_bytes()), size_bytes }
    }

    #[test]
    fn plain_and_compressed_traces_read_alike() {
        let expected = Ok(vec![request(0, "a", 1), request(1, "b", 20)]);
        for text in ["time,key,size\n0,a,1\n1,b,20\n", "time,key,size\r\n0,a,1\r\n1,b,20"] {
            assert_eq!(all(text.as_bytes()), expected);
            assert_eq!(all(&zstd::encode_all(text.as_bytes(), 3).unwrap()), expected);
        }
        let frames =
            [&b"time,key,size\n0,a,1\n"[..], b"1,b,20\n"].map(|part| zstd::encode_all(part, 3).unwrap());
        assert_eq!(all(&frames.concat()), expected, "several frames are one stream");
    }

    #[test]
    fn batches_join_to_the_whole() {
        let count = 2 * BATCH as u64 + 1;
        let lines: String = (0..count).map(|number| format!("{number},key{number},{number}\n")).collect();
        let requests = all(format!("time,key,size\n{lines}").as_bytes()).unwrap();
        let expected: Vec<Request> =
            (0..count).map(|number| request(number, &format!("key{number}"), number)).collect();
        assert_eq!(requests, expected);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let rule = "must be a whole number of bytes, from 0 to 18446744073709551615";
        let wrong = all(b"time,key,size\n0,a,1\n0,b,big\n");
        assert_eq!(wrong, Err(format!("t.csv:3: size 'big' {rule}")));
        assert_eq!(all(b"0,a,1\n"), Err("t.csv:1: header '0,a,1' must be time,key,size".to_owned()));
        assert_eq!(all(b""), Err("the trace t.csv is empty: no request follows its header".to_owned()));
        assert_eq!(all(b"time,key,size\n"), Ok(Vec::new()));
        let blank = all(b"time,key,size\n\n0,a,1\n");
        assert_eq!(blank, Err("t.csv:2: line '' must have the three fields time,key,size".to_owned()));
        let mut long = b"time,key,size\n0,".to_vec();
        long.resize(2 * MAX_LINE_BYTES, b'k');
        assert!(all(&long).unwrap_err().ends_with("...' must be at most 1 MiB long"));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_not_a_short_trace() {
        let whole = zstd::encode_all(&b"time,key,size\n0,a,1\n"[..], 3).unwrap();
        for end in 5..whole.len() {
            assert!(all(&whole[..end]).unwrap_err().starts_with("cannot read the trace t.csv: "), "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            beginning in prop::sample::select(vec![&b""[..], b"time,key,size\n", ZSTD_MAGIC]),
        ) {
            let _ = all(&[beginning, &bytes].concat());
        }
    }
}
