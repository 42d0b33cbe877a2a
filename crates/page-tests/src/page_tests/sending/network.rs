//! A network that can be cut: what goes through passes unchanged until somebody cuts it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Result;

/// Bytes that are passed on at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// The way to a server on this machine.
pub(super) struct Network {
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Both ends of every connection that was made.
    open: Vec<TcpStream>,
    is_down: bool,
    /// Goes down once so many bytes have gone to the server.
    bytes_until_down: Option<usize>,
    /// How often it was cut.
    cuts: usize,
}

impl Network {
    /// A way to the server at `host`, as `127.0.0.1:8790`.
    pub(super) fn to(host: String) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = format!("http://{}/", listener.local_addr()?);
        let state = Arc::<Mutex<State>>::default();
        let own = Arc::clone(&state);
        // For as long as the process lives.
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                // A connection that cannot be made is one that is cut.
                let _ = connect(stream, &host, &own);
            }
        });
        Ok(Self { address, state })
    }

    /// The server's address, this way.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Ends all connections; new ones come about at once.
    pub(super) fn cut(&self) {
        locked(&self.state).cut();
    }

    /// Ends all connections and lets none come about.
    pub(super) fn take_down(&self) {
        let mut state = locked(&self.state);
        state.is_down = true;
        state.cut();
    }

    /// Lets connections come about again.
    pub(super) fn bring_up(&self) {
        locked(&self.state).is_down = false;
    }

    /// Goes down when so many more bytes have gone to the server.
    pub(super) fn take_down_after(&self, bytes: usize) {
        locked(&self.state).bytes_until_down = Some(bytes);
    }

    /// How often it was cut.
    pub(super) fn cuts(&self) -> usize {
        locked(&self.state).cuts
    }
}

impl State {
    fn cut(&mut self) {
        self.cuts += 1;
        for stream in self.open.drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Whether the piece may pass.
    fn pass(&mut self, bytes: usize) -> bool {
        let Some(left) = self.bytes_until_down else {
            return true;
        };
        if bytes <= left {
            self.bytes_until_down = Some(left - bytes);
            return true;
        }
        self.bytes_until_down = None;
        self.is_down = true;
        self.cut();
        false
    }
}

fn locked(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(page: TcpStream, host: &str, state: &Arc<Mutex<State>>) -> io::Result<()> {
    if locked(state).is_down {
        return page.shutdown(Shutdown::Both);
    }
    let server = TcpStream::connect(host)?;
    let ends = [page.try_clone()?, server.try_clone()?];
    locked(state).open.extend(ends);
    let (page_out, server_out) = (page.try_clone()?, server.try_clone()?);
    let own = Arc::clone(state);
    thread::spawn(move || pass_on(page, server_out, |bytes| locked(&own).pass(bytes)));
    thread::spawn(move || pass_on(server, page_out, |_| true));
    Ok(())
}

/// Until one side ends, or what comes may not pass.
fn pass_on(mut from: TcpStream, mut to: TcpStream, may_pass: impl Fn(usize) -> bool) {
    let mut piece = [0; PIECE_BYTES];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        let Some(piece) = piece.get(..length) else {
            break;
        };
        if !may_pass(length) || to.write_all(piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
