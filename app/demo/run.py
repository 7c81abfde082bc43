"""The whole story on one machine: fine-tune, find what is really wrong, repair the data, prove the fix.

Everything goes over HTTP through the client in ``clients/python``, and OpenAI's for the question, as a customer's
tools would do it. Nothing is staged: the bad cases are the
answers that the tuned model really gets wrong.
"""

from __future__ import annotations

import collections
import json
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from casemend_client import CasemendError, Client, WorkFailed, models
from openai import OpenAI, OpenAIError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app import supervisor
from app.cli.following import CycleProgress
from app.settings import get_settings
from app.terminal import Told, telling, training_note

console = Console()

# what the bundled set plants, in the words of the root causes
CAUSE_OF_PLANT = {
    "missing": "ood",
    "contradictory": "conflict",
    "hard": "hard",
    "serving": "serving_mismatch",
}
CAUSES = ("ood", "conflict", "hard", "serving_mismatch", "undetermined")
CASES_PER_REQUEST = 1000
POLL_SECONDS = 1.0


class StoryOver(RuntimeError):
    """The demo cannot go on; the message says why."""


def main(*, train: Path | None, evaluation: Path | None, base_model: str, out: Path) -> int:
    """Run the demo; returns the exit status."""
    started = time.monotonic()
    settings = get_settings()
    try:
        train_rows = _read(train, "support_desk_train.jsonl")
        eval_rows = _read(evaluation, "support_desk_eval.jsonl")
    except (OSError, ValueError) as error:
        console.print(f"[red]The demo cannot read its files:[/] {error}")
        return 1
    ran_before = supervisor.running(settings) is not None
    used_before = supervisor.processor_seconds(settings) if ran_before else 0.0
    try:
        with console.status("starting database, API and workers"):
            service = supervisor.start_detached(settings)
        console.print(f"[bold]casemend[/] runs at {service.url}")
        with Client(service.url, service.key) as client:
            _story(client, service.key, train_rows, eval_rows, base_model=base_model, out=out)
    except (StoryOver, CasemendError, OpenAIError, supervisor.CannotStart) as error:
        console.print(f"[red]The demo stopped:[/] {error}")
        return 1
    finally:
        used = supervisor.processor_seconds(settings)
        if not ran_before:
            supervisor.stop(settings)
    console.print(
        f"all of it took {(time.monotonic() - started) / 60:.1f} minutes "
        f"and {used - used_before:,.0f} processor seconds"
    )
    return 0


def _story(
    client: Client,
    key: str,
    train_rows: Sequence[dict[str, Any]],
    eval_rows: Sequence[dict[str, Any]],
    *,
    base_model: str,
    out: Path,
) -> None:
    with telling(console) as told:
        version = _import(client, told, "training set", train_rows)
        eval_version = _import(client, told, "evaluation set", eval_rows)
        adapter = _train(client, told, version, base_model)
        answers = _evaluate(client, told, eval_version, base_model, adapter)
        wrong = [a for a in answers if not a.correct]
        right = [a for a in answers if a.correct]
        console.print(
            f"the tuned model answers {len(right)} of {len(answers)} prompts right, {len(wrong)} wrong"
        )
        if not wrong:
            raise StoryOver("the tuned model answers everything right: there is nothing to repair")
        case_ids = _upload_cases(client, wrong, adapter)
        by_id = {row["id"]: row for row in eval_rows if isinstance(row.get("id"), str)}
        retention = _import(client, told, "retention set", [_as_row(a, by_id) for a in right])
        right_answers = {(_instruction(a.prompt_messages), a.expected_output.strip()) for a in answers}
        cycle = _cycle(client, told, version, case_ids, base_model, adapter, retention, right_answers)
    diagnosis_id = _result_of(cycle, "diagnose")
    findings = list(client.diagnoses.findings(diagnosis_id, limit=200))
    _print_causes(findings, {_case_name(a): a.metadata.get("planted") for a in wrong})
    _print_verdict(cycle)
    for path in _save_reports(client, diagnosis_id, out):
        console.print(f"report: [link=file://{path.resolve()}]{path}[/link]")
    _ask(client, key, cycle)


def _result_of(cycle: models.Cycle, stage: str) -> str:
    """The id of what a stage of the cycle's last attempt made."""
    return next(s.result_id for s in reversed(cycle.stages) if s.name == stage and s.result_id)


