"""One LoRA run in a child process, so that a crash in native code cannot take the worker with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.artifacts import Artifact
from app.db.models import AdapterRow, DatasetVersionRow, MixtureRow, TrainingJobRow
from app.db.session import transaction
from app.domain.mixing.export import trainable_row
from app.domain.mixing.learnable import Learnable, left_out_in_words
from app.domain.training_config import TrainingConfig
from app.errors import StageCancelled, StageError
from app.services.fine_tuning import results
from app.services.training import adapters, retention, training
from app.services.versions import versions
from app.services.work import work
from workers.context import StageContext
from workers.models.base_models import BaseModelError, LocalModel, resolve
from workers.training.launch import TrainingFailed, TrainingKilled, TrainingOutcome, run_training
from workers.training.run_folder import kept_steps

METRICS_KEPT = 2_000

LEFT_OUT = "left_out.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    job_id: str
    config: TrainingConfig
    model: LocalModel
    run_dir: Path
    card: dict[str, Any]


def run(context: StageContext) -> None:
    inputs = load(context)
    outcome = train(context, inputs)
    save(context, inputs, outcome)
    shutil.rmtree(inputs.run_dir, ignore_errors=True)


def load(context: StageContext) -> Inputs:
    """Fill the run's folder. A run that is taken over finds its folder, and in it its checkpoints."""
    context.progress(0.01, "preparing data")
    run_dir = context.settings.runs_dir / context.claim.subject_id
    run_dir.mkdir(parents=True, exist_ok=True)
    with context.reading() as session:
        job = session.get_one(TrainingJobRow, context.claim.subject_id)
        version = versions.require_alive(session, str(job.dataset_version_id))
        config = training.check_hyperparameters(job.base_model, {}, job.hyperparameters)
        mixture = session.get(MixtureRow, job.mixture_id) if job.mixture_id else None
        if not (run_dir / "train.jsonl").exists():
            _write_rows(context, run_dir, version, mixture)
        if job.validation_version_id and not (run_dir / "valid.jsonl").exists():
            _write_validation(context, run_dir, job.validation_version_id)
        adapter = session.get(AdapterRow, job.init_adapter_id) if job.init_adapter_id else None
        init_adapter = context.adapter_folder(adapter) if adapter else None
        card = _card(job, version, mixture, config)
    try:
        model = resolve(config.base_model, context.settings.model_cache_dir)
    except BaseModelError as error:
        raise StageError(str(error), type="base-model-not-found", title="No such base model") from error
    payload = {**config.as_dict(), "init_adapter": str(init_adapter) if init_adapter else None}
    (run_dir / "config.json").write_text(json.dumps(payload, indent=1))
    (run_dir / "model.json").write_text(json.dumps(_jsonable(asdict(model)), indent=1))
    return Inputs(
        job_id=context.claim.subject_id,
        config=config,
        model=model,
        run_dir=run_dir,
        card={
            **card,
            "base_model_published": model.published,
            "base_model_revision": model.revision,
        },
    )


