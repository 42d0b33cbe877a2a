//! Analyses that the server hands to Slurm: here to a few scripts that start processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use ckptscope_fake_hub::FakeHub;
use ckptscope_fake_hub::example::{PICO, PICO_BRANCH, examples};
use serde_json::{Value, json};

use crate::client::PATIENCE;
use crate::runs::{
    CONFIG, Scratch, argument, end, files, in_project, json, micro_run, recorded, worker,
};
use crate::server::{SLOW, SMALL, Server, arguments, results_folder, units};

/// Starts the tasks of an array, all at once; while there is a file `hold` they wait.
const SBATCH: &str = r#"#!/bin/sh
set -eu
script= among= array=
for word; do
  case $word in
    --array=*) array=${word#*=} ;;
    --*) ;;
    *) if [ -z "$script" ]; then script=$word; else among=$word; fi ;;
  esac
done
here=$(dirname "$0")
job=1
while ! mkdir "$here/jobs/$job" 2>/dev/null; do job=$((job + 1)); done
for part in $(echo "$array" | tr , ' '); do
  for task in $(seq "${part%-*}" "${part#*-}"); do
    state=$here/jobs/$job/$task
    echo PENDING > "$state"
    (
      while [ -e "$here/hold" ]; do sleep 0.05; done
      [ "$(cat "$state")" = PENDING ] || exit 0
      SLURM_ARRAY_TASK_ID=$task sh "$script" $among &
      echo $! > "$state.process"
      echo RUNNING > "$state"
      if wait $!; then end=COMPLETED; else end=FAILED; fi
      [ "$(cat "$state")" = CANCELLED ] || echo $end > "$state"
    ) >> "logs/${job}_$task.log" 2>&1 < /dev/null &
  done
done
echo "$job"
"#;

const SQUEUE: &str = r#"#!/bin/sh
for word; do ids=$word; done
for job in $(echo "$ids" | tr , ' '); do
  for state in "$(dirname "$0")/jobs/$job"/*[0-9]; do
    if [ ! -e "$state" ]; then
      echo "slurm_load_jobs error: Invalid job id specified" >&2
      exit 1
    fi
    echo "$job ${state##*/} $(cat "$state")"
  done
done
"#;

