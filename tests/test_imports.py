"""`import symnet` is light: what a reader does not use is not loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["jax", "torch", "onnx", "sklearn", "scipy", "matplotlib", "numba", "flint", "jinja2", "latex2mathml", "sympy", "numpy", "distributed"]


def loaded_after(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running ``code``."""
    shown = subprocess.run([sys.executable, "-c", f"{code}\nimport sys\nprint(*{{m.split('.')[0] for m in sys.modules}})"],
                           capture_output=True, text=True, check=True)
    return set(shown.stdout.split())


@pytest.fixture(scope="module")
def after_import() -> set[str]:
    return loaded_after("import symnet")


@pytest.mark.parametrize("library", HEAVY)
def test_import_symnet_does_not_load(library: str, after_import: set[str]) -> None:
    assert library not in after_import


def test_import_symnet_loads_symnet(after_import: set[str]) -> None:
    assert "symnet" in after_import


@pytest.mark.parametrize("library", ["flint", "jinja2", "latex2mathml"])
def test_the_import_test_can_fail(library: str) -> None:
    assert library in loaded_after(f"import symnet, {library}")


def test_every_public_name_is_there() -> None:
    import symnet

    missing = [name for name in symnet.__all__ if not hasattr(symnet, name)]
    assert missing == []


def test_an_unknown_name_is_refused() -> None:
    import symnet

    with pytest.raises(AttributeError, match="no attribute 'Lineer'"):
        symnet.Lineer
