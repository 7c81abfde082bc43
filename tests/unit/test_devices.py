"""Where bfloat16 is used, and the switch that turns it off everywhere."""

from __future__ import annotations

import pytest
import torch

from app.settings import Settings
from workers.models import devices

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("flags", "switch", "fast"),
    [
        ({"avx2", "avx512_bf16"}, "auto", torch.bfloat16),
        ({"avx2", "avx512_bf16"}, "off", torch.float32),
        ({"avx2"}, "auto", torch.float32),
    ],
)
def test_bfloat16_where_the_processor_has_it_and_nobody_says_off(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], switch: str, fast: torch.dtype
) -> None:
    monkeypatch.setenv("CASEMEND_BF16", switch)
    monkeypatch.setattr(devices, "_cpu_flags", lambda: frozenset(flags))
    monkeypatch.setattr(devices, "get_settings", Settings)
    assert devices.fast_dtype(CPU) is fast
    assert devices.has_fast_bf16(CPU) is (fast is torch.bfloat16)
