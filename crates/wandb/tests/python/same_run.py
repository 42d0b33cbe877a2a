"""One run, three ways to the same server: our offline run by `wandb sync`, our own upload, and the
real client that logs the numbers of results.json. What the server received must be equal.

`cargo xtask test wandb-python` starts the fake server and runs this with a current wandb, and with
WANDB_BASE_URL, WANDB_API_KEY, OFFLINE_RUN, UPLOADED_RUN (both folders of the same analysis, the
second of which was uploaded), and RESULTS set.

Excepted are what says when (`_runtime`, `_timestamp`, `_wandb.runtime`), ids, and what a client says
of itself (`_wandb` in the config, files of its own).
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

import wandb

from rows_of_results import PROJECT, config_of, results, rows_of

SERVER = os.environ["WANDB_BASE_URL"]
OFFLINE_RUN, UPLOADED_RUN = Path(os.environ["OFFLINE_RUN"]), Path(os.environ["UPLOADED_RUN"])
TIMES = ["_runtime", "_timestamp"]


def received(run_id):
    with urllib.request.urlopen(f"{SERVER}/received") as answer:
        return json.load(answer)[run_id]


def sync():
    """Uploads the offline run with wandb's own command."""
    command = [sys.executable, "-m", "wandb", "sync", str(OFFLINE_RUN)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def log_with_the_real_client():
    """Logs the rows of the results with wandb itself; the run's id."""
    found = results()
    with tempfile.TemporaryDirectory() as folder:
        settings = wandb.Settings(console="off", disable_git=True, x_disable_stats=True)
        run = wandb.init(
            project=PROJECT,
            name=found["analysis_name"],
            config=config_of(found),
            mode="online",
            dir=folder,
            settings=settings,
        )
        for step, row in rows_of(found).items():
            run.log(row, step=step)
        run.finish()
        return run.id


def without(names, values):
    return {name: value for name, value in values.items() if name not in names}


class SameRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.said = sync()
        cls.synced = received(OFFLINE_RUN.name.rsplit("-", 1)[1])
        cls.uploaded = received(UPLOADED_RUN.name.rsplit("-", 1)[1])
        cls.real = received(log_with_the_real_client())

    def assert_equal_but(self, part, excepted):
        for name, run in [("synced", self.synced), ("uploaded", self.uploaded)]:
            with self.subTest(name):
                self.assertEqual(without(excepted, run[part]), without(excepted, self.real[part]))

    def test_sync_takes_the_run(self):
        self.assertIn("Finished syncing", self.said)
        self.assertTrue(list(OFFLINE_RUN.glob("*.wandb.synced")))

    def test_history(self):
        expected = rows_of(results())
        for name in ["synced", "uploaded", "real"]:
            history = getattr(self, name)["history"]
            with self.subTest(name):
                self.assertEqual([row["_step"] for row in history], list(expected))
                for row in history:
                    self.assertEqual(without(TIMES + ["_step"], row), expected[row["_step"]])
                    self.assertGreater(row["_timestamp"], 1.7e9)
                    self.assertGreaterEqual(row["_runtime"], 0)

    def test_summary(self):
        self.assert_equal_but("summary", TIMES + ["_wandb"])
        for run in [self.synced, self.uploaded, self.real]:
            self.assertEqual(set(run["summary"]["_wandb"]), {"runtime"})

    def test_config(self):
        self.assert_equal_but("config", ["_wandb"])
        expected = {name: {"value": value} for name, value in config_of(results()).items()}
        self.assertEqual(without(["_wandb"], self.real["config"]), expected)

    def test_names_and_end(self):
        for part in ["entity", "project", "display_name", "exit_code", "is_complete"]:
            self.assertEqual(self.synced[part], self.real[part], part)
            self.assertEqual(self.uploaded[part], self.real[part], part)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print(f"test result: {result.testsRun - failed} passed; {failed} failed")
    sys.exit(1 if failed else 0)
