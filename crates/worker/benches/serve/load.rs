//! Listeners and requests.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::ask;

/// Connections that ask.
const CONNECTIONS: u32 = 10;

/// Threads that listen to an analysis to its end, and count its units as they are numbered.
pub(crate) fn listen(address: SocketAddr, id: &str, count: usize) -> Vec<JoinHandle<u64>> {
    let path = format!("/api/analyses/{id}/events");
    let listener = |_| {
        let path = path.clone();
        thread::spawn(move || count_units(ask(address, "GET", &path).start()))
    };
    (0..count).map(listener).collect()
}

/// Reads lines only, because what is timed is the server.
fn count_units(stream: TcpStream) -> u64 {
    let mut reader = BufReader::new(stream);
    let (mut line, mut heard) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut line).unwrap() > 0 {
        if let Some(id) = line.strip_prefix(b"id: ") {
            let id = String::from_utf8_lossy(id);
            let number = id.trim_end().rsplit('-').next().unwrap().parse::<u64>();
            heard += 1;
            assert_eq!(number, Ok(heard), "none is left out and none is told twice");
        }
        line.clear();
    }
    heard
}

/// How requests were answered.
#[derive(Default)]
pub(crate) struct Load {
    requests: usize,
    seconds: f64,
    median: Duration,
    slowest: Duration,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            requests,
            seconds,
            median,
            slowest,
        } = self;
        write!(
            f,
            "{requests} requests in {seconds:.1} s, no error; median {median:.1?}, slowest {slowest:.1?}"
        )
    }
}

/// Asks so often, for so long; an answer that is none ends the benchmark.
pub(crate) fn requests(address: SocketAddr, id: &str, per_second: u32, time: Duration) -> Load {
    let began = Instant::now();
    let asking: Vec<JoinHandle<Vec<Duration>>> = (0..CONNECTIONS)
        .map(|number| {
            let paths = [
                "/api/health".to_owned(),
                format!("/api/analyses/{id}"),
                "/api/analyses".to_owned(),
            ];
            let every = Duration::from_secs(1) * CONNECTIONS / per_second;
            thread::spawn(move || {
                ask_on(
                    address,
                    &paths,
                    every,
                    began + every * number / CONNECTIONS,
                    time,
                )
            })
        })
        .collect();
    let mut times: Vec<Duration> = asking
        .into_iter()
        .flat_map(|asking| asking.join().unwrap())
        .collect();
    times.sort();
    Load {
        requests: times.len(),
        seconds: began.elapsed().as_secs_f64(),
        median: times[times.len() / 2],
        slowest: *times.last().unwrap(),
    }
}

/// Asks over one connection, at times that do not wait for answers.
fn ask_on(
    address: SocketAddr,
    paths: &[String],
    every: Duration,
    began: Instant,
    time: Duration,
) -> Vec<Duration> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    let mut times = Vec::new();
    let mut next = began;
    for path in paths.iter().cycle() {
        if next > began + time {
            break;
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let asked = Instant::now();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())
            .unwrap();
        read_answer(&mut reader);
        times.push(asked.elapsed());
        next += every;
    }
    times
}

fn read_answer(reader: &mut BufReader<TcpStream>) {
    let mut length = 0;
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
}
