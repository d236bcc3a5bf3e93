import pytest

from shared.domain.posture.lifetimes import lifetime_days


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P181D", 181),
        ("p90d", 90),
        ("P6M", 180),
        ("P1Y", 365),
        ("P2W1D", 15),
        ("P4DT23H59M", 4),
        ("P4DT24H", 5),
        ("PT48H", 2),
        ("PT0.5S", 0),
        ("", None),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("181", None),
        ("P-1D", None),
    ],
)
def test_lifetime_of_a_policy_is_read_in_days(text: str, expected: int | None) -> None:
    assert lifetime_days(text) == expected
