"""Reads our offline run record by record, with a version of wandb that has its own reader.

`cargo xtask test wandb-python` writes the run with `worker analyze` and runs this with OFFLINE_RUN
(its folder) and RESULTS (the analysis' results.json) set.
"""

import json
import os
import sys
import unittest
from pathlib import Path

from wandb.proto import wandb_internal_pb2
from wandb.sdk.internal import datastore

from rows_of_results import PROJECT, config_of, results, rows_of

FOLDER = Path(os.environ["OFFLINE_RUN"])


def read():
    """All records, as the reader and the messages of the package understand them."""
    (path,) = FOLDER.glob("run-*.wandb")
    store = datastore.DataStore()
    store.open_for_scan(str(path))
    records = []
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        # Nothing is there that the schema does not know.
        assert record.SerializeToString(deterministic=True) == data
        records.append(record)
    return records


def values(items):
    return {"/".join(item.nested_key): json.loads(item.value_json) for item in items}


RECORDS = read()


def of(kind):
    return [getattr(r, kind) for r in RECORDS if r.WhichOneof("record_type") == kind]


class OfflineRun(unittest.TestCase):
    def test_order(self):
        kinds = [record.WhichOneof("record_type") for record in RECORDS]
        steps = len(rows_of(results()))
        expected = ["header", "run", "config"] + ["history", "summary"] * steps
        expected += ["summary", "exit", "final", "footer"]
        self.assertEqual(kinds, expected)
        self.assertEqual([r.num for r in RECORDS], list(range(1, len(RECORDS) + 1)))

    def test_it_spans_blocks(self):
        (path,) = FOLDER.glob("run-*.wandb")
        self.assertGreater(path.stat().st_size, 3 * 32768)

    def test_header(self):
        (header,) = of("header")
        self.assertTrue(header.version_info.producer.startswith("ckptscope-wandb "))
        self.assertTrue(header.version_info.min_consumer)

    def test_run(self):
        (run,) = of("run")
        self.assertEqual(FOLDER.name.rsplit("-", 1)[1], run.run_id)
        self.assertEqual((run.entity, run.project), ("", PROJECT))
        self.assertEqual(run.display_name, results()["analysis_name"])
        self.assertGreater(run.start_time.seconds, 1_700_000_000)
        self.assertEqual(values(run.config.update), config_of(results()))

    def test_config(self):
        (config,) = of("config")
        self.assertEqual(values(config.update), config_of(results()))

    def test_every_row(self):
        expected = rows_of(results())
        found = of("history")
        self.assertEqual([row.step.num for row in found], list(expected))
        for row in found:
            own = values(row.item)
            self.assertEqual(own.pop("_step"), row.step.num)
            self.assertGreaterEqual(own.pop("_runtime"), 0)
            self.assertGreater(own.pop("_timestamp"), 1.7e9)
            self.assertEqual(own, expected[row.step.num])

    def test_summary(self):
        summary, expected = {}, {}
        for part in of("summary"):
            summary.update(values(part.update))
        for step, row in rows_of(results()).items():
            expected.update(row, _step=step)
        for own in ["_runtime", "_timestamp", "_wandb/runtime"]:
            summary.pop(own)
        self.assertEqual(summary, expected)

    def test_exit(self):
        (end,) = of("exit")
        self.assertEqual(end.exit_code, 0)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print(f"test result: {result.testsRun - failed} passed; {failed} failed")
    sys.exit(1 if failed else 0)
