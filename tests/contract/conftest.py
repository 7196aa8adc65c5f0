"""Lets the tests of the contract import their parts as ``contract.groups``, and the soundness engine as ``soundness.trees``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = str(Path(__file__).parents[1])
if HERE not in sys.path:
    sys.path.append(HERE)
