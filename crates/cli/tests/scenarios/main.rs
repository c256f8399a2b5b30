//! `tandem` as people and scripts use it: the real program, real folders, real links on the loopback network.

mod bad_input;
mod computer;
mod deciding;
mod everyday;
mod joining;
mod pages;
mod start;
