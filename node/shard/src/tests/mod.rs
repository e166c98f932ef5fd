//! Tests of the whole shard: scripts of replies, a model, replayed effects, walks, budgets.

mod budget;
mod generate;
mod model;
mod model_agreement;
mod replay;
mod rig;
mod scripts;
mod scripts_expire;
mod scripts_keys;
mod walks;
