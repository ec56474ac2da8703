"""The data can be read, and the sample is what data/README.md says it is."""

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

from mlops.own_data.data_file import check_rows, column_names, look_at
from mlops.own_repository import ROOT
from mlops.settings import Settings


def breast_cancer() -> pd.DataFrame:
    source = load_breast_cancer(as_frame=True)
    table = source.data.rename(columns=lambda name: name.replace(" ", "_"))
    return table.assign(diagnosis=source.target_names[source.target])


def diabetes() -> pd.DataFrame:
    source = load_diabetes(as_frame=True, scaled=False)
    return source.frame.rename(columns={"target": "progression"})


SOURCES = {"breast_cancer.csv": breast_cancer, "diabetes.csv": diabetes}


def test_the_sample_equals_the_source_to_the_last_digit(settings: Settings) -> None:
    if settings.data.path.name not in SOURCES:
        pytest.skip("the team uses its own data")
    table = pd.read_csv(ROOT / settings.data.path)
    source = SOURCES[settings.data.path.name]()
    pd.testing.assert_frame_equal(table, source, check_exact=True, check_dtype=False)


def test_the_sample_is_written_the_way_git_likes_it(settings: Settings) -> None:
    if settings.data.path.name not in SOURCES:
        pytest.skip("the team uses its own data")
    content = (ROOT / settings.data.path).read_bytes()
    assert content.endswith(b"\n")
    assert b"\r" not in content


def test_every_line_can_be_read(settings: Settings) -> None:
    file = ROOT / settings.data.path
    look_at(file)
    if file.suffix == ".csv":
        check_rows(file)


def test_each_column_of_the_settings_is_there(settings: Settings) -> None:
    named = {settings.data.target, *settings.data.id_columns, *settings.data.columns}
    assert named <= set(column_names(ROOT / settings.data.path))
