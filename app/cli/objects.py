"""Objects of the service by id, by the beginning of an id, or by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from casemend_client import Client, NotFound, models

from app.cli.service import USAGE, fail

_SEARCHED = 200
"""How many of the newest objects are looked through for the beginning of an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A noun: what its ids begin with, and the client's group for it."""

    prefix: str
    noun: str
    group: str

    def resource(self, client: Client) -> Any:
        return getattr(client, self.group)


CYCLE = Kind(prefix="cyc", noun="cycle", group="cycles")
DIAGNOSIS = Kind(prefix="dg", noun="diagnosis", group="diagnoses")
REPAIR = Kind(prefix="rp", noun="repair", group="repairs")
VERSION = Kind(prefix="dsv", noun="dataset version", group="versions")
DATASET = Kind(prefix="ds", noun="dataset", group="datasets")
ADAPTER = Kind(prefix="adp", noun="adapter", group="adapters")
CASE = Kind(prefix="bc", noun="bad case", group="bad_cases")
WORK = (
    CYCLE,
    DIAGNOSIS,
    REPAIR,
    Kind(prefix="imp", noun="import", group="imports"),
    Kind(prefix="aug", noun="augmentation", group="augmentations"),
    Kind(prefix="mix", noun="mixture", group="mixtures"),
    Kind(prefix="job", noun="training job", group="training_jobs"),
    Kind(prefix="ev", noun="evaluation", group="evaluations"),
    Kind(prefix="ver", noun="verification", group="verifications"),
    Kind(prefix="mrg", noun="merge", group="merges"),
)
"""What can be watched."""


def kind_of(text: str, kinds: tuple[Kind, ...]) -> Kind:
    """The noun that an id is of; the command ends where it is of none of these."""
    found = next((kind for kind in kinds if text.partition("_")[0] == kind.prefix), None)
    if found is None:
        known = " or ".join(f"{kind.prefix}_... ({kind.noun})" for kind in kinds)
        fail(f"'{text}' is no id that fits here: give {known}", USAGE)
    return found


def find(client: Client, text: str, *kinds: Kind) -> Any:
    """The object of this id, or the only one whose id begins like this."""
    kind = kind_of(text, kinds)
    resource = kind.resource(client)
    try:
        return resource.get(text)
    except NotFound:
        newest = resource.list(limit=_SEARCHED).page().data if len(text) > len(kind.prefix) + 1 else []
        found = [one.id for one in newest if one.id.startswith(text)]
        if len(found) > 1:
            fail(f"more than one {kind.noun} begins with {text}: {', '.join(found[:5])}")
        if not found:
            raise
        return resource.get(found[0])


def dataset(client: Client, text: str) -> models.Dataset | None:
    """By id or name; None where no dataset has the name."""
    if text.startswith("ds_"):
        return find(client, text, DATASET)
    named = client.datasets.list(name=text).page().data
    if len(named) > 1:
        fail(f"more than one dataset is called '{text}': give the id: {', '.join(d.id for d in named[:5])}")
    return named[0] if named else None


def version(client: Client, text: str) -> models.DatasetVersion:
    """By its id, or the newest one of the dataset that is named."""
    if text.startswith("dsv_"):
        return find(client, text, VERSION)
    found = dataset(client, text)
    if found is None:
        fail(f"no dataset is called '{text}': 'casemend import FILE --dataset NAME' makes one")
    newest = client.datasets.versions(found.id, limit=1).page().data
    if not newest:
        fail(f"dataset '{found.name}' has no version yet: import a file into it")
    return newest[0]


def diagnosis_id(client: Client, text: str) -> str:
    """Of a diagnosis, or of the one that a cycle made."""
    found = find(client, text, DIAGNOSIS, CYCLE)
    if not isinstance(found, models.Cycle):
        return found.id
    made = [s.result_id for s in found.stages if s.name == "diagnose" and s.result_id]
    if not made:
        fail(f"cycle {found.id} has not begun its diagnosis yet")
    return made[0]


def adapter(client: Client, text: str) -> models.Adapter:
    """By its id, or by the alias that stands for it."""
    if text.startswith("adp_"):
        return find(client, text, ADAPTER)
    known = client.aliases.list().data
    target = next((alias.adapter_id for alias in known if alias.name == text), None)
    if target is None:
        names = f"; aliases: {', '.join(a.name for a in known)}" if known else "; no alias is set yet"
        fail(f"no adapter is called '{text}': give adp_... or an alias{names}")
    return client.adapters.get(target)