const SCANCEL: &str = r#"#!/bin/sh
for job; do
  for state in "$(dirname "$0")/jobs/$job"/*[0-9]; do
    case $(cat "$state" 2>/dev/null) in
      PENDING) echo CANCELLED > "$state" ;;
      RUNNING) echo CANCELLED > "$state"; kill -TERM "$(cat "$state.process")" ;;
    esac
  done
done
"#;

/// The arguments that hand analyses over.
const SLURM: [&str; 6] = ["--engine", "slurm", "--shards", "2", "--threads", "1"];

/// A scratch folder with a run, and a Slurm.
struct Cluster {
    scratch: Scratch,
}

impl Cluster {
    fn new(scratch: Scratch) -> Self {
        for (name, text) in [("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", SCANCEL)] {
            let path = scratch.write(&format!("slurm/{name}"), text);
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir(scratch.path().join("slurm/jobs")).unwrap();
        Self { scratch }
    }

    /// The server, with two shards of one thread for each analysis.
    fn serve(&self, more: &[&str]) -> Server {
        self.start(&[], &[&SLURM[..], more].concat())
    }

    /// A server on a machine of the cluster, with these variables of the environment.
    fn start(&self, variables: &[(&str, &str)], more: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        let path = std::env::var("PATH").unwrap();
        let own = self.path("slurm");
        command
            .args(arguments())
            .args(more)
            .env("PATH", format!("{}:{path}", argument(&own)))
            .env("HF_HOME", self.path("huggingface"))
            .envs(variables.iter().copied());
        Server::of(&mut command, self.scratch.path())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.scratch.path().join(path)
    }

    /// Makes tasks wait, until it is released.
    fn hold(&self) {
        self.scratch.write("slurm/hold", "");
    }

    fn release(&self) {
        fs::remove_file(self.path("slurm/hold")).unwrap();
    }

    /// What Slurm says of the tasks of a job.
    fn states(&self, job: &str) -> Vec<String> {
        let tasks = ["0", "1"].map(|task| self.path(&format!("slurm/jobs/{job}/{task}")));
        let states = tasks
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok());
        states.map(|state| state.trim().to_owned()).collect()
    }

    /// What was submitted of an analysis.
    fn submissions(&self, id: &str) -> Vec<Value> {
        let path = self.folder(id).join("submissions.jsonl");
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    /// The folder of the shards of an analysis.
    fn folder(&self, id: &str) -> PathBuf {
        self.path(&format!("data/analyses/{id}/slurm/1"))
    }

    /// What the first attempt of the first shard tells.
    fn journal(&self, id: &str) -> PathBuf {
        self.folder(id).join("journals/0000.r0.jsonl")
    }

    /// Waits until that shard has finished something, and not all.
    #[track_caller]
    fn wait_for_a_unit(&self, id: &str) {
        let journal = self.journal(id);
        wait(|| fs::read_to_string(&journal).is_ok_and(|text| text.lines().count() > 1));
    }

    /// Asserts that the results of an analysis are those of one process.
    #[track_caller]
    fn assert_results(&self, id: &str) {
        let run = self.path("run").canonicalize().unwrap();
        self.scratch.write("config.yaml", CONFIG);
        let of_run = ["--config", "config.yaml", "--run-path", argument(&run)];
        let whole = ["analyze", "--output-dir", "whole", "--overwrite"];
        worker(self.scratch.path(), &[&whole[..], &of_run].concat()).expect(0);
        let found = files(&results_folder(&self.scratch, id, "scratch"));
        assert!(
            found == files(&self.path("whole/scratch")),
            "{:?}",
            found.keys()
        );
    }
}

fn cancel(server: &Server, id: &str) -> Value {
    let asked = server.ask("DELETE", &format!("/api/analyses/{id}"));
    asked.send().expect(200).json()
}

fn resume(server: &Server, id: &str) {
    let asked = server.ask("POST", &format!("/api/analyses/{id}/resume"));
    asked.send().expect(200);
}

/// Waits until something holds.
#[track_caller]
fn wait(is_so: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_slurm_computes_is_what_one_process_does() {
    let cluster = Cluster::new(Scratch::with_run(SLOW));
    let server = cluster.serve(&[]);
    let machine = server.get("/api/health")["machine"].clone();
    assert_eq!(machine["threads"], 2);
    assert_eq!(machine["analyses_at_once"], 16);
    assert_eq!(machine["takes_tensors"], false);
    let sent = server.ask("POST", "/api/singular-values").send();
    sent.refuses(501, &["Slurm"]);
    let id = server.analyze(CONFIG);
    let told = server.events(&id);
    assert_eq!(told.last().unwrap().data["phase"], "done");
    assert_eq!(units(&told).len(), 40);
    let info = server.info(&id);
    assert_eq!(
        (&info["units"], &info["of_units"]),
        (&json!(40), &json!(40))
    );
    assert_eq!(info["message"], Value::Null);
    cluster.assert_results(&id);
    assert_eq!(cluster.submissions(&id).len(), 1);
    assert!(!cluster.folder(&id).join("merge.sh").exists());
    let report = json(&results_folder(&cluster.scratch, &id, "scratch").join("run.json"));
    assert_eq!(report["threads"], 1);
    let log = results_folder(&cluster.scratch, &id, "scratch").join("analysis.log");
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("2 shards for Slurm: "), "{log}");
    // What is removed is gone with its shards.
    let asked = server.ask("DELETE", &format!("/api/analyses/{id}?remove=true"));
    asked.send().expect(204);
    assert!(!cluster.path(&format!("data/analyses/{id}")).exists());
}

#[test]
fn a_server_that_is_killed_leaves_its_jobs_with_slurm() {
    let cluster = Cluster::new(Scratch::with_run(SMALL));
    cluster.hold();
    let server = cluster.serve(&[]);
    let first = server.analyze(CONFIG);
    wait(|| cluster.submissions(&first).len() == 1);
    let second = server.analyze(CONFIG);
    wait(|| cluster.submissions(&second).len() == 1);
    // Both are with Slurm at the same time.
    server.wait_for_phase(&first, "running");
    server.wait_for_phase(&second, "running");
    server.kill();

    let server = cluster.serve(&["--at-once", "1"]);
    server.wait_for_phase(&first, "running");
    assert_eq!(server.info(&second)["phase"], "queued");
    // One that waits here is cancelled there.
    assert_eq!(cancel(&server, &second)["phase"], "cancelled");
    assert_eq!(cluster.states("2"), ["CANCELLED", "CANCELLED"]);
    // A server that ends in peace cancels nothing.
    let (status, said) = server.end();
    assert!(status.success() && said.contains("what is with Slurm goes on"));
    assert_eq!(cluster.states("1"), ["PENDING", "PENDING"]);
    cluster.release();
    let server = cluster.serve(&[]);
    server.wait_for_phase(&first, "done");
    assert_eq!(units(&server.events(&first)).len(), 8);
    assert_eq!(cluster.submissions(&first).len(), 1);
    cluster.assert_results(&first);
}

#[test]
fn a_server_without_slurm_takes_it_back() {
    let cluster = Cluster::new(Scratch::with_run(SMALL));
    cluster.hold();
    let server = cluster.serve(&[]);
    let id = server.analyze(CONFIG);
    wait(|| cluster.submissions(&id).len() == 1);
    server.kill();
    let server = cluster.start(&[], &[]);
    server.wait_for_phase(&id, "done");
    assert_eq!(cluster.states("1"), ["CANCELLED", "CANCELLED"]);
    cluster.assert_results(&id);
}

#[test]
fn what_a_killed_server_did_not_submit_is_submitted() {
    let cluster = Cluster::new(Scratch::with_run(SMALL));
    cluster.hold();
    let server = cluster.serve(&[]);
    let id = server.analyze(CONFIG);
    wait(|| cluster.submissions(&id).len() == 1);
    server.kill();
    // As if it had been killed before.
    fs::remove_file(cluster.folder(&id).join("submissions.jsonl")).unwrap();
    fs::remove_dir_all(cluster.path("slurm/jobs/1")).unwrap();
    cluster.release();
    let server = cluster.serve(&[]);
    server.wait_for_phase(&id, "done");
    assert_eq!(cluster.submissions(&id).len(), 1);
    cluster.assert_results(&id);
}

#[test]
fn what_is_cancelled_is_cancelled_at_slurm_and_gone_on_with() {
    let cluster = Cluster::new(Scratch::with_run(SLOW));
    let server = cluster.serve(&[]);
    let id = server.analyze(CONFIG);
    cluster.wait_for_a_unit(&id);
    assert_eq!(cancel(&server, &id)["phase"], "cancelled");
    wait(|| cluster.states("1").iter().all(|state| state != "RUNNING"));
    assert!(server.info(&id)["units"].as_u64() < Some(40));
    resume(&server, &id);
    server.wait_for_phase(&id, "done");
    assert_eq!(cluster.submissions(&id).len(), 2);
    assert_eq!(units(&server.events(&id)).len(), 40);
    cluster.assert_results(&id);
}

#[test]
fn what_ran_out_of_memory_is_told_and_gets_more() {
    let cluster = Cluster::new(Scratch::with_run(SLOW));
    let server = cluster.serve(&[]);
    let id = server.analyze(CONFIG);
    cluster.wait_for_a_unit(&id);
    let text = fs::read_to_string(cluster.journal(&id)).unwrap();
    let head: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let log = cluster.folder(&id).join("logs/1_0.log");
    fs::write(log, "slurmstepd: error: Detected 1 oom-kill event(s)\n").unwrap();
    let process = head["at"]["process"].to_string();
    let killed = Command::new("kill").args(["-KILL", &process]).status();
    assert!(killed.unwrap().success());
    let failed = server.wait_for_phase(&id, "failed");
    let message = failed["message"].as_str().unwrap();
    for words in [
        "of 40 layer-steps are missing: out of memory: shard 0\n",
        "resume it",
        "twice the memory",
        "slurm/1/logs",
    ] {
        assert!(message.contains(words), "{words:?} is not in: {message}");
    }
    resume(&server, &id);
    server.wait_for_phase(&id, "done");
    let submissions = cluster.submissions(&id);
    let memory = |place: usize| submissions[place]["memory_bytes"].as_u64().unwrap();
    assert_eq!((submissions.len(), memory(1)), (2, 2 * memory(0)));
    assert_eq!(submissions[1]["shards"], "0");
    cluster.assert_results(&id);
}

#[test]
fn files_that_change_are_handed_over_anew() {
    let cluster = Cluster::new(Scratch::with_run(SMALL));
    cluster.hold();
    let server = cluster.serve(&[]);
    let id = server.analyze(CONFIG);
    wait(|| cluster.submissions(&id).len() == 1);
    assert_eq!(cancel(&server, &id)["phase"], "cancelled");
    cluster.release();
    let weights = |step| cluster.path(&recorded(step, "weights"));
    fs::copy(weights(1), weights(0)).unwrap();
    resume(&server, &id);
    server.wait_for_phase(&id, "done");
    assert!(cluster.folder(&id).with_file_name("2").is_dir());
    cluster.assert_results(&id);
}

#[test]
fn of_the_hub_it_is_said_that_nodes_need_a_network() {
    let hub = FakeHub::start(examples(&micro_run()).unwrap()).unwrap();
    let cluster = Cluster::new(Scratch::new());
    cluster.hold();
    let server = cluster.start(&[("HF_ENDPOINT", hub.endpoint())], &SLURM);
    let config = fs::read_to_string(in_project("configs/demo.yaml")).unwrap();
    let source = json!({"hub": format!("{PICO}@{PICO_BRANCH}")});
    let asked = json!({"source": source, "config": config});
    let asked = server.ask("POST", "/api/analyses").json(&asked);
    let id = asked.send().expect(201).json()["id"].clone();
    let id = id.as_str().unwrap();
    let is_told = |info: &Value| info["phase"] == "running" && info["message"] != Value::Null;
    let message = server.wait_for(id, is_told)["message"].clone();
    let message = message.as_str().unwrap();
    assert!(message.contains("over the network") && message.contains("hf download"));
    wait(|| cluster.submissions(id).len() == 1);
    cluster.release();
    let done = server.wait_for_phase(id, "done");
    assert_eq!(done["message"], Value::Null);
}

#[test]
fn jobs_read_what_was_uploaded() {
    let cluster = Cluster::new(Scratch::with_run(SMALL));
    let server = cluster.serve(&[]);
    let sent = files(&cluster.path("run"));
    let listed = sent.iter();
    let listed = listed.map(|(path, bytes)| json!({"path": path, "bytes": bytes.len()}));
    let listed: Vec<Value> = listed.collect();
    let asked = json!({"name": "run", "files": listed});
    let upload = server.ask("POST", "/api/uploads").json(&asked).send();
    let upload = upload.expect(201).json()["id"].clone();
    for (path, bytes) in sent {
        let path = format!("/api/uploads/{}/{path}", upload.as_str().unwrap());
        server.ask("PUT", &path).body(bytes).send().expect(200);
    }
    let asked = json!({"source": {"upload": upload}, "config": CONFIG});
    let asked = server.ask("POST", "/api/analyses").json(&asked);
    let id = asked.send().expect(201).json()["id"].clone();
    let id = id.as_str().unwrap();
    server.wait_for_phase(id, "done");
    cluster.assert_results(id);
}

#[test]
fn slurm_has_to_be_there() {
    let scratch = Scratch::with_run(SMALL);
    let serve = |more: &[&str], path: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command.args(arguments()).args(more).env("PATH", path);
        end(command.current_dir(scratch.path())).expect(2)
    };
    serve(&["--engine", "slurm"], scratch.path()).says(&["sbatch, which is not on PATH", "login"]);
    serve(&["--shards", "2"], scratch.path()).says(&["are for --engine slurm"]);
    serve(&["--partition", "main"], scratch.path()).says(&["are for --engine slurm"]);
}
