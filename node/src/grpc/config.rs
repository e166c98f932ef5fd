//! The admin API's `Config` service: the dynamic settings.

use super::{
    change::Admin,
    guard::Permit,
    settings::{SETTINGS, Setting},
};
use predis_meta::{Action, Expect};
use predis_proto::admin::{
    self, GetConfigReply, GetConfigRequest, SetConfigReply, SetConfigRequest, config_server,
};
use tonic::{Request, Response, Status};

/// The service.
pub(super) struct Config(pub(super) Admin);

#[tonic::async_trait]
impl config_server::Config for Config {
    async fn get(&self, request: Request<GetConfigRequest>) -> Result<Response<GetConfigReply>, Status> {
        let read = self.0.read_for(&Permit::of(&request)?).await?;
        let now = read.state.config();
        let settings = SETTINGS.iter().map(|setting| admin::Setting {
            name: setting.name.to_owned(),
            value: now.get(setting.name).map_or(setting.default, String::as_str).to_owned(),
            default: setting.default.to_owned(),
            rule: setting.rule.to_owned(),
            summary: setting.summary.to_owned(),
        });
        Ok(Response::new(GetConfigReply { settings: settings.collect() }))
    }

    async fn set(&self, request: Request<SetConfigRequest>) -> Result<Response<SetConfigReply>, Status> {
        let permit = Permit::of(&request)?;
        let SetConfigRequest { name, value } = request.into_inner();
        let setting = Setting::named(&name)?;
        if let Some(value) = &value {
            setting.check(value)?;
        }
        let changed = self.0.change(&permit, |state, _| {
            let now = state.config().get(&name);
            if now == value.as_ref() {
                return Ok(None);
            }
            let expect = now.cloned().map_or(Expect::Absent, Expect::Value);
            Ok(Some(Action::SetConfig { key: name.clone(), value: value.clone(), expect }))
        });
        changed.await?;
        Ok(Response::new(SetConfigReply {}))
    }
}
