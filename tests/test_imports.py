"""The import-direction check itself, and what importing rnnscope costs the user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "check_imports.py"


@pytest.fixture
def checker():
    import importlib.util

    spec = importlib.util.spec_from_file_location("check_imports", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_imports_go_one_way(checker):
    assert checker.main() == 0


def test_an_upward_import_is_found(checker, tmp_path, monkeypatch, capsys):
    root = tmp_path / "rnnscope"
    (root / "cells").mkdir(parents=True)
    (root / "cells" / "a.py").write_text("from rnnscope.account import explain\n")
    (root / "models.py").write_text("import rnnscope.cells\nfrom . import x\n")
    monkeypatch.setattr(checker, "ROOT", root)
    assert checker.main() == 1
    printed = capsys.readouterr().out
    assert "cells must not import account" in printed
    assert "relative import" in printed


def test_a_cycle_is_found(checker, tmp_path, monkeypatch, capsys):
    root = tmp_path / "rnnscope"
    (root / "cells").mkdir(parents=True)
    (root / "cells" / "a.py").write_text("from rnnscope.cells.b import x\n")
    (root / "cells" / "b.py").write_text("from rnnscope.cells.a import y\n")
    monkeypatch.setattr(checker, "ROOT", root)
    assert checker.main() == 1
    assert "a cycle: rnnscope.cells.a -> rnnscope.cells.b" in capsys.readouterr().out


def test_importing_changes_no_global_state():
    code = (
        "import torch, random, numpy as np, matplotlib; "
        # Of scikit-learn, which may draw from random for a progress bar that it imports.
        "import sklearn.preprocessing; before = (torch.get_num_threads(), "
        "torch.get_default_dtype(), torch.random.get_rng_state().sum().item(), random.getstate(), "
        "np.random.get_state()[1].sum(), "
        "dict(matplotlib.rcParams)); import rnnscope; "
        "after = (torch.get_num_threads(), torch.get_default_dtype(), "
        "torch.random.get_rng_state().sum().item(), random.getstate(), "
        "np.random.get_state()[1].sum(), "
        "dict(matplotlib.rcParams)); assert before == after"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
