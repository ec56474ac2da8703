"""Transform jobs: objects in, objects with `.out` out, answered by the model's own code."""

from pathlib import Path
from typing import Any

import pytest

from mlops.laptop import store
from tests.runner.conftest import Laptop, get, output, succeeded

INFERENCE = """
import os
def model_fn(folder):
    return open(os.path.join(folder, 'model')).read()
def input_fn(body, content_type):
    if b'bad' in body:
        raise ValueError('a bad record')
    return content_type, body
def predict_fn(data, model):
    return f'[{model}|{data[0]}|{data[1].decode()!r}]'
def output_fn(prediction, accept):
    return prediction, accept
"""
TRAIN = """
import os, pathlib
model = pathlib.Path(os.environ['SM_MODEL_DIR'])
(model / 'code').mkdir()
(model / 'code/inference.py').write_text(pathlib.Path('inference.py').read_text())
(model / 'model').write_text(os.environ['SM_HP_NAME'])
"""


def steps(
    laptop: Laptop, files: dict[str, bytes], inference: str = INFERENCE, name: str = "m", **changes: Any
) -> list[dict[str, Any]]:
    """Train, Model, Score."""
    driver = store.uri(store.add({"sourcecode.json": b'{"entry_script": "train.py"}'}))
    channels = {"code": laptop.code(train__py=TRAIN, inference__py=inference), "sm_drivers": driver}
    train = {
        "AlgorithmSpecification": {
            "TrainingImage": "i",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/opt/ml/input/data/sm_drivers/sm_train.sh"],
        },
        "HyperParameters": {"name": name},
        "InputDataConfig": [
            {"ChannelName": key, "DataSource": {"S3DataSource": {"S3Uri": uri}}} for key, uri in channels.items()
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://laptop/artifacts"},
        "ResourceConfig": {"InstanceCount": 1},
    }
    container = {"Image": "i", "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts"), "Environment": {}}
    data = store.uri(store.add(files))
    score = {
        "ModelName": get("Steps.Model.ModelName"),
        "TransformInput": {
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data}},
            **changes.pop("input", {}),
        },
        "TransformOutput": {"S3OutputPath": "s3://laptop/scores", "Accept": "text/csv", **changes.pop("output", {})},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    }
    options = {key: changes.pop(key) for key in list(changes) if key == "CacheConfig"}
    return [
        {"Name": "Train", "Type": "Training", "Arguments": train},
        {"Name": "Model", "Type": "Model", "Arguments": {"PrimaryContainer": container}},
        {"Name": "Score", "Type": "Transform", "Arguments": score | changes, **options},
    ]


def scores(laptop: Laptop, files: dict[str, bytes], **changes: Any) -> dict[str, str]:
    runs = laptop.run(*steps(laptop, files, **changes))
    assert succeeded(runs)
    folder: Path = store.find(runs["Score"].result.outputs["output"])
    assert runs["Score"].result.properties["TransformOutput"]["S3OutputPath"] == store.uri(folder.name)
    return {name: path.read_text() for name, path in store.files_in(folder).items()}


def test_each_object_has_an_output_of_its_name(laptop: Laptop) -> None:
    assert scores(laptop, {"a.csv": b"1,2\n3,4\n", "deep/b.csv": b"5"}) == {
        "a.csv.out": "[m|text/csv|'1,2\\n3,4\\n']",
        "deep/b.csv.out": "[m|text/csv|'5']",
    }


def test_lines_go_alone_or_together_up_to_the_limit(laptop: Laptop) -> None:
    lines = {"a.csv": b"1\n2\n3\n"}
    alone = scores(
        laptop, lines, input={"SplitType": "Line"}, output={"AssembleWith": "Line"}, BatchStrategy="SingleRecord"
    )
    assert alone == {"a.csv.out": "[m|text/csv|'1\\n']\n[m|text/csv|'2\\n']\n[m|text/csv|'3\\n']\n"}
    together = scores(laptop, lines, input={"SplitType": "Line"}, BatchStrategy="MultiRecord")
    assert together == {"a.csv.out": "[m|text/csv|'1\\n2\\n3\\n']"}
    long = {"a.csv": b"x" * 700_000 + b"\n" + b"y" * 700_000 + b"\n"}
    for limit, requests in ((1, 2), (6, 1), (0, 1)):  # 0 is no limit (CreateTransformJob, MaxPayloadInMB)
        found = scores(laptop, long, input={"SplitType": "Line"}, MaxPayloadInMB=limit)
        assert found["a.csv.out"].count("[m|") == requests


