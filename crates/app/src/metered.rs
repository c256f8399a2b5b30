//! Whether the line to the Internet is metered: paid by what goes over it, as with a mobile phone.
//!
//! On Linux NetworkManager knows, by what the owner set for a network and by what phones say of themselves. Elsewhere nobody
//! is asked.

/// Whether this system can say it.
pub(crate) const IS_KNOWN: bool = cfg!(target_os = "linux");

#[cfg(target_os = "linux")]
pub(crate) use linux::Line;

/// Who is asked.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(crate) struct Line;

#[cfg(not(target_os = "linux"))]
impl Line {
    /// Nobody can be asked.
    pub(crate) async fn ask() -> Option<Self> {
        None
    }

    /// Not known.
    pub(crate) async fn is_metered(&self) -> Option<bool> {
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use zbus::{Connection, proxy, proxy::CacheProperties};

    #[proxy(
        interface = "org.freedesktop.NetworkManager",
        default_service = "org.freedesktop.NetworkManager",
        default_path = "/org/freedesktop/NetworkManager",
        gen_blocking = false
    )]
    trait NetworkManager {
        #[zbus(property)]
        fn metered(&self) -> zbus::Result<u32>;
    }

    /// `NM_METERED_YES` and `NM_METERED_GUESS_YES`.
    const METERED: [u32; 2] = [1, 3];

    /// NetworkManager.
    #[derive(Debug)]
    pub(crate) struct Line(NetworkManagerProxy<'static>);

    impl Line {
        /// `None`: there is no message bus of the system.
        pub(crate) async fn ask() -> Option<Self> {
            let connection = Connection::system().await.ok()?;
            // It may be started later, or again.
            let proxy = NetworkManagerProxy::builder(&connection).cache_properties(CacheProperties::No).build().await;
            proxy.ok().map(Self)
        }

        /// Whether it says so; `None`: it isn't running, or the message bus is another one now.
        pub(crate) async fn is_metered(&self) -> Option<bool> {
            self.0.metered().await.ok().map(|metered| METERED.contains(&metered))
        }
    }
}