def _ask(client: Client, key: str, cycle: models.Cycle) -> None:
    """Put a case that was fixed to the repaired model once more, and say how anybody can."""
    cases = client.verifications.cases(_result_of(cycle, "verify"), verdict="fixed", limit=200)
    fixed = sorted(cases, key=lambda c: c.split != "held_back")
    if not fixed or cycle.adapter_id is None:
        return
    question, model = fixed[0].prompt, cycle.adapter_id
    with OpenAI(base_url=f"{client.url}/v1", api_key=key) as openai:
        asked = openai.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])
    answer = asked.choices[0].message.content or ""
    console.print(
        f"[bold]asked once more:[/] {escape(question)}\n[bold]answered:[/] {escape(answer.strip())}"
    )
    console.print("ask it yourself:")
    console.print(
        f"  casemend up --detach && casemend ask {shlex.quote(question)} --model {model}",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


def _read(path: Path | None, bundled: str) -> list[dict[str, Any]]:
    text = (
        path.read_text(encoding="utf-8")
        if path is not None
        else resources.files("app.demo").joinpath("data", bundled).read_text(encoding="utf-8")
    )
    rows = (
        json.loads(text)
        if text.lstrip().startswith("[")
        else [json.loads(x) for x in text.split("\n") if x.strip()]
    )
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path or bundled} holds no rows; give one JSON object a line")
    return rows


@contextmanager
def _step(told: Told, text: str) -> Iterator[Callable[[Any], None]]:
    """Tells of one piece of work; give it the work as it is now and then."""
    step = told.start(text)
    yield lambda work: told.tell(step, min(work.progress, 0.99), training_note(work))
    told.tell(step, 1.0)


def _import(client: Client, told: Told, name: str, rows: Sequence[dict[str, Any]]) -> str:
    dataset = client.datasets.create(models.NewDataset(name=f"support desk: {name}"))
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    started = client.datasets.upload(dataset.id, content, content_type="application/x-ndjson", format="auto")
    with _step(told, f"import {name} ({len(rows)} rows)") as update:
        done = client.imports.wait(started.id, poll_seconds=POLL_SECONDS, on_update=update)
    if done.dataset_version_id is None:
        raise StoryOver(f"import {done.id} made no dataset version")
    return done.dataset_version_id


def _train(client: Client, told: Told, version: str, base_model: str) -> str:
    body = models.NewTrainingJob(dataset_version_id=version, base_model=base_model)
    job = client.training_jobs.create(body)
    with _step(told, "fine-tune on the defective set") as update:
        done = client.training_jobs.wait(job.id, poll_seconds=POLL_SECONDS, on_update=update)
    if done.adapter_id is None:
        raise StoryOver(f"training job {done.id} made no adapter")
    return done.adapter_id


def _evaluate(client: Client, told: Told, version: str, base_model: str, adapter: str) -> list[models.Answer]:
    body = models.NewEvaluation(dataset_version_id=version, base_model=base_model, adapter_id=adapter)
    run = client.evaluations.create(body)
    with _step(told, "ask the tuned model") as update:
        client.evaluations.wait(run.id, poll_seconds=POLL_SECONDS, on_update=update)
    return list(client.evaluations.answers(run.id, limit=200))


def _case_name(answer: models.Answer) -> str:
    return answer.source_id or answer.example_id


def _upload_cases(client: Client, wrong: Sequence[models.Answer], adapter: str) -> list[str]:
    items = [
        {
            "external_id": f"demo-{adapter}-{_case_name(a)}",
            "messages": a.prompt_messages,
            "model_output": a.output,
            "expected_output": a.expected_output,
            "adapter_id": adapter,
            "source": "casemend demo",
            **({"request": a.metadata["request"]} if a.metadata.get("request") else {}),
        }
        for a in wrong
    ]
    ids: list[str] = []
    for start in range(0, len(items), CASES_PER_REQUEST):
        sent = models.BadCaseItems(items=items[start : start + CASES_PER_REQUEST])
        ids += [case.id for case in client.bad_cases.create(sent).data if case.id is not None]
    console.print(f"uploaded {len(ids)} bad cases over HTTP")
    return ids


