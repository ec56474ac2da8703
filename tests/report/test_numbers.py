"""Numbers as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.report.numbers import difference, fixed, moment, number, seconds, share, size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.99404, "0.9940"), (1.0, "1.000"), (0.0, "0.000"), (52.508, "52.51"), (2757.1, "2,757"), (-0.5, "−0.5000"),
        (1234567.8, "1,234,568"), (0.00001234, "1.234e−05"), (1e20, "1.000e+20"), (2.74e12, "2.740e+12"),
        (123456789.0, "123,456,789"), (10**12, "1,000,000,000,000"), (67355, "67,355"), (None, "–"),
        (float("nan"), "nan"), (float("-inf"), "-inf"), ("text", "text"), (True, "True"),
    ],
)  # fmt: skip
def test_numbers_have_four_digits(value: object, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        (0.0016, 0.994, "+0.0016"),
        (-0.0016, 0.994, "−0.0016"),
        (1e-9, 0.9, "0"),
        (0.62, 53.1, "+0.62"),
        (65.4, 2757, "+65"),
    ],
)
def test_differences_have_the_decimals_of_what_they_belong_to(value: float, like: float, text: str) -> None:
    assert difference(value, like) == text


@given(st.floats(allow_nan=False), st.floats())
def test_any_number_can_be_written_like_any_other(value: float, like: float) -> None:
    for text in (fixed(value, like), difference(value, like), number(value), share(value), seconds(value), size(value)):
        assert text
        assert "-" not in text or text == "-inf" or text.endswith(("%", " s", "bytes"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0 s"), (59.94, "59.9 s"), (60, "1 min 00 s"), (75.4, "1 min 15 s"), (3700, "1 h 01 min"), (None, "–")],
)
def test_durations(value: object, text: str) -> None:
    assert seconds(value) == text


def test_sizes_shares_and_moments() -> None:
    assert [size(value) for value in (12, 118_000, 2.5e6, 3e9, None)] == [
        "12 bytes",
        "118.0 kB",
        "2.5 MB",
        "3.0 GB",
        "–",
    ]
    assert [share(value) for value in (0, 0.004, 0.071, 0.5, 1, None)] == [
        "0\u00a0%", "0.4\u00a0%", "7.1\u00a0%", "50\u00a0%", "100\u00a0%", "–",
    ]  # fmt: skip
    assert moment("2026-11-02T23:30:15+01:00") == "2 November 2026, 22:30 UTC"
    assert [moment(text) for text in (None, "soon")] == ["–", "soon"]
