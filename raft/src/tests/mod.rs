//! Tests of the adapter as a whole: openraft's storage suite, a group of members, faults of their disks,
//! members of two versions.

mod courier;
mod faulty_disk;
mod group;
mod log_read_error;
mod members;
mod storage_suite;
mod versions;
