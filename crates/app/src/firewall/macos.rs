//! macOS: off as it comes, and when on, programs that are signed get through; else rules are for a program. Reading them
//! needs no rights; for a change the system asks for an administrator.

use super::{Firewall, SYSTEM, does_well, own_file};
use crate::program::{PATIENCE, run};

const TOOL: &str = "/usr/libexec/ApplicationFirewall/socketfilterfw";
/// The path comes as an argument, so that nothing in it is taken for a command.
const ALLOW: [&str; 3] = [
    "on run argv",
    "do shell script \"/usr/libexec/ApplicationFirewall/socketfilterfw --add \" & quoted form of item 1 of argv & \
     \" --unblockapp \" & quoted form of item 1 of argv with administrator privileges",
    "end run",
];

pub(super) async fn look() -> Firewall {
    let ask = async |arguments: &[&str]| {
        let output = run(TOOL, arguments, PATIENCE).await?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (Some(state), Some(program)) = (ask(&["--getglobalstate"]).await, own_file()) else {
        return Firewall::Unknown(SYSTEM);
    };
    read(&state, &ask(&["--getappblocked", &program]).await.unwrap_or_default())
}

fn read(state: &str, about_us: &str) -> Firewall {
    match () {
        () if state.contains("State = 0") => Firewall::None,
        () if about_us.contains("permitted") => Firewall::Open(SYSTEM),
        () if about_us.contains("blocked") => Firewall::Closed(SYSTEM),
        () => Firewall::Unknown(SYSTEM),
    }
}

pub(super) async fn allow() -> bool {
    let Some(program) = own_file() else { return false };
    let [begin, change, end] = ALLOW;
    does_well("/usr/bin/osascript", &["-e", begin, "-e", change, "-e", end, &program]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_its_tool_says_is_understood() {
        let off = "Firewall is disabled. (State = 0)\n";
        let on = "Firewall is enabled. (State = 1)\n";
        assert_eq!(read(off, ""), Firewall::None);
        assert_eq!(read(on, "Incoming connection to the application is permitted \n"), Firewall::Open(SYSTEM));
        assert_eq!(read(on, "Incoming connection to the application is blocked \n"), Firewall::Closed(SYSTEM));
        assert_eq!(read(on, "The application is not part of the firewall\n"), Firewall::Unknown(SYSTEM));
    }
}
