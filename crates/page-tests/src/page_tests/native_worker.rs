//! A real `worker serve` for tests of the page, with a port and a data folder of its own.

use std::cell::RefCell;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::given::Given;
use crate::process;

/// How long a worker may take until it answers, or until it has ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long is waited between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// How a worker is started.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// Folders whose runs it sees.
    pub roots: Vec<PathBuf>,
    /// Origins of pages that may speak to it, other than the page that it serves.
    pub origins: Vec<String>,
    /// What it wants to be shown; none where that is nothing.
    pub token: Option<String>,
    /// Threads of one analysis; none for as many as it takes by itself.
    pub threads: Option<u64>,
    /// The hub that its environment names.
    pub hub: Option<String>,
    /// Further arguments.
    pub arguments: Vec<String>,
}

/// Starts workers, and keeps those that a test has no more use for until their page is closed: a
/// page that finds its worker gone while it still reads from it or asks it something says so in its
/// console.
#[derive(Clone)]
pub(crate) struct Workers {
    given: Given,
    left: Rc<RefCell<Vec<Running>>>,
}

impl Workers {
    /// None yet, of this program.
    pub(crate) fn of(given: &Given) -> Self {
        Self {
            given: given.clone(),
            left: Rc::default(),
        }
    }

    /// Starts one and waits until it answers.
    pub(super) fn start(&self, options: Options) -> Result<NativeWorker> {
        let mut worker = NativeWorker {
            program: self.given.worker.clone(),
            options,
            port: free_port()?,
            files: Rc::new(tempfile::tempdir()?),
            running: None,
            left: Rc::clone(&self.left),
        };
        worker.restart()?;
        Ok(worker)
    }

    /// What the tests were given.
    pub(super) fn given(&self) -> &Given {
        &self.given
    }

    /// Ends those that no test has any more.
    pub(super) fn end_left(&self) {
        self.left.take();
    }
}

/// A worker that runs until it is stopped, and for a page's sake longer than it is used.
pub(super) struct NativeWorker {
    program: PathBuf,
    options: Options,
    port: u16,
    /// Its jobs, and beside them what it says.
    files: Rc<TempDir>,
    running: Option<Running>,
    left: Rc<RefCell<Vec<Running>>>,
}

/// A process that ends at once when it is dropped, in the middle of whatever it does (SIGKILL).
struct Running {
    child: Child,
    /// What it works in.
    _files: Rc<TempDir>,
}

impl NativeWorker {
    /// Where it is, with a slash at the end.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Where it is as `host:port`.
    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its jobs and their results.
    pub(super) fn data_folder(&self) -> PathBuf {
        self.files.path().join("data")
    }

    /// Ends it as a machine that is shut down does, and waits until it has ended.
    pub(super) fn stop(&mut self) -> Result<()> {
        let Some(mut running) = self.running.take() else {
            return Ok(());
        };
        let id = running.child.id().to_string();
        process::run(Command::new("kill").args(["-TERM", &id]))?;
        let until = Instant::now() + PATIENCE;
        while running.child.try_wait()?.is_none() {
            if Instant::now() > until {
                bail!(
                    "the worker did not end when it was asked to: {}",
                    self.log()
                );
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Ends it at once, in the middle of whatever it does (SIGKILL).
    pub(super) fn kill(&mut self) {
        self.running = None;
    }

    /// Starts it again, at the same address and with the jobs it had.
    pub(super) fn restart(&mut self) -> Result<()> {
        ensure!(self.running.is_none(), "the worker runs already");
        let child = self.command()?.spawn().with_context(|| {
            let program = self.program.display();
            format!("cannot start {program}")
        })?;
        let mut running = Running {
            child,
            _files: Rc::clone(&self.files),
        };
        let until = Instant::now() + PATIENCE;
        let health = format!("{}api/health", self.address());
        while ureq::get(&health).call().is_err() {
            let ended = running.child.try_wait()?;
            if ended.is_some() || Instant::now() > until {
                bail!("the worker does not answer: {}", self.log());
            }
            thread::sleep(LOOK);
        }
        self.running = Some(running);
        Ok(())
    }

    /// The same, and it wants to be shown this from now on.
    pub(super) fn restart_with_token(&mut self, token: &str) -> Result<()> {
        self.options.token = Some(token.to_owned());
        self.restart()
    }

    /// What it answers to `GET api/PATH`.
    pub(super) fn get(&self, path: &str) -> Result<Value> {
        let text = self.text(path)?;
        serde_json::from_str(&text).with_context(|| format!("api/{path} is {text}"))
    }

    /// The same, as text.
    pub(super) fn text(&self, path: &str) -> Result<String> {
        let address = format!("{}api/{path}", self.address());
        let mut request = ureq::get(&address);
        if let Some(token) = &self.options.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call().with_context(|| address.clone())?;
        let body = answer.body_mut().with_config().limit(64 << 20);
        body.read_to_string().with_context(|| address)
    }

    /// Ends all of its analyses.
    pub(super) fn cancel_all(&self) -> Result<()> {
        let analyses = self.get("analyses")?;
        for analysis in analyses.as_array().into_iter().flatten() {
            let id = analysis["id"].as_str().unwrap_or_default();
            let mut request = ureq::delete(format!("{}api/analyses/{id}", self.address()));
            if let Some(token) = &self.options.token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            request.call()?;
        }
        Ok(())
    }

    /// What it has said so far.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.files.path().join("log")
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(["serve", "--addr", &self.host(), "--data-dir"]);
        command.arg(self.data_folder());
        for root in &self.options.roots {
            command.arg("--root").arg(root);
        }
        for origin in &self.options.origins {
            command.args(["--allow-origin", origin]);
        }
        if let Some(token) = &self.options.token {
            command.args(["--token", token]);
        }
        if let Some(threads) = self.options.threads {
            command.args(["--threads", &threads.to_string()]);
        }
        command.args(&self.options.arguments);
        command.envs(self.options.hub.as_ref().map(|hub| ("HF_ENDPOINT", hub)));
        // Whoever runs the tests may have a `.env`, and a cache of the Hub's.
        command.current_dir(self.files.path());
        command.env("HF_HOME", self.files.path().join("hub"));
        command.env_remove("HF_TOKEN");
        // Nothing of a test's is sent anywhere.
        command.env("WANDB_MODE", "offline");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())?;
        command.stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }
}

impl Drop for NativeWorker {
    fn drop(&mut self) {
        self.left.borrow_mut().extend(self.running.take());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
