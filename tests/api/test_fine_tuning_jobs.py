"""Fine-tuning jobs through the official client: what is asked, listed, refused and told, without a training."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient
from openai import OpenAI
from sqlalchemy import insert, select

from app.artifacts import ArtifactStore
from app.db.base import new_id
from app.db.models import AdapterRow, EventRow, FineTuningJobRow, TrainingJobRow
from app.db.session import SessionFactory, transaction
from app.queue import Stage
from app.services.projects import Role
from app.services.training import aliases
from app.services.work import lifecycle, work
from app.settings import Settings
from tests import planted
from tests.api.test_fine_tuning_files import official_client
from tests.importing import ndjson
from tests.openai_shapes import walked
from workers.context import Resources
from workers.run_stage import run_stage

MODEL = "smollm2-135m-instruct"
GOOD = ndjson([planted.row(f"Which number is {i}?", f"It is {i}.") for i in range(20)])
PAIRS = ndjson(
    [
        {
            "input": {"messages": [{"role": "user", "content": f"Which number is {i}?"}]},
            "preferred_output": [{"role": "assistant", "content": f"It is {i}."}],
            "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
        }
        for i in range(20)
    ]
)


@pytest.fixture
def official(client: TestClient) -> OpenAI:
    return official_client(client)


@pytest.fixture
def validate(settings: Settings, sessions: SessionFactory, store: ArtifactStore) -> Callable[[str], None]:
    resources = Resources(settings=settings, sessions=sessions, store=store)
    return lambda job_id: run_stage(resources, Stage.VALIDATE, job_id)


def file_of(official: OpenAI, content: bytes = GOOD, purpose: Any = "fine-tune") -> str:
    return official.files.create(file=("t.jsonl", content), purpose=purpose).id


def job_of(official: OpenAI, content: bytes = GOOD, **more: Any) -> Any:
    asked: dict[str, Any] = {"model": MODEL, "training_file": more.pop("training_file", None), **more}
    asked["training_file"] = asked["training_file"] or file_of(official, content)
    return official.fine_tuning.jobs.create(**asked)


def add_adapter(sessions: SessionFactory, project: str) -> str:
    with transaction(sessions) as session:
        row = AdapterRow(project_id=project, name="a", base_model=MODEL, uri="x", size_bytes=1, card={})
        session.add(row)
        session.flush()
        aliases.point(session, project, "current", row.id)
        return row.id


def training_of(sessions: SessionFactory, job_id: str) -> TrainingJobRow:
    with sessions() as session:
        job = session.get_one(FineTuningJobRow, job_id)
        return session.get_one(TrainingJobRow, job.training_job_id)


def test_what_is_auto_is_shown_as_it_came_to_be(
    official: OpenAI, sessions: SessionFactory, validate: Callable[[str], None]
) -> None:
    made = walked(job_of(official, hyperparameters={"n_epochs": 2, "learning_rate_multiplier": 1}))
    assert made.status == "validating_files"
    assert made.method.type == "supervised"
    assert (made.hyperparameters.n_epochs, made.hyperparameters.batch_size) == (2, "auto")
    validate(made.id)
    job = walked(official.fine_tuning.jobs.retrieve(made.id))
    assert (job.status, job.error) == ("queued", None)
    used = training_of(sessions, made.id).hyperparameters
    assert (used["epochs"], used["seed"], used["method"]) == (2.0, 0, "sft")
    assert job.hyperparameters.batch_size == used["batch_size"]
    assert job.hyperparameters.learning_rate_multiplier == 1.0


def test_preferences_are_trained_with_dpo(
    official: OpenAI, sessions: SessionFactory, validate: Callable[[str], None]
) -> None:
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "n_epochs": "auto"}}}
    made = walked(job_of(official, PAIRS, method=method, seed=3))
    assert (made.method.dpo.hyperparameters.beta, made.method.supervised) == (0.2, None)
    validate(made.id)
    used = training_of(sessions, made.id).hyperparameters
    assert (used["method"], used["dpo_beta"], used["seed"]) == ("dpo", 0.2, 3)


@pytest.mark.parametrize("name", ["{id}", "current", f"{MODEL}:{{id}}", f"ft:{MODEL}:desk:{{id}}"])
def test_an_adapter_is_gone_on_from_by_any_of_its_names(
    official: OpenAI,
    sessions: SessionFactory,
    project: str,
    validate: Callable[[str], None],
    name: str,
) -> None:
    adapter = add_adapter(sessions, project)
    made = walked(job_of(official, model=name.format(id=adapter)))
    assert made.model == name.format(id=adapter)
    validate(made.id)
    training = training_of(sessions, made.id)
    assert (training.base_model, training.init_adapter_id) == (MODEL, adapter)


@pytest.mark.parametrize(
    ("asked", "param", "said"),
    [
        ({"training_file": "file-unknown"}, "training_file", "no such file"),
        ({"validation_file": "file-unknown"}, "validation_file", "no such file"),
        ({"suffix": "a" * 65}, "suffix", "64"),
        ({"suffix": "a:b"}, "suffix", "pattern"),
        ({"seed": -1}, "seed", "greater"),
        ({"metadata": {"k" * 65: "v"}}, None, "64"),
        ({"metadata": {"casemend": "fix"}}, "metadata.casemend", "audit, repair"),
        ({"method": {"type": "reinforcement"}}, "method.type", "not carried out here"),
        (
            {"method": {"type": "supervised", "reinforcement": {"grader": {"type": "python"}}}},
            "method.reinforcement",
            "graders are not carried out",
        ),
        ({"method": {"type": "supervised", "dpo": {}}}, None, "method.dpo"),
        (
            {"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]},
            "integrations",
            "wandb is not carried out",
        ),
        ({"hyperparameters": {"n_epochs": 0}}, None, "n_epochs"),
        ({"hyperparameters": {"learning_rate_multiplier": 0}}, None, "learning_rate_multiplier"),
        ({"extra_body": {"n_epochs": 3}}, "n_epochs", "xtra"),
    ],
)
def test_what_is_not_there_is_refused_by_name(
    official: OpenAI, asked: dict[str, Any], param: str | None, said: str
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        job_of(official, **asked)
    assert said in str(raised.value)
    if param is not None:
        assert raised.value.param == param
    assert official.fine_tuning.jobs.list().data == []


@pytest.mark.parametrize("model", ["gpt-4o-mini", "adp_unknown", f"ft:{MODEL}:x:adp_unknown"])
def test_an_unknown_model_is_refused(official: OpenAI, model: str) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        job_of(official, model=model)
    assert raised.value.code == "model_not_found"


def test_a_file_for_another_purpose_is_refused(official: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="'batch'") as raised:
        job_of(official, training_file=file_of(official, purpose="batch"))
    assert raised.value.param == "training_file"


def test_another_project_has_neither_the_file_nor_the_job(
    client: TestClient, official: OpenAI, sessions: SessionFactory, project: str, other_project_key: str
) -> None:
    made = job_of(official)
    headers = {"Authorization": f"Bearer {other_project_key}"}
    for method, path in (
        ("GET", ""),
        ("POST", "/cancel"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("GET", "/events"),
        ("GET", "/checkpoints"),
    ):
        answer = client.request(method, f"/v1/fine_tuning/jobs/{made.id}{path}", headers=headers)
        assert answer.status_code == 404, path
        assert answer.json()["error"]["message"] == f"no such fine-tuning job: {made.id}"
    assert client.get("/v1/fine_tuning/jobs", headers=headers).json()["data"] == []
    body = {"model": MODEL, "training_file": made.training_file}
    answer = client.post("/v1/fine_tuning/jobs", json=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "training_file")
    adapter = add_adapter(sessions, project)
    assert client.delete(f"/v1/models/{adapter}", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"\x00\xff\xfe garbage \x80", None, ""),
        (b"\n\n", None, ""),
        (b'{"messages": [{"role": "user", "content": "hi"}]}\n', None, "line 1"),
        (b'{"messages": [{"role": "nobody", "content": "hi"}]}\nnot json\n', None, "line 1"),
    ],
)
def test_a_file_without_a_usable_row_fails_the_job_by_its_line(
    official: OpenAI, validate: Callable[[str], None], content: bytes, code: str | None, said: str
) -> None:
    made = job_of(official, content)
    validate(made.id)
    job = walked(official.fine_tuning.jobs.retrieve(made.id))
    assert job.status == "failed"
    assert job.error.param == "training_file"
    assert job.error.message.startswith(f"{made.training_file}: ")
    assert said in job.error.message
    newest = official.fine_tuning.jobs.list_events(made.id).data[0]
    assert (newest.level, newest.message) == ("error", f"The job failed: {job.error.message}")
    assert code is None or job.error.code == code


def test_dpo_needs_pairs(official: OpenAI, validate: Callable[[str], None]) -> None:
    made = job_of(official, method={"type": "dpo"})
    validate(made.id)
    error = official.fine_tuning.jobs.retrieve(made.id).error
    assert error is not None
    assert "non_preferred_output" in error.message


def test_a_file_deleted_under_a_job_fails_it(official: OpenAI, validate: Callable[[str], None]) -> None:
    validation = file_of(official)
    made = job_of(official, validation_file=validation)
    official.files.delete(validation)
    validate(made.id)
    job = walked(official.fine_tuning.jobs.retrieve(made.id))
    assert job.status == "failed"
    assert (job.error.code, job.error.param) == ("file_not_found", "validation_file")
    assert job.validation_file == validation


def test_jobs_are_listed_in_pages_and_by_metadata(official: OpenAI) -> None:
    file = file_of(official)
    made = [
        job_of(official, training_file=file, metadata={"team": "red" if i % 2 else "blue", "n": str(i)}).id
        for i in range(5)
    ]
    bare = job_of(official, training_file=file).id
    assert [j.id for j in official.fine_tuning.jobs.list(limit=2)] == [bare, *reversed(made)]
    red = official.fine_tuning.jobs.list(metadata={"team": "red"})
    assert [j.id for j in red] == [made[3], made[1]]
    walked(red.data)
    assert official.fine_tuning.jobs.list(metadata={"team": "red", "n": "0"}).data == []
    assert next(j.id for j in official.fine_tuning.jobs.list(metadata=None)) == bare
    with pytest.raises(openai.BadRequestError):
        official.fine_tuning.jobs.list(after="ftjob-unknown")


def test_a_job_is_cancelled_wherever_it_is(
    official: OpenAI, sessions: SessionFactory, validate: Callable[[str], None]
) -> None:
    early = job_of(official)
    assert walked(official.fine_tuning.jobs.cancel(early.id)).status == "cancelled"
    with pytest.raises(openai.ConflictError):
        official.fine_tuning.jobs.cancel(early.id)
    validate(early.id)
    assert official.fine_tuning.jobs.retrieve(early.id).status == "cancelled"

    late = job_of(official)
    validate(late.id)
    assert official.fine_tuning.jobs.cancel(late.id).status == "cancelled"
    assert training_of(sessions, late.id).status == "cancelled"
    assert official.fine_tuning.jobs.list_events(late.id).data[0].message == "The job was cancelled"

    running = job_of(official)
    with transaction(sessions) as session:
        assert lifecycle.claim(session, Stage.VALIDATE, running.id, run_token=new_id("run"), max_attempts=5)
    asked = official.fine_tuning.jobs.cancel(running.id)
    assert (asked.status, asked.finished_at) == ("cancelled", None)


def test_a_training_that_cannot_find_its_model_says_so(
    official: OpenAI, sessions: SessionFactory, validate: Callable[[str], None]
) -> None:
    made = job_of(official, model="/nowhere/model")
    validate(made.id)
    with transaction(sessions) as session:
        job = session.get_one(FineTuningJobRow, made.id)
        row = work.locked(session, TrainingJobRow, str(job.training_job_id))
        assert row is not None
        problem = {"type": "/problems/base-model-not-found", "detail": "no base model named '/nowhere/model'"}
        row.status = "running"
        work.mark_finished(session, row, work.Status.FAILED, error=problem)
    error = walked(official.fine_tuning.jobs.retrieve(made.id)).error
    assert (error.code, error.param) == ("model_not_found", "model")


def test_ten_thousand_events_come_in_pages_and_steps_among_them(
    official: OpenAI, sessions: SessionFactory, project: str, validate: Callable[[str], None]
) -> None:
    made = job_of(official)
    validate(made.id)
    start = datetime.now(UTC) + timedelta(seconds=10)
    with transaction(sessions) as session:
        session.execute(
            insert(EventRow),
            [
                {
                    "project_id": project,
                    "subject_id": made.id,
                    "type": "message",
                    "data": {"level": "info", "message": f"number {i}", "data": {}},
                    # a hundred at one time
                    "created_at": start + timedelta(seconds=i // 100),
                }
                for i in range(10_000)
            ],
        )
        training = session.scalars(select(TrainingJobRow)).one()
        training.metrics = [
            {
                "step": i + 1,
                "total_steps": 60,
                "loss": 1.0,
                "seconds": float(i),
                "time": (start + timedelta(seconds=i // 2)).timestamp(),
            }
            for i in range(60)
        ]
    events = list(official.fine_tuning.jobs.list_events(made.id, limit=997))
    assert len({e.id for e in events}) == len(events)
    told = [e.message for e in events if e.message.startswith("number")]
    assert told == [f"number {i}" for i in reversed(range(10_000))]
    steps = [e for e in events if e.type == "metrics"]
    assert [e.data["step"] for e in steps] == list(range(60, 0, -1))  # pyright: ignore[reportIndexIssue, reportOptionalSubscript]
    assert [e.created_at for e in events] == sorted((e.created_at for e in events), reverse=True)
    walked(events[:5] + steps[:1])
    few = [e.id for e in official.fine_tuning.jobs.list_events(made.id, limit=3)][: 3 * 120]
    assert few == [e.id for e in events[: len(few)]]
    for after in ("ftevent-0", "ftevent-x", "ftevent-step-99", "ftevent-" + "9" * 30):
        with pytest.raises(openai.BadRequestError):
            official.fine_tuning.jobs.list_events(made.id, after=after)


def test_a_request_sent_twice_makes_one_job(official: OpenAI) -> None:
    file = file_of(official)
    headers = {"Idempotency-Key": "once"}
    first = job_of(official, training_file=file, extra_headers=headers)
    assert job_of(official, training_file=file, extra_headers=headers) == first
    assert len(official.fine_tuning.jobs.list().data) == 1


def test_roles_are_those_of_trainings(
    client: TestClient, official: OpenAI, key_with_role: Callable[[Role], str]
) -> None:
    made = job_of(official)
    reader = official_client(client, key_with_role(Role.READER))
    assert reader.fine_tuning.jobs.retrieve(made.id) == made
    with pytest.raises(openai.PermissionDeniedError):
        file_of(reader)
    contributor = official_client(client, key_with_role(Role.CONTRIBUTOR))
    file_of(contributor)
    with pytest.raises(openai.PermissionDeniedError):
        job_of(contributor, training_file=made.training_file)


def test_a_model_in_use_by_an_alias_is_not_deleted(
    official: OpenAI, sessions: SessionFactory, project: str
) -> None:
    adapter = add_adapter(sessions, project)
    with pytest.raises(openai.ConflictError, match="current"):
        official.models.delete(adapter)
    with pytest.raises(openai.BadRequestError):
        official.models.delete(MODEL)
    with pytest.raises(openai.NotFoundError):
        official.models.delete("adp_unknown")
