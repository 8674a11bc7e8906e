"""What a real MLflow server was told of a run, as JSON: `read-mlflow.py URI EXPERIMENT`."""
import json
import math
import sys

from mlflow.tracking import MlflowClient

uri, name = sys.argv[1:]
client = MlflowClient(uri)
experiment = client.get_experiment_by_name(name)
runs = client.search_runs([experiment.experiment_id], max_results=5000)
plain = lambda value: "NaN" if math.isnan(value) else value
json.dump(
    {
        run.info.run_name: {
            "status": run.info.status,
            "start": run.info.start_time,
            "end": run.info.end_time,
            "params": run.data.params,
            "metrics": {
                key: [[m.step, plain(m.value), m.timestamp] for m in client.get_metric_history(run.info.run_id, key)]
                for key in run.data.metrics
            },
        }
        for run in runs
    },
    sys.stdout,
)
