"""What an analysis found, read from its results.json and not from what our writer made of it."""

import json
import os

import yaml

PROJECT = "ckptscope"


def results():
    with open(os.environ["RESULTS"], encoding="utf-8") as file:
        return json.load(file)


def rows_of(results):
    """Step to the names and values that the reference tool would log; undefined ones are left out."""
    rows = {}
    for record in results["records"]:
        row = rows.setdefault(record["step"], {})
        if record["value"] is not None:
            row[f"{record['label']}_{record['split']}/{record['key']}"] = record["value"]
    return dict(sorted(rows.items()))


def config_of(results):
    """The config's YAML as PyYAML reads it, and what it was asked of."""
    config = yaml.safe_load(results["config"])
    return {**config, "source": results["source"], "program": results["program"]}
