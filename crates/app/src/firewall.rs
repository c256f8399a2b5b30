//! What this computer's own firewall does with calls to a port, as far as anybody may ask it, and opening the port.
//!
//! Looking needs no rights and changes nothing. Opening is a decision of the computer's owner: it happens when somebody
//! asks for it, by the firewall's own tool, and the system asks for what it always asks for. Rules that somebody wrote by
//! hand are never touched; the message says which line is missing.

mod firewalld;
mod macos;
mod ufw;
mod windows;

use crate::program::run;
use std::{fs, time::Duration};

/// What is known of the firewall. The program is the name of the tool that changes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Firewall {
    /// None that we know is at work.
    None,
    /// It lets calls to the port in.
    Open(&'static str),
    /// It drops them.
    Closed(&'static str),
    /// One is at work, and only an administrator may ask it for its rules.
    Unknown(&'static str),
}

/// The packet filter that every system has. What changes it on Linux is `nft`.
pub(crate) const SYSTEM: &str = if cfg!(target_os = "linux") { "nftables" } else { "system" };

/// Somebody looks for the administrator's password.
const ASKED: Duration = Duration::from_secs(180);

impl Firewall {
    /// The tool that changes it.
    pub(crate) const fn program(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Open(program) | Self::Closed(program) | Self::Unknown(program) => Some(program),
        }
    }

    /// Whether [`allow`] can open a port in it.
    pub(crate) fn can_allow(self) -> bool {
        matches!(self, Self::Closed(program) | Self::Unknown(program) if program != SYSTEM || !cfg!(target_os = "linux"))
    }
}

/// Looks at the firewalls this system may have.
pub(crate) async fn look(port: u16) -> Firewall {
    if cfg!(windows) {
        return windows::look().await;
    }
    if cfg!(target_os = "macos") {
        return macos::look().await;
    }
    if let Some(firewall) = firewalld::look(port).await {
        return firewall;
    }
    if let Some(firewall) = ufw::look(port) {
        return firewall;
    }
    match rules_may_be_loaded(&fs::read_to_string("/proc/modules").unwrap_or_default()) {
        true => Firewall::Unknown(SYSTEM),
        false => Firewall::None,
    }
}

/// Opens the port, now and after the next start. `false`: the system refused, nobody confirmed, or there is no tool for it.
pub(crate) async fn allow(port: u16) -> bool {
    match look(port).await {
        Firewall::None | Firewall::Open(_) => true,
        Firewall::Closed(firewalld::PROGRAM) | Firewall::Unknown(firewalld::PROGRAM) => firewalld::allow(port).await,
        Firewall::Closed(ufw::PROGRAM) | Firewall::Unknown(ufw::PROGRAM) => ufw::allow(port).await,
        _ if cfg!(windows) => windows::allow().await,
        _ if cfg!(target_os = "macos") => macos::allow().await,
        Firewall::Closed(_) | Firewall::Unknown(_) => false,
    }
}

/// Whether the kernel has loaded what filters packets, for whomever: which rules there are, it tells the administrator only.
fn rules_may_be_loaded(modules: &str) -> bool {
    let mut loaded = modules.lines().filter_map(|line| line.split_whitespace().next());
    loaded.any(|module| ["nf_tables", "iptable_filter", "ip6table_filter"].contains(&module))
}

/// Whether it did well.
async fn does_well(program: &str, arguments: &[&str]) -> bool {
    let output = run(program, arguments, ASKED).await;
    if let Some(output) = output.as_ref().filter(|output| !output.status.success()) {
        tracing::info!(program, status = %output.status, "the firewall wasn't changed");
    }
    output.is_some_and(|output| output.status.success())
}

/// This program, which some firewalls know by its file.
fn own_file() -> Option<String> {
    std::env::current_exe().ok()?.into_os_string().into_string().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_only_the_administrator_may_see_are_not_taken_for_none() {
        assert!(rules_may_be_loaded("xt_mark 16384 0 - Live 0x0\nnf_tables 311296 127 nft_compat, Live 0x0\n"));
        assert!(rules_may_be_loaded("iptable_filter 16384 1 - Live 0x0\n"));
        for none in ["", "nf_conntrack 172032 2 - Live 0x0\n"] {
            assert!(!rules_may_be_loaded(none), "{none}");
        }
    }

    #[test]
    fn rules_written_by_hand_are_left_to_whoever_wrote_them() {
        assert!(Firewall::Closed(firewalld::PROGRAM).can_allow());
        assert!(Firewall::Unknown(ufw::PROGRAM).can_allow());
        assert!(!Firewall::Open(firewalld::PROGRAM).can_allow());
        assert!(!Firewall::None.can_allow());
        assert_eq!(Firewall::Unknown(SYSTEM).can_allow(), !cfg!(target_os = "linux"));
    }
}
