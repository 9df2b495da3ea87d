from __future__ import annotations

from pathlib import Path

import pytest

from bittern.config import Configuration, load, reference
from bittern.config.reference import documentation
from bittern.config.settings import SECTIONS, settings


@pytest.mark.parametrize("kind", [Configuration, *SECTIONS.values()])
def test_every_field_is_documented(kind: type) -> None:
    documented = documentation(kind)
    for name in kind.__annotations__:
        assert len(documented.get(name, "")) > 5, f"{kind.__name__}.{name} has no text below it"


def test_an_undocumented_field_is_noticed() -> None:
    class Careless:
        told: int = 1
        """Told."""
        untold: int = 2

    assert documentation(Careless) == {"told": "Told."}  # type: ignore[arg-type]


def test_the_reference_is_a_configuration_file_of_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "bittern.toml"
    path.write_text(reference(), encoding="utf-8")
    configuration = load(path, {"BITTERN_DATA_DIR": "data"})
    assert configuration == Configuration()


def test_the_reference_names_every_setting_and_its_variable() -> None:
    text = reference()
    for setting in settings().values():
        assert f"[{setting.variable}]" in text.replace("\n# ", " ")


def test_the_reference_fits_a_page() -> None:
    assert max(map(len, reference().splitlines())) <= 100
