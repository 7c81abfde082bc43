"""How many examples a property test draws: few in `make test`, all of them in `make test-slow`.

Every run draws others, so what a run leaves out another one finds.
"""

from __future__ import annotations

from math import ceil

import hypothesis

_ALL = 100
# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("few", deadline=None, max_examples=_ALL // 4)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=_ALL)
hypothesis.settings.load_profile("few")


def examples(thorough: int) -> int:
    """For ``max_examples`` of a test that draws ``thorough`` where most draw a hundred."""
    return ceil(thorough * hypothesis.settings.default.max_examples / _ALL)
