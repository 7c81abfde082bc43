"""One model of a base model and an adapter: loaded by servers that know no adapters, and by converters."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from app.db.models import AdapterRow, MergeRow
from app.errors import StageError
from app.services.training import retention
from workers.context import StageContext
from workers.models.base_models import BaseModelError, LocalModel, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    model: LocalModel
    adapter: Path


def run(context: StageContext) -> None:
    folder = context.settings.runs_dir / context.claim.subject_id
    try:
        inputs = load(context)
        merge(context, inputs, folder)
        save(context, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def load(context: StageContext) -> Inputs:
    context.progress(0.0, "loading")
    with context.reading() as session:
        row = session.get_one(MergeRow, context.claim.subject_id)
        adapter = session.get_one(AdapterRow, row.adapter_id)
        if adapter.deleted_at is not None:
            raise StageError(f"adapter {adapter.id} was deleted", type="adapter-deleted")
        folder = context.adapter_folder(adapter)
    try:
        model = resolve(adapter.base_model, context.settings.model_cache_dir)
    except BaseModelError as error:
        raise StageError(str(error), type="base-model-not-found", title="No such base model") from error
    return Inputs(model=model, adapter=folder)


def merge(context: StageContext, inputs: Inputs, folder: Path) -> None:
    from workers.models.weights import save_merged

    context.progress(0.1, "adding the weights")
    try:
        save_merged(inputs.model, inputs.adapter, folder)
    except BaseModelError as error:
        raise StageError(str(error), type="adapter-not-mergeable") from error


def save(context: StageContext, folder: Path) -> None:
    context.progress(0.7, "storing")
    artifact = context.store.put_directory(folder)
    with context.saving() as (session, row):
        assert isinstance(row, MergeRow)
        retention.hold(session, context.store, artifact, folder)
        row.uri = artifact.uri
        row.size_bytes = artifact.size_bytes
