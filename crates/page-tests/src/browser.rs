//! A browser driven through chromedriver (<https://www.w3.org/TR/webdriver2/>).

mod audit;
mod downloads;
mod input;
mod memory;
mod strangers;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use base64::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::given::Given;
use crate::process;
pub(crate) use downloads::wait_for_download;
pub(crate) use input::Point;
use strangers::Strangers;

/// Flags with which Chromium runs without a screen, without a sandbox (tests may run as root) and
/// without calling home.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-domain-reliability",
    "--disable-sync",
    "--allow-browser-signin=false",
    "--disable-features=AutofillServerCommunication,NetworkTimeServiceQuerying,OptimizationHints,MediaRouter,Translate",
    "--hide-scrollbars",
];

/// One open tab. The browser ends with the value.
pub(crate) struct Tab {
    driver: Child,
    session: String,
    /// The browser's process.
    process: Option<u64>,
    strangers: Strangers,
    /// The browser's own files, which it would leave behind.
    _files: TempDir,
}

/// What the page is shown on.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Whether the visitor prefers dark colours.
    pub dark: bool,
}

impl Tab {
    /// Starts chromedriver and through it a browser with an empty profile.
    pub(crate) fn open(given: &Given) -> Result<Self> {
        Self::open_with(given, &[])
    }

    /// The same with a profile that may outlive it.
    pub(crate) fn open_in(given: &Given, profile: &Path) -> Result<Self> {
        let flag = format!("--user-data-dir={}", profile.display());
        Self::open_with(given, &[&flag])
    }

