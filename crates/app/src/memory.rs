//! Memory that a long run needed goes back to the system.

/// Gives back what the allocator keeps for the next time. glibc does so by itself only with what lies at the end of an
/// area, and after a first copy something in use lies behind nearly all of it. Other systems' allocators give back unasked.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes no pointer, and every thread may call it at any time (malloc_trim(3)).
    #[expect(unsafe_code, reason = "no library wraps it")]
    unsafe {
        libc::malloc_trim(0);
    }
}
