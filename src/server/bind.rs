//! Opens listening sockets: TCP, shared by threads where there are several, and Unix.
//!
//! Accepts nothing. Invariant: what is in the way of a Unix socket is removed only if it is a socket on which nobody listens.

use super::Address;
use super::config::ServerConfig;
use http::HeaderValue;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Connections that the kernel completes for us while we are busy; it may cap this itself.
const BACKLOG: i32 = 4096;

/// How connections of a socket begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Plain,
    /// With what is told of HTTP/3 (RFC 7838), where there is any.
    Tls(Option<HeaderValue>),
}

/// A bound socket.
#[derive(Debug)]
pub(super) enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener, Arc<SocketFile>),
}

/// The file of a Unix socket. Removed when dropped, unless another has taken its place by then.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl SocketFile {
    /// From now on nobody finds the socket.
    pub(super) fn remove(&self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _gone = fs::remove_file(&self.path);
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Bound {
    /// For one more thread.
    pub(super) fn again(&self, share: bool) -> Result<Self> {
        match self {
            Self::Tcp(socket) => tcp(socket.local_addr()?, share).map(Self::Tcp),
            // Unix sockets cannot be bound twice: the threads accept from one.
            Self::Unix(socket, file) => Ok(Self::Unix(socket.try_clone()?, Arc::clone(file))),
        }
    }
}

/// Binds one address.
///
/// # Errors
/// It is taken, not ours, or privileged; the message names it.
pub(super) fn open(address: &Address, share: bool, config: &ServerConfig) -> Result<Bound> {
    let opened = match address {
        Address::Ip(address) => tcp(*address, share).map(Bound::Tcp),
        Address::Unix(path) => unix(path, config.unix_mode.0).map(|(socket, file)| Bound::Unix(socket, Arc::new(file))),
    };
    opened.map_err(|error| Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

fn tcp(address: SocketAddr, share: bool) -> Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if share {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn unix(path: &Path, mode: u32) -> Result<(UnixListener, SocketFile)> {
    clear(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let file = SocketFile { path: path.to_owned(), inode: fs::symlink_metadata(path)?.ino() };
    // Nobody can connect before `listen`: there is no moment with another mode.
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    socket.listen(BACKLOG)?;
    Ok((socket.into(), file))
}

/// Removes the socket that a server left which did not end in order.
fn clear(path: &Path) -> Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        return Err(Error::new(ErrorKind::AlreadyExists, "something is there that is no socket"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        // Its queue may be full: that too is somebody.
        Ok(_) | Err(_) => Err(Error::new(ErrorKind::AddrInUse, "another process listens there")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_socket_is_replaced_and_nothing_else_is() {
        let folder = testkit::Folder::new();
        let path = folder.root().join("tintype.sock");
        let (first, file) = unix(&path, 0o600).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(unix(&path, 0o600).unwrap_err().kind(), ErrorKind::AddrInUse, "somebody listens");
        drop(first);
        std::mem::forget(file);
        let (second, file) = unix(&path, 0o660).expect("nobody listens any more");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        drop((second, file));
        assert!(!path.exists(), "cleared away at the end");
        folder.put("tintype.sock", "a file");
        assert_eq!(unix(&path, 0o600).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"a file");
    }

    #[test]
    fn a_successors_file_stays() {
        let folder = testkit::Folder::new();
        let path = folder.root().join("tintype.sock");
        let (_first, file) = unix(&path, 0o600).unwrap();
        fs::remove_file(&path).unwrap();
        let (_second, _later) = unix(&path, 0o600).unwrap();
        drop(file);
        assert!(path.exists());
    }
}
