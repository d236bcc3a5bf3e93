import pytest

from shared.wire.server_addresses import parse_server_addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("10.0.0.4", (("10.0.0.4", 53),)),
        (" 10.0.0.4 , 10.0.0.5:5353,", (("10.0.0.4", 53), ("10.0.0.5", 5353))),
        ("10.0.0.4:", (("10.0.0.4", 53),)),
        ("fd00::1", (("fd00::1", 53),)),
        ("[fd00::1]:5353", (("fd00::1", 5353),)),
    ],
)
def test_addresses_are_read_with_or_without_a_port(text: str, expected: tuple[tuple[str, int], ...]) -> None:
    assert parse_server_addresses(text) == expected


@pytest.mark.parametrize("text", ["dns.contoso.example", "10.0.0", "10.0.0.4:0x", "10.0.0.4:70000", "[fd00::1", "a:b"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.5:5353"):
        parse_server_addresses(text)
