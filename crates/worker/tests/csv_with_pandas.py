"""Reads the tables of the demo analysis as anybody would, with `pandas.read_csv(path)` and
`pandas.read_parquet(path)`.

`cargo xtask test csv-python` analyses the bundled run and runs this with RESULTS (the analysis'
folder) and GOLDEN (the expected values) set.
"""

import json
import math
import os
import sys
import unittest
from pathlib import Path

import pandas

RESULTS = Path(os.environ["RESULTS"])
GOLDEN = json.loads(Path(os.environ["GOLDEN"]).read_text())
METRICS = ["per", "gini", "hoyer", "condition_number", "norm_frobenius", "norm_nuclear", "norm_inf"]


def table(metric):
    return pandas.read_csv(RESULTS / f"{metric}_val.csv")


class Tables(unittest.TestCase):
    def test_columns_have_the_types_that_they_should(self):
        read = table("condition_number")
        columns = ["step", "key", "component", "output", "layer", "head", "data_type", "value"]
        columns += ["status", "status_code"]
        self.assertEqual(list(read.columns), columns)
        self.assertEqual(str(read["step"].dtype), "int64")
        self.assertEqual(str(read["layer"].dtype), "int64")
        # The layers' own rows have no head: whole numbers and NaN.
        self.assertEqual(str(read["head"].dtype), "float64")
        self.assertEqual(str(read["value"].dtype), "float64")

    def test_what_is_undefined_is_nan_and_says_why(self):
        read = table("condition_number")
        undefined = read[read["value"].isna()]
        self.assertEqual(len(undefined), 180)
        self.assertEqual(set(undefined["status"]), {"rank 24 of 48"})
        self.assertEqual(set(undefined["status_code"]), {"rank_deficient"})
        self.assertTrue(read[read["value"].notna()]["status"].isna().all())

    def test_a_table_without_a_status_reads_as_well(self):
        read = table("gini")
        self.assertTrue(read["status"].isna().all())
        self.assertFalse(read["value"].isna().any())

    def test_golden_values(self):
        compared = 0
        for metric in METRICS:
            for row in table(metric).itertuples():
                expected = GOLDEN.get(f"val/step_{row.step}", {}).get(metric, {})
                if row.key not in expected:
                    continue
                wanted = expected[row.key]
                if wanted is None:
                    self.assertTrue(math.isnan(row.value), (metric, row))
                else:
                    tolerance = 1e-6 if metric == "condition_number" else 1e-9
                    close = math.isclose(row.value, wanted, rel_tol=tolerance)
                    self.assertTrue(close, (metric, row, wanted))
                compared += 1
        self.assertGreater(compared, 3000)

    def test_curves_come_out_of_a_pivot(self):
        read = table("norm_nuclear")
        own = read[read["head"].isna() & (read["component"] == "swiglu.w_2")]
        weights = own[own["data_type"] == "weights"]
        curves = weights.pivot(index="step", columns="layer", values="value")
        self.assertEqual(list(curves.columns), [0, 1, 2])
        self.assertEqual(len(curves), 15)
        self.assertFalse(curves.isna().any().any())

    def test_parquet_has_what_the_tables_have(self):
        everything = pandas.read_parquet(RESULTS / "results.parquet")
        types = {"step": "int64", "layer": "int64", "head": "float64", "value": "float64"}
        self.assertEqual({name: str(everything[name].dtype) for name in types}, types)
        rows = 0
        for (metric, split), own in everything.groupby(["metric", "split"], sort=False):
            wanted = pandas.read_csv(RESULTS / f"{metric}_{split}.csv")
            # pandas takes an empty cell of a CSV file for a missing value.
            wanted["output"] = wanted["output"].astype(object).fillna("")
            found = own.drop(columns=["metric", "split"]).reset_index(drop=True)
            self.assertEqual(list(found.columns), list(wanted.columns))
            for name in wanted.columns:
                there = wanted[name].notna()
                self.assertTrue((found[name].notna() == there).all(), (metric, name))
                same = found[name][there] == wanted[name][there]
                self.assertTrue(same.all(), (metric, name))
            rows += len(wanted)
        self.assertEqual(rows, len(everything))
        # A join over these loses no row: they are a key, and have no nulls.
        names = everything[["metric", "split", "step", "key"]]
        self.assertFalse(names.isna().any().any())
        self.assertEqual(len(names.drop_duplicates()), rows)
        self.assertGreater(rows, 3000)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=1).result
    failed = len(result.failures) + len(result.errors)
    print(f"test result: {result.testsRun - failed} passed; {failed} failed")
    sys.exit(failed > 0)
