"""The functions that answer requests: the model's own, and the container's where `inference.py` has none.

What the scikit-learn and XGBoost containers do was read and tried in their sources: `serving.py` of
aws/sagemaker-scikit-learn-container and aws/sagemaker-xgboost-container over sagemaker-containers 2.8.6, as they are
built into the images scikit-learn 1.9-0 and XGBoost 3.2-0 (aws/deep-learning-containers, docker/).
"""

import csv
import importlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from mlops.own_repository import ROOT
from mlops.problem import Problem
from mlops.terminal import warn

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
Body = bytes | str


@dataclass(frozen=True)
class Inference:
    """A loaded model and what answers with it."""

    model: Any
    transform: Callable[[Any, Body, str, str], tuple[Any, int | None]]

    def answer(self, body: Body, content_type: str, accept: str) -> tuple[Any, int | None]:
        """Return what the functions made of a request, and the number of rows if it is known.

        That is a tuple of content and type, or anything that a view of Flask may return. It raises what they raise.
        """
        return self.transform(self.model, body, content_type, accept)


def load(folder: Path, framework: str) -> Inference:
    """Load a model with the code that lies in its folder.

    Raises:
        Problem: a package is missing, or its code fails; with the reason in one line.
    """
    code = folder / "code"
    if not (code / "inference.py").is_file():
        raise Problem(f"the model has no code/inference.py; model/train.py puts it there: {folder}")
    _look_at_requirements(code / "requirements.txt")
    os.environ["SM_MODEL_DIR"] = str(folder)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the XGBoost container does; more wait for each other on a few rows
    # The model answers with the code that it was trained with, whatever model/ has become since.
    sys.path[:] = [str(code), *(place for place in sys.path if Path(place).resolve() != ROOT / "model")]
    sys.dont_write_bytecode = True  # the folder may be somebody's
    try:
        module = importlib.import_module("inference")
        transform = _transform(module, framework)
        return Inference(module.model_fn(str(folder)), transform)
    except Problem:
        raise
    except ModuleNotFoundError as error:
        raise Problem(
            f"the model imports {error.name!r}, which is neither in its code/ nor installed; "
            "install it, or add its file to model/ and train again"
        ) from None
    except (Exception, SystemExit) as error:
        if "libomp" in str(error):
            raise Problem("XGBoost needs OpenMP, which a Mac lacks: brew install libomp") from None
        raise Problem(f"the model cannot be loaded: {_reason(error, code)}") from None


def _transform(module: ModuleType, framework: str) -> Callable[[Any, Body, str, str], tuple[Any, int | None]]:
    own = {name: getattr(module, name, None) for name in ("input_fn", "predict_fn", "output_fn")}
    whole = getattr(module, "transform_fn", None)
    if not hasattr(module, "model_fn"):
        raise Problem("the model's inference.py has no model_fn(model_dir), which loads it; the containers have none")
    if whole and any(own.values()):
        given = ", ".join(name for name, function in own.items() if function)
        raise Problem(f"the model's inference.py has transform_fn and {given}; the containers refuse both together")
    if whole:
        return lambda *request: (whole(*request), None)
    is_xgboost = framework == "xgboost"
    input_fn = own["input_fn"] or (_xgboost_input if is_xgboost else _array_input)
    predict_fn = own["predict_fn"] or (_xgboost_predict if is_xgboost else _predict)
    output_fn = own["output_fn"] or _output

    def transform(model: Any, body: Body, content_type: str, accept: str) -> tuple[Any, int | None]:
        prediction = predict_fn(input_fn(body, content_type), model)
        rows = len(prediction) if getattr(prediction, "ndim", 0) else None
        return output_fn(prediction, accept), rows

    return transform


def _look_at_requirements(file: Path) -> None:
    """Refuse a model whose packages are missing; warn of other versions than it asks for."""
    for wanted, found in _unmet(file.read_text("utf-8") if file.is_file() else ""):
        if not found:
            raise Problem(
                f"the model needs {wanted}, which is not installed here; install it into this environment "
                "(make install does, where model/requirements.txt names it)"
            )
        warn(f"The model asks for {wanted}, installed is {found}: answers may differ from SageMaker's.")


def _unmet(requirements: str) -> Iterator[tuple[str, str | None]]:
    from packaging.requirements import InvalidRequirement, Requirement

    for line in requirements.splitlines():
        try:
            wanted = Requirement(line.partition(" #")[0].strip())
        except InvalidRequirement:  # a comment, an option of pip, an address
            continue
        if wanted.marker and not wanted.marker.evaluate():
            continue
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield str(wanted), None
        else:
            if not wanted.specifier.contains(found, prereleases=True):
                yield str(wanted), found


def _reason(error: BaseException, code: Path) -> str:
    """Return what went wrong, and where in the model's own code, in one line."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == code]
    where = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}: " if frames else ""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
    return f"{where}{type(error).__name__}: {text}"


def _array_input(body: Body, content_type: str) -> Any:
    """Do what scikit-learn's container does: a single row of CSV becomes one dimension, which estimators refuse."""
    import numpy as np

    if content_type == NPY:
        # The container would unpickle what a caller sends; that is its weakness, not its contract.
        return np.load(io.BytesIO(body if isinstance(body, bytes) else body.encode()), allow_pickle=False)
    if content_type == CSV:
        rows = list(csv.reader(io.StringIO(_text(body)), strict=True))
        return np.array(rows).squeeze().astype("float64").astype("float32")
    if content_type == JSON:
        return np.array(json.loads(body)).astype("float32")
    raise ValueError(
        f"content type {content_type!r} needs an input_fn in inference.py: by default, {JSON}, {CSV}, {NPY}"
    )


def _xgboost_input(body: Body, content_type: str) -> Any:
    """Do what XGBoost's container does, but for LIBSVM and RecordIO: CSV, its delimiter guessed from the first line."""
    import numpy as np
    import xgboost

    if content_type.partition(";")[0].strip() != CSV:
        raise ValueError(f"content type {content_type!r} needs an input_fn in inference.py: by default, {CSV}")
    lines = _text(body).split("\n")
    guess = csv.Sniffer().sniff(lines[0][:512]).delimiter
    delimiter = "," if guess.isalnum() else guess
    return xgboost.DMatrix(np.array([[float(cell or "nan") for cell in line.split(delimiter)] for line in lines]))


def _predict(data: Any, model: Any) -> Any:
    return model.predict(data)


def _xgboost_predict(data: Any, model: Any) -> Any:
    return model.predict(data, validate_features=False)


def _output(prediction: Any, accept: str) -> tuple[Body, str]:
    import numpy as np

    if accept == JSON:
        return json.dumps(prediction, default=lambda value: value.tolist()), accept
    if accept == NPY:
        binary = io.BytesIO()
        np.save(binary, prediction)
        return binary.getvalue(), accept
    if accept == CSV:
        table, text = np.array(prediction), io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(table[:, np.newaxis] if table.ndim == 1 else table)
        return text.getvalue(), accept
    raise ValueError(f"accept {accept!r} needs an output_fn in inference.py: by default, {JSON}, {CSV}, {NPY}")


def _text(body: Body) -> str:
    return body if isinstance(body, str) else body.decode("utf-8")