def _as_row(answer: models.Answer, by_id: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The evaluation row as it was read, without the request that it was once served with."""
    row = by_id.get(answer.source_id) if answer.source_id is not None else None
    if row is None:
        return {"messages": [*answer.prompt_messages, _assistant(answer.expected_output)]}
    return {k: v for k, v in row.items() if k != "request"}


def _assistant(content: str) -> dict[str, str]:
    return {"role": "assistant", "content": content}


def _cycle(
    client: Client,
    told: Told,
    version: str,
    case_ids: Sequence[str],
    base_model: str,
    adapter: str,
    retention: str,
    right_answers: AbstractSet[tuple[str, str]],
) -> models.Cycle:
    policy = models.CyclePolicy(
        approval="manual",  # the plan waits: what it cannot know, it asks
        before_adapter_id=adapter,
        retention_dataset_version_id=retention,
        max_attempts=1,  # one attempt tells the story in the time that is promised
    )
    cycle = client.cycles.create(
        models.NewCycle(
            dataset_version_id=version, bad_case_ids=list(case_ids), base_model=base_model, policy=policy
        )
    )
    progress = CycleProgress(client, told, tell_who_waits=False)
    decided: set[str] = set()

    def watch(state: models.Cycle) -> None:
        for stage in state.stages:
            if stage.status == "awaiting_approval" and stage.result_id:
                _decide(client, stage.result_id, right_answers, decided)
        progress(state)

    return client.cycles.wait(cycle.id, poll_seconds=POLL_SECONDS, on_update=watch)


def _decide(
    client: Client, repair_id: str, right_answers: AbstractSet[tuple[str, str]], decided: set[str]
) -> None:
    """Stand in for the person who owns the data: the plan's own decisions are taken as they are, and where it asks
    which of several answers is right, and the evaluation file has one of them under the same instruction, that one
    is. What that does not tell stays open. ``right_answers``: (instruction, answer)."""
    if repair_id in decided:
        run = client.repairs.get(repair_id).run
        if run is not None and run.status == "failed":
            raise WorkFailed(run)
        return
    decided.add(repair_id)
    for action in client.repairs.actions(repair_id, decision="proposed", limit=200):
        told = action.evidence
        asked = {_instruction(row["messages"][:-1]) for row in action.before}
        right = [
            s["output"] for s in told.get("sides", ()) if {(i, s["output"]) for i in asked} <= right_answers
        ]
        if told.get("asks_person") and asked != {""} and len(right) == 1:
            console.print(
                f"casemend asks: {escape(action.reason)}\n"
                f"  answered from the evaluation file: [bold]{escape(right[0])}[/]"
            )
            client.repair_actions.decide(action.id, models.NewDecision(decision="approved", answer=right[0]))
    client.repairs.apply(repair_id)


def _instruction(asked: Sequence[dict[str, Any]]) -> str:
    """The first line of a prompt that has more than one; what comes without an instruction has none to go by."""
    first, _, rest = str(asked[-1]["content"]).partition("\n")
    return first.strip() if rest.strip() else ""


def _print_causes(findings: Sequence[models.Finding], planted: dict[str, str | None]) -> None:
    """Planted cause against diagnosed cause; a case with nothing planted is the model's own mistake."""
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for finding in findings:
        name = (finding.external_id or "").split("-", 2)[-1]
        counts[planted.get(name) or "nothing planted"][finding.category] += 1
    table = Table(title="planted cause (rows) against diagnosed cause (columns)")
    table.add_column("planted")
    for cause in CAUSES:
        table.add_column(cause, justify="right")
    for name in [*CAUSE_OF_PLANT, "nothing planted"]:
        if name in counts:
            wanted = CAUSE_OF_PLANT.get(name)
            label = f"{name} ({wanted})" if wanted else name
            table.add_row(
                label,
                *(
                    f"[bold]{counts[name][c]}[/]" if c == wanted else str(counts[name][c] or "")
                    for c in CAUSES
                ),
            )
    console.print(table)


def _print_verdict(cycle: models.Cycle) -> None:
    if cycle.verdict is None:
        raise StoryOver(f"cycle {cycle.id} came to no verdict")
    verdict = cycle.verdict.model_dump()
    table = Table(title="verdict", show_header=False)
    for key, label in (
        ("fix_rate", "fix rate"),
        ("held_back_fix_rate", "fix rate on held-back cases"),
        ("retention", "retention"),
    ):
        value, span = verdict[key], verdict["intervals"].get(key)
        text = "no case to judge"
        if value is not None and span:
            text = f"{value:.2f}  (95 %: {span['low']:.2f} to {span['high']:.2f}, n = {span['n']})"
        table.add_row(label, text)
    color = "green" if verdict["gate"] == "accepted" else "red"
    table.add_row("gate", f"[{color}]{verdict['gate']}[/]")
    for reason in verdict["reasons"]:
        table.add_row("", reason)
    console.print(table)


def _save_reports(client: Client, diagnosis_id: str, out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for format in ("html", "md", "json", "csv"):
        path = out / f"report.{format}"
        paths.append(client.diagnoses.report(diagnosis_id, format=format).to_file(path))
    return paths
