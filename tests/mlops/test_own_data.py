"""`mlops data use` in a repository as it lands: all is written, or nothing; and everything is said."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import boto3
import numpy as np
import pandas as pd
import pytest
import yaml
from cookiecutter.main import cookiecutter

from mlops.settings import load_settings
from sandbox.server import Sandbox
from tests.conftest import TEMPLATE, Bake, Repository


def use(repository: Repository, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `mlops data use`; the test goes on whatever comes out."""
    return repository.mlops("data", "use", *arguments, check=False, **environment)


def refused(repository: Repository, *arguments: str, **environment: str) -> str:
    """Return the one line of a command that must fail and leave every file as it was."""
    before = files(repository)
    done = use(repository, *arguments, **environment)
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert files(repository) == before
    return lines[0]


def files(repository: Repository) -> dict[str, str]:
    """Return a hash of each file, but for git's own."""
    found = (path for path in repository.path.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(repository.path)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def table(rows: int = 200, seed: int = 7) -> pd.DataFrame:
    """Return a small table of all kinds of columns; `late` is a class, `minutes` a quantity."""
    random = np.random.default_rng(seed)
    minutes = random.normal(20, 10, rows)
    return pd.DataFrame(
        {
            "Nr.": [f"c{number:04}" for number in range(rows)],
            "Größe: [cm]": np.where(random.random(rows) < 0.1, np.nan, random.normal(170, 10, rows)),
            "city": random.choice(["Köln", "Paris", "yes"], rows),
            "member": random.random(rows) < 0.5,
            "grade": random.integers(1, 5, rows),
            "late": np.where(minutes > 20, "yes", "no"),
            "minutes": minutes,
        }
    )


CLASSES = ["--target", "late", "--id", "Nr.", "--ignore", "minutes"]


@pytest.fixture(scope="module")
def as_it_lands(clean_machine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("as_it_lands")
    return Path(cookiecutter(str(TEMPLATE), no_input=True, default_config=True, output_dir=str(folder)))


@pytest.fixture
def repository(as_it_lands: Path, tmp_path: Path) -> Repository:
    return Repository(shutil.copytree(as_it_lands, tmp_path / as_it_lands.name, symlinks=True))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "My flights.csv"
    table().to_csv(path, index=False)
    return path


@pytest.mark.slow
def test_a_table_from_elsewhere_takes_the_place_of_the_sample(repository: Repository, file: Path) -> None:
    done = use(repository, str(file), *CLASSES, "--category", "grade")
    assert done.returncode == 0, done.stderr
    assert (repository.path / "data" / "My flights.csv").read_bytes() == file.read_bytes()
    changes = repository.git("status", "--porcelain").splitlines()
    assert sorted(line[3:].strip('"') for line in changes) == [
        "data/My flights.csv", "mlops.yaml", "tests/endpoint_tests.yaml", "tests/sample_payload.csv",
    ]  # fmt: skip
    settings = load_settings(repository.path / "mlops.yaml")
    assert settings.data.path == Path("data/My flights.csv")
    assert (settings.data.target, settings.data.id_columns, settings.data.source) == ("late", ["Nr."], None)
    columns = {name: column.type for name, column in settings.data.columns.items()}
    assert columns == {"Größe: [cm]": "number", "city": "category", "member": "boolean", "grade": "category"}
    assert settings.data.columns["city"].values == ["Köln", "Paris", "yes"]
    assert 0.05 < settings.data.columns["Größe: [cm]"].missing < 0.2
    assert (settings.evaluation.metric, settings.evaluation.threshold) == ("auc", 0.55)
    assert settings.training.hyperparameters  # the rest is as it was
    payload = pd.read_csv(repository.path / "tests" / "sample_payload.csv", header=None, dtype=str)
    assert payload.shape == (5, 4)
    assert set(payload[1]) <= {"Köln", "Paris", "yes"}
    assert set(payload[3]) <= {"1", "2", "3", "4"}
    cases = yaml.safe_load((repository.path / "tests" / "endpoint_tests.yaml").read_text("utf-8"))["cases"]
    assert len(cases) > 40
    for said in ("Größe: [cm]  number", "200 rows, 4 features", "classification, no ", "auc 0.55", "Next: mlops run"):
        assert said in done.stdout
    assert "hold a few real rows" in done.stderr
    git_diff = repository.git("diff", "--numstat", "--", "mlops.yaml").split("\t")
    assert int(git_diff[1]) <= 5  # lines of before that changed


@pytest.mark.slow
def test_the_plan_writes_nothing_and_json_is_json(repository: Repository, file: Path) -> None:
    before = files(repository)
    plan = use(repository, str(file), *CLASSES, "--plan")
    assert plan.returncode == 0
    assert "mlops.yaml" in plan.stdout
    assert "Next" not in plan.stdout
    content = json.loads(use(repository, str(file), *CLASSES, "--plan", "--json").stdout)
    assert files(repository) == before
    assert (content["path"], content["rows"], content["task"]) == ("data/My flights.csv", 200, "classification")
    assert content["target"]["name"] == "late"
    assert sum(content["target"]["classes"].values()) == pytest.approx(1)
    assert [column["name"] for column in content["columns"]] == ["Größe: [cm]", "city", "member", "grade"]
    assert content["writes"][0] == "data/My flights.csv"
    assert (content["metric"], content["threshold"], content["source"]) == ("auc", 0.55, None)


@pytest.mark.slow
def test_a_file_of_the_repository_stays_where_it_is(repository: Repository) -> None:
    (repository.path / "raw").mkdir()
    table().to_parquet(repository.path / "raw" / "t.parquet")
    assert use(repository, "raw/t.parquet", *CLASSES).returncode == 0
    assert load_settings(repository.path / "mlops.yaml").data.path == Path("raw/t.parquet")
    assert not (repository.path / "data" / "t.parquet").exists()
    again = use(repository, "raw/t.parquet", *CLASSES)  # what it wrote itself, it writes again
    assert again.returncode == 0, again.stderr


@pytest.mark.slow
def test_files_of_people_are_not_written_over(repository: Repository, file: Path) -> None:
    mine = repository.path / "data" / file.name
    mine.write_text("mine\n")
    assert "is there already, with other content; rename your file, or replace it with --force" in refused(
        repository, str(file), *CLASSES
    )
    mine.write_bytes(file.read_bytes())
    cases = repository.path / "tests" / "endpoint_tests.yaml"
    cases.write_text(cases.read_text() + "  # ours\n")
    assert "tests/endpoint_tests.yaml has changes that are in no commit" in refused(repository, str(file), *CLASSES)
    assert use(repository, str(file), *CLASSES, "--force").returncode == 0
    cases.write_text(cases.read_text() + "  # ours\n")
    repository.git("add", ".")
    repository.git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "ours")
    assert use(repository, str(file), *CLASSES).returncode == 0  # git has them


@pytest.mark.slow
def test_a_file_too_large_for_git_is_ignored_and_people_hear_what_to_do(repository: Repository, file: Path) -> None:
    pd.concat([table(20_000, seed) for seed in range(6)]).to_csv(file, index=False)
    done = use(repository, str(file), *CLASSES[:2], "--ignore", "Nr.", "--ignore", "minutes")
    assert done.returncode == 0, done.stderr
    assert "is too large for git and stands in .gitignore: CI will not see it. Put it on S3" in done.stderr
    lines = (repository.path / ".gitignore").read_text().splitlines()
    assert lines.count("/data/My flights.csv") == 1
    assert "data/" not in repository.git("status", "--porcelain")
    use(repository, str(file), *CLASSES[:2], "--ignore", "Nr.", "--ignore", "minutes")
    assert (repository.path / ".gitignore").read_text().splitlines() == lines


@pytest.mark.slow
def test_a_table_on_s3_is_fetched_and_named(in_sandbox: Bake, aws: Sandbox, file: Path) -> None:
    repository = in_sandbox()
    keys = aws.environment()
    s3 = boto3.client(
        "s3",
        endpoint_url=keys["AWS_ENDPOINT_URL"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    s3.create_bucket(Bucket="team-data")
    s3.put_object(Bucket="team-data", Key="tables/t.csv", Body=file.read_bytes())
    uri = "s3://team-data/tables/t.csv"
    assert "there is no s3://team-data/tables/none.csv" in refused(
        repository, "s3://team-data/tables/none.csv", *CLASSES
    )
    before = files(repository)
    assert use(repository, uri, *CLASSES, "--plan").returncode == 0
    assert files(repository) == before
    done = use(repository, uri, *CLASSES)
    assert done.returncode == 0, done.stderr
    data = load_settings(repository.path / "mlops.yaml").data
    assert (data.source, data.path) == (uri, Path("data/t.csv"))
    assert "/data/t.csv" in (repository.path / ".gitignore").read_text().splitlines()
    assert (repository.path / "data" / "t.csv").read_bytes() == file.read_bytes()
    s3.put_object(Bucket="team-data", Key="tables/t.csv", Body=file.read_bytes().replace("Köln".encode(), b"Bonn"))
    assert use(repository, uri, *CLASSES).returncode == 0  # the object of before, as it is now
    assert load_settings(repository.path / "mlops.yaml").data.columns["city"].values == ["Bonn", "Paris", "yes"]
    local = use(repository, str(file), *CLASSES)
    assert local.returncode == 0, local.stderr
    assert load_settings(repository.path / "mlops.yaml").data.source is None


@pytest.mark.slow
def test_a_quantity_is_for_a_repository_of_regression(bake: Bake, file: Path) -> None:
    repository = bake(task="regression", framework="xgboost")
    arguments = ["--target", "minutes", "--id", "Nr.", "--ignore", "late"]
    done = use(repository, str(file), *arguments)
    assert done.returncode == 0, done.stderr
    evaluation = load_settings(repository.path / "mlops.yaml").evaluation
    assert evaluation.metric == "rmse"
    assert 5 < evaluation.threshold < 12
    assert 0.05 < evaluation.comparison.tolerance < 0.2
    assert use(repository, str(file), *arguments, "--threshold", "7.5").returncode == 0
    assert load_settings(repository.path / "mlops.yaml").evaluation.threshold == 7.5
    assert "looks like classification, and the code in model/ is for regression" in refused(
        repository, str(file), "--target", "late", "--id", "Nr.", "--ignore", "minutes"
    )


@pytest.mark.slow
def test_rows_without_target_are_left_out_when_somebody_says_so(repository: Repository, file: Path) -> None:
    gaps = table()
    gaps.loc[3:8, "late"] = None
    gaps.to_csv(file, index=False)
    assert "is missing in 6 of 200 rows, first in row 4; fill them or add --drop" in refused(
        repository, str(file), *CLASSES
    )
    done = use(repository, str(file), *CLASSES, "--drop-rows-without-target")
    assert "(6 rows without it are left out)" in done.stdout
    assert load_settings(repository.path / "mlops.yaml").data.rows_without_target == "drop"
    table().to_csv(file, index=False)
    assert use(repository, str(file), *CLASSES, "--force").returncode == 0
    assert load_settings(repository.path / "mlops.yaml").data.rows_without_target == "refuse"


MISTAKES = {
    "a name in other letters": (["--target", "Late"], "--target: no column is called 'Late'; did you mean 'late'?"),
    "a name misspelt": (["--target", "late", "--id", "Nr"], "--id: no column is called 'Nr'; did you mean 'Nr.'?"),
    "a name like no other": (["--target", "xyz"], "there are 'Nr.', 'Größe: [cm]', 'city'"),
    "one column for two things": (["--target", "late", "--ignore", "late"], "'late' is named by --target and --ignore"),
    "a threshold without end": (["--target", "late", "--threshold", "inf"], "--threshold is inf; it must be a finite numb"),
    "a threshold that is no number": (["--target", "late", "--threshold", "nan"], "--threshold is nan; it must be a fin"),
    "an id among the features": (["--target", "late"], "column 'Nr.' has 200 texts in 200 rows"),
    "no feature": (["--target", "late", *(word for name in table() if name != "late" for word in ("--ignore", name))], "no feature is left"),
}  # fmt: skip


@pytest.mark.slow
def test_a_mistake_is_one_line_and_changes_nothing(
    repository: Repository, file: Path, subtests: pytest.Subtests
) -> None:
    for mistake, (arguments, reason) in MISTAKES.items():
        with subtests.test(mistake):
            assert reason in refused(repository, str(file), *arguments)


@pytest.mark.slow
def test_limits_that_people_set_and_other_values_of_environments_are_minded(repository: Repository, file: Path) -> None:
    assert use(repository, str(file), *CLASSES).returncode == 0
    yaml_file = repository.path / "mlops.yaml"
    text = yaml_file.read_text().replace(
        "grade: {type: number}", "grade: {type: number, minimum: 1, maximum: 6}  # school"
    )
    yaml_file.write_text(text.replace("dev: {account: null,", "dev: {evaluation: {threshold: 0.9}, account: null,"))
    done = use(repository, str(file), *CLASSES)
    assert "environments.dev has its own evaluation.threshold: look whether that still fits." in done.stderr
    assert "grade: {type: number, minimum: 1.0, maximum: 6.0}  # school" in yaml_file.read_text()


@pytest.mark.slow
def test_settings_with_windows_line_ends_keep_them(repository: Repository, file: Path) -> None:
    settings = repository.path / "mlops.yaml"
    settings.write_bytes(settings.read_bytes().replace(b"\n", b"\r\n"))
    done = use(repository, str(file), *CLASSES)
    assert done.returncode == 0, done.stderr
    assert settings.read_bytes().count(b"\n") == settings.read_bytes().count(b"\r\n") > 60


@pytest.mark.slow
def test_without_room_nothing_is_written(repository: Repository, file: Path) -> None:
    (repository.path / "tests" / "sample_payload.csv").unlink(missing_ok=True)
    (repository.path / "tests" / "sample_payload.csv").mkdir()
    assert "sample_payload.csv cannot be written" in refused(repository, str(file), *CLASSES)
    assert not (repository.path / "data" / file.name).exists()


def test_the_flights_of_new_york_are_made_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import flights

    source = pd.DataFrame(
        {"dep_delay": [2.0, None, 30.0], "arr_time": 1, "arr_delay": [11.0, None, 16.0], "air_time": 2, "carrier": "UA"}
    )
    monkeypatch.setattr(flights, "flights", lambda: source)
    late, delay = flights.write_tables(tmp_path)
    assert late.read_text() == "dep_delay,carrier,late\n2.0,UA,False\n,UA,\n30.0,UA,True\n"
    assert delay.read_text() == "dep_delay,carrier,arr_delay\n2.0,UA,11.0\n,UA,\n30.0,UA,16.0\n"
