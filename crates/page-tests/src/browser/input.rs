//! What a visitor does to a page: choosing and dropping files, keys, the mouse.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Tab;

/// Names of keys as JavaScript gives them, and as WebDriver takes them
/// (<https://www.w3.org/TR/webdriver2/#keyboard-actions>).
const KEYS: &[(&str, char)] = &[
    ("Backspace", '\u{e003}'),
    ("Tab", '\u{e004}'),
    ("Enter", '\u{e007}'),
    ("Shift", '\u{e008}'),
    ("Control", '\u{e009}'),
    ("Alt", '\u{e00a}'),
    ("Escape", '\u{e00c}'),
    ("Space", ' '),
    ("PageUp", '\u{e00e}'),
    ("PageDown", '\u{e00f}'),
    ("End", '\u{e010}'),
    ("Home", '\u{e011}'),
    ("ArrowLeft", '\u{e012}'),
    ("ArrowUp", '\u{e013}'),
    ("ArrowRight", '\u{e014}'),
    ("ArrowDown", '\u{e015}'),
    ("Delete", '\u{e017}'),
    ("Meta", '\u{e03d}'),
];

/// How often an element may be found in another place before somebody clicks on it.
const MOST_MOVES: usize = 100;

/// A place in the viewport, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

impl Tab {
    /// Has an `<input type=file>` choose files, or one folder if it has `webkitdirectory`.
    pub(crate) fn choose(&self, selector: &str, paths: &[&Path]) -> Result<()> {
        let element = self.devtools(
            "Runtime.evaluate",
            &json!({"expression": format!("document.querySelector({})", json!(selector))}),
        )?;
        let id = element["result"]["objectId"]
            .as_str()
            .with_context(|| format!("there is no {selector}"))?;
        self.devtools(
            "DOM.setFileInputFiles",
            &json!({"objectId": id, "files": absolute(paths)?}),
        )
        .map(drop)
    }

    /// Drops files and folders from outside the browser on an element.
    pub(crate) fn drop_files(&self, selector: &str, paths: &[&Path]) -> Result<()> {
        let Point { x, y } = self.middle_of(selector)?;
        let data = json!({"items": [], "files": absolute(paths)?, "dragOperationsMask": 1});
        for kind in ["dragEnter", "dragOver", "drop"] {
            self.devtools(
                "Input.dispatchDragEvent",
                &json!({"type": kind, "x": x, "y": y, "data": data}),
            )?;
        }
        Ok(())
    }

    /// Presses and releases keys together: `Enter`, `a`, `Shift+Tab`, `Control+Shift+ArrowLeft`.
    pub(crate) fn press(&self, keys: &str) -> Result<()> {
        let keys: Vec<char> = keys.split('+').map(key).collect::<Result<_>>()?;
        let down = keys
            .iter()
            .map(|key| json!({"type": "keyDown", "value": key}));
        let up = keys
            .iter()
            .rev()
            .map(|key| json!({"type": "keyUp", "value": key}));
        self.type_actions(&down.chain(up).collect::<Vec<_>>())
    }

    /// Types a text where the focus is.
    pub(crate) fn type_text(&self, text: &str) -> Result<()> {
        let strokes = text
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})));
        self.type_actions(&strokes.collect::<Vec<_>>())
    }

    fn type_actions(&self, actions: &[Value]) -> Result<()> {
        let source = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.call("/actions", &json!({"actions": [source]}))
            .map(drop)
    }

    /// Moves the mouse.
    pub(crate) fn move_mouse(&self, to: Point) -> Result<()> {
        self.mouse("mouseMoved", to, "none")
    }

    /// Clicks on what stands at the middle of an element, which must be the element or in it.
    pub(crate) fn click(&self, selector: &str) -> Result<()> {
        let point = self.resting_middle_of(selector)?;
        let Point { x, y } = point;
        let covered_by = self.run(&format!(
            "const wanted = document.querySelector({}), hit = document.elementFromPoint({x}, {y});\
             return wanted.contains(hit) ? null : (hit?.outerHTML.slice(0, 200) ?? 'nothing')",
            json!(selector)
        ))?;
        if let Some(other) = covered_by.as_str() {
            bail!("a click on {selector} would hit {other}");
        }
        self.drag(point, point)
    }

    /// The middle of an element when it has stayed where it is for two frames: what comes into view
    /// may be filled only then, and a hand would wait as well.
    fn resting_middle_of(&self, selector: &str) -> Result<Point> {
        let mut point = self.middle_of(selector)?;
        for _ in 0..MOST_MOVES {
            self.run_async("requestAnimationFrame(() => requestAnimationFrame(() => done()))")?;
            let now = self.middle_of(selector)?;
            if now == point {
                return Ok(point);
            }
            point = now;
        }
        bail!("{selector} does not stay in one place")
    }

    /// Presses the left button at one place and releases it at another.
    pub(crate) fn drag(&self, from: Point, to: Point) -> Result<()> {
        self.move_mouse(from)?;
        self.mouse("mousePressed", from, "left")?;
        if from != to {
            self.mouse("mouseMoved", to, "left")?;
        }
        self.mouse("mouseReleased", to, "left")
    }

    fn mouse(&self, kind: &str, Point { x, y }: Point, button: &str) -> Result<()> {
        let clicks = u32::from(kind != "mouseMoved");
        self.devtools(
            "Input.dispatchMouseEvent",
            &json!({"type": kind, "x": x, "y": y, "button": button, "clickCount": clicks}),
        )
        .map(drop)
    }

    /// The middle of an element, which is scrolled into view.
    pub(crate) fn middle_of(&self, selector: &str) -> Result<Point> {
        let place = self.run(&format!(
            "const element = document.querySelector({});\
             if (!element) return null;\
             element.scrollIntoView({{block: 'center', behavior: 'instant'}});\
             const box = element.getBoundingClientRect();\
             return [box.x + box.width / 2, box.y + box.height / 2, box.width * box.height]",
            json!(selector)
        ))?;
        let number = |index: usize| place[index].as_f64();
        let (x, y) = number(0)
            .zip(number(1))
            .with_context(|| format!("there is no {selector}"))?;
        ensure!(number(2) > Some(0.0), "{selector} is not shown");
        Ok(Point { x, y })
    }
}

/// The browser runs in another folder and wants whole paths.
fn absolute(paths: &[&Path]) -> Result<Vec<String>> {
    let whole = |path: &&Path| {
        let path = path
            .canonicalize()
            .with_context(|| path.display().to_string())?;
        Ok(path.display().to_string())
    };
    paths.iter().map(whole).collect()
}

fn key(name: &str) -> Result<char> {
    if let Some((_, key)) = KEYS.iter().find(|(known, _)| *known == name) {
        return Ok(*key);
    }
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Ok(letter),
        _ => bail!("there is no key {name}"),
    }
}
