//! A window of Firefox, driven by WebDriver BiDi (<https://www.w3.org/TR/webdriver-bidi/>).

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// What Firefox says once it can be driven, before the port.
const ANNOUNCEMENT: &str = "WebDriver BiDi listening on ws://127.0.0.1:";

/// How Firefox is set up: it calls nobody, asks nobody, and saves what is downloaded.
const PREFERENCES: &[(&str, &str)] = &[
    ("app.normandy.enabled", "false"),
    ("app.update.disabledForTesting", "true"),
    ("browser.aboutwelcome.enabled", "false"),
    (
        "browser.download.always_ask_before_handling_new_types",
        "false",
    ),
    ("browser.download.folderList", "2"),
    ("browser.download.useDownloadDir", "true"),
    ("browser.shell.checkDefaultBrowser", "false"),
    ("browser.startup.page", "0"),
    ("datareporting.policy.dataSubmissionEnabled", "false"),
    ("network.captive-portal-service.enabled", "false"),
    ("network.connectivity-service.enabled", "false"),
    // Other hosts lead to a port where nobody listens; this machine needs no proxy.
    ("network.proxy.type", "1"),
    ("network.proxy.http", "\"127.0.0.1\""),
    ("network.proxy.http_port", "9"),
    ("network.proxy.ssl", "\"127.0.0.1\""),
    ("network.proxy.ssl_port", "9"),
    ("toolkit.telemetry.enabled", "false"),
];

/// One window. Firefox ends with the value.
pub(super) struct Window {
    firefox: Child,
    connection: RefCell<Connection>,
    context: String,
    _profile: TempDir,
}

struct Connection {
    socket: WebSocket<TcpStream>,
    commands: u64,
    /// What was told meanwhile and not asked for.
    events: Vec<Value>,
}

impl Window {
    /// Starts Firefox with an empty profile; downloads go into a folder.
    pub(super) fn open(program: &Path, downloads: &Path) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        write_preferences(profile.path(), downloads)?;
        let mut firefox = Command::new(program)
            .args(["--headless", "--no-remote", "--remote-debugging-port=0"])
            .arg("--profile")
            .arg(profile.path())
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let connection = announced_port(&mut firefox).and_then(Connection::open);
        let connection = match connection {
            Ok(connection) => connection,
            Err(error) => {
                end(&mut firefox);
                return Err(error);
            }
        };
        let mut window = Self {
            firefox,
            connection: RefCell::new(connection),
            context: String::new(),
            _profile: profile,
        };
        let tree = window.call("browsingContext.getTree", json!({}))?;
        let context = tree["contexts"][0]["context"].as_str();
        window.context = context.context("Firefox has no window")?.to_owned();
        window.call("session.subscribe", json!({"events": ["log.entryAdded"]}))?;
        Ok(window)
    }

    /// Sets what the page is shown on, in CSS pixels.
    pub(super) fn show_on(&self, width: u32, height: u32) -> Result<()> {
        let viewport = json!({"width": width, "height": height});
        let parameters = json!({"context": self.context, "viewport": viewport});
        self.call("browsingContext.setViewport", parameters)
            .map(drop)
    }

    /// Opens an address and waits until it has loaded.
    pub(super) fn go(&self, address: &str) -> Result<()> {
        let parameters = json!({"context": self.context, "url": address, "wait": "complete"});
        self.call("browsingContext.navigate", parameters).map(drop)
    }

    /// What a JavaScript expression comes to, which may be a promise.
    pub(super) fn evaluate(&self, expression: &str) -> Result<Value> {
        let answer = self.call(
            "script.evaluate",
            json!({
                "expression": format!("(async () => JSON.stringify(await ({expression})) ?? 'null')()"),
                "target": {"context": self.context},
                "awaitPromise": true,
                "resultOwnership": "none",
            }),
        )?;
        match answer["result"]["value"].as_str() {
            Some(text) => Ok(serde_json::from_str(text)?),
            None => bail!("{expression}: {}", answer["exceptionDetails"]["text"]),
        }
    }

    /// Waits until a JavaScript expression is true.
    pub(super) fn wait_for(&self, what: &str, expression: &str) -> Result<()> {
        let waited = self.evaluate(&format!(
            "new Promise(done => {{\
               const end = Date.now() + 60_000;\
               const look = () => ({expression}) ? done(true)\
                 : Date.now() > end ? done(false) : setTimeout(look, 20);\
               look();\
             }})"
        ))?;
        if waited != true {
            let words = self.evaluate("document.body.innerText")?;
            bail!("waited in vain for {what}; the page shows:\n{words}");
        }
        Ok(())
    }

    /// Waits until there is such an element.
    pub(super) fn wait_until_shown(&self, selector: &str) -> Result<()> {
        let expression = format!("document.querySelector({})", json!(selector));
        self.wait_for(selector, &expression)
    }

    /// Clicks on the middle of an element once it is there and rests.
    pub(super) fn click(&self, selector: &str) -> Result<()> {
        self.wait_until_shown(selector)?;
        let place = self.evaluate(&format!(
            "(async () => {{\
               const frame = () => new Promise(done => requestAnimationFrame(done));\
               const element = document.querySelector({});\
               element.scrollIntoView({{block: 'center', behavior: 'instant'}});\
               let last = '';\
               for (let turn = 0; turn < 200; turn++) {{\
                 await frame(); await frame();\
                 const {{x, y, width, height}} = element.getBoundingClientRect();\
                 const place = [Math.round(x + width / 2), Math.round(y + height / 2)];\
                 if (last === String(place)) return place;\
                 last = String(place);\
               }}\
             }})()",
            json!(selector)
        ))?;
        let (x, y) = (&place[0], &place[1]);
        ensure!(x.is_number(), "{selector} does not stay in one place");
        let actions = json!([
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]);
        self.act(&json!({"type": "pointer", "id": "mouse", "actions": actions}))
    }

    /// Types a text where the focus is.
    pub(super) fn type_text(&self, text: &str) -> Result<()> {
        let strokes = text
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})));
        let actions: Vec<Value> = strokes.collect();
        self.act(&json!({"type": "key", "id": "keyboard", "actions": actions}))
    }

    /// Has an `<input type=file>` choose files.
    pub(super) fn choose(&self, selector: &str, paths: &[&Path]) -> Result<()> {
        let locator = json!({"type": "css", "value": selector});
        let found = self.call(
            "browsingContext.locateNodes",
            json!({"context": self.context, "locator": locator}),
        )?;
        let id = found["nodes"][0]["sharedId"].as_str();
        let id = id.with_context(|| format!("there is no {selector}"))?;
        let paths: Vec<String> = paths.iter().map(|it| it.display().to_string()).collect();
        self.call(
            "input.setFiles",
            json!({"context": self.context, "element": {"sharedId": id}, "files": paths}),
        )
        .map(drop)
    }

    /// Errors and warnings that the page's console received.
    pub(super) fn complaints(&self) -> Vec<String> {
        let connection = self.connection.borrow();
        let told = connection.events.iter().map(|event| &event["params"]);
        let serious = told.filter(|it| matches!(it["level"].as_str(), Some("error" | "warn")));
        serious
            .map(|it| it["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn act(&self, source: &Value) -> Result<()> {
        let parameters = json!({"context": self.context, "actions": [source]});
        self.call("input.performActions", parameters).map(drop)
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "every caller makes it for this"
    )]
    fn call(&self, method: &str, parameters: Value) -> Result<Value> {
        self.connection.borrow_mut().call(method, &parameters)
    }
}

