"""
What pandas, pyarrow, polars and TensorBoard read of an exported run: `readers.py tables FOLDER` (FORM/KIND.FORM) and `readers.py tensorboard
FOLDER`. The answer is a line of JSON; numbers that are not finite are texts.
"""

import json
import math
import os
import sys
import time
import urllib.parse
import urllib.request


def plain(value):
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def tables(folder):
    """Of each table: Parquet's types, its rows, and whether polars, and pandas' CSV reader, give the same."""
    import pandas
    import polars
    import pyarrow.parquet

    answer = {}
    for name in sorted(os.listdir(os.path.join(folder, "parquet"))):
        if name.startswith("."):
            continue
        kind = name.removesuffix(".parquet")
        table = pyarrow.parquet.read_table(os.path.join(folder, "parquet", name))
        csv = pandas.read_csv(os.path.join(folder, "csv", f"{kind}.csv"))
        frame = pandas.read_parquet(os.path.join(folder, "parquet", name))
        numbers = frame.select_dtypes("number").columns
        texts = [column for column in frame.columns if column not in numbers]
        alike = list(frame.columns) == list(csv.columns)
        for column in numbers:
            alike = alike and bool(((frame[column] == csv[column]) | (frame[column].isna() & csv[column].isna())).all())
        exact = pandas.read_csv(os.path.join(folder, "csv", f"{kind}.csv"), dtype=str, keep_default_na=False)
        for column in texts:
            alike = alike and list(frame[column].fillna("").astype(str)) == list(exact[column])
        types = {field.name: str(field.type) for field in table.schema}
        rows = table.to_pylist()
        in_polars = polars.read_parquet(os.path.join(folder, "parquet", name)).to_dicts() == rows
        answer[kind] = {"types": types, "rows": rows, "csvIsAlike": alike, "polarsIsAlike": in_polars}
    return answer


def ask(url, path, question):
    request = urllib.request.Request(
        urllib.parse.urljoin(url, path), json.dumps(question).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def tensorboard(folder):
    """Of each run: its scalars as the event accumulator has them; and what the HParams tab is given by a server on loopback."""
    from tensorboard import program
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runs = {}
    for name in sorted(os.listdir(folder)):
        if name.startswith("."):
            continue
        events = EventAccumulator(os.path.join(folder, name))
        events.Reload()
        scalars = {
            tag: [[one.wall_time, one.step, one.value] for one in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]
        }
        runs[name] = {"scalars": scalars, "hparams": sorted(events.PluginTagToContent("hparams"))}
    server = program.TensorBoard()
    server.configure(argv=[None, "--logdir", folder, "--host", "127.0.0.1", "--port", "0", "--load_fast", "false"])
    url = server.launch()
    wanted = len(runs)
    question = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
        "colParams": [],
        "startIndex": 0,
        "sliceSize": 1000,
    }
    # The server reads the folder behind its first answers.
    while True:
        experiment = ask(url, "data/plugin/hparams/experiment", {"experimentName": ""})
        found = [{"hparam": one["name"]} for one in experiment.get("hparamInfos", [])]
        metrics = [{"metric": one["name"]} for one in experiment.get("metricInfos", [])]
        groups = ask(url, "data/plugin/hparams/session_groups", {**question, "colParams": found + metrics})
        if len(groups["sessionGroups"]) == wanted:
            return {"runs": runs, "experiment": experiment, "groups": groups["sessionGroups"]}
        time.sleep(0.1)


answers = {"tables": tables, "tensorboard": tensorboard}
print(json.dumps(plain(answers[sys.argv[1]](sys.argv[2]))), flush=True)
os._exit(0)
