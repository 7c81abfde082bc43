"""What every word of a diagnosis means: one page for each root cause, symptom, recommended action and repair action.

Taken from the code that decides by them. Knows the texts and their order, and not how a page looks.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from app.domain.diagnosis import symptoms
from app.domain.diagnosis.catalogue import remedies, root_causes
from app.domain.diagnosis.catalogue.remedies import RemedyInput
from app.domain.records import RootCause, Symptom
from app.domain.repair.draft import action_kinds

_SECTION = re.compile(r"\n\n\*\*([A-Z][^*]+)\.\*\* ")
_WIDTH = 110
SECTIONS = ("How it is decided", "What to do")


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


@cache
def pages() -> tuple[Page, ...]:
    """Every page, in the order of the registries."""
    return (*_causes(), *_symptoms(), *_actions(), *_repairs())


def explained(folder: str, name: str) -> bool:
    """Whether there is a page about the word: a stored finding may name one of an older version."""
    return any((page.folder, page.name) == (folder, name) for page in pages())


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
    missing = [name for name in SECTIONS if not found.get(name, "").strip()]
    if missing or not meaning.strip():
        raise ValueError(
            f"the page of {name} has no '**{(missing or ['meaning'])[0]}.**'; write the paragraph"
        )
    return tuple(filled(part) for part in (meaning, *(found[name] for name in SECTIONS)))


def filled(paragraphs: str) -> str:
    """Paragraphs in lines of one width."""
    return "\n\n".join(textwrap.fill(" ".join(p.split()), _WIDTH) for p in paragraphs.strip().split("\n\n"))
