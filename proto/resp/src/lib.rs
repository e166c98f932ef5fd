//! RESP2 and RESP3 frames and the command table, sans-io.
