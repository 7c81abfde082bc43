"""The tutorials in docs/tutorials, their code run as it stands against a service that was started for it."""

from __future__ import annotations

import re
import sys

import pytest

from tests.model.service import ROOT, Shell, started_key

TUTORIALS = ROOT / "docs" / "tutorials"

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(3600)]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```$", (TUTORIALS / page).read_text(encoding="utf-8"), re.M | re.S
    )


def test_fine_tuning_with_the_openai_client(shell: Shell) -> None:
    page = "fine-tune-with-openai-client.md"
    (start,) = blocks(page, "sh")
    key = started_key(shell, start)
    program = "\n".join(blocks(page, "python"))
    said = shell.run(sys.executable, "-c", program, OPENAI_API_KEY=key)
    for event in (
        "warn 1 of 33 rows of",
        "warn 1 rows repeat rows of the validation file",
        "warn 2 rows are duplicates of others",
        "warn 4 rows contradict each other",
        "info Repaired before the training: of 32 rows 0 added, 7 removed, 0 changed; 4 of those removed wait for",
        "info The job has successfully completed",
    ):
        assert event in said, said
    asked = said.rpartition("info The job has successfully completed")[2]
    assert "warranty" in asked.lower()
    assert "step,train_loss" in asked
