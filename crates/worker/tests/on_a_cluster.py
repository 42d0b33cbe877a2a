"""Runs analyses on a real Slurm, whose three nodes are on this machine, and compares what is merged
with what one process writes, byte for byte.

`cargo xtask test slurm` starts this with WORKER (the program), CONFIG and RUN (the demo's) set. The
Slurm is of Debian's packages slurm-wlm and munge; it has no cgroups and no accounting.
"""

import array
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

try:
    import kubernetes_validate
    import yaml
except ImportError:
    kubernetes_validate = None

WORKER = os.environ["WORKER"]
CONFIG = os.environ["CONFIG"]
RUN = os.environ["RUN"]

# Nothing of a run that this suite makes takes longer, however busy the machine is.
PATIENCE_SECONDS = 120

SLURM_CONF = """
ClusterName=fleet
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
SlurmctldPort=16917
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/log/ctld.log
SlurmdLogFile={folder}/log/%n.log
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1
KillWait=2
NodeName=n[1-3] NodeHostname={host} NodeAddr=127.0.0.1 Port=[18101-18103] CPUs=2 RealMemory=4000
PartitionName=main Nodes=ALL Default=YES MaxTime=60 State=UP
"""

# So many layers and steps take seconds: what is killed is killed in the middle, and Slurm, which
# looks at memory once a second, sees it.
LAYERS, STEPS, WIDTH = 2, 48, 768

SLOW_CONFIG = """
analysis_name: slow
metrics:
  - metric_name: condition_number
    data_split: val
    components:
      - {component_name: simple, data_type: weights, layer_suffixes: attention.v_proj, layers: all}
steps: all
"""


