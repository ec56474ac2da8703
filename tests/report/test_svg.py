"""Axes are readable whatever numbers they get."""

import math
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlops.report import figures
from mlops.report.svg import Scale, extent, ticks

ANY = st.floats(allow_nan=True, allow_infinity=True)
NUMBERS = st.lists(ANY, max_size=8)


@given(NUMBERS, st.booleans())
@example([], False)
@example([0.0], False)
@example([5e-324], True)
@example([1e308, -1e308], False)
@example([1e9, 1e9 + 1e-3], True)
def test_an_axis_holds_all_its_numbers_and_is_never_empty(values: list[float], zero: bool) -> None:
    low, high = extent(values, zero=zero)
    assert math.isfinite(low)
    assert math.isfinite(high)
    assert math.isfinite(high - low)
    assert low < high
    for value in values:
        if not math.isnan(value):
            assert low <= max(min(value, 1e300), -1e300) <= high
    if zero:
        assert low <= 0 <= high


@given(NUMBERS, st.integers(min_value=1, max_value=12))
@example([1e-300, 2e-300], 5)
@example([0.1, 0.1 + 1e-9], 5)
@example([-1e308, 1e308], 5)
@example([123456789.0, 123456789.5], 5)
def test_ticks_are_few_ascending_within_the_axis_and_told_apart(values: list[float], wanted: int) -> None:
    low, high = extent(values)
    places, labels = ticks(low, high, wanted)
    assert len(places) == len(labels) <= wanted + 1
    assert all(low <= place <= high for place in places)
    assert all(first < second for first, second in pairwise(places))
    assert len(set(labels)) == len(labels)
    assert all(len(label) <= 18 for label in labels)


@given(NUMBERS)
def test_five_ticks_are_at_least_two(values: list[float]) -> None:
    assert len(ticks(*extent(values))[0]) >= 2


@given(st.lists(st.integers(min_value=0, max_value=10**9), min_size=1))
def test_what_is_counted_has_whole_ticks(counts: list[int]) -> None:
    places, labels = ticks(*extent(counts, zero=True), whole=True)
    assert all(place == int(place) for place in places)
    assert not any("." in label and "e" not in label for label in labels)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0, 10, ["0", "2", "4", "6", "8", "10"]),
        (-110, 160, ["−100", "−50", "0", "50", "100", "150"][::2]),
        (0, 12, ["0", "2.5", "5.0", "7.5", "10.0"]),
        (0, 8000, ["0", "2,000", "4,000", "6,000", "8,000"]),
        (0, 1.2e8, ["0", "2.5e7", "5.0e7", "7.5e7", "1.00e8"]),
        (0, 0.0003, ["0", "0.0001", "0.0002", "0.0003"]),
    ],
)
def test_ticks_read_well(low: float, high: float, labels: list[str]) -> None:
    assert ticks(low, high)[1] == labels


@given(ANY.filter(lambda value: not math.isnan(value)), NUMBERS)
def test_marks_stay_within_the_field(value: float, values: list[float]) -> None:
    scale = Scale(*extent(values), 40, 300)
    assert 40 <= scale(value) <= 300
    assert scale(scale.low) == 40
    assert scale(scale.high) == pytest.approx(300)


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=20), st.lists(FINITE, min_size=2, max_size=10))
def test_no_figure_holds_a_place_that_is_no_number(points: list[tuple[float, float]], edges: list[float]) -> None:
    counts = list(range(len(edges) - 1))
    for drawing in (figures.prediction_against_truth(points), figures.residuals(sorted(edges), counts)):
        for element in drawing.iter():
            for name in ("d", "x", "y", "width", "height", "cx", "cy"):
                assert "nan" not in element.get(name, "")
                assert "inf" not in element.get(name, "")
                assert not element.get(name, "").startswith("-")


@given(st.floats(0, 1), st.floats(0, 1), st.one_of(st.none(), FINITE), st.sampled_from(["at least", "at most"]))
def test_the_gate_is_drawn_for_any_value(value: float, threshold: float, current: float | None, way: str) -> None:
    comparison = {"metric": "f1", "direction": way, "value": value, "threshold": threshold, "interval": None}
    comparison["current"] = None if current is None else {"value": current}
    text = ElementTree.tostring(figures.gate(comparison, "version 1"), "unicode")
    assert way in text
    assert ("version 1" in text) == (current is not None)


def test_a_confusion_matrix_of_many_classes_keeps_to_its_width() -> None:
    for classes in range(2, figures.MOST_CLASSES + 1):
        counts = [[100_000 * (line + column) for column in range(classes)] for line in range(classes)]
        drawing = figures.confusion([f"class {number}" for number in range(classes)], counts)
        cells = drawing.findall("rect")
        assert len(cells) == classes**2
        assert max(float(cell.get("x", 0)) + float(cell.get("width", 0)) for cell in cells) <= figures.WIDTH
        assert max(float(cell.get("fill-opacity", 0)) for cell in cells) <= 0.5


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["no", "yes"], ["no", "yes"]),
        (["setosa", "virginica"], ["seto…", "virg…"]),
        (["customer_1", "customer_2"], ["…er_1", "…er_2"]),
    ],
)
def test_names_that_are_cut_can_be_told_apart(labels: list[str], names: list[str]) -> None:
    assert figures.distinct(labels, 5) == names


def test_names_and_counts_of_many_classes_keep_to_their_cells() -> None:
    classes = figures.MOST_CLASSES
    drawing = figures.confusion([f"customer {number}" for number in range(classes)], [[8123] * classes] * classes)
    side = float(drawing.findall("rect")[0].get("width", 0))
    assert side >= 20, "a line of text fits into it"
    across = [text.text or "" for text in drawing.findall("text") if text.get("text-anchor") == "middle"]
    assert len(across) == classes + classes**2
    assert all(len(text) * figures.LETTER <= side for text in across)
    few = figures.confusion([str(number) for number in range(classes)], [[120] * classes] * classes)
    assert "120" in [text.text for text in few.findall("text")], "less than a thousand is never 0k"


def test_a_class_without_rows_has_no_share() -> None:
    drawing = figures.confusion(["a", "b"], [[3, 1], [0, 0]])
    assert drawing.get("aria-label") == "Confusion matrix of 2 classes. a: 3 taken for a, 1 taken for b; b: no rows"
    assert [cell.get("fill-opacity") for cell in drawing.findall("rect")] == ["0.375", "0.125", "0.000", "0.000"]