def _write_rows(
    context: StageContext, run_dir: Path, version: DatasetVersionRow, mixture: MixtureRow | None
) -> None:
    part = run_dir / "train.jsonl.part"
    if mixture is not None and mixture.rows_uri is not None:
        context.store.fetch(mixture.rows_uri, part)
    else:
        rows = _write_version(context, part, version.id)
        if not rows.written and rows.left_out:
            raise StageError(
                f"no row of the version may be learnt as right ({left_out_in_words(rows.left_out)}); add rows "
                "whose answer is desired",
                type="training-failed",
                title="The training failed",
            )
        (run_dir / LEFT_OUT).write_text(json.dumps(rows.left_out))
    part.replace(run_dir / "train.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    written: int
    left_out: Mapping[str, int]


def _write_version(context: StageContext, path: Path, version_id: str) -> _Rows:
    written = 0
    with path.open("w", encoding="utf-8") as out, context.reading() as session:
        learnable = Learnable.from_rows(versions.iter_examples(session, version_id))
        for example in learnable.rows(versions.iter_examples(session, version_id)):
            for step in example.steps():
                out.write(json.dumps(trainable_row(step), ensure_ascii=False) + "\n")
                written += 1
    return _Rows(written=written, left_out=learnable.counts)


def _write_validation(context: StageContext, run_dir: Path, version_id: str) -> None:
    """As the rows that are trained: what may not be learnt as right is not measured as right either."""
    part = run_dir / "valid.jsonl.part"
    with context.reading() as session:
        versions.require_alive(session, version_id)
    if not _write_version(context, part, version_id).written:
        raise StageError(
            "no row of the validation set may be learnt as right; its loss would say nothing",
            type="training-failed",
            title="The training failed",
        )
    part.replace(run_dir / "valid.jsonl")


def _left_out(run_dir: Path) -> dict[str, int]:
    """What the rows of a version trained on as a whole hold and the training does not learn."""
    path = run_dir / LEFT_OUT
    return json.loads(path.read_text()) if path.exists() else {}


def train(context: StageContext, inputs: Inputs) -> TrainingOutcome:
    context.progress(0.03, "training")

    def on_metrics(lines: Sequence[dict[str, Any]]) -> None:
        if not lines:
            return
        with transaction(context.sessions) as session:
            row = work.held(session, context.claim)
            assert isinstance(row, TrainingJobRow)
            known = {m["step"] for m in row.metrics}
            row.metrics = [*row.metrics, *(m for m in lines if m["step"] not in known)][-METRICS_KEPT:]
            last = lines[-1]
            _keep_checkpoints(context, session, inputs, row)
            row.progress = context.fraction = 0.03 + 0.94 * last["step"] / max(1, last["total_steps"])

    try:
        return run_training(
            inputs.run_dir,
            on_metrics=on_metrics,
            should_cancel=context.should_cancel,
            threads=context.settings.training_threads,
        )
    except TrainingFailed as error:
        if isinstance(error, TrainingKilled) and context.claim.attempts < context.settings.stage_attempts:
            raise
        shutil.rmtree(inputs.run_dir, ignore_errors=True)
        raise StageError(str(error), type="training-failed", title="The training failed") from error
    except StageCancelled:
        # a worker that only makes room, and one that pauses, leave their checkpoints
        if not (context.should_stop() or context.is_paused):
            shutil.rmtree(inputs.run_dir, ignore_errors=True)
        raise


def save(context: StageContext, inputs: Inputs, outcome: TrainingOutcome) -> None:
    said = {k: v for k, v in asdict(outcome).items() if k != "adapter_path"}  # a folder of this run
    summary = {**said, "rows_left_out": _left_out(inputs.run_dir)}
    card = {**inputs.card, "training": summary}
    folder = inputs.run_dir / "adapter"
    artifact = _put_adapter(context, folder, card)
    with context.saving() as (session, row):
        assert isinstance(row, TrainingJobRow)
        retention.hold(session, context.store, artifact, folder)
        adapter = _adapter(row, artifact, card)
        session.add(adapter)
        session.flush()
        row.adapter_id = adapter.id
        row.summary = summary
        results.write(session, context.store, row)


def _keep_checkpoints(context: StageContext, session: Session, inputs: Inputs, job: TrainingJobRow) -> None:
    """Adapters of ends of epochs that the run has written: the newest are stored, as adapters that can be asked."""
    known = {row.checkpoint_step for row in adapters.checkpoints(session, job, deleted=True)}
    fresh = [(step, folder) for step, folder in kept_steps(inputs.run_dir / "kept") if step not in known]
    for step, folder in fresh[-inputs.config.keep_checkpoints :]:
        measured = next((line for line in reversed(job.metrics) if line["step"] == step), {})
        card = {**inputs.card, "checkpoint": measured or {"step": step}}
        artifact = _put_adapter(context, folder, card)
        retention.hold(session, context.store, artifact, folder)
        made = _adapter(job, artifact, card)
        made.checkpoint_step = step
        session.add(made)
    session.flush()
    for old in adapters.checkpoints(session, job)[inputs.config.keep_checkpoints :]:
        old.deleted_at = work.now()


def _put_adapter(context: StageContext, folder: Path, card: Mapping[str, Any]) -> Artifact:
    (folder / "casemend.json").write_text(json.dumps(card, indent=1, ensure_ascii=False))
    return context.store.put_directory(folder)


def _adapter(job: TrainingJobRow, artifact: Artifact, card: dict[str, Any]) -> AdapterRow:
    return AdapterRow(
        project_id=job.project_id,
        name=f"{job.base_model} / {job.id}",
        base_model=job.base_model,
        uri=artifact.uri,
        size_bytes=artifact.size_bytes,
        card=card,
        training_job_id=job.id,
    )


def _card(
    job: TrainingJobRow, version: DatasetVersionRow, mixture: MixtureRow | None, config: TrainingConfig
) -> dict[str, Any]:
    return {
        "training_job_id": job.id,
        "base_model": job.base_model,
        "init_adapter_id": job.init_adapter_id,
        "dataset_version_id": version.id,
        "dataset_content_hash": version.content_hash,
        "dataset_recipe": version.recipe,
        "mixture_id": mixture.id if mixture else None,
        "mixture_content_hash": mixture.content_hash if mixture else None,
        "mixture_recipe": mixture.recipe if mixture else None,
        "seed": config.seed,
        "hyperparameters": config.as_dict(),
    }


def _jsonable(values: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, Path) else v for k, v in values.items()}
