"""mlops' runner of jobs and pipelines, which the sandbox's SageMaker uses: what `mlops run` does, and no second one.

It is imported from the template's own folder, where no cache may stay: Cookiecutter would copy it into repositories.
"""

from __future__ import annotations

import sys
from pathlib import Path

_TEMPLATE = Path(__file__).resolve().parents[2] / "<<cookiecutter.project_slug>>"
_before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
sys.path.insert(0, str(_TEMPLATE))
try:
    from mlops.problem import Problem
    from mlops.runner import graph, processing, requests, training, transform
    from mlops.runner.execution import Execution, StepRun
    from mlops.runner.executor import Coming, Retryable
    from mlops.runner.expressions import KINDS, Values, parameter_values
    from mlops.runner.graph import RetryPolicy, Step
    from mlops.runner.job import Job, JobFailed, JobTimedOut, Result, last_lines
    from mlops.runner.processes import NoCapacity, Processes, Stopped
    from mlops.runner.requests import Unsupported
finally:
    sys.path.remove(str(_TEMPLATE))
    sys.dont_write_bytecode = _before

__all__ = [
    "KINDS",
    "Coming",
    "Execution",
    "Job",
    "JobFailed",
    "JobTimedOut",
    "NoCapacity",
    "Problem",
    "Processes",
    "Result",
    "RetryPolicy",
    "Retryable",
    "Step",
    "StepRun",
    "Stopped",
    "Unsupported",
    "Values",
    "graph",
    "last_lines",
    "parameter_values",
    "processing",
    "requests",
    "training",
    "transform",
]