def test_an_output_function_may_leave_out_the_type(laptop: Laptop) -> None:
    plain = INFERENCE.replace("return prediction, accept", "return prediction.encode()")
    assert scores(laptop, {"a": b"1"}, inference=plain) == {"a.out": "[m|text/csv|'1']"}


def test_a_record_that_is_refused_fails_the_job_and_names_the_object(laptop: Laptop) -> None:
    runs = laptop.run(*steps(laptop, {"a.csv": b"1", "b.csv": b"bad"}))
    assert runs["Score"].reason == "step Score failed: b.csv: a bad record"


def test_another_model_is_another_result(laptop: Laptop) -> None:
    """The name of a model is another in every run: what is in it decides."""
    config: dict[str, Any] = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    files = {"a": b"1"}
    assert scores(laptop, files, name="one", **config) == {"a.out": "[one|text/csv|'1']"}
    assert scores(laptop, files, name="two", **config) == {"a.out": "[two|text/csv|'1']"}
    assert laptop.run(*steps(laptop, files, name="one", **config))["Score"].cached


def test_a_model_that_no_step_made_is_one_line(laptop: Laptop) -> None:
    runs = laptop.run(*steps(laptop, {"a": b"1"}, ModelName="somebody's"))
    assert runs["Score"].reason == 'no step of this pipeline made the model "somebody\'s"'


def test_a_registered_model_is_what_the_request_says(laptop: Laptop) -> None:
    request = {
        "ModelPackageGroupName": "g",
        "InferenceSpecification": {
            "Containers": [{"ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}]
        },
    }
    train = steps(laptop, {"a": b"1"})[0]
    runs = laptop.run(train, {"Name": "Register", "Type": "RegisterModel", "Arguments": request})
    assert succeeded(runs)
    assert runs["Register"].result.properties["ModelPackageArn"] == "arn:version/1"
    (registered,) = laptop.registry.requests
    assert store.find(registered["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]).is_file()


@pytest.mark.parametrize("code", ["raise RuntimeError('broken')", "import nowhere"])
def test_a_model_whose_code_fails_says_so(laptop: Laptop, code: str) -> None:
    reason = laptop.run(*steps(laptop, {"a": b"1"}, inference=code))["Score"].reason
    assert reason
    assert reason.startswith("step Score failed: ")
    assert "broken" in reason or "No module named 'nowhere'" in reason


def test_scores_reach_the_next_step(laptop: Laptop) -> None:
    read = "import os; print(os.listdir('input/scores'))"
    data = laptop.processing("Data", "open('output/out/x.csv', 'w').write('1')", outputs=["out"])
    made = steps(laptop, {"a": b"1"})
    made[2]["Arguments"]["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = output("Data")
    last = laptop.processing("Last", read, inputs={"scores": get("Steps.Score.TransformOutput.S3OutputPath")})
    assert succeeded(laptop.run(last, data, *made))
    assert laptop.log("Last") == "['x.csv.out']\n"


def test_a_model_that_cannot_be_unpacked_is_one_line(laptop: Laptop) -> None:
    train, model, score = steps(laptop, {"a.csv": b"1\n"})
    broken = store.uri(store.add({"model.tar.gz": b"no archive"}))
    model["Arguments"]["PrimaryContainer"]["ModelDataUrl"] = f"{broken}/model.tar.gz"
    runs = laptop.run(train, model, score)
    assert runs["Score"].status == "Failed"
    assert runs["Score"].reason == "step Score cannot unpack the model's model.tar.gz: Not a gzipped file (b'no')"
