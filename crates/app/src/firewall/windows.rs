//! Windows: rules are for a program, not for a port. Reading them needs no rights; a change is made by an elevated
//! PowerShell, for which Windows asks once.

use super::{Firewall, SYSTEM, does_well, own_file};
use crate::program::{PATIENCE, run};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

const POWERSHELL: &str = "powershell.exe";

/// One word: `none`, `open` or `closed`. Who dismissed the system's first question left rules that block, and those win.
const LOOK: &str =
    "if (-not (Get-NetFirewallProfile -PolicyStore ActiveStore | Where-Object Enabled -eq 'True')) { 'none'; exit }
$rules = Get-NetFirewallApplicationFilter -PolicyStore ActiveStore -Program $program -ErrorAction SilentlyContinue |
  Get-NetFirewallRule | Where-Object { $_.Enabled -eq 'True' -and $_.Direction -eq 'Inbound' }
if ($rules | Where-Object Action -eq 'Block') { 'closed' }
elseif ($rules | Where-Object Action -eq 'Allow') { 'open' } else { 'closed' }";

/// In networks that somebody called their own; in public ones the system's own answer stays.
const ALLOW: &str = "$ErrorActionPreference = 'Stop'
Get-NetFirewallApplicationFilter -Program $program -ErrorAction SilentlyContinue |
  Get-NetFirewallRule | Where-Object { $_.Direction -eq 'Inbound' } | Remove-NetFirewallRule
New-NetFirewallRule -DisplayName 'Tandem' -Program $program -Direction Inbound -Protocol UDP -Action Allow `
  -Profile Private, Domain -EdgeTraversalPolicy Allow";

pub(super) async fn look() -> Firewall {
    let Some(program) = own_file() else { return Firewall::Unknown(SYSTEM) };
    let output = run(POWERSHELL, &asking(&script(&program, LOOK)), 3 * PATIENCE).await;
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match said.as_deref() {
        Some("none") => Firewall::None,
        Some("open") => Firewall::Open(SYSTEM),
        Some("closed") => Firewall::Closed(SYSTEM),
        _ => Firewall::Unknown(SYSTEM),
    }
}

pub(super) async fn allow() -> bool {
    let Some(program) = own_file() else { return false };
    let elevated = format!(
        "$done = Start-Process {POWERSHELL} -Verb RunAs -WindowStyle Hidden -Wait -PassThru \
         -ArgumentList '-NoProfile', '-NonInteractive', '-EncodedCommand', '{}'; exit $done.ExitCode",
        encoded(&script(&program, ALLOW))
    );
    does_well(POWERSHELL, &asking(&elevated)).await
}

fn asking(script: &str) -> [&str; 4] {
    ["-NoProfile", "-NonInteractive", "-Command", script]
}

/// A script about a program, whatever characters its path has.
fn script(program: &str, script: &str) -> String {
    format!("$program = '{}'\n{script}", program.replace('\'', "''"))
}

/// As `-EncodedCommand` takes it.
fn encoded(script: &str) -> String {
    BASE64.encode(script.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_a_path_whatever_it_is_called() {
        let path = r"C:\Users\O'Hara; exit\tandem.exe";
        assert!(script(path, LOOK).starts_with("$program = 'C:\\Users\\O''Hara; exit\\tandem.exe'\n"));
        assert_eq!(encoded("a'ä"), "YQAnAOQA");
    }
}