    fn open_with(given: &Given, more: &[&str]) -> Result<Self> {
        let strangers = Strangers::watch()?;
        let files = tempfile::tempdir()?;
        let proxy = strangers.flag();
        let flags = FLAGS.iter().chain(more).copied().chain([proxy.as_str()]);
        let flags: Vec<&str> = flags.collect();
        let (driver, port) = start_driver(given, files.path())?;
        // From here on dropping the tab ends the driver, whatever fails.
        let mut tab = Self {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
            process: None,
            strangers,
            _files: files,
        };
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"binary": given.browser, "args": flags},
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": 60_000, "pageLoad": 60_000},
        }}});
        let answer = tab.call("", &capabilities)?;
        let id = answer["sessionId"]
            .as_str()
            .context("chromedriver gave no session")?;
        tab.session = format!("{}/{id}", tab.session);
        tab.process = answer["capabilities"]["goog:processID"].as_u64();
        Ok(tab)
    }

    /// Ends the browser in the middle of whatever it does (SIGKILL), as a crash does.
    pub(crate) fn kill(self) -> Result<()> {
        let process = self.process.context("chromedriver names no process")?;
        process::run(Command::new("kill").args(["-9", &process.to_string()]))
    }

    /// Sets what the page is shown on.
    pub(crate) fn show_on(&self, screen: Screen) -> Result<()> {
        let Screen {
            width,
            height,
            dark,
        } = screen;
        let scheme = if dark { "dark" } else { "light" };
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}),
        )?;
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        )?;
        Ok(())
    }

    /// Has the browser take few colours, as people choose who see little.
    pub(crate) fn force_colours(&self) -> Result<()> {
        let forced = json!({"features": [{"name": "forced-colors", "value": "active"}]});
        self.devtools("Emulation.setEmulatedMedia", &forced)
            .map(drop)
    }

    /// Writes the page as a PDF, as it is printed.
    pub(crate) fn print(&self, path: &Path) -> Result<()> {
        let answer = self.devtools("Page.printToPDF", &json!({"printBackground": true}))?;
        write_decoded(&answer, path)
    }

    /// Opens an address and waits until it has loaded.
    pub(crate) fn go(&self, address: &str) -> Result<()> {
        self.call("/url", &json!({"url": address})).map(drop)
    }

    /// Runs the body of a JavaScript function and gives what it returns.
    pub(crate) fn run(&self, script: &str) -> Result<Value> {
        self.call("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Runs the body of a JavaScript function and gives what it calls `done` with.
    pub(crate) fn run_async(&self, script: &str) -> Result<Value> {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        self.call("/execute/async", &json!({"script": script, "args": []}))
    }

    /// Has every page run a script before its own, from the next [`Tab::go`] on.
    pub(crate) fn before_load(&self, script: &str) -> Result<()> {
        self.devtools(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({"source": script}),
        )
        .map(drop)
    }

    /// Makes the browser one that does not say how many processors there are, from the next
    /// [`Tab::go`] on.
    pub(crate) fn hide_processors(&self) -> Result<()> {
        self.before_load("delete Navigator.prototype.hardwareConcurrency")
    }

    /// Waits in the page until a JavaScript expression is true.
    pub(crate) fn wait_for(&self, what: &str, expression: &str) -> Result<()> {
        let script = format!(
            "const look = () => ({expression}) ? done(true) : setTimeout(look, 20); look()"
        );
        self.run_async(&script)
            .with_context(|| {
                format!(
                    "waited in vain for {what}; the page shows:\n{}",
                    self.text()
                )
            })
            .map(drop)
    }

    /// The words on the page, for messages.
    fn text(&self) -> String {
        let text = self
            .run("return document.body.innerText")
            .unwrap_or_default();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Errors and warnings that the page's console received since the last call.
    pub(crate) fn complaints(&self) -> Result<Vec<String>> {
        let log = self.call("/se/log", &json!({"type": "browser"}))?;
        let entries = log.as_array().map(Vec::as_slice).unwrap_or_default();
        let serious = entries
            .iter()
            .filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG");
        Ok(serious
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// Requests to hosts other than this machine since the last call.
    pub(crate) fn strangers(&self) -> Vec<String> {
        self.strangers.requests()
    }

    /// Writes a PNG of the whole page.
    pub(crate) fn picture(&self, path: &Path) -> Result<()> {
        self.capture(path, true)
    }

    /// Writes a PNG of what is on the screen.
    pub(crate) fn picture_of_screen(&self, path: &Path) -> Result<()> {
        self.capture(path, false)
    }

    fn capture(&self, path: &Path, whole_page: bool) -> Result<()> {
        let answer = self.devtools(
            "Page.captureScreenshot",
            &json!({"format": "png", "captureBeyondViewport": whole_page}),
        )?;
        write_decoded(&answer, path)
    }

    /// Calls the DevTools protocol.
    fn devtools(&self, method: &str, parameters: &Value) -> Result<Value> {
        self.call(
            "/goog/cdp/execute",
            &json!({"cmd": method, "params": parameters}),
        )
    }

    fn call(&self, path: &str, body: &Value) -> Result<Value> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut response = agent
            .post(format!("{}{path}", self.session))
            .send_json(body)?;
        let mut answer: Value = response
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_json()?;
        let value = answer["value"].take();
        if let Some(error) = value["error"].as_str() {
            let message = value["message"].as_str().unwrap_or_default();
            bail!("{error}: {}", message.lines().next().unwrap_or_default());
        }
        Ok(value)
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        // Closing the session closes the browser; the driver is ended in any case.
        let _ = ureq::delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn write_decoded(answer: &Value, path: &Path) -> Result<()> {
    let data = answer["data"]
        .as_str()
        .context("the browser gave no picture")?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(data)?;
    std::fs::write(path, bytes).with_context(|| path.display().to_string())
}

/// Starts chromedriver, and says where it listens.
///
/// The driver takes a free port of one kind of address, then the same of the other kind. It ends
/// where a connection of another test has that one, and is started again.
fn start_driver(given: &Given, files: &Path) -> Result<(Child, u16)> {
    const TRIES: usize = 5;
    for _ in 0..TRIES {
        let mut driver = Command::new(&given.driver)
            .arg("--port=0")
            .env("TMPDIR", files)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", given.driver.display()))?;
        if let Some(port) = announced_port(&mut driver)? {
            return Ok((driver, port));
        }
    }
    bail!("chromedriver ended {TRIES} times before it listened")
}

/// The port that chromedriver says it listens on; none where it ended instead.
fn announced_port(driver: &mut Child) -> Result<Option<u16>> {
    let stdout = driver.stdout.take().context("chromedriver has no output")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return Ok(Some(port.trim_end_matches('.').parse()?));
        }
    }
    driver.wait()?;
    Ok(None)
}
