"""``python -m rnnscope.cli``."""

from __future__ import annotations

import sys

from rnnscope.cli import main

if __name__ == "__main__":
    sys.exit(main())
