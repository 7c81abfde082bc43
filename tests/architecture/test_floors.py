"""The architecture checks itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_imports_only_go_down() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_api_process_never_imports_torch() -> None:
    heavy = ("torch", "transformers", "peft", "trl", "sentence_transformers", "workers")
    program = f"import sys, app.main, app.openapi; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_no_file_of_ours_is_longer_than_a_reader_is_patient() -> None:
    sources = [p for folder in ("app", "workers") for p in (ROOT / folder).rglob("*.py")]
    long = {
        str(p.relative_to(ROOT)): lines
        for p in sources
        if (lines := len(p.read_text(encoding="utf-8").splitlines())) > 440
    }
    assert long == {}


def test_a_worker_that_imports_diagnoses_and_repairs_never_loads_torch() -> None:
    stages = "import_dataset, diagnose, repair, augment, mix"
    code = (
        f"import sys, workers.main; from workers.stages import {stages}; "
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