impl Connection {
    fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let address = format!("ws://127.0.0.1:{port}/session");
        let mut connection = Self {
            socket: tungstenite::client(address, stream)?.0,
            commands: 0,
            events: Vec::new(),
        };
        let capabilities =
            json!({"alwaysMatch": {"unhandledPromptBehavior": {"default": "accept"}}});
        connection.call("session.new", &json!({"capabilities": capabilities}))?;
        Ok(connection)
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.commands += 1;
        let id = self.commands;
        let command = json!({"id": id, "method": method, "params": parameters});
        self.socket.send(Message::text(command.to_string()))?;
        loop {
            let Message::Text(text) = self.socket.read()? else {
                continue;
            };
            let mut told: Value = serde_json::from_str(&text)?;
            if told["type"] == "event" {
                self.events.push(told);
            } else if told["id"] == id {
                ensure!(
                    told["type"] == "success",
                    "{method}: {}: {}",
                    told["error"],
                    told["message"]
                );
                return Ok(told["result"].take());
            }
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.call("browser.close", json!({}));
        end(&mut self.firefox);
    }
}

fn end(firefox: &mut Child) {
    let _ = firefox.kill();
    let _ = firefox.wait();
}

fn write_preferences(profile: &Path, downloads: &Path) -> Result<()> {
    let line = |(name, value): &(&str, &str)| format!("user_pref(\"{name}\", {value});\n");
    let mut text: String = PREFERENCES.iter().map(line).collect();
    let downloads = json!(downloads.display().to_string()).to_string();
    text += &line(&("browser.download.dir", &downloads));
    fs::write(profile.join("user.js"), text)?;
    Ok(())
}

/// The port that Firefox says it listens on. What else it says is passed over.
fn announced_port(firefox: &mut Child) -> Result<u16> {
    let stderr = firefox.stderr.take().context("Firefox has no output")?;
    let mut lines = BufReader::new(stderr).lines();
    while let Some(line) = lines.next() {
        let line = line?;
        if let Some((_, port)) = line.split_once(ANNOUNCEMENT) {
            // It waits where nobody reads on.
            thread::spawn(move || lines.for_each(drop));
            return Ok(port.trim().parse()?);
        }
    }
    let status = firefox.wait()?;
    bail!("Firefox ended with {status} before it listened")
}
