"""Drives the fake hub with Python's own huggingface_hub: what that understands, it does right.

`cargo xtask test hub-python` starts the hub and runs this with HF_ENDPOINT, HF_HOME, RUN (the
folder of the small run) and FILE_HOST set.
"""

import hashlib
import os
import sys
import unittest
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

RUN = Path(os.environ["RUN"])
PICO, BRANCH = "ckptscope/pico-decoder-micro", "pico-decoder-micro-1"
PRIVATE, TOKEN = "ckptscope/private", "hf_of_the_fake_hub"
WEIGHTS = "learning_dynamics/val_weights.pt"
api = HfApi()


def step_file(step, path):
    return (RUN / "checkpoints" / f"step_{step}" / path).read_bytes()


class FakeHub(unittest.TestCase):
    def test_commits_of_a_branch(self):
        commits = api.list_repo_commits(PICO, revision=BRANCH)
        titles = [commit.title for commit in commits]
        self.assertEqual(titles[0], "Saving HF Model -- Step 2000")
        self.assertIn("Saving Learning Dynamics Data (val) -- Step 0", titles)
        self.assertEqual(titles[-1], "initial commit")
        dates = [commit.created_at for commit in commits]
        self.assertEqual(dates, sorted(dates, reverse=True))

    def test_commits_come_in_pages(self):
        self.assertEqual(len(api.list_repo_commits("ckptscope/long-history")), 250)

    def test_branches(self):
        refs = api.list_repo_refs("ckptscope/micro-revisions")
        names = {branch.name for branch in refs.branches}
        self.assertIn("step2000", names)
        self.assertIn("main", names)
        head = api.list_repo_commits("ckptscope/micro-revisions", revision="step2000")[0]
        target = {branch.name: branch.target_commit for branch in refs.branches}
        self.assertEqual(target["step2000"], head.commit_id)

    def test_tree(self):
        files = {}
        for entry in api.list_repo_tree(PICO, revision=BRANCH, recursive=True):
            if hasattr(entry, "size"):
                files[entry.path] = entry
        weights = files[WEIGHTS]
        content = step_file(2000, WEIGHTS)
        self.assertEqual(weights.size, len(content))
        self.assertEqual(weights.lfs.sha256, hashlib.sha256(content).hexdigest())
        config = files["training_config.yaml"]
        content = (RUN / "training_config.yaml").read_bytes()
        blob = b"blob %d\0" % len(content) + content
        self.assertEqual(config.blob_id, hashlib.sha1(blob).hexdigest())
        self.assertIsNone(config.lfs)

    def test_sizes_of_paths(self):
        (info,) = api.get_paths_info(PICO, [WEIGHTS], revision=BRANCH)
        self.assertEqual(info.size, len(step_file(2000, WEIGHTS)))

    def test_download_of_a_large_file_of_a_commit(self):
        title = "Saving Learning Dynamics Data (val) -- Step 64"
        commits = api.list_repo_commits(PICO, revision=BRANCH)
        commit = next(commit for commit in commits if commit.title == title)
        path = hf_hub_download(PICO, WEIGHTS, revision=commit.commit_id)
        self.assertEqual(Path(path).read_bytes(), step_file(64, WEIGHTS))
        blob = Path(path).resolve()
        self.assertEqual(blob.name, hashlib.sha256(blob.read_bytes()).hexdigest())

    def test_download_of_a_small_file(self):
        path = hf_hub_download(PICO, "training_config.yaml", revision=BRANCH)
        expected = (RUN / "training_config.yaml").read_bytes()
        self.assertEqual(Path(path).read_bytes(), expected)

    def test_snapshot(self):
        folder = snapshot_download(
            "ckptscope/micro-revisions", revision="step64", allow_patterns=["learning_dynamics/*"]
        )
        found = (Path(folder) / WEIGHTS).read_bytes()
        self.assertEqual(found, step_file(64, WEIGHTS))

    def test_private(self):
        with self.assertRaises(RepositoryNotFoundError):
            api.list_repo_commits(PRIVATE)
        with self.assertRaises(Exception):
            HfApi(token="hf_wrong").list_repo_commits(PRIVATE)
        self.assertTrue(HfApi(token=TOKEN).list_repo_commits(PRIVATE))
        path = hf_hub_download(PRIVATE, "model.safetensors", token=TOKEN)
        self.assertEqual(Path(path).read_bytes(), step_file(2000, "model.safetensors"))

    def test_what_is_not_there(self):
        with self.assertRaises(RepositoryNotFoundError):
            api.list_repo_refs("ckptscope/nothing")
        with self.assertRaises(RevisionNotFoundError):
            api.list_repo_commits(PICO, revision="nothing")
        with self.assertRaises(EntryNotFoundError):
            hf_hub_download(PICO, "nothing.pt", revision=BRANCH)
        with self.assertRaises(GatedRepoError):
            hf_hub_download("ckptscope/gated", "model.safetensors")


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print(f"test result: {result.testsRun - failed} passed; {failed} failed")
    sys.exit(1 if failed else 0)
