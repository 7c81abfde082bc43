"""One of every noun in a project, as workers would have left them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import (
    AdapterRow,
    AnswerRow,
    AugmentationRow,
    BadCaseRow,
    ClusterRow,
    CycleRow,
    DiagnosisRow,
    EvaluationRow,
    FindingRow,
    FineTuningJobRow,
    MixtureRow,
    RepairActionRow,
    RepairRow,
    TrainingJobRow,
    VerificationCaseRow,
    VerificationRow,
    VersionExampleRow,
)
from app.db.session import SessionFactory, transaction
from app.domain.diagnosis.clusters.projection import Projection
from app.domain.training_config import TrainingConfig
from app.services import events
from app.services.diagnoses import diagnoses, maps
from app.services.fine_tuning import files
from app.services.fine_tuning import uploads as uploads_in_parts
from app.services.projects import Caller, authenticate
from app.services.versions import versions
from tests.importing import Uploads

_NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
_DONE = {"status": "succeeded", "progress": 1.0, "attempts": 1, "started_at": _NOW, "finished_at": _NOW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """Ids, by the name of the path parameter that takes them."""

    dataset_id: str
    import_id: str
    version_id: str
    bad_case_id: str
    diagnosis_id: str
    finding_id: str
    repair_id: str
    action_id: str
    augmentation_id: str
    mixture_id: str
    job_id: str
    adapter_id: str
    evaluation_id: str
    verification_id: str
    cycle_id: str
    file_id: str
    upload_id: str
    fine_tuning_job_id: str


def seed(uploads: Uploads, sessions: SessionFactory, key: str) -> Seeded:
    dataset_id = uploads.dataset()
    body = b"".join(b'{"instruction": "Q%d", "output": "A%d", "id": "%d"}\n' % (i, i, i) for i in range(5))
    done = uploads.imported(body, dataset_id=dataset_id)
    case = {
        "instruction": "Where is it?",
        "model_output": "A cat.",
        "expected_output": "Here.",
        "external_id": "c-1",
    }
    answer = uploads.client.post("/v1/bad-cases", json=case)
    with transaction(sessions) as session:
        caller = authenticate(session, key)
        case_id = answer.json()["data"][0]["id"]
        made = _make(session, caller, done["dataset_version_id"], case_id, _adapter_files(uploads.store))
        made |= _fine_tuning(session, caller, uploads.store, made["job_id"])
    return Seeded(
        dataset_id=dataset_id,
        import_id=done["id"],
        version_id=done["dataset_version_id"],
        bad_case_id=answer.json()["data"][0]["id"],
        **made,
    )


def _fine_tuning(session: Session, caller: Caller, store: ArtifactStore, job_id: str) -> dict[str, str]:
    """A file, an upload and a job that has led to the seeded training."""
    common: dict[str, Any] = {"now": _NOW, "purpose": files.FINE_TUNE, "filename": "t.jsonl"}
    file = files.create(session, caller.project_id, store.put_bytes(b"{}\n"), **common)
    upload = uploads_in_parts.create(
        session,
        caller.project_id,
        mime_type="text/jsonl",
        size_bytes=3,
        **{**common, "now": datetime.now(UTC)},
    )
    job = FineTuningJobRow(
        project_id=caller.project_id,
        **_DONE,
        model="tiny",
        base_model="tiny",
        training_file=file.id,
        seed=0,
        method="supervised",
        hyperparameters={"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"},
        labels={},
        repair=False,
        training_job_id=job_id,
    )
    session.add(job)
    session.flush()
    return {"file_id": file.id, "upload_id": upload.id, "fine_tuning_job_id": job.id}


def _adapter_files(store: ArtifactStore) -> str:
    """A folder as a training leaves it, without weights in it."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "adapter_config.json").write_text("{}")
        return store.put_directory(folder).uri


