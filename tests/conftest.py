"""Shared: golden files with --update, and chromium, which is required and never skipped over."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden files with what the code makes now")
    parser.addoption("--whole", action="store_true", help="tests/contract and the reports read back: all of them, not a share")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """golden(name, text): the text equals the golden file beside the test."""
    def compare(name: str, text: str) -> None:
        text = re.sub(r"(largest\s+difference\s+is\s+)[\d.e-]+\d", r"\1(small)", text)  # the last digits of a check are not a promise
        file = Path(request.path).parent / "golden" / name
        if request.config.getoption("--update"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.exists(), f"no golden file {file.name}; run with --update and read it"
        assert text == file.read_text(encoding="utf-8")
    return compare


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a chromium; a test that needs it fails loudly where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.fail("no chromium on this machine: run .ci/install-tools")


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Callable[..., str]:
    """browse(html, script, width): the page's title after the script ran at that width; the script sets document.title."""
    def run(html: str, script: str, width: int = 1000) -> str:
        page = tmp_path / "page.html"
        # the page forbids scripts, so the test takes that line out of its own copy and adds one
        opened = html.replace('http-equiv="Content-Security-Policy"', 'name="was-policy"')
        page.write_text(opened.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                   "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
                   f"--window-size={width},2000", "--virtual-time-budget=4000", "--dump-dom", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        assert not console, console
        start = done.stdout.find("<title>")
        assert start >= 0, done.stderr[-500:]
        return done.stdout[start + 7:done.stdout.find("</title>")]
    return run
