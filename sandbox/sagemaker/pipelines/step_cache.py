"""Whether a step has run before.

Sources: Developer Guide, "Caching pipeline steps" and "Default cache key attributes by pipeline step type": a run of
the same step of the same pipeline, within the time that the step allows, whose attributes are the same; of several the
most recent. It counts only "when the run itself and the entire pipeline are both successful". Whether its outputs are
still there is not looked at.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sandbox.sagemaker.pipelines.store import CachedResult, Pipeline
from sandbox.sagemaker.runner import Step
from sandbox.sagemaker.store import now

ATTRIBUTES = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        *("AlgorithmSpecification", "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations"),
        *("Environment", "HyperParameters", "InputDataConfig"),
    ),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
}


def key_of(step: Step, arguments: dict[str, Any]) -> str | None:
    """None for a step that always runs."""
    if step.type not in ATTRIBUTES or step.cached_for is None:
        return None
    relevant = {name: arguments.get(name) for name in ATTRIBUTES[step.type]}
    return hashlib.sha256(json.dumps(relevant, sort_keys=True, default=str).encode()).hexdigest()


def find(pipeline: Pipeline, step: Step, arguments: dict[str, Any]) -> CachedResult | None:
    """The latest run that may be reused."""
    key = key_of(step, arguments)
    if key is None or step.cached_for is None:
        return None
    for result in reversed(pipeline.results):
        if (result.step, result.key) == (step.name, key) and now() - result.at <= step.cached_for:
            return result
    return None
