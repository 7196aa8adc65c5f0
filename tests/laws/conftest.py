"""Lets the laws import their own language as ``laws.language``, ``laws.meaning``, …"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = str(Path(__file__).parents[1])
if HERE not in sys.path:
    sys.path.append(HERE)
