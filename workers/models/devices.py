"""Which device a model runs on, and in which precision it runs fastest there."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from app.settings import get_settings

CPU_BF16_FLAGS = frozenset({"amx_bf16", "avx512_bf16", "bf16"})  # the last one is Arm's name for it


def pick_device(wanted: str = "auto") -> torch.device:
    """``auto`` is the first CUDA device where there is one, else the CPU."""
    if wanted != "auto":
        return torch.device(wanted)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@lru_cache(maxsize=1)
def _cpu_flags() -> frozenset[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return frozenset()
    lines = (line.partition(":")[2] for line in text.splitlines() if line.startswith(("flags", "Features")))
    return frozenset(next(lines, "").split())


def has_fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 matrix products run in hardware, and are not switched off: elsewhere float32 is faster."""
    if get_settings().bf16 == "off":
        return False
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(_cpu_flags() & CPU_BF16_FLAGS)


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device has it and ``CASEMEND_BF16`` does not say off, else float32."""
    return torch.bfloat16 if has_fast_bf16(device) else torch.float32


def describe(device: torch.device) -> str:
    """``cpu`` or the GPU's name, for reports."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