def wait(what, condition, pause=0.1):
    """Waits until a condition holds, and gives what it came to; looks again after a pause."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(pause)
    raise AssertionError(f"waited {PATIENCE_SECONDS} s for {what}")


def said(*words):
    """What a program prints; it must succeed."""
    ended = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if ended.returncode != 0:
        raise AssertionError(f"{words} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
    return ended.stdout


def worker(*words):
    return said(WORKER, *words)


def files(folder):
    """Every file of results by its path, but those that know the time."""
    folder = Path(folder)
    paths = [path for path in folder.rglob("*") if path.is_file()]
    others = ["run.json", "analysis.log"]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in paths
        if path.name not in others
    }


def parent_of(process):
    """The process that started another."""
    return int(re.search(r"PPid:\s+(\d+)", Path(f"/proc/{process}/status").read_text())[1])


class Slurm:
    """A Slurm of three nodes on this machine, below a folder."""

    def __init__(self, folder):
        self.folder = folder
        for part in ["state", "spool/n1", "spool/n2", "spool/n3", "log"]:
            (folder / part).mkdir(parents=True)
        folder.chmod(0o755)
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        host = said("hostname", "-s").strip()
        conf = folder / "slurm.conf"
        conf.write_text(SLURM_CONF.format(folder=folder, host=host))
        os.environ["SLURM_CONF"] = str(conf)
        self.processes = {}

    def begin(self):
        folder = self.folder
        options = {"socket": "socket", "key-file": "key", "log-file": "log"}
        options |= {"pid-file": "pid", "seed-file": "seed"}
        options = [f"--{option}={folder}/munge.{end}" for option, end in options.items()]
        self.start("munged", "munged", "--foreground", *options)
        wait("munge", lambda: (folder / "munge.socket").exists())
        self.start("slurmctld", "slurmctld", "-D")
        for node in ["n1", "n2", "n3"]:
            self.start_node(node)
        wait("three nodes", lambda: self.idle_nodes() == "3")

    def start(self, name, *words):
        quiet = subprocess.DEVNULL
        self.processes[name] = subprocess.Popen(words, stdout=quiet, stderr=quiet)

    def start_node(self, node):
        self.start(node, "slurmd", "-D", "-N", node)

    def idle_nodes(self):
        words = ["sinfo", "-h", "-t", "idle", "-o", "%D"]
        return subprocess.run(words, capture_output=True, text=True).stdout.strip()

    def stop(self):
        subprocess.run(["scancel", "-f", "--signal=KILL", "-u", "root"], capture_output=True)
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def slow_run(folder):
    """Writes checkpoints of random matrices, as safetensors."""
    entries = array.array("f", map(float, random.Random(1).randbytes(WIDTH * WIDTH)))
    for step in range(STEPS):
        header, data = {}, b""
        for layer in range(LAYERS):
            # Another matrix of the same entries.
            first = 7919 * (step * LAYERS + layer) % len(entries)
            values = entries[first:] + entries[:first]
            place = [len(data), len(data) + 4 * len(values)]
            entry = {"dtype": "F32", "shape": [WIDTH, WIDTH], "data_offsets": place}
            header[f"layers.{layer}.attention.v_proj"] = entry
            data += values.tobytes()
        text = json.dumps(header).encode()
        path = folder / f"checkpoints/step_{step}/learning_dynamics/val_weights.pt"
        path.parent.mkdir(parents=True)
        path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class Submitted:
    """A folder of `worker submit`."""

    def __init__(self, folder, config, run, *more, submit=True):
        self.folder = folder
        words = ["submit", config, "--run-path", run, "--engine", "slurm", "--out", folder]
        words += ["--threads", "1", *more]
        worker(*words, *([] if submit else ["--no-submit"]))

    def submissions(self):
        lines = (self.folder / "submissions.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def job(self):
        return self.submissions()[-1]["job"]

    def states(self):
        told = json.loads(worker("status", self.folder, "--json"))
        return {shard["shard"]: shard["state"] for shard in told["shards"]}

    def wait_for(self, state, shard):
        wait(f"shard {shard} to be {state}", lambda: self.states()[shard] == state)

    def again(self):
        worker("submit", "--again", self.folder)

    def journal(self, shard, attempt=0):
        return self.folder / f"journals/{shard:04}.r{attempt}.jsonl"

    def wait_for_units(self, shard, count, attempt=0):
        """Waits until an attempt has finished some layer-steps, and not all."""
        path = self.journal(shard, attempt)

        def has_units():
            return path.exists() and path.read_bytes().count(b"\n") > count

        wait(f"units in {path}", has_units)

    def process(self, shard, attempt=0):
        head = json.loads(self.journal(shard, attempt).read_text().splitlines()[0])
        return head["at"]["process"]

    def results(self, name):
        """The merged files, once the merge that was submitted along has written them."""
        folder = self.folder / "results" / name
        try:
            wait("the merge", lambda: (folder / "analysis.log").exists())
        except AssertionError as error:
            logs = [path.read_text() for path in (self.folder / "logs").glob("*")]
            told = [said("squeue", "-r", "-t", "all"), worker("status", self.folder), *logs]
            raise AssertionError("\n".join(told)) from error
        return files(folder)


class Serving:
    """`worker serve --engine slurm`, asked as the page asks it."""

    def __init__(self, data, root):
        self.data = data
        words = [WORKER, "serve", "--addr", "127.0.0.1:0", "--data-dir", data, "--root", root]
        words += ["--engine", "slurm", "--shards", "2", "--threads", "1", "--partition", "main"]
        words = [str(word) for word in words]
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if line.startswith("listening on "):
                self.address = line.removeprefix("listening on ").strip()
                break
        # What nobody reads would hold it up.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def ask(self, method, path, body=None):
        body = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.address}api/{path}", body, method=method)
        with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:
            return answer.read()

    def analyze(self, config):
        [run] = json.loads(self.ask("GET", "runs"))
        asked = {"source": {"root": run["id"]}, "config": config.read_text()}
        return json.loads(self.ask("POST", "analyses", asked))["id"]

    def info(self, analysis):
        return json.loads(self.ask("GET", f"analyses/{analysis}"))

    def wait_for(self, analysis, phase):
        """Waits until an analysis is in a phase; another end is none."""
        ends = [phase, "done", "failed", "cancelled"]
        wait(f"{analysis} to be {phase}", lambda: self.info(analysis)["phase"] in ends)
        info = self.info(analysis)
        assert info["phase"] == phase, info
        return info

    def wait_for_units(self, analysis):
        """Waits until a shard has finished some layer-steps, and not all."""
        path = self.folder(analysis) / "slurm/1/journals/0000.r0.jsonl"
        wait("units", lambda: path.exists() and path.read_bytes().count(b"\n") > 1)

    def folder(self, analysis):
        return self.data / "analyses" / analysis

    def jobs(self, analysis):
        lines = (self.folder(analysis) / "slurm/1/submissions.jsonl").read_text().splitlines()
        return [json.loads(line)["job"] for line in lines]

    def results(self, analysis):
        return files(self.folder(analysis) / "slow")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class OnACluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = Path(tempfile.mkdtemp(prefix="fleet-"))
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        # munge lets nobody in whose way to the socket is closed to others.
        cls.base.chmod(0o755)
        cls.slurm = Slurm(cls.base / "slurm")
        cls.addClassCleanup(cls.slurm.stop)
        cls.slurm.begin()
        cls.run_folder = cls.base / "run"
        slow_run(cls.run_folder)
        cls.slow_config = cls.base / "slow.yaml"
        cls.slow_config.write_text(SLOW_CONFIG)
        cls.expected = cls.by_one_process(cls.slow_config, cls.run_folder, "slow")

    @classmethod
    def by_one_process(cls, config, run, name):
        into = cls.base / "whole"
        worker("analyze", "--config", config, "--run-path", run, "--output-dir", into)
        return files(into / name)

    def slow(self, name, *more, shards=2, submit=True):
        folder = self.base / name
        more = ["--shards", str(shards), *more]
        return Submitted(folder, self.slow_config, self.run_folder, *more, submit=submit)

    def test_eight_shards_of_the_demo(self):
        expected = self.by_one_process(CONFIG, RUN, "demo")
        fleet = Submitted(self.base / "demo", CONFIG, RUN, "--shards", "8")
        self.assertEqual(fleet.results("demo"), expected)
        self.assertEqual(set(fleet.states().values()), {"done"})
        self.assertIn("all shards are done", self.told("submit", "--again", fleet.folder))

    def told(self, *words):
        ended = subprocess.run([WORKER, *map(str, words)], capture_output=True, text=True)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended.stderr

    def test_a_shard_that_is_requeued_goes_on(self):
        fleet = self.slow("requeued")
        fleet.wait_for_units(1, 1)
        task = f"{fleet.job()}_1"
        said("scontrol", "requeue", task)
        self.start_requeued(fleet, 1)
        self.assertEqual(fleet.results("slow"), self.expected)
        self.assertIn(b'"how":"stopped"', fleet.journal(1).read_bytes())
        self.assertTrue(fleet.journal(1, 1).exists())
        self.assertIn(b'"resumed', (fleet.folder / "results/slow/run.json").read_bytes())

    def start_requeued(self, fleet, shard):
        """Starts what was requeued: Slurm waits for two minutes otherwise. It sets that time once
        the former attempt has ended for good, so that it is told again until there is a new one."""
        job = fleet.job()
        pending = ["squeue", "-h", "-r", "-t", "PENDING", "-j", job, "-o", "%K"]

        def has_started():
            for number in said(*pending).split():
                words = ["scontrol", "update", f"JobId={job}_{number}", "StartTime=now"]
                # It refuses while the former attempt is ending, and where the next has begun.
                subprocess.run(words, capture_output=True)
            return fleet.journal(shard, 1).exists()

        # Slurm looks at what waits once a second, and begins anew where it is told something.
        wait("the requeue", has_started, pause=3)

    def test_a_shard_that_is_killed_is_submitted_again(self):
        fleet = self.slow("killed")
        fleet.wait_for_units(0, 1)
        os.kill(fleet.process(0), signal.SIGKILL)
        fleet.wait_for("killed", 0)
        fleet.wait_for("done", 1)
        fleet.again()
        self.assertEqual(self.submissions_of(fleet), ["0-1", "0"])
        self.assertEqual(fleet.results("slow"), self.expected)

    def submissions_of(self, fleet):
        return [submission["shards"] for submission in fleet.submissions()]

    def test_a_shard_that_is_cancelled_ends_cleanly(self):
        fleet = self.slow("cancelled")
        fleet.wait_for_units(0, 1)
        said("scancel", f"{fleet.job()}_0")
        fleet.wait_for("stopped", 0)
        self.assertIn(b'"how":"stopped"', fleet.journal(0).read_bytes())
        fleet.again()
        self.assertEqual(fleet.results("slow"), self.expected)

    def test_what_runs_out_of_memory_gets_more(self):
        fleet = self.slow("memory", submit=False)
        script = fleet.folder / "submit.sh"
        text = script.read_text()
        script.write_text(re.sub("--mem=[0-9]+M", "--mem=24M", text))
        said("sh", script)
        fleet.wait_for("out of memory", 0)
        fleet.wait_for("out of memory", 1)
        fleet.again()
        first, second = [submission["memory_bytes"] for submission in fleet.submissions()]
        self.assertEqual(second, 2 * first)
        self.assertEqual(fleet.results("slow"), self.expected)

    def test_a_node_goes_down(self):
        fleet = self.slow("node")
        fleet.wait_for_units(0, 1)
        task = f"{fleet.job()}_0"
        node = said("squeue", "-h", "-r", "-j", task, "-o", "%N").strip()
        # The machine is gone: its daemon, whoever watches the process, and the process.
        self.slurm.processes[node].kill()
        self.slurm.processes[node].wait()
        process = fleet.process(0)
        os.kill(parent_of(process), signal.SIGKILL)
        os.kill(process, signal.SIGKILL)
        said("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=gone")
        try:
            self.start_requeued(fleet, 0)
            expected = fleet.results("slow")
        finally:
            self.slurm.start_node(node)
            said("scontrol", "update", f"NodeName={node}", "State=RESUME")
        self.assertEqual(expected, self.expected)
        self.assertTrue(fleet.journal(0, 1).exists())

    def test_shards_go_by_place_where_their_numbers_are_too_large(self):
        fleet = self.slow("places", submit=False)
        script = fleet.folder / "submit.sh"
        text = script.read_text()
        self.assertIn("--array=0-1 ", text)
        script.write_text(text.replace(" shard.sh)", " shard.sh 0-1)"))
        said("sh", script)
        self.assertEqual(fleet.results("slow"), self.expected)

    def serving(self, name):
        server = Serving(self.base / name, self.run_folder)
        self.addCleanup(server.kill)
        return server

    def test_a_server_hands_over_and_merges(self):
        server = self.serving("served")
        analysis = server.analyze(self.slow_config)
        told = server.ask("GET", f"analyses/{analysis}/events").decode()
        self.assertEqual(server.info(analysis)["phase"], "done", told)
        self.assertEqual(told.count("event: unit\n"), LAYERS * STEPS)
        self.assertEqual(server.results(analysis), self.expected)
        self.assertEqual(len(server.jobs(analysis)), 1)

    def test_a_server_is_killed_and_the_next_one_follows(self):
        server = self.serving("left")
        analysis = server.analyze(self.slow_config)
        server.wait_for_units(analysis)
        server.kill()
        server = self.serving("left")
        server.wait_for(analysis, "done")
        self.assertEqual(server.results(analysis), self.expected)
        self.assertEqual(len(server.jobs(analysis)), 1)

    def test_the_page_cancels_and_resumes(self):
        server = self.serving("stopped")
        analysis = server.analyze(self.slow_config)
        server.wait_for_units(analysis)
        server.ask("DELETE", f"analyses/{analysis}")
        self.assertEqual(server.info(analysis)["phase"], "cancelled")
        [job] = server.jobs(analysis)
        at_work = ["squeue", "-h", "-r", "-j", job, "-o", "%T"]
        wait("the jobs to end", lambda: not said(*at_work).strip())
        server.ask("POST", f"analyses/{analysis}/resume")
        server.wait_for(analysis, "done")
        self.assertEqual(server.results(analysis), self.expected)
        self.assertEqual(len(server.jobs(analysis)), 2)

    def test_somebody_else_cancels_a_job_of_a_server_s(self):
        server = self.serving("robbed")
        analysis = server.analyze(self.slow_config)
        server.wait_for_units(analysis)
        said("scancel", server.jobs(analysis)[0])
        message = server.wait_for(analysis, "failed")["message"]
        self.assertIn("stopped: shards ", message)
        self.assertIn("resume it", message)
        server.ask("POST", f"analyses/{analysis}/resume")
        server.wait_for(analysis, "done")
        self.assertEqual(server.results(analysis), self.expected)

    def test_kubernetes_would_take_the_manifest(self):
        if kubernetes_validate is None:
            self.skipTest("kubernetes-validate could not be had from PyPI")
        folder = self.base / "kubernetes"
        words = ["submit", self.slow_config, "--run-path", self.run_folder, "--shards", "3"]
        words += ["--engine", "kubernetes", "--volume", f"shared:{self.base}", "--no-submit"]
        worker(*words, "--out", folder)
        manifest = yaml.safe_load((folder / "job.yaml").read_text())
        kubernetes_validate.validate(manifest, "1.30", strict=True)
        container = manifest["spec"]["template"]["spec"]["containers"][0]
        for index in range(manifest["spec"]["completions"]):
            variables = dict(os.environ, JOB_COMPLETION_INDEX=str(index))
            words = container["command"] + container["args"]
            subprocess.run(words, check=True, env=variables, capture_output=True)
        worker("merge", folder)
        self.assertEqual(files(folder / "results/slow"), self.expected)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    passed = max(result.testsRun - failed - len(result.skipped), 0)
    print(f"test result: {passed} passed; {failed} failed")
    sys.exit(failed > 0)
