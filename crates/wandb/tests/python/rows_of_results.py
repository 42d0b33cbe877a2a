"""What an analysis found, read from its results.json and not from what our writer made of it."""

import json
import os

import yaml

PROJECT = "ckptscope"


def results():
    with open(os.environ["RESULTS"], encoding="utf-8") as file:
        return json.load(file)


def key_of(series):
    key = f"{series['stack']}{series['layer']}.{series['component']}.{series['data_type']}"
    if "head" in series:
        key += f".heads.{series['head']}"
    return f"{key}.{series['output']}" if "output" in series else key


def rows_of(results):
    """Step to the names and values that the reference tool would log; undefined ones are left out."""
    rows = {step: {} for step in results["steps"]}
    for series in results["series"]:
        entry = results["entries"][series["entry"]]
        name = f"{entry['label']}_{entry['split']}/{key_of(series)}"
        for step, value in zip(results["step_lists"][series["steps"]], series["values"]):
            if value is not None:
                rows[step][name] = value
    return dict(sorted(rows.items()))


def config_of(results):
    """The config's YAML as PyYAML reads it, and what it was asked of."""
    config = yaml.safe_load(results["config"])
    return {**config, "source": results["source"], "program": results["program"]}
