//! Where the channel listens: a Unix socket, or a named pipe on Windows. The profile's `control` file tells.

use crate::{
    private_file,
    profile::{Profile, ProfileLock},
};
use std::{fs, io};

pub(super) use system::{Connection, Listener};

/// No address is longer, in bytes.
const ADDRESS_BYTES_MAX: u64 = 4096;

impl Listener {
    /// Listens for the profile and says where. What an instance that crashed left behind is removed; only the holder of the
    /// lock can tell that it is of no more use.
    pub(super) fn bind(lock: &ProfileLock) -> io::Result<Self> {
        let profile = lock.profile();
        if let Some(stale) = address(profile)? {
            system::remove(&stale)?;
        }
        let (listener, address) = Self::new(profile)?;
        private_file::replace(&profile.control_address_file(), address.as_bytes())?;
        Ok(listener)
    }
}

/// Connects to the instance running with the profile. `None`: none is running.
pub(super) async fn connect(profile: &Profile) -> io::Result<Option<Connection>> {
    let Some(address) = address(profile)? else { return Ok(None) };
    match system::connect(&address).await {
        Ok(connection) => Ok(Some(connection)),
        // The file or the socket can outlive the instance that made it.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says that nobody listens any more.
pub(super) fn forget(profile: &Profile) {
    if let Ok(Some(address)) = address(profile) {
        // Whatever stays is removed by the next instance.
        let _ = system::remove(&address);
    }
    let _ = fs::remove_file(profile.control_address_file());
}

fn address(profile: &Profile) -> io::Result<Option<String>> {
    match private_file::read(&profile.control_address_file(), ADDRESS_BYTES_MAX) {
        Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn random_name() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("tandem-{digits}")
}

#[cfg(unix)]
mod system {
    use super::{Profile, random_name};
    use std::{
        env, fs, io,
        os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
        path::{Path, PathBuf},
    };
    use tokio::net::{UnixListener, UnixStream};

    /// Systems allow 104 (macOS) or 108 (Linux) bytes with the terminating zero.
    const PATH_BYTES_MAX: usize = 100;

    pub(in crate::control) type Connection = UnixStream;

    #[derive(Debug)]
    pub(in crate::control) struct Listener {
        listener: UnixListener,
        /// Our own user: callers must be the same.
        user: u32,
    }

    impl Listener {
        pub(super) fn new(profile: &Profile) -> io::Result<(Self, String)> {
            let path = path_for(profile)?;
            let listener = UnixListener::bind(&path)?;
            // Until here the folder alone keeps others out; it is the owner's own.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            let user = fs::metadata(&path)?.uid();
            let address = path.to_str().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
            Ok((Self { listener, user }, address))
        }

        /// The next caller of our own user. Others are turned away without a word.
        pub(in crate::control) async fn accept(&mut self) -> io::Result<Connection> {
            loop {
                let (connection, _) = self.listener.accept().await?;
                if connection.peer_cred().is_ok_and(|caller| caller.uid() == self.user) {
                    return Ok(connection);
                }
                tracing::warn!("a program of another user tried to use the control channel");
            }
        }
    }

    pub(super) async fn connect(address: &str) -> io::Result<Connection> {
        Connection::connect(address).await
    }

    pub(super) fn remove(address: &str) -> io::Result<()> {
        let path = Path::new(address);
        remove_socket(path)?;
        // A folder made for one socket goes with it; any other isn't empty or isn't ours to remove.
        if let Some(folder) = path.parent().filter(|folder| is_made_for_one_socket(folder)) {
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }

    /// In the profile; where that path is too long or no text, under a random name in the user's own runtime folder, else in
    /// a folder of its own for temporary files.
    fn path_for(profile: &Profile) -> io::Result<PathBuf> {
        let usual = profile.control_socket();
        if fits(&usual) {
            // An instance can stop between making the socket and writing down its address.
            remove_socket(&usual)?;
            return Ok(usual);
        }
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join(random_name()));
        if let Some(path) = runtime.filter(|path| fits(path) && is_private(path)) {
            return Ok(path);
        }
        // The folder is made for the owner alone, under a name nobody could foresee.
        let folder = tempfile::Builder::new().prefix("tandem-").tempdir()?.keep();
        Ok(folder.join("control.sock"))
    }

    /// Removes a socket. Anything else at this path was put there by someone else and stays.
    fn remove_socket(path: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.file_type().is_socket() => fs::remove_file(path),
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn fits(path: &Path) -> bool {
        path.to_str().is_some_and(|path| path.len() <= PATH_BYTES_MAX)
    }

    fn is_private(path: &Path) -> bool {
        path.parent().and_then(|folder| fs::metadata(folder).ok()).is_some_and(|folder| folder.mode() & 0o077 == 0)
    }

    fn is_made_for_one_socket(folder: &Path) -> bool {
        folder.parent() == Some(&env::temp_dir())
            && folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"tandem-"))
    }
}

#[cfg(windows)]
mod system {
    use super::{Profile, random_name};
    use std::{
        io,
        pin::Pin,
        task::{Context, Poll},
        time::Duration,
    };
    use tokio::{
        io::{AsyncRead, AsyncWrite, ReadBuf},
        net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions},
    };

    /// All instances of the pipe are taken: the listener makes the next one in a moment.
    const ERROR_PIPE_BUSY: i32 = 231;

    /// Either end of a pipe.
    #[derive(Debug)]
    pub(in crate::control) enum Connection {
        Client(NamedPipeClient),
        Server(NamedPipeServer),
    }

    #[derive(Debug)]
    pub(in crate::control) struct Listener {
        name: String,
        /// The instance the next caller gets. There is always one, so that the name stays ours.
        next: NamedPipeServer,
    }

    impl Listener {
        /// The system's own rule for new pipes gives writing to their maker, to administrators and to the system only; a
        /// caller that can't write can't ask for anything. Nobody can have taken the name before: it is random, and
        /// being the first to use it is asked for.
        pub(super) fn new(_: &Profile) -> io::Result<(Self, String)> {
            let name = format!(r"\\.\pipe\{}", random_name());
            let next = ServerOptions::new().first_pipe_instance(true).create(&name)?;
            Ok((Self { name: name.clone(), next }, name))
        }

        pub(in crate::control) async fn accept(&mut self) -> io::Result<Connection> {
            let connected = self.next.connect().await;
            // Also after a caller that came and went at once: its instance is of no more use.
            let next = ServerOptions::new().create(&self.name)?;
            let pipe = std::mem::replace(&mut self.next, next);
            connected.map(|()| Connection::Server(pipe))
        }
    }

    pub(super) async fn connect(address: &str) -> io::Result<Connection> {
        loop {
            match ClientOptions::new().open(address) {
                Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => return outcome.map(Connection::Client),
            }
        }
    }

    /// A pipe goes with the process that made it.
    pub(super) fn remove(_: &str) -> io::Result<()> {
        Ok(())
    }

    macro_rules! either {
        ($this:expr, $pipe:ident => $call:expr) => {
            match $this.get_mut() {
                Connection::Client($pipe) => $call,
                Connection::Server($pipe) => $call,
            }
        };
    }

    impl AsyncRead for Connection {
        fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            either!(self, pipe => Pin::new(pipe).poll_read(cx, buffer))
        }
    }

    impl AsyncWrite for Connection {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            either!(self, pipe => Pin::new(pipe).poll_write(cx, bytes))
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            either!(self, pipe => Pin::new(pipe).poll_flush(cx))
        }

        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            either!(self, pipe => Pin::new(pipe).poll_shutdown(cx))
        }
    }
}
