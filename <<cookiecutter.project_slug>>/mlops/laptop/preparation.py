"""What a run starts from: the settings in force, the definition, and a value for each of its parameters."""

import hashlib
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.checkout import branch_text, checkout, commit_text
from mlops.definition.metadata import check_metadata, known_metadata
from mlops.definition.parameters import defaults
from mlops.jobs.dataset_version import BY_CONTENT
from mlops.laptop import content, store, versions
from mlops.laptop.overrides import apply, parse
from mlops.model_archive import ARCHIVE
from mlops.names import environment_of
from mlops.problem import Problem
from mlops.runner import graph
from mlops.runner.expressions import parameter_values
from mlops.settings import EnvironmentName, Settings, load_settings
from mlops.template_record import load_template_record


@dataclass(frozen=True)
class Wish:
    """What a person asks for on the command line."""

    overrides: Sequence[str] = ()
    environment: EnvironmentName | None = None
    start_at: str | None = None
    reuse: bool = True
    only_results: bool = False  # on standard output; progress goes to standard error


@dataclass(frozen=True)
class Prepared:
    """Everything that is settled before the first step runs.

    `recipe` stands for all that the model is made of, `data` for the table that lies in the store.
    """

    environment: EnvironmentName
    settings: Settings
    overrides: dict[str, Any]
    git: dict[str, Any]
    template_version: str
    steps: dict[str, graph.Step]
    parameters: dict[str, Any]
    recipe: str
    current: versions.Version | None
    data: str


def prepare(wish: Wish) -> Prepared:
    """Settle what runs, on what.

    Raises:
        Problem: a setting, the data or the pipeline is wrong, or a version could not say where it comes from.
    """
    state, template = checkout(), load_template_record().version
    environment = wish.environment or environment_of(state["branch"]) or "feature"
    settings = load_settings().of_environment(environment)
    overrides = parse(settings, wish.overrides)
    settings = apply(settings, overrides) if overrides else settings
    content.look_at_data(settings, stderr=wish.only_results)
    built = content.built_definition(settings, stderr=wish.only_results)
    steps = graph.read(built.content)
    if wish.start_at and wish.start_at not in steps:
        raise Problem(f"--from {wish.start_at}: there is no such step; there are: {', '.join(steps)}")
    places = content.trees(settings, built)
    recipe = _recipe(places, settings)
    current = versions.current(recipe, settings.data.target)
    model, baseline = _current_uris(current)
    given = {name: content.uri(store.uri(tree), name) for name, tree in places.items()} | {
        "JobRole": "arn:aws:iam::000000000000:role/nobody",  # a laptop needs none
        "ArtifactsUri": store.uri("artifacts"),
        "CurrentModelUri": model,
        "CurrentBaselineUri": baseline,
        "ModelPackageGroup": f"{settings.project.slug}-{environment}",
        "Commit": commit_text(state),
        "Branch": branch_text(state),
        "DatasetVersion": f"{BY_CONTENT}{places['DataUri']}",
        "TemplateVersion": template,
        "ModelApprovalStatus": "Approved",  # on a laptop, whoever passes the gate is the next to beat
        "TrainingImageDigest": "no-image",
    }
    parameters = parameter_values(built.content["Parameters"], given)
    check_metadata(known_metadata(parameters, settings.evaluation.metric))
    return Prepared(
        environment=environment,
        settings=settings,
        overrides=overrides,
        git=state,
        template_version=template,
        steps=steps,
        parameters=parameters,
        recipe=recipe,
        current=current,
        data=places["DataUri"],
    )


def _current_uris(current: versions.Version | None) -> tuple[str, str]:
    """Return where the current version's model lies, and its baseline alone, if it has one."""
    if current is None:
        none = store.uri(store.add(content.NO_VERSION))
        return none, none
    model = f"{store.uri(current.model.name)}/{ARCHIVE}"
    try:
        with tarfile.open(current.model / ARCHIVE, "r:gz") as archive:
            file = archive.extractfile("baseline.json")
            return model, store.uri(store.add({"baseline.json": file.read() if file else b""}))
    except (KeyError, tarfile.TarError, OSError, EOFError):
        return model, model  # the data check says what is wrong with it


def _recipe(places: Mapping[str, str], settings: Settings) -> str:
    """Return a name for all that a model is made of."""
    code = ("DataUri", "DataSchemaUri", "PreprocessCodeUri", "TrainCodeUri", "TrainingDriverUri")
    values = ("ValidationFraction", "TestFraction", "Seed", *settings.training.hyperparameters)
    parameters = defaults(settings)
    parts = [[places[name] for name in code], {name: parameters[name] for name in values}]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8")).hexdigest()
