//! `predis ctl backup show`: what a backup is of, by its index alone.

use super::unusable;
use crate::{
    ctl::{answer::Answer, table, time::utc},
    failure::Failure,
};
use indicatif::HumanBytes;
use predis_backup::{Backup, Index, Tenant};
use serde_json::json;
use std::path::Path;

/// Reads the index.
pub(super) fn run(directory: &Path) -> Result<Answer, Failure> {
    let backup = Backup::open(directory).map_err(unusable)?;
    let index = backup.index();
    let json = json!({
        "format": index.format, "product_version": index.product_version, "cluster": index.cluster,
        "begun_at_ms": index.begun_at_ms, "finished_at_ms": index.finished_at_ms,
        "partition_count": index.partition_count, "tenants": index.tenants, "settings": index.settings,
        "files": index.files,
    });
    Ok(Answer::new(text(index), json))
}

fn text(index: &Index) -> String {
    let Index { cluster, format, product_version, begun_at_ms, finished_at_ms, partition_count, .. } = index;
    let bytes = index.size_bytes();
    let settings: Vec<String> =
        index.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let head = ["ID", "TENANT", "PLACEMENT", "ACK", "POLICY", "MEMORY", "OPS/S", "CONNECTIONS"];
    format!(
        "cluster     {cluster}\nmade        {} to {}, by predis {product_version}, format {format}\n\
         partitions  {}, {}\nsettings    {}\n\n{}",
        utc(*begun_at_ms),
        utc(*finished_at_ms),
        partition_count.get(),
        HumanBytes(bytes),
        settings.join(" "),
        table::render(&head, &index.tenants.iter().map(row).collect::<Vec<_>>()),
    )
}

fn row(tenant: &Tenant) -> Vec<String> {
    vec![
        tenant.id.to_string(),
        tenant.name.clone(),
        tenant.placement.clone(),
        tenant.ack.clone(),
        tenant.policy.clone(),
        table::limit(tenant.memory_bytes),
        table::limit(tenant.max_ops_per_second),
        table::limit(tenant.max_connections),
    ]
}
