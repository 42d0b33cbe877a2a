//! Connections: how many there may be, and how long each may hesitate.
//!
//! Connections, heads, bodies and unread answers have limits of number and time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep};

/// Connections at a time, at most; who comes then waits until one ends.
const MOST_CONNECTIONS: usize = 1024;

/// The fewest, however few files there may be.
const FEWEST_CONNECTIONS: usize = 16;

/// Files that one connection may have open: itself, and what is sent over it.
const FILES_OF_CONNECTION: u64 = 2;

/// Files that everything else may have open.
const OTHER_FILES: u64 = 256;

/// What a connection may hold of a request's head.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long answers under way may take when the server ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long to wait after a connection could not be taken, which is when files run out.
const PAUSE: Duration = Duration::from_millis(50);

/// Answers whoever connects and hesitates no longer than `patience` over a head, without a
/// question, or over taking what is sent; until `closing` says so; then what is under way is ended.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Duration,
    mut closing: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(connections()));
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            Some((listener.accept().await, place))
        };
        let closed = closing.wait_for(|is_closing| *is_closing);
        let next = futures_util::future::select(Box::pin(accepted), Box::pin(closed));
        let futures_util::future::Either::Left((Some((accepted, place)), _)) = next.await else {
            break;
        };
        let Ok((stream, _)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(Hasty::of(stream, patience)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Whoever went away, or said what is no HTTP, needs no answer.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
}

/// How many there may be, with as many files as this program is given.
fn connections() -> usize {
    let wanted = MOST_CONNECTIONS as u64 * FILES_OF_CONNECTION + OTHER_FILES;
    // Not every system counts them.
    let files = rlimit::increase_nofile_limit(wanted).unwrap_or(wanted);
    let rest = files.saturating_sub(OTHER_FILES) / FILES_OF_CONNECTION;
    usize::try_from(rest)
        .unwrap_or(MOST_CONNECTIONS)
        .clamp(FEWEST_CONNECTIONS, MOST_CONNECTIONS)
}

/// A connection that ends where who asked takes nothing for long.
struct Hasty {
    stream: TcpStream,
    patience: Duration,
    /// When it ends, if it is stalled.
    end: Pin<Box<Sleep>>,
    is_stalled: bool,
}

impl Hasty {
    fn of(stream: TcpStream, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            end: Box::pin(sleep(patience)),
            is_stalled: false,
        }
    }

    /// Passes on what a write came to; one that waits for long fails.
    fn judge<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_stalled = false;
            return written;
        }
        if !self.is_stalled {
            self.is_stalled = true;
            let end = Instant::now() + self.patience;
            self.end.as_mut().reset(end);
        }
        ready!(self.end.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Hasty {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Hasty {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.judge(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
