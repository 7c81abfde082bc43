"""Rows under the names that casemend uses: aliases of keys and roles, from ``names.toml``.

Only plain meanings are read. Where two keys may be the answer, or a key may belong to the prompt, the error says
what to rename it to.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from app.domain.formats.errors import RowError
from app.domain.records import Role

_TABLES: Final[dict[str, dict[str, list[str]]]] = tomllib.loads(
    (resources.files("app.domain.formats") / "names.toml").read_text(encoding="utf-8")
)
ROLES: Final = {name: Role(role) for role, names in _TABLES["roles"].items() for name in names}
ROLE_KEYS: Final = tuple(_TABLES["turn"]["role"])
TEXT_KEYS: Final = tuple(_TABLES["turn"]["text"])
WRAPPER_KEYS: Final = frozenset(_TABLES["wrapper"]["keys"])
_UNCLEAR: Final = frozenset(_TABLES["unclear"]["keys"])
_NEEDED: Final[dict[str, frozenset[str]]] = {
    "alpaca": frozenset({"instruction", "output"}),
    "sharegpt": frozenset({"conversations"}),
    "messages": frozenset({"messages"}),
    "preference": frozenset({"prompt", "chosen", "rejected"}),
    "completion": frozenset({"prompt", "completion"}),
}
"""Format: the keys without which a row is not of it."""
ROW_KEYS: Final = frozenset(
    name for format in _NEEDED for names in _TABLES[format].values() for name in names
) | {"preferred_output", "non_preferred_output"}
"""Every key, aliases included, by which a row can be told."""


def role_named(name: str) -> Role | None:
    """The role that data calls ``name``, in any case; None for a name that says none."""
    return ROLES.get(name) or ROLES.get(name.strip().casefold())


def has(row: Mapping[str, Any], format: str, key: str) -> bool:
    """Whether the row has ``key`` of ``format``, or an alias of it."""
    return key in row or any(_plain(name) in _aliases(format)[key] for name in row)


def canonical(row: dict[str, Any], format: str) -> dict[str, Any]:
    """The row with the keys of ``format``; itself where it has them already. Raises ``RowError`` where two keys may
    be meant."""
    if format not in _NEEDED:
        return row
    if _NEEDED[format] <= row.keys() and row.keys().isdisjoint(_optional(format)):
        return row
    renamed: dict[str, str] = {}
    for key, names in _aliases(format).items():
        if key in row:
            continue
        found = [name for name in row if name not in renamed and _plain(name) in names]
        if len(found) > 1:
            raise RowError(
                "ambiguous_keys",
                f"{_listed(found)} may each be '{key}'; rename the one that is meant to '{key}'",
            )
        if found:
            renamed[found[0]] = key
    if not renamed:
        return row
    _refuse_leftovers(row, format, renamed)
    return {renamed.get(name, name): value for name, value in row.items()}


def canonical_turn(turn: dict[str, Any], role_key: str, text_key: str) -> dict[str, Any]:
    """The turn under ``role_key`` and ``text_key``, whatever its keys are called."""
    if role_key in turn and text_key in turn:
        return turn
    renamed: dict[str, str] = {}
    for key, names in ((role_key, ROLE_KEYS), (text_key, TEXT_KEYS)):
        found = [] if key in turn else [name for name in names if name in turn]
        if found:
            renamed[found[0]] = key
    return {renamed.get(name, name): value for name, value in turn.items()} if renamed else turn


def _refuse_leftovers(row: Mapping[str, Any], format: str, renamed: Mapping[str, str]) -> None:
    """What stands beside a question under an alias may belong to the prompt: then it would be lost."""
    if format != "alpaca" or not {"instruction", "output"} & set(renamed.values()):
        return
    aliases = _aliases("alpaca")
    asking = aliases["instruction"] | aliases["input"] | _UNCLEAR
    left = [name for name in row if name not in renamed and name not in aliases and _plain(name) in asking]
    if left:
        raise RowError(
            "ambiguous_keys",
            f"{_listed(left)} stands beside {_listed(list(renamed))} and may belong to the prompt; rename it to "
            "'input' if it does, else move it into 'metadata'",
        )


@cache
def _aliases(format: str) -> dict[str, frozenset[str]]:
    return {key: frozenset(names) for key, names in _TABLES[format].items()}


@cache
def _optional(format: str) -> frozenset[str]:
    """Aliases that are looked for even where the row has all the keys that it needs."""
    return frozenset(
        name
        for key, names in _TABLES[format].items()
        if key not in _NEEDED[format]
        for name in names
        if name != key
    )


def _plain(name: str) -> str:
    return name.strip().casefold()


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"'{name[:40]}'" for name in names)
