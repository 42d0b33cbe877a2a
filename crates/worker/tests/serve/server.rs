//! The server under test, and what every test asks of it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Ask, Event, PATIENCE, ask};
use crate::runs::{Scratch, Sizes};

/// A run that is soon analyzed.
pub(crate) const SMALL: Sizes = Sizes {
    layers: 2,
    steps: 4,
    width: 4,
};

/// A run that takes one thread some two seconds.
pub(crate) const SLOW: Sizes = Sizes {
    layers: 2,
    steps: 20,
    width: 320,
};

/// `worker serve` on a free port.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
    said: Arc<Mutex<String>>,
    ear: Option<JoinHandle<()>>,
}

impl Server {
    /// In a scratch folder that is its root, with its data in `data`.
    pub(crate) fn start(scratch: &Scratch, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        Self::of(command.args(arguments()).args(more), scratch.path())
    }

    /// Of a command that becomes `worker serve`.
    pub(crate) fn of(command: &mut Command, folder: &Path) -> Self {
        let mut child = command
            .current_dir(folder)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(String::new()));
        let mut address = None;
        for line in lines.by_ref().map(Result::unwrap) {
            said.lock().unwrap().push_str(&format!("{line}\n"));
            if let Some(rest) = line.strip_prefix("listening on http://") {
                address = Some(rest.trim_end_matches('/').parse().unwrap());
                break;
            }
        }
        let address =
            address.unwrap_or_else(|| panic!("it did not start: {}", said.lock().unwrap()));
        let heard = Arc::clone(&said);
        let ear = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                heard.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Self {
            address,
            child,
            said,
            ear: Some(ear),
        }
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        ask(self.address, method, path)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.ask("GET", path).send().expect(200).json()
    }

    /// The id of the only run.
    #[track_caller]
    pub(crate) fn run(&self) -> String {
        let runs = self.get("/api/runs");
        assert_eq!(runs.as_array().unwrap().len(), 1, "{runs}");
        runs[0]["id"].as_str().unwrap().to_owned()
    }

    /// Asks for an analysis of the only run.
    pub(crate) fn ask_for(&self, config: &str) -> Ask {
        let asked = json!({"source": {"root": self.run()}, "config": config});
        self.ask("POST", "/api/analyses").json(&asked)
    }

    /// Asks for one that is granted; gives its id.
    #[track_caller]
    pub(crate) fn analyze(&self, config: &str) -> String {
        let granted = self.ask_for(config).send().expect(201).json();
        granted["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn info(&self, id: &str) -> Value {
        self.get(&format!("/api/analyses/{id}"))
    }

    /// Waits until an analysis is so far.
    #[track_caller]
    pub(crate) fn wait_for(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let info = self.info(id);
            if is_so(&info) {
                return info;
            }
            assert!(began.elapsed() < PATIENCE, "{info}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until an analysis is in that phase; another end is none.
    #[track_caller]
    pub(crate) fn wait_for_phase(&self, id: &str, phase: &str) -> Value {
        let is_over = |info: &Value| {
            ["done", "failed", "cancelled"].contains(&info["phase"].as_str().unwrap())
        };
        let info = self.wait_for(id, |info| info["phase"] == phase || is_over(info));
        assert_eq!(info["phase"], phase, "{info}");
        info
    }

    /// All events of an analysis from the first.
    pub(crate) fn events(&self, id: &str) -> Vec<Event> {
        self.ask("GET", &format!("/api/analyses/{id}/events"))
            .events()
            .collect()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it as a person does, and gives all that it said.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        self.ear.take().unwrap().join().unwrap();
        let said = self.said.lock().unwrap().clone();
        (status, said)
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The arguments of every test's server.
pub(crate) fn arguments() -> [&'static str; 7] {
    [
        "serve",
        "--addr",
        "127.0.0.1:0",
        "--data-dir",
        "data",
        "--root",
        ".",
    ]
}

/// The results of an analysis, as the server keeps them.
pub(crate) fn results_folder(scratch: &Scratch, id: &str, name: &str) -> PathBuf {
    scratch.path().join("data/analyses").join(id).join(name)
}

/// The layers and steps of unit events, sorted.
pub(crate) fn units(events: &[Event]) -> Vec<(u64, u64)> {
    let of = |event: &Event, name: &str| event.data["progress"][name].as_u64().unwrap();
    let units = events.iter().filter(|event| event.name == "unit");
    let mut units: Vec<_> = units
        .map(|event| (of(event, "layer"), of(event, "step")))
        .collect();
    units.sort_unstable();
    units
}
