"""Reads the tables of the demo analysis as anybody would, with `pandas.read_csv(path)` and
`pandas.read_parquet(path)`, and joins those of two runs in pandas, polars and DuckDB.

`cargo xtask test csv-python` analyses the bundled run and runs this with RESULTS (the analysis'
folder), OTHER (that of another run of the same shape) and GOLDEN (the expected values) set.
"""

import json
import math
import os
import sys
import unittest
from pathlib import Path

import duckdb
import pandas
import polars

RESULTS = Path(os.environ["RESULTS"])
OTHER = Path(os.environ["OTHER"])
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


# What names a row among all of a run, and in one metric's table.
NAMES = ["metric", "split", "step", "key"]
OF_ONE_METRIC = ["step", "key"]


class Joins(unittest.TestCase):
    """A join over the key keeps every row: it has no nulls, though heads and layers have."""

    def files(self):
        """Each pair of tables, with its key and how many rows it has."""
        everything = pandas.read_parquet(RESULTS / "results.parquet")
        yield [folder / "results.parquet" for folder in (RESULTS, OTHER)], NAMES, len(everything)
        for metric in METRICS:
            files = [folder / f"{metric}_val.csv" for folder in (RESULTS, OTHER)]
            yield files, OF_ONE_METRIC, len(table(metric))

    def check(self, join):
        all_rows = 0
        for files, key, rows in self.files():
            self.assertEqual(join(files, key), rows, files)
            all_rows += rows
        self.assertGreater(all_rows, 6000)

    def test_pandas_keeps_every_row(self):
        def join(files, key):
            read = [pandas.read_parquet, pandas.read_csv][files[0].suffix == ".csv"]
            one, other = map(read, files)
            return len(one.merge(other, on=key, validate="one_to_one"))

        self.check(join)

    def test_polars_keeps_every_row(self):
        def join(files, key):
            read = [polars.read_parquet, polars.read_csv][files[0].suffix == ".csv"]
            one, other = map(read, files)
            return one.join(other, on=key, validate="1:1").height

        self.check(join)

    def test_duckdb_keeps_every_row(self):
        def join(files, key):
            one, other = (f"'{file}'" for file in files)
            names = ", ".join(key)
            query = f"SELECT count(*) FROM {one} JOIN {other} USING ({names})"
            return duckdb.sql(query).fetchall()[0][0]

        self.check(join)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=1).result
    failed = len(result.failures) + len(result.errors)
    print(f"test result: {result.testsRun - failed} passed; {failed} failed")
    sys.exit(failed > 0)
