"""Lets the soundness tests import their engine as ``soundness.trees``, ``soundness.oracle``, …"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = str(Path(__file__).parents[1])
if HERE not in sys.path:
    sys.path.append(HERE)
