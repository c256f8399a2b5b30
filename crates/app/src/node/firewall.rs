//! The own firewall of a server: what it does with calls, and opening it when its owner says so.

use super::Instance;
use crate::{
    api::types::{FirewallStateView, FirewallView, Nothing},
    engine::Part,
    firewall::{self, Firewall},
    message::{Code, Problem, Result},
};
use std::net::SocketAddr;

impl Instance {
    pub(crate) async fn firewall(&self, _: Nothing) -> Result<FirewallView> {
        let port = self.called_port()?;
        Ok(self.firewall_view(port, firewall::look(port).await, None))
    }

    pub(crate) async fn allow_in_firewall(&self, _: Nothing) -> Result<FirewallView> {
        let port = self.called_port()?;
        let is_changed = firewall::allow(port).await;
        let unchanged = (!is_changed).then_some(Code::FirewallUnchanged);
        Ok(self.firewall_view(port, firewall::look(port).await, unchanged))
    }

    /// The port at which others call this server.
    fn called_port(&self) -> Result<u16> {
        if self.part != Part::Server {
            return Err(Problem::new(Code::OnServerOnly));
        }
        Ok(self.listening.first().map_or_else(|| self.settings().network.listen.port(), SocketAddr::port))
    }

    fn firewall_view(&self, port: u16, found: Firewall, problem: Option<Code>) -> FirewallView {
        let (state, code) = match found {
            Firewall::None => (FirewallStateView::None, None),
            Firewall::Open(_) => (FirewallStateView::Open, None),
            Firewall::Closed(_) => (FirewallStateView::Closed, Some(Code::FirewallCloses)),
            Firewall::Unknown(_) => (FirewallStateView::Unknown, Some(Code::FirewallUnknown)),
        };
        let program = found.program().map(str::to_owned);
        let problem = problem.or(code).zip(program.clone()).map(|(code, program)| {
            let problem = Problem::new(code).with("port", port.to_string()).with("program", program);
            problem.view(self.language())
        });
        FirewallView { port, state, program, can_allow: found.can_allow(), problem }
    }
}
