"""python -m symnet."""

from symnet.cli.main import main

raise SystemExit(main())
