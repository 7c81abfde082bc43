"""One LoRA run in a child process, so that a crash in native code cannot take the worker with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.db.models import AdapterRow, DatasetVersionRow, MixtureRow, TrainingJobRow
from app.db.session import transaction
from app.domain.mixing.export import trainable_row
from app.domain.mixing.learnable import Learnable, left_out_in_words
from app.domain.training_config import TrainingConfig
from app.errors import StageCancelled, StageError
from app.services.fine_tuning import results
from app.services.training import training
from app.services.versions import versions
from app.services.work import work
from workers.context import StageContext
from workers.models.base_models import BaseModelError, LocalModel, resolve
from workers.training.launch import TrainingFailed, TrainingOutcome, run_training

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
        written = 0
        with part.open("w", encoding="utf-8") as out, context.reading() as session:
            learnable = Learnable.from_rows(versions.iter_examples(session, version.id))
            for example in learnable.rows(versions.iter_examples(session, version.id)):
                for step in example.steps():
                    out.write(json.dumps(trainable_row(step), ensure_ascii=False) + "\n")
                    written += 1
        if not written and learnable.counts:
            raise StageError(
                f"no row of the version may be learnt as right ({left_out_in_words(learnable.counts)}); add rows "
                "whose answer is desired",
                type="training-failed",
                title="The training failed",
            )
        (run_dir / LEFT_OUT).write_text(json.dumps(learnable.counts))
    part.replace(run_dir / "train.jsonl")


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
            row.progress = 0.03 + 0.94 * last["step"] / max(1, last["total_steps"])

    try:
        return run_training(
            inputs.run_dir,
            on_metrics=on_metrics,
            should_cancel=context.should_cancel,
            threads=context.settings.training_threads,
        )
    except TrainingFailed as error:
        shutil.rmtree(inputs.run_dir, ignore_errors=True)
        raise StageError(str(error), type="training-failed", title="The training failed") from error
    except StageCancelled:
        if not context.should_stop():  # a worker that only makes room leaves its checkpoints
            shutil.rmtree(inputs.run_dir, ignore_errors=True)
        raise


def save(context: StageContext, inputs: Inputs, outcome: TrainingOutcome) -> None:
    said = {k: v for k, v in asdict(outcome).items() if k != "adapter_path"}  # a folder of this run
    summary = {**said, "rows_left_out": _left_out(inputs.run_dir)}
    folder = inputs.run_dir / "adapter"
    card = {**inputs.card, "training": summary}
    (folder / "casemend.json").write_text(json.dumps(card, indent=1, ensure_ascii=False))
    artifact = context.store.put_directory(folder)
    with context.saving() as (session, row):
        assert isinstance(row, TrainingJobRow)
        adapter = AdapterRow(
            project_id=row.project_id,
            name=f"{inputs.config.base_model} / {row.id}",
            base_model=inputs.config.base_model,
            uri=artifact.uri,
            size_bytes=artifact.size_bytes,
            card=card,
        )
        session.add(adapter)
        session.flush()
        row.adapter_id = adapter.id
        row.summary = summary
        results.write(session, context.store, row)


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
