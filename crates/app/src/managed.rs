//! Whether an organisation manages this computer: then its administrators decide what is let through, and can be asked.

use crate::program::{PATIENCE, run};

/// The domain this computer belongs to: Active Directory or FreeIPA on Linux (realmd), Active Directory on Windows.
pub(crate) async fn domain() -> Option<String> {
    if cfg!(windows) {
        return first_line(&std::env::var("USERDNSDOMAIN").ok()?);
    }
    if !cfg!(target_os = "linux") {
        return None;
    }
    let output = run("realm", &["list", "--name-only"], PATIENCE).await?;
    first_line(&String::from_utf8_lossy(&output.stdout)).filter(|_| output.status.success())
}

fn first_line(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_domain_is_named_and_none_if_there_is_none() {
        assert_eq!(first_line("corp.example.org\nother.example\n").as_deref(), Some("corp.example.org"));
        assert_eq!(first_line("\n"), None);
    }
}
