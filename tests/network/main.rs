//! Computers in networks of their own: real programs in Linux network namespaces, behind real bridges, routers and
//! firewalls. Needs root, `ip`, and what each story names; elsewhere a story says what is missing and is skipped, unless
//! `TANDEM_LABS_REQUIRED` is set, as `.ci/run` does.
//!
//! | file | story |
//! |---|---|
//! | `lab.rs` | namespaces, cables, programs in them |
//! | `computer.rs` | a computer with a profile, data and `tandem` |
//! | `directory.rs` | a directory, and nothing else that leads one computer to the other |
//! | `firewall.rs` | the server's own firewall: firewalld, ufw |
//! | `ladder.rs` | the connection check, with one thing after the other in the way |
//! | `lan.rs` | only a switch: no router, no Internet |
//! | `packets.rs` | what goes over a computer's lines, and that strangers get nothing |
//! | `roaming.rs` | a house and the Internet: leaving it, and the switch that keeps everything at home |
//! | `router.rs` | a home router that opens the way, or doesn't |
//! | `routers.rs` | both computers behind routers that don't: rendezvous, hole punching |
//! | `relay.rs` | where not even that opens a way: a relay |
//! | `waking.rs` | computers that were asleep |

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests say what they expect")]

mod computer;
mod directory;
mod firewall;
mod lab;
mod ladder;
mod lan;
mod packets;
mod relay;
mod roaming;
mod router;
mod routers;
mod waking;
