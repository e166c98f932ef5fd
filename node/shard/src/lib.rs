//! Data types, commands to (reply, effects), index, expiry; pure.