def add_map(sessions: SessionFactory, store: ArtifactStore, diagnosis_id: str) -> None:
    """Give the seeded diagnosis a map of its five rows and its case."""
    with transaction(sessions) as session:
        row = session.get_one(DiagnosisRow, diagnosis_id)
        drawn = maps.draw(
            Projection(
                examples=np.linspace(0, 1, 10, dtype=np.float32).reshape(5, 2),
                cases=np.array([[0.25, 0.75]], dtype=np.float32),
            ),
            examples=versions.load_examples(session, row.dataset_version_id),
            case_vectors=np.ones((1, 4), dtype=np.float32),
            cluster_of_case=[0],
            clusters=1,
            embedder="test-embedder",
        )
        row.map_uri = maps.save(store, drawn)


def _make(
    session: Session, caller: Caller, version_id: str, case_id: str, adapter_uri: str
) -> dict[str, str]:
    project = {"project_id": caller.project_id}
    example_id = session.scalars(
        select(VersionExampleRow.example_id).where(VersionExampleRow.version_id == version_id)
    ).first()
    case = session.get_one(BadCaseRow, case_id)

    def add(row: object) -> str:
        session.add(row)
        session.flush()
        made: str = row.id  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(getattr(row, "status", None), str):
            events.append(session, caller.project_id, made, "succeeded", {})
        return made

    # Made first, so that the work below can name it; its stages are written at the end.
    cycle = CycleRow(
        **project,
        **_DONE,
        dataset_version_id=version_id,
        case_ids=[case_id],
        base_model="tiny",
        policy={},
        stage="verify",
        stages=[],
    )
    cycle_id = add(cycle)
    diagnosis_id = add(
        DiagnosisRow(
            **project,
            **_DONE,
            dataset_version_id=version_id,
            cycle_id=cycle_id,
            cases=1,
            case_ids=[case_id],
            summary={
                "by_category": {"ood": 1, "conflict": 0, "hard": 0, "serving_mismatch": 0, "undetermined": 0},
                "roadmap": [{"step": 1, "action": "cluster", "key_point": "one cluster", "cost": "low"}],
            },
            calibration={"ood_threshold": 0.4},
            training_defaults={"rank": 16},
        )
    )
    cluster_id = add(
        ClusterRow(
            diagnosis_id=diagnosis_id,
            ordinal=0,
            label="orders",
            keywords=["order"],
            size=1,
            exemplar_ids=[case_id],
            category_counts={"ood": 1},
        )
    )
    neighbor = {
        "example_id": example_id,
        "similarity": 0.5,
        "input": "Q0",
        "output": "A0",
        "agrees_with": "neither",
    }
    finding_id = add(
        FindingRow(
            **project,
            diagnosis_id=diagnosis_id,
            ordinal=0,
            bad_case_id=case_id,
            external_id="c-1",
            case_snapshot=diagnoses.snapshot(case),
            category="ood",
            probabilities={"ood": 0.9, "conflict": 0.05, "hard": 0.03, "serving_mismatch": 0.02},
            confidence=0.9,
            symptoms=["missing_knowledge"],
            evidence={
                "neighbors": [neighbor],
                "ood": {"nearest_cosine": 0.3},
                "conflict": {},
                "hard": {},
                "serving_mismatch": {},
            },
            recommended_actions=[{"action": "add", "reason": "nothing covers it", "cost": "medium"}],
            cluster_id=cluster_id,
        )
    )
    repair_id = add(
        RepairRow(
            **project,
            **_DONE,
            diagnosis_id=diagnosis_id,
            dataset_version_id=version_id,
            policy={},
            summary={"actions": 1},
        )
    )
    action_id = add(
        RepairActionRow(
            **project,
            repair_id=repair_id,
            created_at=_NOW,
            ordinal=0,
            kind="drop",
            example_ids=[example_id],
            before=[
                {"messages": [{"role": "user", "content": "Q0"}, {"role": "assistant", "content": "A0"}]}
            ],
            after=[],
            reason="exact duplicate",
            score=1.0,
            evidence={},
            decision="approved",
        )
    )
    augmentation_id = add(
        AugmentationRow(
            **project,
            **_DONE,
            diagnosis_id=diagnosis_id,
            dataset_version_id=version_id,
            cycle_id=cycle_id,
            options={},
            summary={"counts": {}},
        )
    )
    mixture_id = add(
        MixtureRow(
            **project,
            **_DONE,
            dataset_version_id=version_id,
            diagnosis_id=diagnosis_id,
            cycle_id=cycle_id,
            rows=5,
            counts={"replay": 5},
            content_hash="0" * 64,
        )
    )
    adapter_id = add(
        AdapterRow(
            **project,
            name="a",
            base_model="tiny",
            uri=adapter_uri,
            size_bytes=1,
            card={"seed": 0},
            gate="accepted",
        )
    )
    job_id = add(
        TrainingJobRow(
            **project,
            **_DONE,
            dataset_version_id=version_id,
            mixture_id=mixture_id,
            cycle_id=cycle_id,
            base_model="tiny",
            hyperparameters=TrainingConfig(base_model="tiny").as_dict(),
            metrics=[{"step": 1, "total_steps": 1, "loss": 2.0, "time": _NOW.timestamp()}],
            summary={"device": "cpu"},
            adapter_id=adapter_id,
        )
    )
    evaluation_id = add(
        EvaluationRow(
            **project,
            **_DONE,
            dataset_version_id=version_id,
            base_model="tiny",
            options={},
            summary={"correct": 1},
        )
    )
    add(
        AnswerRow(
            evaluation_id=evaluation_id,
            ordinal=0,
            example_id=example_id,
            output="A0",
            score=1.0,
            correct=True,
        )
    )
    verification_id = add(
        VerificationRow(
            **project,
            **_DONE,
            diagnosis_id=diagnosis_id,
            cycle_id=cycle_id,
            adapter_id=adapter_id,
            options={},
            result={
                "fix_rate": {"rate": 1.0, "low": 0.2, "high": 1.0, "n": 1},
                "held_back_fix_rate": None,
                "retention": {
                    "mean": 0.95,
                    "low": 0.9,
                    "high": 1.0,
                    "n": 5,
                    "largest_degradation": 0.1,
                    "slices": [{"name": "all", "before": 1.0, "after": 0.95, "n": 5}],
                },
                "gate": {"accepted": True, "reasons": []},
            },
        )
    )
    add(
        VerificationCaseRow(
            verification_id=verification_id,
            ordinal=0,
            split="bad_case",
            bad_case_id=case_id,
            prompt="Where is it?",
            expected_output="Here.",
            before_output="A cat.",
            after_output="Here.",
            before_score=0.0,
            after_score=1.0,
            verdict="fixed",
        )
    )
    results = {
        "diagnose": diagnosis_id,
        "repair": repair_id,
        "augment": augmentation_id,
        "mix": mixture_id,
        "train": job_id,
        "verify": verification_id,
    }
    at = _NOW.isoformat()
    cycle.stages = [
        {"name": n, "status": "succeeded", "attempt": 1, "started_at": at, "finished_at": at, "result_id": i}
        for n, i in results.items()
    ]
    cycle.verdict = {
        "fix_rate": 1.0,
        "held_back_fix_rate": None,
        "retention": 0.95,
        "gate": "accepted",
        "reasons": [],
        "attempt": 1,
    }
    cycle.adapter_id = adapter_id
    return {
        "diagnosis_id": diagnosis_id,
        "finding_id": finding_id,
        "repair_id": repair_id,
        "action_id": action_id,
        "augmentation_id": augmentation_id,
        "mixture_id": mixture_id,
        "job_id": job_id,
        "adapter_id": adapter_id,
        "evaluation_id": evaluation_id,
        "verification_id": verification_id,
        "cycle_id": cycle_id,
    }
