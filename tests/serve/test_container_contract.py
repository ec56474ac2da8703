"""What SageMaker's own containers do with an `inference.py`, case by case.

The expected answers were recorded from the containers' own code: `serving.py` of aws/sagemaker-scikit-learn-container
and aws/sagemaker-xgboost-container over sagemaker-containers 2.8.6.post2, Flask 3.1.3 and werkzeug 3.1.8, which is what
docker/sklearn/1.9-0 and docker/xgboost of aws/deep-learning-containers install (November 2026).
"""

import textwrap
import types
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from mlops.problem import Problem
from mlops.serving.inference_functions import Inference, _transform
from mlops.serving.serve import application

HTML = "text/html; charset=utf-8"
JSON = "application/json"
# With scikit-learn's defaults it gives the sum of each row; with XGBoost's, the shape of what it got.
MODEL = """
import numpy as np

class Model:
    def predict(self, X, **_):
        if hasattr(X, "num_row"):
            return np.array([[X.num_row(), X.num_col()]] * X.num_row(), dtype="float32")
        return np.asarray(X).sum(axis=1)

def model_fn(folder):
    return Model()
"""
TAKES_ALL = "def input_fn(body, content_type): return [[1]]\n"


def served(source: str, framework: str = "scikit-learn") -> Client:
    module: Any = types.ModuleType("inference")
    exec(textwrap.dedent(source), module.__dict__)  # noqa: S102 (our own text)
    return Client(application(Inference(module.model_fn("/"), _transform(module, framework))))


