//! What this computer's own firewall does with calls to a port, as far as anybody may ask it.
//!
//! Reading is all that happens here. Opening a port is a decision of the computer's owner; the message that names the
//! firewall says how.

use std::{fs, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// What is known of the firewall. The program is the name of the tool that changes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Firewall {
    /// None that we know is at work.
    None,
    /// It lets calls to the port in.
    Open,
    /// It drops them.
    Closed(&'static str),
    /// One is at work, and only an administrator may ask it for its rules.
    Unknown(&'static str),
}

/// Asking a service of the own computer takes no longer, or it isn't there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the firewalls this system may have.
pub(crate) async fn look(port: u16) -> Firewall {
    if !cfg!(target_os = "linux") {
        return Firewall::Unknown("system");
    }
    if let Some(is_open) = firewalld_lets_in(port).await {
        return if is_open { Firewall::Open } else { Firewall::Closed("firewalld") };
    }
    if ufw_is_on(&fs::read_to_string("/etc/ufw/ufw.conf").unwrap_or_default()) {
        return Firewall::Unknown("ufw");
    }
    match rules_may_be_loaded(&fs::read_to_string("/proc/modules").unwrap_or_default()) {
        true => Firewall::Unknown("system"),
        false => Firewall::None,
    }
}

/// Whether the kernel has loaded what filters packets, for whomever: which rules there are, it tells the administrator only.
fn rules_may_be_loaded(modules: &str) -> bool {
    let mut loaded = modules.lines().filter_map(|line| line.split_whitespace().next());
    loaded.any(|module| ["nf_tables", "iptable_filter", "ip6table_filter"].contains(&module))
}

/// Asks firewalld, which answers everybody. `None`: it isn't running.
async fn firewalld_lets_in(port: u16) -> Option<bool> {
    let ask = async |question: &str| {
        let mut command = Command::new("firewall-cmd");
        command.arg(question).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        timeout(PATIENCE, command.status()).await.ok()?.ok()?.code()
    };
    if ask("--state").await? != 0 {
        return None;
    }
    match ask(&format!("--query-port={port}/udp")).await? {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    }
}

/// Its configuration says whether it is on; its rules are for the administrator only.
fn ufw_is_on(configuration: &str) -> bool {
    configuration.lines().any(|line| line.trim().eq_ignore_ascii_case("enabled=yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ufw_is_on_when_its_configuration_says_so() {
        assert!(ufw_is_on("# comment\nENABLED=yes\nLOGLEVEL=low\n"));
        for off in ["", "ENABLED=no\n", "#ENABLED=yes\n"] {
            assert!(!ufw_is_on(off), "{off}");
        }
    }

    #[test]
    fn rules_that_only_the_administrator_may_see_are_not_taken_for_none() {
        assert!(rules_may_be_loaded("xt_mark 16384 0 - Live 0x0\nnf_tables 311296 127 nft_compat, Live 0x0\n"));
        assert!(rules_may_be_loaded("iptable_filter 16384 1 - Live 0x0\n"));
        for none in ["", "nf_conntrack 172032 2 - Live 0x0\n"] {
            assert!(!rules_may_be_loaded(none), "{none}");
        }
    }
}
