"""Every word of a finding has a page, and the pages are what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app import docs_pages
from app.domain.diagnosis.catalogue import remedies
from app.domain.records import RootCause, Symptom
from app.domain.repair.draft.actions import ActionKind

FOLDER = Path(__file__).parents[2] / docs_pages.FOLDER
_LINK = re.compile(r"\]\(([^)]+\.md)\)")


def test_the_pages_are_up_to_date() -> None:
    assert docs_pages.differences(FOLDER) == ()


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("causes", {cause.value for cause in RootCause}),
        ("symptoms", {symptom.value for symptom in Symptom}),
        ("repairs", {kind.value for kind in ActionKind}),
        ("actions", {remedy.name for remedy in remedies.REMEDIES}),
    ],
)
def test_every_member_has_its_page_and_no_page_is_left_over(folder: str, names: set[str]) -> None:
    assert {p.stem for p in (FOLDER / folder).glob("*.md")} == names


def test_every_page_says_what_it_means_how_it_is_decided_and_what_to_do() -> None:
    for path, content in docs_pages.render().items():
        if path != "README.md":
            heads = [line for line in content.splitlines() if line.startswith("#")]
            assert heads[0] == f"# {Path(path).stem}"
            assert heads[1:3] == ["## How it is decided", "## What to do"]
            assert len(content) > 400, path


def test_every_link_between_pages_leads_somewhere() -> None:
    rendered = docs_pages.render()
    for path, content in rendered.items():
        for link in _LINK.findall(content):
            assert (FOLDER / path).parent.joinpath(link).resolve().relative_to(
                FOLDER.resolve()
            ).as_posix() in rendered


def test_writing_replaces_what_is_stale_and_removes_what_is_left_over(tmp_path: Path) -> None:
    docs_pages.write(tmp_path)
    assert docs_pages.differences(tmp_path) == ()
    (tmp_path / "causes" / "ood.md").write_text("old")
    (tmp_path / "causes" / "gone.md").write_text("left over")
    assert docs_pages.differences(tmp_path) == ("causes/gone.md", "causes/ood.md")
    docs_pages.write(tmp_path)
    assert docs_pages.differences(tmp_path) == ()


def test_a_page_without_a_section_is_named() -> None:
    with pytest.raises(ValueError, match=r"the page of some_symptom has no '\*\*What to do"):
        docs_pages.sections("some_symptom", "It means this.\n\n**How it is decided.** So.")


def test_the_command_line_wants_one_of_two_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs_pages.main([]) == 2
    assert "--check | --write" in capsys.readouterr().err
