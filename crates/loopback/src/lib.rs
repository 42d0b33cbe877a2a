//! A small HTTP/1.1 server on a port of this machine, for the demo and for tests: a thread per
//! connection, one request after the other, for as long as the process lives.

mod folder;
mod request;
mod response;

use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

pub use folder::Served;
pub use request::{HttpRequest, part_of};
pub use response::{Delivery, HttpResponse};

/// A port of this machine, on which nothing is answered yet: answers may name its address.
pub struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Takes a port; 0 for a free one.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn take(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers every request on threads of its own. Requests of more than `limit_bytes` are cut off
    /// there.
    pub fn answer<A>(self, limit_bytes: u64, answer: A)
    where
        A: Fn(&HttpRequest) -> HttpResponse + Send + Sync + 'static,
    {
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in self.listener.incoming().filter_map(Result::ok) {
                let answer = Arc::clone(&answer);
                // A visitor who went away is not our trouble.
                thread::spawn(move || converse(&stream, limit_bytes, &*answer));
            }
        });
    }
}

fn converse(
    mut stream: &TcpStream,
    limit_bytes: u64,
    answer: &dyn Fn(&HttpRequest) -> HttpResponse,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = HttpRequest::read(&mut reader, limit_bytes)? {
        let response = answer(&request);
        let delivery = response.delivery();
        response.write(&mut stream, request.method == "HEAD")?;
        stream.flush()?;
        match delivery {
            Delivery::Whole => {}
            Delivery::Cut | Delivery::HangUp => return Ok(()),
            Delivery::Stall | Delivery::Silence => {
                return io::copy(&mut reader, &mut io::sink()).map(drop);
            }
        }
    }
    Ok(())
}

/// Reads from a part of something: `length` bytes.
fn limited(source: impl Read + Send + 'static, length: u64) -> Box<dyn Read + Send> {
    Box::new(source.take(length))
}
