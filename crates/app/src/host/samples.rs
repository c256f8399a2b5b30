//! Two sample computers in one process.

use super::{
    Host,
    types::{AnyAnswer, HostState, SampleAction, SampleCall, Samples as SamplesView},
};
use crate::{
    api::types::Nothing,
    message::{Code, Problem, Result},
};

/// The two of them.
#[derive(Debug)]
pub(super) struct Samples;

impl Host {
    pub(super) async fn start_samples(&self, _: Nothing) -> Result<SamplesView> {
        Err(Problem::new(Code::NotRunning).with("folder", self.profile().folder()))
    }

    pub(super) async fn samples(&self, _: Nothing) -> Result<SamplesView> {
        self.start_samples(Nothing {}).await
    }

    pub(super) async fn sample_do(&self, _: SampleAction) -> Result<SamplesView> {
        self.start_samples(Nothing {}).await
    }

    pub(super) async fn sample_call(&self, _: SampleCall) -> Result<AnyAnswer> {
        Err(Problem::new(Code::NotRunning).with("folder", self.profile().folder()))
    }

    pub(super) async fn remove_samples(&self, _: Nothing) -> Result<HostState> {
        self.drop_samples().await;
        self.state_changed().await
    }

    pub(super) async fn drop_samples(&self) {
        self.lock().samples = None;
    }
}
