"""Pages of docs/diagnosis, made from the code that they describe: the same on every machine.

One page for every root cause, symptom, recommended action and repair action. ``python -m app.docs_pages`` with
``--check`` fails where a page is missing, out of date or left over; with ``--write`` it writes them.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.domain.diagnosis import symptoms
from app.domain.diagnosis.catalogue import remedies, root_causes
from app.domain.diagnosis.catalogue.remedies import RemedyInput
from app.domain.records import RootCause, Symptom
from app.domain.repair.draft import action_kinds

FOLDER = Path("docs/diagnosis")
_SECTION = re.compile(r"\n\n\*\*([A-Z][^*]+)\.\*\* ")
_WIDTH = 110
_SECTIONS = ("How it is decided", "What to do")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """``folder`` is the kind, in the plural; ``text`` its paragraphs, from ``source``; ``leads_to`` names recommended
    actions, in their order."""

    folder: str
    name: str
    text: str
    source: str
    facts: tuple[str, ...] = ()
    leads_to: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}.md"

    @property
    def summary(self) -> str:
        """What it means, in one sentence: the first paragraph."""
        return sections(self.name, self.text)[0]


KIND_NAMES = {
    "causes": ("root cause", "Root causes"),
    "symptoms": ("symptom", "Symptoms"),
    "actions": ("recommended action", "Recommended actions"),
    "repairs": ("repair action", "Repair actions"),
}


def pages() -> tuple[Page, ...]:
    """Every page, in the order of the registries."""
    return (*_causes(), *_symptoms(), *_actions(), *_repairs())


def _causes() -> Iterator[Page]:
    for cause, text in root_causes.PAGES.items():
        yield Page(
            folder="causes",
            name=cause.value,
            text=text,
            source=root_causes.__name__,
            leads_to=_leads_to(cause, None),
        )


def _symptoms() -> Iterator[Page]:
    for symptom, detect in symptoms.SYMPTOMS:
        module = inspect.getmodule(detect)
        assert module is not None
        # What the symptom adds to what the cause asks for; missing knowledge speaks with its cause.
        own = [a for a in _leads_to(RootCause.OOD, symptom) if a not in _leads_to(RootCause.OOD, None)]
        yield Page(
            folder="symptoms",
            name=symptom.value,
            text=module.__doc__ or "",
            source=module.__name__,
            leads_to=tuple(own),
        )


# What the reasons that depend on a case are shown for.
_SHOWN = remedies.RemedyInput(
    cause=RootCause.OOD, symptoms=frozenset(), has_expected=True, already_right=False, nearest=0.5
)


def _actions() -> Iterator[Page]:
    for remedy in remedies.REMEDIES:
        facts = (f"Cost: {remedy.cost.value}.", f"The finding says: {remedy.reason_for(_SHOWN)}.")
        yield Page(
            folder="actions", name=remedy.name, text=remedy.page, source=remedies.__name__, facts=facts
        )


def _repairs() -> Iterator[Page]:
    for kind, text in action_kinds.PAGES.items():
        yield Page(folder="repairs", name=kind.value, text=text, source=action_kinds.__name__)


def _leads_to(cause: RootCause, symptom: Symptom | None) -> tuple[str, ...]:
    seen = frozenset(() if symptom is None else (symptom,))
    verdicts = [
        RemedyInput(cause=cause, symptoms=seen, has_expected=expected, already_right=right, labelled=labelled)
        for expected in (True, False)
        for right in (False, True)
        for labelled in (False, True)
    ]
    recommended = {a.action for verdict in verdicts for a in remedies.recommended(verdict)}
    return tuple(remedy.name for remedy in remedies.REMEDIES if remedy.name in recommended)


def sections(name: str, text: str) -> tuple[str, ...]:
    """What it means, how it is decided, what to do; a ValueError names the page that lacks one."""
    meaning, *rest = _SECTION.split(inspect.cleandoc(text))
    found = dict(zip(rest[::2], rest[1::2], strict=True))
    missing = [name for name in _SECTIONS if not found.get(name, "").strip()]
    if missing or not meaning.strip():
        raise ValueError(
            f"the page of {name} has no '**{(missing or ['meaning'])[0]}.**'; write the paragraph"
        )
    return tuple(_filled(part) for part in (meaning, *(found[name] for name in _SECTIONS)))


def _filled(paragraphs: str) -> str:
    return "\n\n".join(textwrap.fill(" ".join(p.split()), _WIDTH) for p in paragraphs.strip().split("\n\n"))


def page(of: Page) -> str:
    """One page as Markdown."""
    meaning, *rest = sections(of.name, of.text)
    kind = KIND_NAMES[of.folder][0].capitalize()
    lines = [f"# {of.name}", "", _filled(f"*{kind}.* {meaning}"), ""]
    if of.facts:
        lines += [_filled(" ".join(of.facts)), ""]
    for name, body in zip(_SECTIONS, rest, strict=True):
        lines += [f"## {name}", "", body, ""]
    if of.leads_to:
        lines += ["## Recommended actions", ""]
        lines += [f"- [{name}](../actions/{name}.md)" for name in of.leads_to] + [""]
    source = of.source.replace(".", "/")
    return "\n".join([*lines, f"<sub>Made by `make docs` from `{source}.py`.</sub>", ""])


def index(of: tuple[Page, ...]) -> str:
    """The page that lists the pages."""
    lines = [
        "# What a diagnosis says",
        "",
        "Every word of a finding: what it means, how it is decided, what to do.",
    ]
    for folder, (_, title) in KIND_NAMES.items():
        lines += ["", f"## {title}", "", "| | means |", "|---|---|"]
        lines += [
            f"| [{p.name}]({p.path}) | {' '.join(p.summary.split())} |" for p in of if p.folder == folder
        ]
    return "\n".join([*lines, "", "<sub>Made by `make docs`.</sub>", ""])


def render() -> dict[str, str]:
    """Every file below ``FOLDER`` by its path, in order."""
    made = pages()
    return {"README.md": index(made), **{p.path: page(p) for p in made}}


def write(folder: Path = FOLDER) -> None:
    """Write every page; files that are no page any more are removed."""
    wanted = render()
    for path, content in wanted.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    for stale in set(_there(folder)) - set(wanted):
        (folder / stale).unlink()


def differences(folder: Path = FOLDER) -> tuple[str, ...]:
    """Paths of pages that are missing, out of date or left over."""
    wanted, there = render(), _there(folder)
    return tuple(sorted(p for p in {*wanted, *there} if wanted.get(p) != there.get(p)))


def _there(folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.md")) if folder.exists() else []
    return {p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8") for p in files}


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        write()
        return 0
    if arguments != ["--check"]:
        print("usage: python -m app.docs_pages --check | --write", file=sys.stderr)
        return 2
    stale = differences()
    if stale:
        print(
            f"out of date in {FOLDER}: {', '.join(stale)}; run `make docs` and commit them", file=sys.stderr
        )
    return int(bool(stale))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
