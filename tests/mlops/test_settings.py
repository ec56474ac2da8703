"""`mlops.yaml`: a mistake is one line with key, value and what is allowed."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from mlops import settings as module
from mlops.problem import Problem
from mlops.settings import Settings, load_settings
from tests.conftest import SOURCE

GOOD = """\
project: {name: "Tumor Diagnosis", slug: tumor-diagnosis, owner: a@b.c}
model: {task: classification, framework: scikit-learn}
serving: realtime
scenario: baseline
source_control: {host: codecommit, repository: tumor-diagnosis}
data: {path: data/x.csv, target: diagnosis}
training: {hyperparameters: {max_depth: 8, learning_rate: 0.1, warm_start: false, criterion: gini}}
evaluation: {metric: f1, threshold: 0.9}
environments:
  feature: {account: null, region: us-east-1}
  dev: {account: null, region: us-east-1}
  prod: {account: null, region: us-east-1}
"""


def read(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "mlops.yaml"
    file.write_bytes(text.encode("utf-8"))
    return load_settings(file)


def test_settings_have_types_and_defaults(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)
    assert settings.data.path == Path("data/x.csv")
    assert (settings.data.test_fraction, settings.data.validation_fraction, settings.data.seed) == (0.2, 0.2, 42)
    assert settings.data.id_columns == []
    parameters = settings.training.hyperparameters
    assert [type(value) for value in parameters.values()] == [int, float, bool, str]
    assert (settings.region, settings.account) == ("us-east-1", None)


MISTAKES = {
    "a choice that is none": (
        ("task: classification", "task: clasification"),
        "mlops.yaml: model.task is 'clasification'; allowed: classification, regression",
    ),
    "a key that is none, like one that is": (
        ("target: diagnosis", "tarjet: diagnosis"),
        "mlops.yaml: data.tarjet is not a setting; did you mean target? (and 1 more)",
    ),
    "a key that is none": (
        ("metric: f1", "zzz: 1, metric: f1"),
        "mlops.yaml: evaluation.zzz is not a setting; allowed: metric, threshold",
    ),
    "a section that is none": (("serving:", "servin: batch\nserving:"), "mlops.yaml: servin is not a setting; did you"),
    "a missing key": ((", target: diagnosis", ""), "mlops.yaml: data.target is missing; write it as"),
    "a missing section": (
        ("model: {task: classification, framework: scikit-learn}\n", ""),
        "mlops.yaml: model is miss",
    ),
    "a number as text": (("threshold: 0.9", 'threshold: "0.9"'), "evaluation.threshold is '0.9'; it must be a valid n"),
    "a number without end": (
        ("threshold: 0.9", "threshold: .inf"),
        "evaluation.threshold is inf; it must be a finite n",
    ),
    "a fraction over one half": (
        ("target: diagnosis", "target: x, test_fraction: 0.9"),
        "data.test_fraction is 0.9; it must be less than 0.5",
    ),
    "a negative seed": (("target: diagnosis", "target: x, seed: -1"), "data.seed is -1; it must be greater than or"),
    "a seed with a fraction": (
        ("target: diagnosis", "target: x, seed: 1.5"),
        "data.seed is 1.5; it must be a valid int",
    ),
    "an account as a number": (
        ("dev: {account: null", "dev: {account: 123456789012"),
        "environments.dev.account is 123456789012; it must be text: put it in quotes",
    ),
    "an account of eleven digits": (
        ("dev: {account: null", 'dev: {account: "12345678901"'),
        "environments.dev.account is '12345678901'; allowed: the 12 digits of an AWS account, in quotes, or null",
    ),
    "a region that is none": (
        ("region: us-east-1", "region: mars"),
        "region is 'mars'; allowed: an AWS region such as",
    ),
    "a slug in capitals": (("slug: tumor-diagnosis", "slug: Tumor"), "project.slug is 'Tumor'; allowed: lower-case wo"),
    "a slug of 33 characters": (("slug: tumor-diagnosis", f"slug: {'a' * 33}"), "it must have at most 32 characters"),
    "an owner read as a truth value": (
        ("owner: a@b.c", "owner: no"),
        "project.owner is False; it must be text: put it",
    ),
    "a list as a hyperparameter": (
        ("max_depth: 8", "max_depth: [8, 9]"),
        "training.hyperparameters.max_depth is [8, 9]; it must be",
    ),
    "environments in two regions": (
        ("prod: {account: null, region: us-east-1}", "prod: {account: null, region: eu-west-1}"),
        "environments must be in one account and region",
    ),
    "a key that stands twice": (
        ("serving: realtime", "serving: realtime\nserving: batch"),
        "mlops.yaml, line 4, column 1: the key 'serving' stands here a second time",
    ),
    "a YAML mistake": (("model: {task", "model: {{task"), "mlops.yaml, line 3, column 1: expected"),
    "a tab": (("serving: realtime", "serving:\n\trealtime"), "mlops.yaml, line 4, column 1: found character '\\t'"),
    "a control character": (("a@b.c", "a\x07b"), "mlops.yaml: "),
    "a Python object": (("a@b.c", "!!python/object/apply:os.system [id]"), "could not determine a constructor"),
    "a list instead of sections": (
        (GOOD, "- 1\n"),
        "mlops.yaml: the file is [1]; it must be settings, one `key: value` a line",
    ),
    "nothing": ((GOOD, ""), "mlops.yaml: the file is None; it must be settings, one `key: value` a line"),
}


@pytest.mark.parametrize(("change", "line"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line_with_key_value_and_what_is_allowed(
    change: tuple[str, str], line: str, tmp_path: Path
) -> None:
    assert change[0] in GOOD
    with pytest.raises(Problem) as problem:
        read(tmp_path, GOOD.replace(*change))
    assert line in str(problem.value)
    assert "\n" not in str(problem.value)


def test_the_section_company_takes_whatever_json_can_say(tmp_path: Path) -> None:
    company = "company: {data_class: internal, limits: [1, 2.5, {deep: null}], strict: true}\n"
    assert read(tmp_path, GOOD + company).company == {
        "data_class": "internal",
        "limits": [1, 2.5, {"deep": None}],
        "strict": True,
    }
    assert read(tmp_path, GOOD).company == {}
    with pytest.raises(Problem, match=r"company\.since is datetime.*; it must be text: put it in quotes"):
        read(tmp_path, GOOD + "company: {since: 2031-01-01}\n")


def test_a_companys_policy_is_held_against_every_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a fork of the template ships it: docs/customise.md."""
    policy = ModuleType("mlops.company")

    def refuse_warnings(settings: Settings) -> None:
        if settings.evaluation.gate != "enforce":
            raise Problem("Acme's models are held to their thresholds; set evaluation.gate to enforce")

    policy.check = refuse_warnings  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlops.company", policy)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "settings.py"))
    lax = GOOD.replace("dev: {", "dev: {evaluation: {gate: warn}, ")
    assert read(tmp_path, lax).of_environment("dev").evaluation.gate == "warn"  # there is no policy
    (tmp_path / "company.py").touch()
    with pytest.raises(Problem, match="Acme's models are held to their thresholds"):
        read(tmp_path, lax)
    read(tmp_path, GOOD)


def test_a_missing_file_and_one_that_is_not_utf8_are_said(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"mlops.yaml is missing; restore it with: git checkout"):
        load_settings(tmp_path / "mlops.yaml")
    (tmp_path / "mlops.yaml").write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(Problem, match="is not UTF-8"):
        load_settings(tmp_path / "mlops.yaml")


def test_the_schema_for_editors_is_that_of_the_code() -> None:
    """`make schema` writes it anew."""
    assert (SOURCE / "mlops" / "settings.schema.json").read_text("utf-8") == module.schema()
