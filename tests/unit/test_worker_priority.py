"""Workers leave the processor to whoever answers people."""

from __future__ import annotations

import subprocess
import sys


def test_a_worker_stands_back_and_never_pushes_forward() -> None:
    program = (
        "import os; from workers.priority import stand_back; stand_back(); print(os.nice(0));"
        "os.nice(5); stand_back(); print(os.nice(0))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second = map(int, done.stdout.split())
    assert first >= 10
    assert second == min(19, first + 5)