def invoke(client: Client, body: bytes = b"1,2\n3,4", **headers: str) -> TestResponse:
    return client.post(
        "/invocations", data=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


@pytest.mark.parametrize("framework", ["scikit-learn", "xgboost"])
@pytest.mark.parametrize(
    ("functions", "status", "content_type", "body"),
    [
        ("def transform_fn(*r): return repr(r[1:]), 'text/plain'", 200, "text/plain; charset=utf-8", None),
        ("def transform_fn(*_): return 'x'", 200, HTML, b"x"),
        ("def transform_fn(*_): return b'x'", 200, HTML, b"x"),
        ("def transform_fn(*_): return {'a': 1}", 200, JSON, b'{"a":1}\n'),
        ("def transform_fn(*_): return [1]", 200, JSON, b"[1]\n"),
        ("def transform_fn(*_): return None", 500, None, None),
        ("def transform_fn(*_): return 1.5", 500, None, None),
        ("def transform_fn(*_): return 'x', 'text/csv', 201", 200, "text/csv; charset=utf-8", b"x"),
        ("def transform_fn(*_): return 'x', None", 200, JSON, b"x"),
        ("def transform_fn(*_):\n import flask\n flask.abort(418)", 500, None, None),
        ("def transform_fn(*_):\n import flask\n return flask.Response('no', 422)", 422, HTML, b"no"),
        ("def input_fn(*_): raise ValueError('secret')", 500, None, None),
        ("def input_fn(a, b, context): return a", 500, None, None),
        (TAKES_ALL + "def output_fn(p, a): return 'p'", 200, HTML, b"p"),
        (TAKES_ALL + "def output_fn(p, a): return np.array([1]), a", 200, JSON, b"\1" + 7 * b"\0"),
        (TAKES_ALL + "def output_fn(p, a): return {'a': 1}, a", 200, JSON, b"a"),
    ],
)
def test_own_functions(
    framework: str, functions: str, status: int, content_type: str | None, body: bytes | None
) -> None:
    answer = invoke(served(f"{MODEL}\n{functions}", framework), Content_Type="text/csv")
    assert answer.status_code == status
    if status < 500:
        assert answer.content_type == content_type
    else:
        assert b"secret" not in answer.data
    if body is not None:
        assert answer.data == body


@pytest.mark.parametrize(
    ("request_body", "headers", "scikit_learn", "xgboost"),
    [
        (b"1,2\n3,4", {"Content_Type": "text/csv"}, b"[3.0, 7.0]", b"[[2.0, 2.0], [2.0, 2.0]]"),
        (b"1,2\n3,4\n", {"Content_Type": "text/csv"}, b"[3.0, 7.0]", None),
        (b"1,2", {"Content_Type": "text/csv"}, None, b"[[1.0, 2.0]]"),
        (b"1;2\n3;4", {"Content_Type": "text/csv"}, None, b"[[2.0, 2.0], [2.0, 2.0]]"),
        (b"1|2\n3|4", {"Content_Type": "text/csv"}, None, b"[[2.0, 2.0], [2.0, 2.0]]"),
        (b"1,\n3,4", {"Content_Type": "text/csv"}, None, b"[[2.0, 2.0], [2.0, 2.0]]"),
        (b"12\n34", {"Content_Type": "text/csv"}, None, b"[[2.0, 1.0], [2.0, 1.0]]"),
        (b"a,b\n3,4", {"Content_Type": "text/csv"}, None, None),
        (b"1,2\n3", {"Content_Type": "text/csv"}, None, None),
        (b"", {"Content_Type": "text/csv"}, None, None),
        (b'"a,b', {"Content_Type": "text/csv"}, None, None),
        (b"\xff,1", {"Content_Type": "text/csv"}, None, None),
        (b"1,2\n3,4", {"Content_Type": "text/csv; charset=utf-8"}, None, b"[[2.0, 2.0], [2.0, 2.0]]"),
        (b"1,2\n3,4", {"Content_Type": "text/csv", "Accept": "text/csv"}, b"3.0\n7.0\n", b"2.0,2.0\n2.0,2.0\n"),
        (b"1,2\n3,4", {"Content_Type": "text/csv", "Accept": "image/png"}, None, None),
        (b"1,2\n3,4", {"Content_Type": "text/csv", "Accept": "text/csv, */*"}, None, None),
        (b"[[1,2],[3,4]]", {"Content_Type": "application/json"}, b"[3.0, 7.0]", None),
        (b"[[1,2],[3,4]]", {}, b"[3.0, 7.0]", None),
        (b"[1,2]", {}, None, None),
        (b'{"a":1}', {}, None, None),
        (b"{", {}, None, None),
        (b"<a/>", {"Content_Type": "application/xml"}, None, None),
    ],
)
def test_the_containers_defaults(
    request_body: bytes, headers: dict[str, str], scikit_learn: bytes | None, xgboost: bytes | None
) -> None:
    for framework, expected in [("scikit-learn", scikit_learn), ("xgboost", xgboost)]:
        answer = invoke(served(MODEL, framework), request_body, **headers)
        assert answer.status_code == (500 if expected is None else 200), framework
        if expected is not None:
            assert answer.data == expected


def test_arrays_go_both_ways_and_nothing_is_unpickled() -> None:
    import io

    import numpy as np

    npy, client = "application/x-npy", served(MODEL)
    binary = io.BytesIO()
    np.save(binary, np.array([[1.0, 2.0], [3.0, 4.0]]))
    answer = invoke(client, binary.getvalue(), Content_Type=npy, Accept=npy)
    assert answer.content_type == npy
    assert np.load(io.BytesIO(answer.data)).tolist() == [3.0, 7.0]
    objects = io.BytesIO()
    np.save(objects, np.array([{}], dtype=object), allow_pickle=True)
    assert invoke(client, objects.getvalue(), Content_Type=npy).status_code == 500


def test_transform_fn_beside_others_is_refused() -> None:
    with pytest.raises(Problem, match="transform_fn and predict_fn; the containers refuse both together"):
        served(MODEL + "def transform_fn(*_): pass\ndef predict_fn(*_): pass")


def test_custom_attributes_reach_the_code_and_come_back() -> None:
    client = served(
        MODEL
        + textwrap.dedent("""
            import flask
            NAME = "X-Amzn-SageMaker-Custom-Attributes"
            def transform_fn(*_):
                return flask.Response("x", headers={NAME: flask.request.headers[NAME] + "!"})
        """)
    )
    answer = invoke(client, X_Amzn_SageMaker_Custom_Attributes="trace=7")
    assert answer.headers["X-Amzn-SageMaker-Custom-Attributes"] == "trace=7!"
