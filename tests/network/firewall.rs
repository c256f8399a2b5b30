//! The firewall of the server's own computer: a real firewalld, a real ufw. Who is kept out gets in once the owner says so,
//! and where he doesn't, everything else goes on.

use crate::{
    computer::Computer,
    lab::{Lab, Program, until},
    ladder::{Rungs, stops},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Two computers at one switch.
const NEIGHBOURS: [(&str, u8); 2] = [("office", 2), ("laptop", 3)];

/// A firewalld with a bus of its own, as a system has one.
struct Firewalld<'a> {
    lab: &'a Lab,
    folder: tempfile::TempDir,
    _running: Vec<Program>,
}

const BUS: &str = "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"
 \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">
<busconfig><type>system</type><listen>unix:path=FOLDER/bus</listen><auth>EXTERNAL</auth>
<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/><allow send_destination=\"*\" eavesdrop=\"true\"/>
<allow eavesdrop=\"true\"/></policy></busconfig>
";

impl<'a> Firewalld<'a> {
    fn start(lab: &'a Lab) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Other users reach the bus, too.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("bus.conf"), BUS.replace("FOLDER", &folder.path().display().to_string())).unwrap();
        let bus = lab.stay("office", &["dbus-daemon", &format!("--config-file={}", path("bus.conf")), "--nofork"]);
        until("the bus is there", || Path::new(&path("bus")).exists().then_some(()));
        let words = ["firewalld", "--nofork", "--nopid", "--system-config", &path("conf"), "--log-file", &path("log")];
        let mut firewalld = lab.command("office", &words);
        firewalld.env("DBUS_SYSTEM_BUS_ADDRESS", bus_address(folder.path()));
        let firewalld = firewalld.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Self { lab, folder, _running: vec![Program(firewalld), bus] };
        until("firewalld is there", || started.tool(&["--state"]).then_some(()));
        started
    }

    /// Whether its tool does well, as the administrator uses it.
    fn tool(&self, words: &[&str]) -> bool {
        let mut tool = self.lab.command("office", &[&["firewall-cmd"], words].concat());
        tool.env("DBUS_SYSTEM_BUS_ADDRESS", bus_address(self.folder.path())).stdin(Stdio::null());
        tool.output().unwrap().status.success()
    }

    fn bus(&self) -> (&'static str, String) {
        ("DBUS_SYSTEM_BUS_ADDRESS", bus_address(self.folder.path()))
    }
}

fn bus_address(folder: &Path) -> String {
    format!("unix:path={}", folder.join("bus").display())
}

/// A server that keeps its neighbour out, until its owner says otherwise.
fn is_opened(office: &Computer<'_>, laptop: &Computer<'_>, program: &str) {
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &[]);
    let _serving = office.stay(&["serve"]);
    stops(office, "local-firewall", "N23");
    let looked = office.tandem(&["firewall"]);
    assert_eq!((looked.json()["state"].as_str(), looked.json()["program"].as_str()), (Some("closed"), Some(program)));
    assert!(looked.exit != 0 && looked.json()["canAllow"] == true, "{looked:?}");
    let file = office.path("office.tandem").display().to_string();
    office.tandem(&["invite", "--out", &file]).went_well();
    let kept_out = laptop.join(&[&file]);
    assert!(kept_out.stdout.contains("N04"), "{kept_out:?}");

    let allowed = office.tandem(&["firewall", "allow"]).went_well().json();
    assert_eq!((allowed["state"].as_str(), allowed["problem"].is_null()), (Some("open"), true), "{allowed}");
    assert_eq!(Rungs::of(office).get("local-firewall"), ("ok", ""));
    laptop.join(&["--lan", "Office PC"]).went_well();
    assert!(laptop.has("notes/Ideas/one.txt"));
    // Once more does no harm.
    office.tandem(&["firewall", "allow"]).went_well();
}

#[test]
fn a_firewalld_that_keeps_everybody_out_is_opened_when_the_owner_says_so() {
    let Some(lab) = Lab::switched(&NEIGHBOURS, &["firewalld", "firewall-cmd", "dbus-daemon"]) else { return };
    let firewalld = Firewalld::start(&lab);
    let office = Computer::new(&lab, "office").with(firewalld.bus());
    is_opened(&office, &Computer::new(&lab, "laptop"), "firewalld");
    let zone = fs::read_to_string(firewalld.folder.path().join("conf/zones/public.xml")).unwrap();
    assert!(zone.contains("protocol=\"udp\"") && zone.contains("mdns"), "also after the next start: {zone}");
}

/// The folder that stands for `/etc/ufw` and `/etc/default` on one computer of a lab (ip-netns(8)).
struct Etc(PathBuf);

impl Drop for Etc {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        // Only if nobody else has something there.
        let _ = fs::remove_dir(self.0.parent().unwrap());
    }
}

#[test]
fn a_ufw_that_keeps_everybody_out_is_opened_when_the_owner_says_so() {
    let Some(lab) = Lab::switched(&NEIGHBOURS, &["ufw"]) else { return };
    let etc = Etc(Path::new("/etc/netns").join(lab.namespace("office")));
    for part in ["ufw", "default"] {
        fs::create_dir_all(&etc.0).unwrap();
        let copied = Command::new("cp").arg("-a").arg(Path::new("/etc").join(part)).arg(&etc.0).status().unwrap();
        assert!(copied.success());
    }
    lab.run("office", &["ufw", "--force", "enable"]);
    let (office, laptop) = (Computer::new(&lab, "office"), Computer::new(&lab, "laptop"));
    is_opened(&office, &laptop, "ufw");
    assert!(lab.run("office", &["ufw", "status"]).contains("Tandem"), "the rule says whose it is");
}

#[test]
fn where_nobody_confirms_the_change_the_firewall_stays_and_the_own_network_goes_on() {
    let Some(lab) = Lab::switched(&NEIGHBOURS, &["firewalld", "firewall-cmd", "dbus-daemon", "setpriv"]) else {
        return;
    };
    let firewalld = Firewalld::start(&lab);
    // The owner trusts the own network; everything else is shut.
    assert!(firewalld.tool(&["--zone=trusted", "--add-interface=eth0"]));
    let office = Computer::new(&lab, "office").with(firewalld.bus()).with_user();
    let laptop = Computer::new(&lab, "laptop");
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &[]);
    let _serving = office.stay(&["serve"]);
    laptop.join(&["--lan", "Office PC"]).went_well();
    let _running = laptop.stay(&["run"]);

    let declined = office.tandem(&["firewall", "allow"]);
    assert!(declined.exit != 0 && declined.json()["problem"]["code"] == "N41", "{declined:?}");
    let command = declined.json()["problem"]["command"].as_str().unwrap().to_owned();
    assert!(command.starts_with("sudo firewall-cmd"), "it can be done by hand: {command}");
    office.write("notes/Ideas/two.txt", "two\n");
    until("a change is here", || laptop.has("notes/Ideas/two.txt").then_some(()));
}
