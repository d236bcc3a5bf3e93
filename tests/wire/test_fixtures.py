"""Every recorded payload is used by a test."""

from pathlib import Path

from tests.wire.samples import FIXTURES


def test_every_fixture_is_named_by_a_test() -> None:
    tests = Path(__file__).parents[1]
    sources = [path.read_text(encoding="utf-8") for path in tests.rglob("test_*.py")]
    fixtures = sorted(str(path.relative_to(FIXTURES).with_suffix("")) for path in FIXTURES.rglob("*.json"))

    unused = [name for name in fixtures if not any(f'"{name}"' in source for source in sources)]

    assert fixtures
    assert unused == []
