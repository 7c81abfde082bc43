"""One input, what is done with it over HTTP, and what must be seen.

A trial uploads a file, may diagnose bad cases on it and plan a repair by the default policy. Each step is taken
when a check first asks for it, so that a trial of imports costs an import. Nothing here knows how the engine
works.
"""

from __future__ import annotations

import copy
import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx

Row = dict[str, Any]
FINAL = ("succeeded", "failed", "cancelled")
SAME_PROMPT = 0.995  # a neighbour's similarity from which its prompt is the case's own


@dataclass(frozen=True, slots=True)
class Check:
    """What is expected, in words, and a test that returns "" or what was seen instead."""

    expected: str
    wrong: Callable[[Seen], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """``train``: rows (written as JSON lines) or a file's bytes. ``cases``: bad cases, each with an external_id."""

    kind: str
    name: str
    train: Sequence[Row] | bytes
    checks: Sequence[Check]
    cases: Sequence[Row] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/x-ndjson"
    options: Mapping[str, Any] = field(default_factory=dict)


class Http:
    """Plain requests; an answer that is an error is an answer too."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=120, trust_env=False
        )

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._http.request(method, path, **more)

    def json(self, method: str, path: str, **more: Any) -> Any:
        answer = self.call(method, path, **more)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code}: {answer.text[:300]}")
        return answer.json()

    def wait(self, path: str, seconds: float = 600) -> Any:
        end, pause = time.monotonic() + seconds, 0.1
        while time.monotonic() < end:
            thing = self.json("GET", path)
            if thing["status"] in FINAL:
                return thing
            time.sleep(pause)
            pause = min(1.0, 1.3 * pause)  # a diagnosis takes seconds; asking costs the service time
        raise RuntimeError(f"{path}: not done in {seconds} s")

    def pages(self, path: str) -> Iterator[Any]:
        after = None
        while True:
            page = self.json("GET", path, params={"limit": 200, **({"after": after} if after else {})})
            yield from page["data"]
            if not page["has_more"]:
                return
            after = page["next_after"]

    def upload(self, body: bytes, params: Mapping[str, str], content_type: str) -> Any:
        """The finished import, or the problem that the upload was answered with, as an import that failed."""
        dataset = self.json("POST", "/v1/datasets", json={"name": f"faults-{uuid.uuid4().hex[:12]}"})
        answer = self.call(
            "POST",
            f"/v1/datasets/{dataset['id']}/versions",
            content=body,
            params=dict(params),
            headers={"Content-Type": content_type},
        )
        if answer.is_success:
            return self.wait(f"/v1/imports/{answer.json()['id']}")
        if answer.status_code >= 500:
            raise RuntimeError(f"upload: {answer.status_code}: {answer.text[:300]}")
        return {
            "status": "failed",
            "refused": True,
            "error": answer.json(),
            "errors": [],
            "rows_total": 0,
            "rows_accepted": 0,
            "rows_rejected": 0,
            "dataset_version_id": None,
        }


class Seen:
    """What the service answered to one trial."""

    def __init__(self, http: Http, trial: Trial) -> None:
        self.http, self.trial = http, trial
        self.taken_as_equal: set[str] = set()  # cases refused at the door, because nothing in them is wrong
        self.run = uuid.uuid4().hex[:8]

    @cached_property
    def imported(self) -> Any:
        train = self.trial.train
        body = train if isinstance(train, bytes) else lines_of(train)
        return self.http.upload(body, self.trial.params, self.trial.content_type)

    @property
    def version(self) -> str:
        found = self.imported["dataset_version_id"]
        if not found:
            raise RuntimeError("nothing was imported")
        return found

    @cached_property
    def examples(self) -> list[Row]:
        return list(self.http.pages(f"/v1/dataset-versions/{self.version}/examples"))

    def exported(self, form: str) -> list[Row]:
        answer = self.http.call("GET", f"/v1/dataset-versions/{self.version}/export", params={"format": form})
        if not answer.is_success:
            raise RuntimeError(f"export {form}: {answer.status_code}: {answer.text[:300]}")
        return [json.loads(line) for line in answer.text.split("\n") if line.strip()]

    def exported_bytes(self, form: str) -> bytes:
        answer = self.http.call("GET", f"/v1/dataset-versions/{self.version}/export", params={"format": form})
        if not answer.is_success:
            raise RuntimeError(f"export {form}: {answer.status_code}: {answer.text[:300]}")
        return answer.content

    @cached_property
    def diagnosis(self) -> Any:
        items = [{**case, "external_id": f"{self.run}-{case['external_id']}"} for case in self.trial.cases]
        sent = self.http.json("POST", "/v1/bad-cases", json={"items": items})["data"]
        for x in sent:
            if x["id"] is None and x["error"]["code"] != "output_as_expected":
                raise RuntimeError(f"bad case refused: {json.dumps(x, ensure_ascii=False)[:300]}")
        self.taken_as_equal = {x["external_id"].split("-", 1)[1] for x in sent if x["id"] is None}
        asked = self.http.json(
            "POST",
            "/v1/diagnoses",
            json={
                "dataset_version_id": self.version,
                "bad_case_ids": [x["id"] for x in sent if x["id"]],
                "options": {"hold_back": 0.0, **self.trial.options},
            },
        )
        done = self.http.wait(f"/v1/diagnoses/{asked['id']}")
        if done["status"] != "succeeded":
            raise RuntimeError(f"diagnosis {done['status']}: {done['error']}")
        return done

    @cached_property
    def findings(self) -> dict[str, Any]:
        listed = self.http.pages(f"/v1/diagnoses/{self.diagnosis['id']}/findings")
        return {f["external_id"].split("-", 1)[1]: f for f in listed}

    def finding(self, case: str) -> Any:
        if case not in self.findings:
            raise RuntimeError(f"no finding for {case}")
        return self.findings[case]

    @cached_property
    def repair(self) -> Any:
        """Planned by the default policy, of the diagnosis or, without cases, of the version."""
        of = (
            {"diagnosis_id": self.diagnosis["id"]}
            if self.trial.cases
            else {"dataset_version_id": self.version}
        )
        asked = self.http.call("POST", "/v1/repairs", json={**of, "policy": {}})
        if asked.status_code == 422 and not self.trial.cases:
            # a service that plans from diagnoses only: one case that touches no row
            stand_in = {"instruction": "zzz unrelated question", "model_output": "a", "expected_output": "b"}
            self.trial = Trial(
                kind=self.trial.kind,
                name=self.trial.name,
                train=self.trial.train,
                checks=(),
                cases=({"external_id": "stand-in", **stand_in},),
            )
            return self.repair_again()
        if not asked.is_success:
            raise RuntimeError(f"repair: {asked.status_code}: {asked.text[:300]}")
        return self._planned(asked.json())

    def repair_again(self) -> Any:
        asked = self.http.json(
            "POST", "/v1/repairs", json={"diagnosis_id": self.diagnosis["id"], "policy": {}}
        )
        return self._planned(asked)

    def _planned(self, asked: Any) -> Any:
        done = self.http.wait(f"/v1/repairs/{asked['id']}")
        if done["status"] != "succeeded":
            raise RuntimeError(f"repair {done['status']}: {done['error']}")
        return done

    @cached_property
    def actions(self) -> list[Row]:
        return list(self.http.pages(f"/v1/repairs/{self.repair['id']}/actions"))

    def actions_on(self, index: int) -> list[Row]:
        """Of the row at this place of the upload (accepted rows only, from 0)."""
        wanted = self.examples[index]["id"]
        return [a for a in self.actions if wanted in a["example_ids"]]

    @cached_property
    def repaired(self) -> list[Row]:
        """The rows of the version that the approved actions make."""
        if not any(a["decision"] == "approved" for a in self.actions):
            return self.examples
        asked = self.http.json("POST", f"/v1/repairs/{self.repair['id']}/apply", json={})
        if asked["object"] == "repair_run":
            raise RuntimeError("a small repair went to a worker")
        return list(self.http.pages(f"/v1/dataset-versions/{asked['id']}/examples"))

    def part(self, start: int, stop: int) -> Seen:
        """The same plan, seen from some of the rows alone."""
        rows = self.examples[start:stop]
        _ = self.actions  # taken once, for all parts
        twin = copy.copy(self)
        twin.__dict__["examples"] = rows
        return twin

    @cached_property
    def mixture(self) -> Any:
        """A mixture of the version as it stands."""
        asked = self.http.json("POST", "/v1/mixtures", json={"dataset_version_id": self.version})
        done = self.http.wait(f"/v1/mixtures/{asked['id']}")
        if done["status"] != "succeeded":
            raise RuntimeError(f"mixture {done['status']}: {done['error']}")
        return done


def together(name: str, *trials: Trial) -> Trial:
    """Sets of rows without cases as one set, to plan them at the cost of one; each check sees its own rows."""
    rows: list[Row] = []
    checks: list[Check] = []
    for trial in trials:
        if isinstance(trial.train, bytes) or trial.cases:
            raise ValueError(f"{trial.name}: only rows without cases go together")
        start = len(rows)
        rows += trial.train
        checks += [_within(check, trial.name, start, len(rows)) for check in trial.checks]
    return Trial(kind=trials[0].kind, name=name, train=rows, checks=checks)


def _within(check: Check, name: str, start: int, stop: int) -> Check:
    return Check(f"{name}: {check.expected}", lambda seen: check.wrong(seen.part(start, stop)))


# -- texts


def lines_of(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def said_by(imported: Any) -> str:
    """Every message of an import, with what is left unsaid left out."""
    problem = imported.get("error") or {}
    texts = [str(problem.get("detail") or problem or "")]
    texts += [e.get("message", "") for e in problem.get("errors", []) or []]
    texts += [f"{e['code']}: {e['message']}" for e in imported.get("errors") or []]
    texts += [str(w) for w in imported.get("warnings") or []]
    return " | ".join(x for x in texts if x)


def brief(value: Any, length: int = 160) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= length else text[: length - 1] + "…"


def answer_of(row: Row) -> Any:
    """The learnt turn: its text, or its calls as (name, arguments) where it makes any."""
    last = row["messages"][-1]
    calls = last.get("tool_calls") or (
        [{"function": last["function_call"]}] if last.get("function_call") else []
    )
    if calls:
        return [(c["function"]["name"], _arguments(c["function"].get("arguments"))) for c in calls]
    return last.get("content")


def _arguments(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def told(action: Row) -> str:
    after = [brief(str(answer_of(r)), 60) for r in action["after"] if r and r.get("messages")]
    return f"{action['kind']}/{action['rule']} {action['decision']} {action['score']:.2f} -> {after}"


# -- checks of an import


def reads(accepted: int, rejected: int = 0) -> Check:
    def wrong(seen: Seen) -> str:
        done = seen.imported
        found = (done["rows_total"], done["rows_accepted"], done["rows_rejected"])
        if found == (accepted + rejected, accepted, rejected) and done["status"] == "succeeded":
            return ""
        return f"{done['status']}, total/accepted/rejected {found}: {brief(said_by(done))}"

    return Check(f"{accepted} rows read, {rejected} refused", wrong)


def reads_or_fails(accepted: int) -> Check:
    """Every row is read, or the import fails, or each unread row is counted as refused."""

    def wrong(seen: Seen) -> str:
        done = seen.imported
        counted = done["rows_accepted"] + done["rows_rejected"]
        if done["status"] == "failed" and said_by(done):
            return ""
        if done["rows_total"] == counted >= accepted and done["rows_accepted"] in (accepted, 0):
            return ""
        return f"{done['status']}, {done['rows_total']}/{done['rows_accepted']}/{done['rows_rejected']}"

    return Check(f"all {accepted} rows read, or a failed import", wrong)


def fails_naming(*words: str) -> Check:
    """No row is taken, and the message has one of the words."""

    def wrong(seen: Seen) -> str:
        done, text = seen.imported, said_by(seen.imported)
        if done["rows_accepted"] == 0 and any(w.lower() in text.lower() for w in words):
            return ""
        return f"{done['status']}, {done['rows_accepted']} accepted: {brief(text)}"

    return Check(f"fails, naming one of {', '.join(words)}", wrong)


def says(*words: str) -> Check:
    """The import's messages have one of the words, whatever was taken."""

    def wrong(seen: Seen) -> str:
        text = said_by(seen.imported)
        return "" if any(w.lower() in text.lower() for w in words) else f"said: {brief(text) or 'nothing'}"

    return Check(f"the import says one of {', '.join(words)}", wrong)


def reads_or_names(accepted: int, *words: str) -> Check:
    """All rows read, or refused with a message that helps."""

    def wrong(seen: Seen) -> str:
        done, text = seen.imported, said_by(seen.imported)
        if done["rows_accepted"] == accepted and done["rows_rejected"] == 0:
            return ""
        if done["rows_accepted"] == 0 and any(w.lower() in text.lower() for w in words):
            return ""
        return f"{done['status']}, {done['rows_accepted']} accepted: {brief(text)}"

    return Check(f"{accepted} rows read, or refused with one of {', '.join(words)}", wrong)


def reads_or_says(accepted: int, *words: str) -> Check:
    """All rows read, or those that are not are refused with a message that helps."""

    def wrong(seen: Seen) -> str:
        done, text = seen.imported, said_by(seen.imported)
        if done["rows_accepted"] == accepted or any(w.lower() in text.lower() for w in words):
            return ""
        return f"{done['status']}, {done['rows_accepted']} accepted: {brief(text)}"

    return Check(f"{accepted} rows read, or the others refused with one of {', '.join(words)}", wrong)


def turns(index: int, *expected: tuple[str, Any]) -> Check:
    """Roles and texts of an imported row."""

    def wrong(seen: Seen) -> str:
        found = [(m["role"], m.get("content")) for m in seen.examples[index]["messages"]]
        return "" if found == list(expected) else f"row {index}: {brief(found)}"

    return Check(f"row {index} is {brief(list(expected), 90)}", wrong)


def row_has(index: int, **expected: Any) -> Check:
    def wrong(seen: Seen) -> str:
        row = seen.examples[index]
        found = {k: row.get(k) for k in expected}
        return "" if found == expected else f"row {index}: {brief(found)}"

    return Check(f"row {index} has {brief(expected, 80)}", wrong)


def answer_is(index: int, expected: Any) -> Check:
    def wrong(seen: Seen) -> str:
        found = answer_of(seen.examples[index])
        if found == expected or (
            isinstance(found, str) and not isinstance(expected, str) and _as_json(found) == expected
        ):
            return ""
        return f"row {index}: {brief(found)}"

    return Check(f"row {index} answers {brief(expected, 80)}", wrong)


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def writes(form: str, index: int, expected: Row) -> Check:
    """The exported row has these keys with these values."""

    def wrong(seen: Seen) -> str:
        row = seen.exported(form)[index]
        found = {k: row.get(k, "<missing>") for k in expected}
        return "" if found == expected else brief(found, 260)

    return Check(f"{form} export of row {index} is {brief(expected, 120)}", wrong)


def holds(form: str, index: int, key: str, text: str) -> Check:
    """The exported row has the text somewhere under the key."""

    def wrong(seen: Seen) -> str:
        row = seen.exported(form)[index]
        return "" if text in json.dumps(row.get(key), ensure_ascii=False) else brief(row, 260)

    return Check(f"{form} export of row {index} has {text!r} under {key!r}", wrong)


def comes_back(form: str) -> Check:
    """Export, import: the same content hash."""

    def wrong(seen: Seen) -> str:
        body = seen.exported_bytes(form)
        again = seen.http.upload(body, {}, "application/octet-stream")
        if not again["dataset_version_id"]:
            return f"the export is not read: {brief(said_by(again))}"
        hashes = [
            seen.http.json("GET", f"/v1/dataset-versions/{v}")["content_hash"]
            for v in (seen.version, again["dataset_version_id"])
        ]
        if hashes[0] == hashes[1]:
            return ""
        rows = list(seen.http.pages(f"/v1/dataset-versions/{again['dataset_version_id']}/examples"))
        for before, after in zip(seen.examples, rows, strict=False):
            if before["content_hash"] != after["content_hash"]:
                keys = ("messages", "rejected", "tools", "metadata", "desirable", "source_id")
                other = {k: after.get(k) for k in keys if after.get(k) != before.get(k)}
                return f"row {before['position']}: {brief(other, 260)}"
        return f"{len(seen.examples)} rows went, {len(rows)} came, another content hash"

    return Check(f"{form}: export, import gives the same content hash", wrong)


def undesired(form: str, text: str) -> Check:
    """Wherever the export has the text as an answer it says that it is not one to learn."""

    def wrong(seen: Seen) -> str:
        bad = [row for row in seen.exported(form) if _learnt_there(row, text)]
        return f"{len(bad)} rows, e.g. {brief(bad[0], 200)}" if bad else ""

    return Check(f"{form} export never has {brief(text, 30)!r} as an answer to learn", wrong)


def _learnt_there(row: Row, text: str) -> bool:
    if any(row.get(key) is False for key in ("kto_tag", "label", "desirable")):
        return False
    places = [row.get(k) for k in ("output", "completion", "response", "chosen", "preferred_output")]
    for key in ("messages", "conversations"):
        turns_of = row.get(key) or []
        for m in turns_of:
            role = m.get("role") or m.get("from")
            if role in ("assistant", "gpt") and m.get("weight") != 0 and m.get("loss") is not False:
                places.append(m.get("content") if "content" in m else m.get("value"))
    return any(text in json.dumps(p, ensure_ascii=False) for p in places if p)


def in_llamafactory(text: str) -> Check:
    """The zip has the text in no file whose columns are those of supervised training."""

    def wrong(seen: Seen) -> str:
        with zipfile.ZipFile(io.BytesIO(seen.exported_bytes("llamafactory"))) as files:
            info = json.loads(files.read("dataset_info.json"))
            for about in info.values():
                columns = about.get("columns", {})
                for line in files.read(about["file_name"]).decode().splitlines():
                    row = json.loads(line) if line.startswith("{") else {}
                    marked = about.get("ranking") or "kto_tag" in columns
                    if (
                        text
                        in json.dumps({k: v for k, v in row.items() if k != "_casemend"}, ensure_ascii=False)
                        and not marked
                    ):
                        return f"{about['file_name']} ({brief(about, 120)}): {brief(row, 120)}"
        return ""

    return Check(f"no supervised file of the LLaMA-Factory export has {brief(text, 30)!r}", wrong)


def mixes(rows: int) -> Check:
    def wrong(seen: Seen) -> str:
        found = seen.mixture
        return "" if found["rows"] == rows else f"{found['rows']} rows: {brief(found['counts'])}"

    return Check(f"a mixture to train on has {rows} rows", wrong)


# -- checks of a finding


def _advised(finding: Any) -> list[str]:
    return [a["action"] for a in finding["recommended_actions"]]


def not_closed(case: str) -> Check:
    def wrong(seen: Seen) -> str:
        _ = seen.diagnosis
        if case in seen.taken_as_equal:
            return "refused at the door: said to equal what is expected"
        found = seen.finding(case)
        return f"{found['category']}: {_advised(found)}" if "close_case" in _advised(found) else ""

    return Check(f"{case}: not closed", wrong)


def closed(case: str) -> Check:
    def wrong(seen: Seen) -> str:
        _ = seen.diagnosis
        if case in seen.taken_as_equal:
            return ""
        found = seen.finding(case)
        if "close_case" in _advised(found):
            return ""
        return f"{found['category']} {found['confidence']:.2f}: {_advised(found)}"

    return Check(f"{case}: closed, certainly equal", wrong)


def cause(case: str, *categories: str) -> Check:
    def wrong(seen: Seen) -> str:
        found = seen.finding(case)
        return (
            ""
            if found["category"] in categories
            else f"{found['category']} {found['confidence']:.2f}: {_advised(found)}"
        )

    return Check(f"{case}: {' or '.join(categories)}", wrong)


def not_cause(case: str, *categories: str) -> Check:
    def wrong(seen: Seen) -> str:
        found = seen.finding(case)
        if found["category"] not in categories:
            return ""
        return f"{found['category']} {found['confidence']:.2f}: {brief(found['recommended_actions'], 120)}"

    return Check(f"{case}: not {' nor '.join(categories)}", wrong)


def names(case: str, text: str, *, agrees: str | None = None) -> Check:
    """A row whose output holds the text is shown first among the evidence (of the five nearest)."""

    def wrong(seen: Seen) -> str:
        near = seen.finding(case)["evidence"]["neighbors"]
        for row in near:
            if text in (row["output"] or "") and agrees in (None, row["agrees_with"]):
                return ""
        return brief([(round(n["similarity"], 2), n["output"], n["agrees_with"]) for n in near[:3]])

    return Check(
        f"{case}: names the row that says {brief(text, 40)!r}" + (f" as {agrees}" if agrees else ""), wrong
    )


def symptom(case: str, name: str) -> Check:
    def wrong(seen: Seen) -> str:
        found = seen.finding(case)["symptoms"]
        return "" if name in found else f"{found}"

    return Check(f"{case}: symptom {name}", wrong)


def no_symptom(case: str, name: str) -> Check:
    def wrong(seen: Seen) -> str:
        found = seen.finding(case)["symptoms"]
        return f"{found}" if name in found else ""

    return Check(f"{case}: no symptom {name}", wrong)


def advises(case: str, action: str) -> Check:
    def wrong(seen: Seen) -> str:
        found = seen.finding(case)
        return (
            ""
            if action in _advised(found)
            else f"{found['category']}: {_advised(found)}, symptoms {found['symptoms']}"
        )

    return Check(f"{case}: advises {action}", wrong)


def advises_not(case: str, action: str) -> Check:
    def wrong(seen: Seen) -> str:
        found = seen.finding(case)
        return f"{found['category']}: {_advised(found)}" if action in _advised(found) else ""

    return Check(f"{case}: does not advise {action}", wrong)


def mentions(case: str, *words: str) -> Check:
    """Somewhere in the finding."""

    def wrong(seen: Seen) -> str:
        found = seen.finding(case)
        text = json.dumps({**found, "case": None}, ensure_ascii=False).lower()
        return (
            ""
            if any(w.lower() in text for w in words)
            else f"{found['category']}: {brief(found['recommended_actions'])}"
        )

    return Check(f"{case}: the finding mentions {' or '.join(words)}", wrong)


# -- checks of a plan


def keeps(*indices: int) -> Check:
    """No approved action touches these rows."""

    def wrong(seen: Seen) -> str:
        hurt = [
            f"row {i} {brief(str(answer_of(seen.examples[i])), 50)!r}: {told(a)}"
            for i in indices or range(len(seen.examples))
            for a in seen.actions_on(i)
            if a["decision"] == "approved" and not _survives(seen, i, a)
        ]
        return "; ".join(hurt[:4])

    which = f"rows {', '.join(map(str, indices))}" if indices else "every row"
    return Check(f"the plan by itself leaves {which} as it is", wrong)


def _survives(seen: Seen, index: int, action: Row) -> bool:
    """The row stands in what the action makes, word for word (an action on a group of rows names them all)."""
    row = seen.examples[index]
    return any(after and after.get("messages") == row["messages"] for after in action["after"])


def quiet(*indices: int) -> Check:
    """No action at all on these rows: nobody is asked either."""

    def wrong(seen: Seen) -> str:
        noise = [
            f"row {i}: {told(a)}" for i in indices or range(len(seen.examples)) for a in seen.actions_on(i)
        ]
        return "; ".join(noise[:4])

    which = f"rows {', '.join(map(str, indices))}" if indices else "any row"
    return Check(f"no action on {which}, no question", wrong)


def fixes(index: int, *answers: Any) -> Check:
    """By itself: the row is gone, or answers one of these."""

    def wrong(seen: Seen) -> str:
        return _not_fixed(seen, index, answers, ("approved",))

    return Check(f"the plan by itself drops row {index} or makes it {brief(str(answers), 60)}", wrong)


def acts(index: int, *answers: Any) -> Check:
    """By itself or by asking: the row would go, or answer one of these (any, where none is given)."""

    def wrong(seen: Seen) -> str:
        return _not_fixed(seen, index, answers, ("approved", "proposed"))

    to = f" or make it {brief(str(answers), 50)}" if answers else ", or asks"
    return Check(f"the plan would drop row {index}{to}", wrong)


def refused_or_acts(source_id: str) -> Check:
    """The row with this id is refused by the import, or the plan has an action on it."""

    def wrong(seen: Seen) -> str:
        for i, row in enumerate(seen.examples):
            if row["source_id"] == source_id:
                return "" if seen.actions_on(i) else f"{brief(str(answer_of(row)), 80)!r}: no action"
        return ""

    return Check(f"row {source_id!r} is refused, or the plan asks about it", wrong)


def _not_fixed(seen: Seen, index: int, answers: Sequence[Any], decisions: Sequence[str]) -> str:
    row = seen.examples[index]
    on = [a for a in seen.actions_on(index) if a["decision"] in decisions]
    for a in on:
        if not answers:
            return ""
        if a["kind"] == "drop":
            return ""
        after = [answer_of(x) for x in a["after"] if x and x.get("messages")]
        if a["kind"] in ("relabel", "merge", "normalise", "redact") and any(
            x in answers or _as_json(str(x)) in answers for x in after
        ):
            return ""
    every = [told(a) for a in seen.actions_on(index)]
    return f"row {index} {brief(str(answer_of(row)), 50)!r}: {every or 'no action'}"


def asks(index: int) -> Check:
    """A person is asked about the row: a proposed action, none approved."""

    def wrong(seen: Seen) -> str:
        decisions = {a["decision"] for a in seen.actions_on(index)}
        return (
            ""
            if decisions == {"proposed"}
            else f"row {index}: {[told(a) for a in seen.actions_on(index)] or 'no action'}"
        )

    return Check(f"a person is asked about row {index}", wrong)


def never_says(index: int, answer: Any) -> Check:
    """No action, approved or proposed, would make the row answer this."""

    def wrong(seen: Seen) -> str:
        for a in seen.actions_on(index):
            if a["kind"] in ("relabel", "merge") and any(
                answer_of(x) == answer for x in a["after"] if x and x.get("messages")
            ):
                return f"row {index}: {told(a)}"
        return ""

    return Check(f"row {index} is never to answer {brief(answer, 40)!r}", wrong)


def stays_in_set(text: str, at_least: int = 1) -> Check:
    """After applying what was approved so many rows still answer this."""

    def wrong(seen: Seen) -> str:
        found = sum(text == answer_of(r) for r in seen.repaired)
        return (
            ""
            if found >= at_least
            else f"{found} rows: {[told(a) for a in seen.actions if a['decision'] == 'approved'][:4]}"
        )

    return Check(f"{at_least} or more rows still say {brief(text, 40)!r}", wrong)


def at_most_questions(count: int) -> Check:
    def wrong(seen: Seen) -> str:
        open_ = [a for a in seen.actions if a["decision"] == "proposed"]
        return (
            ""
            if len(open_) <= count
            else f"{len(open_)} questions, e.g. {told(open_[0])}: {brief(open_[0]['reason'], 120)}"
        )

    return Check(f"at most {count} questions", wrong)


# -- what holds for every trial


def always(seen: Seen) -> Iterator[tuple[str, str]]:
    """Contradictions in what was seen so far: (expected, got)."""
    if "imported" in seen.__dict__:
        done = seen.imported
        if done["status"] != "failed" and done["rows_total"] != done["rows_accepted"] + done["rows_rejected"]:
            yield (
                "total = accepted + refused",
                f"{done['rows_total']}, {done['rows_accepted']}, {done['rows_rejected']}",
            )
        if done["status"] == "failed" and not said_by(done):
            yield "a failed import says why", "nothing"
        if "in stage import" in said_by(done):
            yield "no crash", brief(said_by(done))
    if "findings" in seen.__dict__:
        for name, found in seen.findings.items():
            near = found["evidence"]["neighbors"]
            same = [n for n in near if (n["similarity"] or 0) >= SAME_PROMPT]
            text = json.dumps(
                {
                    "a": found["recommended_actions"],
                    "e": {k: v for k, v in found["evidence"].items() if k != "neighbors"},
                },
                ensure_ascii=False,
            )
            if same and ("no training row covers" in text or found["category"] == "ood"):
                yield (
                    f"{name}: not 'nothing covers this' beside a row with the same prompt",
                    f"{found['category']}: {brief(same[0]['output'], 60)}",
                )
