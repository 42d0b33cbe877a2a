//! What the server says when it starts: where to go, and what it serves.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::Server;
use crate::analysis::counted;
use crate::arguments::ServeArguments;
use crate::console;

impl Server {
    /// Says where to go, what is served, and how to end it; gives the address to open.
    pub(super) fn greet(&self, arguments: &ServeArguments, address: SocketAddr) -> String {
        console::say(&format!("listening on http://{address}/"));
        let token = arguments.token.as_ref();
        let token = token.map_or_else(String::new, |token| format!("#token={token}"));
        let mut reached = address;
        if address.ip().is_unspecified() {
            // No browser can open that; on this machine this one leads to the same.
            reached.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let opened = format!("http://{reached}/{token}");
        console::say(&format!("open {opened}"));
        if let Some(words) = self.engine.greeting() {
            console::say(&words);
        }
        match self.roots.folders() {
            [] => {
                console::say(
                    "no --root is given: only uploads and runs on the Hub can be analyzed",
                );
            }
            folders => self.say_runs(folders),
        }
        console::say(&format!(
            "analyses are kept in {}",
            self.data.path().display()
        ));
        let unknown = self.uploads.unknown(&self.data);
        if !unknown.is_empty() {
            console::say(&format!(
                "{} in {} that no list knows of, which a lost database leaves behind: {}; remove \
                 them by hand if nobody needs them",
                counted(unknown.len() as u64, "upload"),
                self.data.uploads().display(),
                unknown.join(", ")
            ));
        }
        console::say("Ctrl-C ends it");
        opened
    }

    /// Says how many runs there are in the folders, and which with checkpoints are left out.
    fn say_runs(&self, folders: &[PathBuf]) {
        let all = self.roots.runs(&self.executor);
        let (runs, left_out): (Vec<_>, Vec<_>) = all.iter().partition(|run| run.trouble.is_none());
        let shown: Vec<String> = folders
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        let shown = shown.join(", ");
        console::say(&format!("{} in {shown}", counted(runs.len() as u64, "run")));
        if !left_out.is_empty() {
            let folders = counted(left_out.len() as u64, "folder");
            console::say(&format!("left out {folders} with checkpoints:"));
        }
        for trouble in left_out.iter().filter_map(|run| run.trouble.as_ref()) {
            console::say(&format!("  {trouble}"));
        }
    }
}
