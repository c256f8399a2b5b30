//! ufw: Ubuntu, Debian. Whether it is on, everybody may read; its rules are for the administrator. It lets multicast DNS in
//! as it comes.

use super::{Firewall, does_well};
use std::fs;

pub(super) const PROGRAM: &str = "ufw";
const CONFIGURATION: &str = "/etc/ufw/ufw.conf";
const RULES: &str = "/etc/ufw/user.rules";
const DEFAULTS: &str = "/etc/default/ufw";

/// `None`: it isn't there, or off.
pub(super) fn look(port: u16) -> Option<Firewall> {
    if !is_on(&fs::read_to_string(CONFIGURATION).unwrap_or_default()) {
        return None;
    }
    if accepts_all(&fs::read_to_string(DEFAULTS).unwrap_or_default()) {
        return Some(Firewall::Open(PROGRAM));
    }
    Some(match fs::read_to_string(RULES) {
        Ok(rules) if lets_in(&rules, port) => Firewall::Open(PROGRAM),
        Ok(_) => Firewall::Closed(PROGRAM),
        Err(_) => Firewall::Unknown(PROGRAM),
    })
}

pub(super) async fn allow(port: u16) -> bool {
    let rule = ["ufw", "allow", &format!("{port}/udp"), "comment", "Tandem"];
    if fs::read_to_string(RULES).is_ok() {
        does_well(rule[0], &rule[1..]).await
    } else {
        does_well("pkexec", &rule).await
    }
}

fn is_on(configuration: &str) -> bool {
    configuration.lines().any(|line| line.trim().eq_ignore_ascii_case("enabled=yes"))
}

fn accepts_all(defaults: &str) -> bool {
    let is_it = |line: &str| line.trim().replace('"', "").eq_ignore_ascii_case("default_input_policy=accept");
    defaults.lines().any(is_it)
}

/// Its rules are those of iptables.
fn lets_in(rules: &str, port: u16) -> bool {
    rules.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let value = |option: &str| words.iter().skip_while(|word| **word != option).nth(1).copied();
        let is_for_all = !words.contains(&"-s") && !words.contains(&"-i");
        value("-A") == Some("ufw-user-input")
            && value("-j") == Some("ACCEPT")
            && value("-p").is_none_or(|protocol| protocol == "udp")
            && is_for_all
            && value("--dport").or(value("--dports")).is_none_or(|ports| holds(ports, port))
    })
}

/// Whether a port is one of these: `1,5,20000:60000`.
fn holds(ports: &str, port: u16) -> bool {
    ports.split(',').any(|part| {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let number = |text: &str| text.parse::<u16>().ok();
        number(first).is_some_and(|first| first <= port) && number(last).is_some_and(|last| port <= last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_on_when_its_configuration_says_so() {
        assert!(is_on("# comment\nENABLED=yes\nLOGLEVEL=low\n"));
        for off in ["", "ENABLED=no\n", "#ENABLED=yes\n"] {
            assert!(!is_on(off), "{off}");
        }
    }

    #[test]
    fn who_lets_everybody_in_lets_us_in() {
        assert!(accepts_all("IPV6=yes\nDEFAULT_INPUT_POLICY=\"ACCEPT\"\n"));
        assert!(!accepts_all("DEFAULT_INPUT_POLICY=\"DROP\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\n"));
    }

    #[test]
    fn its_rules_tell_whether_a_port_is_open_to_all() {
        let open = |rule: &str| lets_in(&format!("*filter\n### tuple ###\n{rule}\nCOMMIT\n"), 41_234);
        assert!(open("-A ufw-user-input -p udp --dport 41234 -j ACCEPT"));
        assert!(open("-A ufw-user-input -p udp -m multiport --dports 5353,20000:60000 -j ACCEPT"));
        assert!(open("-A ufw-user-input -j ACCEPT"));
        for closed in [
            "",
            "-A ufw-user-input -p tcp --dport 41234 -j ACCEPT",
            "-A ufw-user-input -p udp --dport 41235 -j ACCEPT",
            "-A ufw-user-input -p udp --dport 41234 -j DROP",
            "-A ufw-user-input -p udp --dport 41234 -s 10.0.0.7 -j ACCEPT",
            "-A ufw-user-output -p udp --dport 41234 -j ACCEPT",
        ] {
            assert!(!open(closed), "{closed}");
        }
    }
}
