"""`python -m tools.check_files`: what would stop the app is said before it is deployed."""

from pathlib import Path

import pytest

from tests.docs.page import ROOT
from tools.check_files import main

SOUND = {
    "--identity-map": ROOT / "sandbox" / "identity-map.yaml",
    "--approval-routes": ROOT / "sandbox" / "approval-routes.yaml",
    "--posture-rules": ROOT / "sandbox" / "posture.yaml",
}


def test_sound_files_are_called_sound(capsys: pytest.CaptureFixture[str]) -> None:
    code = main([word for option, path in SOUND.items() for word in (option, str(path))])

    assert code == 0
    assert capsys.readouterr().out.splitlines() == [f"{path}: sound" for path in SOUND.values()]


@pytest.mark.parametrize("option", SOUND)
def test_wrong_file_is_named_with_its_line_and_the_fix(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("misspelt: 1\n", encoding="utf-8")

    code = main([option, str(wrong)])

    assert code == 1
    assert "wrong.yaml, line 1: misspelt: " in capsys.readouterr().err


def test_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--identity-map", str(tmp_path / "none.yaml")])

    assert (code, "none.yaml: cannot be read" in capsys.readouterr().err) == (1, True)


def test_nothing_to_check_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([])

    assert stopped.value.code == 2
    assert "name a file" in capsys.readouterr().err
