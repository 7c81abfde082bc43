"""The tutorials in docs/tutorials, their code run as it stands against a service that was started for it."""

from __future__ import annotations

import json
import re
import shutil
import sys

import httpx
import pytest

from tests.model.service import ROOT, Shell, started_key
from tests.model.studio import LEGACY_TOKEN, Studio

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


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the page uses curl and jq")
def test_reading_a_finding(shell: Shell) -> None:
    page = "reading-a-finding.md"
    start, *commands = blocks(page, "sh")
    key = started_key(shell, start)
    url = shell.environment["OPENAI_BASE_URL"].removesuffix("/v1")
    (written,) = blocks(page, "python")
    shell.run(sys.executable, "-c", written)
    said = shell.run("sh", "-e", "-c", "\n".join(commands), URL=url, KEY=key)
    for told in (
        '"category": "conflict"',
        "model_output\tinvoice\tRoute the customer's message.\\nhow long does a refund take",
        '"model_output_is_right": false',
        '"said": false',
        "clean_conflicts\tmedium",
        '"override_category": "conflict"',
    ):
        assert told in said, said
    for row in ("my refund has not arrived", "how long does a refund take", "refund to another card"):
        assert re.search(rf'\["relabel","(approved|proposed)",0\.\d+,"[^"]*{row}"\]', said), said
    with httpx.Client(follow_redirects=True, headers={"Accept": "text/html"}, trust_env=False) as browser:
        assert "Waiting for a person" in browser.get(shell.run("casemend", "sign-in").strip()).text
        addresses = re.findall(rf"^{url}/.+$", said, re.M)
        pages = {a.removeprefix(url).split("/")[1]: browser.get(a) for a in addresses}
        assert {p.status_code for p in pages.values()} == {200}
        assert list(pages) == ["datasets", "bad-cases", "findings", "repairs", "diagnoses"]
        assert "The contradiction" in pages["findings"].text
        assert "ticket-17" in pages["bad-cases"].text
        assert "labelled by a newcomer in March" in browser.get(addresses[2]).text
        assert "What a diagnosis says" in browser.get(f"{url}/help").text


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the page uses curl and jq")
def test_from_a_label_studio_project_to_a_fixed_adapter(shell: Shell, studio: Studio) -> None:
    start, *commands = blocks("from-a-label-studio-project.md", "sh")
    key = started_key(shell, start)
    said = shell.run(
        "bash",
        "-eo",
        "pipefail",
        "-c",
        "\n".join(commands),
        URL=shell.environment["OPENAI_BASE_URL"].removesuffix("/v1"),
        KEY=key,
        LABEL_STUDIO_URL=studio.url,
        LABEL_STUDIO_TOKEN=LEGACY_TOKEN,
        CHECKOUT=str(ROOT),
    )
    judged = len((shell.folder / "wrong.jsonl").read_text().splitlines())
    assert judged >= 18, said  # a model that never saw these topics cannot know them
    verdict = json.loads(re.findall(r"^\{.*?^\}", said, re.M | re.S)[-1])
    assert verdict["gate"] == "accepted", said
    assert verdict["fix_rate"] >= 0.6, said
    assert f"\n{judged}\n" in said  # so many tasks have a prediction
    assert "pet insurance claim" in said.rstrip().splitlines()[-1]
    assert "<html" in (shell.folder / "report.html").read_text()
