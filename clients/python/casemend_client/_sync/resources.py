"""The API, one class for each noun.

Written by ``scripts/generate.py``: change what it is written from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from casemend_client import models
from casemend_client._bodies import File, quoted
from casemend_client._sync.transport import Download, Pages, Resource, Transport


class Adapters(Resource):
    """``client.adapters``."""

    def list(
        self,
        *,
        base_model: str | None = None,
        gate: str | None = None,
        training_job_id: str | None = None,
        checkpoints: bool | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Adapter]:
        """List Adapters"""
        return Pages(
            self._http,
            models.Adapter,
            "/v1/adapters",
            {
                "base_model": base_model,
                "gate": gate,
                "training_job_id": training_job_id,
                "checkpoints": checkpoints,
                "limit": limit,
                "after": after,
                "order": order,
            },
        )

    def get(self, adapter_id: str) -> models.Adapter:
        """Read Adapter"""
        return self._http.read(models.Adapter, "GET", f"/v1/adapters/{quoted(adapter_id)}")

    def download(self, adapter_id: str) -> Download:
        """The adapter as a folder that ``peft`` loads, zipped: weights, tokenizer, chat template and a model
        card with what it was made from and what its verification says. docs/serving.md tells what to do
        with it.
        """
        return Download(self._http, f"/v1/adapters/{quoted(adapter_id)}/download", {})

    def merge(self, adapter_id: str) -> models.Merge:
        """Adapter and base model as one model, for servers that take no adapters. The same adapter is merged
        once.
        """
        return self._http.read(models.Merge, "POST", f"/v1/adapters/{quoted(adapter_id)}/merge")


class Aliases(Resource):
    """``client.aliases``."""

    def list(self) -> models.Aliases:
        """What each name stands for now. `current` is moved to each adapter that a cycle's gate accepts."""
        return self._http.read(models.Aliases, "GET", "/v1/aliases")

    def get(self, name: str) -> models.Aliases:
        """What a name has stood for, the newest first."""
        return self._http.read(models.Aliases, "GET", f"/v1/aliases/{quoted(name)}")

    def point(self, name: str, body: models.NewTarget) -> models.Alias:
        """Point Alias"""
        return self._http.read(models.Alias, "PUT", f"/v1/aliases/{quoted(name)}", body=body)

    def roll_back(self, name: str) -> models.Alias:
        """The adapter before this one."""
        return self._http.read(models.Alias, "POST", f"/v1/aliases/{quoted(name)}/rollback")


class Augmentations(Resource):
    """``client.augmentations``."""

    def list(
        self,
        *,
        status: models.Status | None = None,
        diagnosis_id: str | None = None,
        cycle_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Augmentation]:
        """List Augmentations"""
        return Pages(
            self._http,
            models.Augmentation,
            "/v1/augmentations",
            {
                "status": status,
                "diagnosis_id": diagnosis_id,
                "cycle_id": cycle_id,
                "limit": limit,
                "after": after,
                "order": order,
            },
        )

    def create(self, body: models.NewAugmentation) -> models.Augmentation:
        """Create Augmentation"""
        return self._http.read(models.Augmentation, "POST", "/v1/augmentations", body=body)

    def get(self, augmentation_id: str) -> models.Augmentation:
        """Read Augmentation"""
        return self._http.read(models.Augmentation, "GET", f"/v1/augmentations/{quoted(augmentation_id)}")

    def cancel(self, augmentation_id: str) -> models.Augmentation:
        """Cancel Augmentation"""
        return self._http.read(
            models.Augmentation, "POST", f"/v1/augmentations/{quoted(augmentation_id)}/cancel"
        )

    def events(
        self, subject_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Event]:
        """What happened so far, oldest first."""
        return Pages(
            self._http,
            models.Event,
            f"/v1/augmentations/{quoted(subject_id)}/events",
            {"limit": limit, "after": after},
        )

    def watch(self, subject_id: str, *, after: str | None = None) -> Iterator[models.Event]:
        """Every event as it happens, until the work is final; ``after``: the last one that is known."""
        return self._http.watch(f"/v1/augmentations/{quoted(subject_id)}/events", after=after)

    def wait(
        self,
        subject_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[models.Augmentation], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> models.Augmentation:
        """The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout."""
        return self._http.wait(
            lambda: self.get(subject_id),
            f"/v1/augmentations/{quoted(subject_id)}/events",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            on_update=on_update,
            on_event=on_event,
        )


class BadCases(Resource):
    """``client.bad_cases``."""

    def list(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
        tag: str | None = None,
        source: str | None = None,
        model: str | None = None,
        adapter_id: str | None = None,
        external_id: str | None = None,
        has_expected: bool | None = None,
    ) -> Pages[models.BadCase]:
        """List Bad Cases"""
        return Pages(
            self._http,
            models.BadCase,
            "/v1/bad-cases",
            {
                "limit": limit,
                "after": after,
                "order": order,
                "tag": tag,
                "source": source,
                "model": model,
                "adapter_id": adapter_id,
                "external_id": external_id,
                "has_expected": has_expected,
            },
        )

    def create(
        self, body: models.BadCaseInput | models.BadCaseItems | File, *, content_type: str | None = None
    ) -> models.SubmittedCases:
        """Store one bad case, ``{"items": [...]}`` or ndjson.

        A case whose ``external_id`` is known is updated. The answer names what became of each, in the order
        sent. A case whose ``model_output`` is one of its acceptable outputs is ``rejected``: nothing is
        wrong with it.
        """
        return self._http.read(
            models.SubmittedCases, "POST", "/v1/bad-cases", body=body, content_type=content_type
        )

    def delete(self, bad_case_id: str) -> None:
        """The case and every finding on it are gone for good."""
        return self._http.read(None, "DELETE", f"/v1/bad-cases/{quoted(bad_case_id)}")

    def get(self, bad_case_id: str) -> models.BadCase:
        """Read Bad Case"""
        return self._http.read(models.BadCase, "GET", f"/v1/bad-cases/{quoted(bad_case_id)}")


class Cycles(Resource):
    """``client.cycles``."""

    def list(
        self,
        *,
        status: models.Status | None = None,
        dataset_version_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Cycle]:
        """List Cycles"""
        return Pages(
            self._http,
            models.Cycle,
            "/v1/cycles",
            {
                "status": status,
                "dataset_version_id": dataset_version_id,
                "limit": limit,
                "after": after,
                "order": order,
            },
        )

    def create(self, body: models.NewCycle) -> models.Cycle:
        """Diagnose, repair, augment, mix, train, verify. Watch the cycle at ``Location``."""
        return self._http.read(models.Cycle, "POST", "/v1/cycles", body=body)

    def get(self, cycle_id: str) -> models.Cycle:
        """Read Cycle"""
        return self._http.read(models.Cycle, "GET", f"/v1/cycles/{quoted(cycle_id)}")

    def cancel(self, cycle_id: str) -> models.Cycle:
        """What is queued never starts; what runs stops at its worker's next look."""
        return self._http.read(models.Cycle, "POST", f"/v1/cycles/{quoted(cycle_id)}/cancel")

    def events(
        self, subject_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Event]:
        """What happened so far, oldest first."""
        return Pages(
            self._http,
            models.Event,
            f"/v1/cycles/{quoted(subject_id)}/events",
            {"limit": limit, "after": after},
        )

    def watch(self, subject_id: str, *, after: str | None = None) -> Iterator[models.Event]:
        """Every event as it happens, until the work is final; ``after``: the last one that is known."""
        return self._http.watch(f"/v1/cycles/{quoted(subject_id)}/events", after=after)

    def wait(
        self,
        subject_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[models.Cycle], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> models.Cycle:
        """The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout."""
        return self._http.wait(
            lambda: self.get(subject_id),
            f"/v1/cycles/{quoted(subject_id)}/events",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            on_update=on_update,
            on_event=on_event,
        )


class Datasets(Resource):
    """``client.datasets``."""

    def list(
        self,
        *,
        name: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Dataset]:
        """List Datasets"""
        return Pages(
            self._http,
            models.Dataset,
            "/v1/datasets",
            {"name": name, "limit": limit, "after": after, "order": order},
        )

    def create(self, body: models.NewDataset) -> models.Dataset:
        """A dataset: a named line of versions. It is empty until a file is uploaded to its versions."""
        return self._http.read(models.Dataset, "POST", "/v1/datasets", body=body)

    def delete(self, dataset_id: str) -> None:
        """The dataset and its versions are gone; running work on them fails with that reason."""
        return self._http.read(None, "DELETE", f"/v1/datasets/{quoted(dataset_id)}")

    def get(self, dataset_id: str) -> models.Dataset:
        """Read Dataset"""
        return self._http.read(models.Dataset, "GET", f"/v1/datasets/{quoted(dataset_id)}")

    def versions(
        self,
        dataset_id: str,
        *,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.DatasetVersion]:
        """List Versions Of Dataset"""
        return Pages(
            self._http,
            models.DatasetVersion,
            f"/v1/datasets/{quoted(dataset_id)}/versions",
            {"limit": limit, "after": after, "order": order},
        )

    def upload(
        self,
        dataset_id: str,
        body: File,
        *,
        content_type: str | None = None,
        format: Literal[
            "auto",
            "kto",
            "alpaca",
            "sharegpt",
            "messages",
            "preference",
            "completion",
            "dpo",
            "csv",
            "parquet",
        ]
        | None = None,
        strict: bool | None = None,
        encoding: str | None = None,
    ) -> models.Import:
        """Upload training rows as the body; a worker imports them. Watch the import at ``Location``.

        JSON lines, a JSON array, CSV, TSV or Parquet; text may be gzipped. What an export wrote (Parquet,
        the zip for LLaMA-Factory) is read, too.
        """
        return self._http.read(
            models.Import,
            "POST",
            f"/v1/datasets/{quoted(dataset_id)}/versions",
            body=body,
            content_type=content_type,
            query={"format": format, "strict": strict, "encoding": encoding},
        )


class Diagnoses(Resource):
    """``client.diagnoses``."""

    def list(
        self,
        *,
        status: models.Status | None = None,
        dataset_version_id: str | None = None,
        cycle_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Diagnosis]:
        """List Diagnoses"""
        return Pages(
            self._http,
            models.Diagnosis,
            "/v1/diagnoses",
            {
                "status": status,
                "dataset_version_id": dataset_version_id,
                "cycle_id": cycle_id,
                "limit": limit,
                "after": after,
                "order": order,
            },
        )

    def create(self, body: models.NewDiagnosis) -> models.Diagnosis:
        """Why do these bad cases fail? A worker finds out; watch the diagnosis at ``Location``."""
        return self._http.read(models.Diagnosis, "POST", "/v1/diagnoses", body=body)

    def get(self, diagnosis_id: str) -> models.Diagnosis:
        """Read Diagnosis"""
        return self._http.read(models.Diagnosis, "GET", f"/v1/diagnoses/{quoted(diagnosis_id)}")

    def cancel(self, diagnosis_id: str) -> models.Diagnosis:
        """Cancel Diagnosis"""
        return self._http.read(models.Diagnosis, "POST", f"/v1/diagnoses/{quoted(diagnosis_id)}/cancel")

    def clusters(
        self, diagnosis_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Cluster]:
        """Bad cases that fail alike."""
        return Pages(
            self._http,
            models.Cluster,
            f"/v1/diagnoses/{quoted(diagnosis_id)}/clusters",
            {"limit": limit, "after": after},
        )

    def comparison(self, diagnosis_id: str, *, with_: str) -> models.Comparison:
        """What became of the cases and clusters of another diagnosis."""
        return self._http.read(
            models.Comparison,
            "GET",
            f"/v1/diagnoses/{quoted(diagnosis_id)}/comparison",
            query={"with": with_},
        )

    def findings(
        self,
        diagnosis_id: str,
        *,
        category: models.RootCause | None = None,
        override_category: models.RootCause | None = None,
        symptom: models.Symptom | None = None,
        cluster_id: str | None = None,
        bad_case_id: str | None = None,
        external_id: str | None = None,
        held_back: bool | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Pages[models.Finding]:
        """One finding for each bad case, in the order of the cases."""
        return Pages(
            self._http,
            models.Finding,
            f"/v1/diagnoses/{quoted(diagnosis_id)}/findings",
            {
                "category": category,
                "override_category": override_category,
                "symptom": symptom,
                "cluster_id": cluster_id,
                "bad_case_id": bad_case_id,
                "external_id": external_id,
                "held_back": held_back,
                "limit": limit,
                "after": after,
            },
        )

    def map(self, diagnosis_id: str) -> models.DiagnosisMap:
        """Where training rows and cases lie. 404 where the diagnosis was made before there were maps."""
        return self._http.read(models.DiagnosisMap, "GET", f"/v1/diagnoses/{quoted(diagnosis_id)}/map")

    def map_examples(self, diagnosis_id: str, *, at: Sequence[int]) -> models.MapExamples:
        """The training rows behind points of the map."""
        return self._http.read(
            models.MapExamples, "GET", f"/v1/diagnoses/{quoted(diagnosis_id)}/map/examples", query={"at": at}
        )

    def report(
        self,
        diagnosis_id: str,
        *,
        format: models.ReportFormat | None = None,
        compared_with: str | None = None,
    ) -> Download:
        """What failed and why, what was changed, and whether it helped. HTML is one self-contained page."""
        return Download(
            self._http,
            f"/v1/diagnoses/{quoted(diagnosis_id)}/report",
            {"format": format, "compared_with": compared_with},
        )

    def events(
        self, subject_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Event]:
        """What happened so far, oldest first."""
        return Pages(
            self._http,
            models.Event,
            f"/v1/diagnoses/{quoted(subject_id)}/events",
            {"limit": limit, "after": after},
        )

    def watch(self, subject_id: str, *, after: str | None = None) -> Iterator[models.Event]:
        """Every event as it happens, until the work is final; ``after``: the last one that is known."""
        return self._http.watch(f"/v1/diagnoses/{quoted(subject_id)}/events", after=after)

    def wait(
        self,
        subject_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[models.Diagnosis], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> models.Diagnosis:
        """The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout."""
        return self._http.wait(
            lambda: self.get(subject_id),
            f"/v1/diagnoses/{quoted(subject_id)}/events",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            on_update=on_update,
            on_event=on_event,
        )


class Evaluations(Resource):
    """``client.evaluations``."""

    def list(
        self,
        *,
        status: models.Status | None = None,
        dataset_version_id: str | None = None,
        adapter_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Evaluation]:
        """List Evaluations"""
        return Pages(
            self._http,
            models.Evaluation,
            "/v1/evaluations",
            {
                "status": status,
                "dataset_version_id": dataset_version_id,
                "adapter_id": adapter_id,
                "limit": limit,
                "after": after,
                "order": order,
            },
        )

    def create(self, body: models.NewEvaluation) -> models.Evaluation:
        """Create Evaluation"""
        return self._http.read(models.Evaluation, "POST", "/v1/evaluations", body=body)

    def get(self, evaluation_id: str) -> models.Evaluation:
        """Read Evaluation"""
        return self._http.read(models.Evaluation, "GET", f"/v1/evaluations/{quoted(evaluation_id)}")

    def answers(
        self,
        evaluation_id: str,
        *,
        correct: bool | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Pages[models.Answer]:
        """Every answer beside what the dataset says, in the dataset's order."""
        return Pages(
            self._http,
            models.Answer,
            f"/v1/evaluations/{quoted(evaluation_id)}/answers",
            {"correct": correct, "limit": limit, "after": after},
        )

    def cancel(self, evaluation_id: str) -> models.Evaluation:
        """Cancel Evaluation"""
        return self._http.read(models.Evaluation, "POST", f"/v1/evaluations/{quoted(evaluation_id)}/cancel")

    def events(
        self, subject_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Event]:
        """What happened so far, oldest first."""
        return Pages(
            self._http,
            models.Event,
            f"/v1/evaluations/{quoted(subject_id)}/events",
            {"limit": limit, "after": after},
        )

    def watch(self, subject_id: str, *, after: str | None = None) -> Iterator[models.Event]:
        """Every event as it happens, until the work is final; ``after``: the last one that is known."""
        return self._http.watch(f"/v1/evaluations/{quoted(subject_id)}/events", after=after)

    def wait(
        self,
        subject_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[models.Evaluation], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> models.Evaluation:
        """The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout."""
        return self._http.wait(
            lambda: self.get(subject_id),
            f"/v1/evaluations/{quoted(subject_id)}/events",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            on_update=on_update,
            on_event=on_event,
        )


class Findings(Resource):
    """``client.findings``."""

    def get(self, finding_id: str) -> models.Finding:
        """Read Finding"""
        return self._http.read(models.Finding, "GET", f"/v1/findings/{quoted(finding_id)}")

    def override(
        self, finding_id: str, body: models.FindingOverride, *, if_match: str | None = None
    ) -> models.Finding:
        """A person's verdict. It stands beside the machine's and teaches the next diagnosis."""
        return self._http.read(
            models.Finding,
            "PATCH",
            f"/v1/findings/{quoted(finding_id)}",
            body=body,
            headers={"If-Match": if_match},
        )

    def overrides(
        self,
        finding_id: str,
        *,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.PastOverride]:
        """Every verdict of a person on this finding: who, when, what and why."""
        return Pages(
            self._http,
            models.PastOverride,
            f"/v1/findings/{quoted(finding_id)}/overrides",
            {"limit": limit, "after": after, "order": order},
        )


class Imports(Resource):
    """``client.imports``."""

    def list(
        self,
        *,
        dataset_id: str | None = None,
        status: models.Status | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Import]:
        """List Imports"""
        return Pages(
            self._http,
            models.Import,
            "/v1/imports",
            {"dataset_id": dataset_id, "status": status, "limit": limit, "after": after, "order": order},
        )

    def get(self, import_id: str) -> models.Import:
        """Read Import"""
        return self._http.read(models.Import, "GET", f"/v1/imports/{quoted(import_id)}")

    def cancel(self, import_id: str) -> models.Import:
        """Queued: cancelled at once. Running: as soon as its worker looks up; no version comes of it."""
        return self._http.read(models.Import, "POST", f"/v1/imports/{quoted(import_id)}/cancel")

    def events(
        self, subject_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Event]:
        """What happened so far, oldest first."""
        return Pages(
            self._http,
            models.Event,
            f"/v1/imports/{quoted(subject_id)}/events",
            {"limit": limit, "after": after},
        )

    def watch(self, subject_id: str, *, after: str | None = None) -> Iterator[models.Event]:
        """Every event as it happens, until the work is final; ``after``: the last one that is known."""
        return self._http.watch(f"/v1/imports/{quoted(subject_id)}/events", after=after)

    def wait(
        self,
        subject_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[models.Import], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> models.Import:
        """The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout."""
        return self._http.wait(
            lambda: self.get(subject_id),
            f"/v1/imports/{quoted(subject_id)}/events",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            on_update=on_update,
            on_event=on_event,
        )


class Integrations(Resource):
    """``client.integrations``."""

    def list(
        self, *, limit: int | None = None, after: str | None = None, order: models.Order | None = None
    ) -> Pages[models.Integration]:
        """List Integrations"""
        return Pages(
            self._http,
            models.Integration,
            "/v1/integrations",
            {"limit": limit, "after": after, "order": order},
        )

    def create(self, body: models.NewIntegration) -> models.IntegrationWithSecret:
        """Let a tool in. The answer holds the secret of its webhook, this once."""
        return self._http.read(models.IntegrationWithSecret, "POST", "/v1/integrations", body=body)

    def deliveries(
        self,
        *,
        integration_id: str | None = None,
        tool: str | None = None,
        status: models.Status | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.IntegrationDelivery]:
        """Everything that came, the newest first."""
        return Pages(
            self._http,
            models.IntegrationDelivery,
            "/v1/integrations/deliveries",
            {
                "integration_id": integration_id,
                "tool": tool,
                "status": status,
                "limit": limit,
                "after": after,
                "order": order,
            },
        )

    def read_integration_delivery(self, delivery_id: str) -> models.IntegrationDelivery:
        """What came, and what became of each record."""
        return self._http.read(
            models.IntegrationDelivery, "GET", f"/v1/integrations/deliveries/{quoted(delivery_id)}"
        )

    def deliveries_body(self, delivery_id: str) -> Download:
        """The body as it came; of a pull and a push, what was fetched and what was sent."""
        return Download(self._http, f"/v1/integrations/deliveries/{quoted(delivery_id)}/body", {})

    def deliveries_replay(self, delivery_id: str) -> models.IntegrationDelivery:
        """Read the same body again, with the mapping of today; a pull and a push are made anew."""
        return self._http.read(
            models.IntegrationDelivery, "POST", f"/v1/integrations/deliveries/{quoted(delivery_id)}/replay"
        )

    def promptfoo_suite(
        self, *, cycle_id: str | None = None, bad_case_id: Sequence[str] | None = None
    ) -> models.PromptfooSuite:
        """Cases as a configuration of promptfoo: save it as `promptfooconfig.json` and add your `providers`."""
        return self._http.read(
            models.PromptfooSuite,
            "GET",
            "/v1/integrations/promptfoo/suite",
            query={"cycle_id": cycle_id, "bad_case_id": bad_case_id},
        )

    def delete(self, integration_id: str) -> None:
        """Its webhook is closed and its deliveries are forgotten; the bad cases stay."""
        return self._http.read(None, "DELETE", f"/v1/integrations/{quoted(integration_id)}")

    def get(self, integration_id: str) -> models.Integration:
        """Read Integration"""
        return self._http.read(models.Integration, "GET", f"/v1/integrations/{quoted(integration_id)}")

    def update(self, integration_id: str, body: models.IntegrationChange) -> models.Integration:
        """Another mapping (the whole of it), URL, token or project. Another URL forgets the token, which was
        for the old one.
        """
        return self._http.read(
            models.Integration, "PATCH", f"/v1/integrations/{quoted(integration_id)}", body=body
        )

    def pull(self, integration_id: str) -> models.IntegrationDelivery:
        """Fetch what the tool has now: what a lost webhook missed comes, what was deleted there goes."""
        return self._http.read(
            models.IntegrationDelivery, "POST", f"/v1/integrations/{quoted(integration_id)}/pull"
        )

    def push(self, integration_id: str, body: models.PushRequest) -> models.IntegrationDelivery:
        """Give findings or open questions to people in the tool, as pre-annotated tasks."""
        return self._http.read(
            models.IntegrationDelivery, "POST", f"/v1/integrations/{quoted(integration_id)}/push", body=body
        )

    def rotate_secret(self, integration_id: str) -> models.IntegrationWithSecret:
        """A new secret, shown this once; the old one opens nothing from now on."""
        return self._http.read(
            models.IntegrationWithSecret, "POST", f"/v1/integrations/{quoted(integration_id)}/rotate-secret"
        )

    def upload_integration_delivery(
        self, tool: str, body: File, *, content_type: str | None = None, integration_id: str | None = None
    ) -> models.IntegrationDelivery:
        """A file of the tool: an export, results, traces, a table. Where the tool has no integration, one is
        made with the default mapping.
        """
        return self._http.read(
            models.IntegrationDelivery,
            "POST",
            f"/v1/integrations/{quoted(tool)}/deliveries",
            body=body,
            content_type=content_type,
            query={"integration_id": integration_id},
        )

    def dry_run(self, tool: str, body: models.DryRun) -> models.Preview:
        """What a body would become, row by row; nothing is stored. A mapping that names no field of the sample
        is refused with the fields there are.
        """
        return self._http.read(models.Preview, "POST", f"/v1/integrations/{quoted(tool)}/dry-run", body=body)

    def webhook(self, tool: str, body: File, *, content_type: str | None = None) -> models.Receipt:
        """What a tool calls. Stores the body and answers; a worker reads it. A body that cannot be read is
        answered 200, too: it is kept, and the delivery says what is wrong with it.
        """
        return self._http.read(
            models.Receipt,
            "POST",
            f"/v1/integrations/{quoted(tool)}/webhook",
            body=body,
            content_type=content_type,
        )


class Judge(Resource):
    """``client.judge``."""

    def agreement(self) -> models.JudgeAgreement:
        """How often people said what the judging language model had said, over all findings that have both."""
        return self._http.read(models.JudgeAgreement, "GET", "/v1/judge/agreement")


class Keys(Resource):
    """``client.keys``."""

    def list(
        self, *, limit: int | None = None, after: str | None = None, order: models.Order | None = None
    ) -> Pages[models.Key]:
        """List Keys"""
        return Pages(self._http, models.Key, "/v1/keys", {"limit": limit, "after": after, "order": order})

    def create(self, body: models.NewKey) -> models.CreatedKey:
        """A new key. Its secret is in this answer and nowhere else."""
        return self._http.read(models.CreatedKey, "POST", "/v1/keys", body=body)

    def revoke(self, key_id: str) -> None:
        """The key stops working at once."""
        return self._http.read(None, "DELETE", f"/v1/keys/{quoted(key_id)}")


class Merges(Resource):
    """``client.merges``."""

    def list(
        self,
        *,
        status: models.Status | None = None,
        adapter_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Merge]:
        """List Merges"""
        return Pages(
            self._http,
            models.Merge,
            "/v1/merges",
            {"status": status, "adapter_id": adapter_id, "limit": limit, "after": after, "order": order},
        )

    def get(self, merge_id: str) -> models.Merge:
        """Read Merge"""
        return self._http.read(models.Merge, "GET", f"/v1/merges/{quoted(merge_id)}")

    def cancel(self, merge_id: str) -> models.Merge:
        """Cancel Merge"""
        return self._http.read(models.Merge, "POST", f"/v1/merges/{quoted(merge_id)}/cancel")

    def download(self, merge_id: str) -> Download:
        """The merged model as a folder that ``transformers`` loads, zipped."""
        return Download(self._http, f"/v1/merges/{quoted(merge_id)}/download", {})

    def events(
        self, subject_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Event]:
        """What happened so far, oldest first."""
        return Pages(
            self._http,
            models.Event,
            f"/v1/merges/{quoted(subject_id)}/events",
            {"limit": limit, "after": after},
        )

    def watch(self, subject_id: str, *, after: str | None = None) -> Iterator[models.Event]:
        """Every event as it happens, until the work is final; ``after``: the last one that is known."""
        return self._http.watch(f"/v1/merges/{quoted(subject_id)}/events", after=after)

    def wait(
        self,
        subject_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[models.Merge], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> models.Merge:
        """The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout."""
        return self._http.wait(
            lambda: self.get(subject_id),
            f"/v1/merges/{quoted(subject_id)}/events",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            on_update=on_update,
            on_event=on_event,
        )


class Mixtures(Resource):
    """``client.mixtures``."""

    def list(
        self,
        *,
        status: models.Status | None = None,
        dataset_version_id: str | None = None,
        cycle_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Mixture]:
        """List Mixtures"""
        return Pages(
            self._http,
            models.Mixture,
            "/v1/mixtures",
            {
                "status": status,
                "dataset_version_id": dataset_version_id,
                "cycle_id": cycle_id,
                "limit": limit,
                "after": after,
                "order": order,
            },
        )

    def create(self, body: models.NewMixture) -> models.Mixture:
        """Create Mixture"""
        return self._http.read(models.Mixture, "POST", "/v1/mixtures", body=body)

    def get(self, mixture_id: str) -> models.Mixture:
        """Read Mixture"""
        return self._http.read(models.Mixture, "GET", f"/v1/mixtures/{quoted(mixture_id)}")

    def cancel(self, mixture_id: str) -> models.Mixture:
        """Cancel Mixture"""
        return self._http.read(models.Mixture, "POST", f"/v1/mixtures/{quoted(mixture_id)}/cancel")

    def events(
        self, subject_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Event]:
        """What happened so far, oldest first."""
        return Pages(
            self._http,
            models.Event,
            f"/v1/mixtures/{quoted(subject_id)}/events",
            {"limit": limit, "after": after},
        )

    def watch(self, subject_id: str, *, after: str | None = None) -> Iterator[models.Event]:
        """Every event as it happens, until the work is final; ``after``: the last one that is known."""
        return self._http.watch(f"/v1/mixtures/{quoted(subject_id)}/events", after=after)

    def wait(
        self,
        subject_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[models.Mixture], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> models.Mixture:
        """The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout."""
        return self._http.wait(
            lambda: self.get(subject_id),
            f"/v1/mixtures/{quoted(subject_id)}/events",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            on_update=on_update,
            on_event=on_event,
        )


class Project(Resource):
    """``client.project``."""

    def get(self) -> models.Project:
        """The project that the key belongs to."""
        return self._http.read(models.Project, "GET", "/v1/project")


class RepairActions(Resource):
    """``client.repair_actions``."""

    def get(self, action_id: str) -> models.RepairAction:
        """Read Action"""
        return self._http.read(models.RepairAction, "GET", f"/v1/repair-actions/{quoted(action_id)}")

    def decide(
        self, action_id: str, body: models.NewDecision, *, if_match: str | None = None
    ) -> models.RepairAction:
        """Approve or reject one action, or take that back. Send its ETag as If-Match to decide what you have
        read.

        With ``answer`` the rows of a relabel or a merge get that one: those too that the plan wanted to be
        followed.
        """
        return self._http.read(
            models.RepairAction,
            "PATCH",
            f"/v1/repair-actions/{quoted(action_id)}",
            body=body,
            headers={"If-Match": if_match},
        )

    def apply_to_similar(
        self, action_id: str, body: models.NewSimilar | None = None, *, if_match: str | None = None
    ) -> models.AddedActions:
        """Fix all like this: propose the same change for every row that it fits. Nothing is approved by it."""
        return self._http.read(
            models.AddedActions,
            "POST",
            f"/v1/repair-actions/{quoted(action_id)}/apply-to-similar",
            body=body,
            headers={"If-Match": if_match},
        )

    def revert(
        self, action_id: str, *, if_match: str | None = None
    ) -> models.DatasetVersion | models.RepairRun:
        """Make a further version in which this one action is undone."""
        return self._http.read(
            models.DatasetVersion | models.RepairRun,
            "POST",
            f"/v1/repair-actions/{quoted(action_id)}/revert",
            headers={"If-Match": if_match},
        )


class Repairs(Resource):
    """``client.repairs``."""

    def list(
        self,
        *,
        status: models.Status | None = None,
        diagnosis_id: str | None = None,
        dataset_version_id: str | None = None,
        cycle_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Repair]:
        """List Repairs"""
        return Pages(
            self._http,
            models.Repair,
            "/v1/repairs",
            {
                "status": status,
                "diagnosis_id": diagnosis_id,
                "dataset_version_id": dataset_version_id,
                "cycle_id": cycle_id,
                "limit": limit,
                "after": after,
                "order": order,
            },
        )

    def create(self, body: models.NewRepair) -> models.Repair:
        """Plan a repair of the diagnosed dataset version, or audit a version alone; nothing is changed before
        it is applied.
        """
        return self._http.read(models.Repair, "POST", "/v1/repairs", body=body)

    def get(self, repair_id: str) -> models.RepairInFull:
        """Read Repair"""
        return self._http.read(models.RepairInFull, "GET", f"/v1/repairs/{quoted(repair_id)}")

    def actions(
        self,
        repair_id: str,
        *,
        kind: models.ActionKind | None = None,
        rule: str | None = None,
        decision: models.Decision | None = None,
        min_score: float | None = None,
        max_score: float | None = None,
        reason: str | None = None,
        asks: bool | None = None,
        example_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Pages[models.RepairAction]:
        """The plan's actions in the order in which they are carried out."""
        return Pages(
            self._http,
            models.RepairAction,
            f"/v1/repairs/{quoted(repair_id)}/actions",
            {
                "kind": kind,
                "rule": rule,
                "decision": decision,
                "min_score": min_score,
                "max_score": max_score,
                "reason": reason,
                "asks": asks,
                "example_id": example_id,
                "limit": limit,
                "after": after,
            },
        )

    def apply(
        self,
        repair_id: str,
        *,
        dry_run: bool | None = None,
        changes: int | None = None,
        if_match: str | None = None,
    ) -> models.DatasetVersion | models.RepairPreview | models.RepairRun:
        """Make the dataset version in which every approved action is carried out; a second call returns it
        again.

        A large version is made by a worker: 202, and the repair's ``run`` tells how far it is.
        """
        return self._http.read(
            models.DatasetVersion | models.RepairPreview | models.RepairRun,
            "POST",
            f"/v1/repairs/{quoted(repair_id)}/apply",
            query={"dry_run": dry_run, "changes": changes},
            headers={"If-Match": if_match},
        )

    def cancel(self, repair_id: str) -> models.Repair:
        """Cancel Repair"""
        return self._http.read(models.Repair, "POST", f"/v1/repairs/{quoted(repair_id)}/cancel")

    def decide(
        self, repair_id: str, body: models.NewDecisions, *, if_match: str | None = None
    ) -> models.Decided:
        """Decide every action that meets the conditions. Send the repair's ETag as If-Match to decide what you
        have read.
        """
        return self._http.read(
            models.Decided,
            "POST",
            f"/v1/repairs/{quoted(repair_id)}/decisions",
            body=body,
            headers={"If-Match": if_match},
        )

    def page(
        self,
        repair_id: str,
        *,
        limit: int | None = None,
        after: str | None = None,
        kind: models.ActionKind | None = None,
        rule: str | None = None,
        decision: models.Decision | None = None,
        min_score: float | None = None,
        max_score: float | None = None,
        reason: str | None = None,
        asks: bool | None = None,
        example_id: str | None = None,
    ) -> Download:
        """The plan as HTML: what is proposed by which rule, before and after side by side."""
        return Download(
            self._http,
            f"/v1/repairs/{quoted(repair_id)}/page",
            {
                "limit": limit,
                "after": after,
                "kind": kind,
                "rule": rule,
                "decision": decision,
                "min_score": min_score,
                "max_score": max_score,
                "reason": reason,
                "asks": asks,
                "example_id": example_id,
            },
        )

    def quality(
        self,
        repair_id: str,
        *,
        band: models.Use | None = None,
        veto: models.Veto | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Pages[models.RowQuality]:
        """Score, band and vetoes of every row of the version that the plan is of, in the version's order."""
        return Pages(
            self._http,
            models.RowQuality,
            f"/v1/repairs/{quoted(repair_id)}/quality",
            {"band": band, "veto": veto, "limit": limit, "after": after},
        )

    def revert(
        self, repair_id: str, body: models.NewRevert | None = None, *, if_match: str | None = None
    ) -> models.DatasetVersion | models.RepairRun:
        """Make a further version in which the repair, or some of its actions, are undone; a second call
        returns it again. 409 names the rows that a later version changed since.
        """
        return self._http.read(
            models.DatasetVersion | models.RepairRun,
            "POST",
            f"/v1/repairs/{quoted(repair_id)}/revert",
            body=body,
            headers={"If-Match": if_match},
        )

    def events(
        self, subject_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Event]:
        """What happened so far, oldest first."""
        return Pages(
            self._http,
            models.Event,
            f"/v1/repairs/{quoted(subject_id)}/events",
            {"limit": limit, "after": after},
        )

    def watch(self, subject_id: str, *, after: str | None = None) -> Iterator[models.Event]:
        """Every event as it happens, until the work is final; ``after``: the last one that is known."""
        return self._http.watch(f"/v1/repairs/{quoted(subject_id)}/events", after=after)

    def wait(
        self,
        subject_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[models.RepairInFull], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> models.RepairInFull:
        """The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout."""
        return self._http.wait(
            lambda: self.get(subject_id),
            f"/v1/repairs/{quoted(subject_id)}/events",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            on_update=on_update,
            on_event=on_event,
        )


class TrainingJobs(Resource):
    """``client.training_jobs``."""

    def list(
        self,
        *,
        status: models.Status | None = None,
        dataset_version_id: str | None = None,
        mixture_id: str | None = None,
        cycle_id: str | None = None,
        base_model: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.TrainingJob]:
        """List Training Jobs"""
        return Pages(
            self._http,
            models.TrainingJob,
            "/v1/training-jobs",
            {
                "status": status,
                "dataset_version_id": dataset_version_id,
                "mixture_id": mixture_id,
                "cycle_id": cycle_id,
                "base_model": base_model,
                "limit": limit,
                "after": after,
                "order": order,
            },
        )

    def create(self, body: models.NewTrainingJob) -> models.TrainingJob:
        """One LoRA run, on a mixture or on a whole dataset version."""
        return self._http.read(models.TrainingJob, "POST", "/v1/training-jobs", body=body)

    def get(self, job_id: str) -> models.TrainingJob:
        """Read Training Job"""
        return self._http.read(models.TrainingJob, "GET", f"/v1/training-jobs/{quoted(job_id)}")

    def cancel(self, job_id: str) -> models.TrainingJob:
        """Cancel Training Job"""
        return self._http.read(models.TrainingJob, "POST", f"/v1/training-jobs/{quoted(job_id)}/cancel")

    def pause(self, job_id: str) -> models.TrainingJob:
        """Stop after the running step, with a checkpoint, and wait without holding a worker."""
        return self._http.read(models.TrainingJob, "POST", f"/v1/training-jobs/{quoted(job_id)}/pause")

    def resume(self, job_id: str) -> models.TrainingJob:
        """Go on from the checkpoint."""
        return self._http.read(models.TrainingJob, "POST", f"/v1/training-jobs/{quoted(job_id)}/resume")

    def events(
        self, subject_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Event]:
        """What happened so far, oldest first."""
        return Pages(
            self._http,
            models.Event,
            f"/v1/training-jobs/{quoted(subject_id)}/events",
            {"limit": limit, "after": after},
        )

    def watch(self, subject_id: str, *, after: str | None = None) -> Iterator[models.Event]:
        """Every event as it happens, until the work is final; ``after``: the last one that is known."""
        return self._http.watch(f"/v1/training-jobs/{quoted(subject_id)}/events", after=after)

    def wait(
        self,
        subject_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[models.TrainingJob], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> models.TrainingJob:
        """The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout."""
        return self._http.wait(
            lambda: self.get(subject_id),
            f"/v1/training-jobs/{quoted(subject_id)}/events",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            on_update=on_update,
            on_event=on_event,
        )


class Verifications(Resource):
    """``client.verifications``."""

    def list(
        self,
        *,
        status: models.Status | None = None,
        diagnosis_id: str | None = None,
        adapter_id: str | None = None,
        cycle_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Verification]:
        """List Verifications"""
        return Pages(
            self._http,
            models.Verification,
            "/v1/verifications",
            {
                "status": status,
                "diagnosis_id": diagnosis_id,
                "adapter_id": adapter_id,
                "cycle_id": cycle_id,
                "limit": limit,
                "after": after,
                "order": order,
            },
        )

    def create(self, body: models.NewVerification) -> models.Verification:
        """Create Verification"""
        return self._http.read(models.Verification, "POST", "/v1/verifications", body=body)

    def events(
        self, subject_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Event]:
        """What happened so far, oldest first."""
        return Pages(
            self._http,
            models.Event,
            f"/v1/verifications/{quoted(subject_id)}/events",
            {"limit": limit, "after": after},
        )

    def watch(self, subject_id: str, *, after: str | None = None) -> Iterator[models.Event]:
        """Every event as it happens, until the work is final; ``after``: the last one that is known."""
        return self._http.watch(f"/v1/verifications/{quoted(subject_id)}/events", after=after)

    def wait(
        self,
        subject_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[models.Verification], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> models.Verification:
        """The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout."""
        return self._http.wait(
            lambda: self.get(subject_id),
            f"/v1/verifications/{quoted(subject_id)}/events",
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            on_update=on_update,
            on_event=on_event,
        )

    def get(self, verification_id: str) -> models.Verification:
        """Read Verification"""
        return self._http.read(models.Verification, "GET", f"/v1/verifications/{quoted(verification_id)}")

    def cancel(self, verification_id: str) -> models.Verification:
        """Cancel Verification"""
        return self._http.read(
            models.Verification, "POST", f"/v1/verifications/{quoted(verification_id)}/cancel"
        )

    def cases(
        self,
        verification_id: str,
        *,
        split: str | None = None,
        verdict: str | None = None,
        bad_case_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Pages[models.VerificationCase]:
        """Every prompt that was answered before and after."""
        return Pages(
            self._http,
            models.VerificationCase,
            f"/v1/verifications/{quoted(verification_id)}/cases",
            {"split": split, "verdict": verdict, "bad_case_id": bad_case_id, "limit": limit, "after": after},
        )


class Versions(Resource):
    """``client.versions``."""

    def list(
        self,
        *,
        dataset_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.DatasetVersion]:
        """List Versions"""
        return Pages(
            self._http,
            models.DatasetVersion,
            "/v1/dataset-versions",
            {"dataset_id": dataset_id, "limit": limit, "after": after, "order": order},
        )

    def get(self, version_id: str) -> models.DatasetVersion:
        """Read Version"""
        return self._http.read(models.DatasetVersion, "GET", f"/v1/dataset-versions/{quoted(version_id)}")

    def diff(
        self,
        version_id: str,
        *,
        against: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> models.Diff:
        """What was added, removed and changed since ``against``, each with its reason."""
        return self._http.read(
            models.Diff,
            "GET",
            f"/v1/dataset-versions/{quoted(version_id)}/diff",
            query={"against": against, "limit": limit, "after": after},
        )

    def examples(
        self, version_id: str, *, limit: int | None = None, after: str | None = None
    ) -> Pages[models.Example]:
        """The training rows in their order."""
        return Pages(
            self._http,
            models.Example,
            f"/v1/dataset-versions/{quoted(version_id)}/examples",
            {"limit": limit, "after": after},
        )

    def export(
        self,
        version_id: str,
        *,
        format: Literal[
            "kto",
            "alpaca",
            "sharegpt",
            "messages",
            "preference",
            "completion",
            "dpo",
            "csv",
            "parquet",
            "llamafactory",
        ],
    ) -> Download:
        """The version as a file. Importing it again gives the same content hash, whatever the format.

        ``parquet`` loads with ``datasets.load_dataset("parquet", data_files=...)``: ``messages``,
        ``rejected``, ``kto_tag``, and ``tools`` and ``metadata`` as JSON. ``llamafactory`` is a zip to
        unpack as a ``dataset_dir``; rows that LLaMA-Factory would skip, or learn wrongly, stand in its
        ``left_out.jsonl``.
        """
        return Download(self._http, f"/v1/dataset-versions/{quoted(version_id)}/export", {"format": format})


class Webhooks(Resource):
    """``client.webhooks``."""

    def list(
        self, *, limit: int | None = None, after: str | None = None, order: models.Order | None = None
    ) -> Pages[models.Webhook]:
        """List Webhooks"""
        return Pages(
            self._http, models.Webhook, "/v1/webhooks", {"limit": limit, "after": after, "order": order}
        )

    def create(self, body: models.NewWebhook) -> models.WebhookWithSecret:
        """Have a URL called with news, signed as Standard Webhooks says. The secret is in this answer alone."""
        return self._http.read(models.WebhookWithSecret, "POST", "/v1/webhooks", body=body)

    def delete(self, webhook_id: str) -> None:
        """Nothing more is sent to it; its deliveries are forgotten."""
        return self._http.read(None, "DELETE", f"/v1/webhooks/{quoted(webhook_id)}")

    def get(self, webhook_id: str) -> models.Webhook:
        """Read Webhook"""
        return self._http.read(models.Webhook, "GET", f"/v1/webhooks/{quoted(webhook_id)}")

    def update(self, webhook_id: str, body: models.WebhookChange) -> models.Webhook:
        """Another URL, other types, or off and on again."""
        return self._http.read(models.Webhook, "PATCH", f"/v1/webhooks/{quoted(webhook_id)}", body=body)

    def deliveries(
        self,
        webhook_id: str,
        *,
        status: models.DeliveryStatus | None = None,
        type: models.NewsType | None = None,
        limit: int | None = None,
        after: str | None = None,
        order: models.Order | None = None,
    ) -> Pages[models.Delivery]:
        """Every message to this webhook; with `status=dead` those that were given up."""
        return Pages(
            self._http,
            models.Delivery,
            f"/v1/webhooks/{quoted(webhook_id)}/deliveries",
            {"status": status, "type": type, "limit": limit, "after": after, "order": order},
        )

    def retry_delivery(self, webhook_id: str, delivery_id: str) -> models.Delivery:
        """Send a message again, under the same id."""
        return self._http.read(
            models.Delivery,
            "POST",
            f"/v1/webhooks/{quoted(webhook_id)}/deliveries/{quoted(delivery_id)}/retry",
        )

    def rotate_secret(self, webhook_id: str) -> models.WebhookWithSecret:
        """A new secret, shown this once. For a day messages carry a signature by the old one as well."""
        return self._http.read(
            models.WebhookWithSecret, "POST", f"/v1/webhooks/{quoted(webhook_id)}/rotate-secret"
        )


class Resources:
    """All of them."""

    def __init__(self, http: Transport) -> None:
        self.adapters = Adapters(http)
        self.aliases = Aliases(http)
        self.augmentations = Augmentations(http)
        self.bad_cases = BadCases(http)
        self.cycles = Cycles(http)
        self.datasets = Datasets(http)
        self.diagnoses = Diagnoses(http)
        self.evaluations = Evaluations(http)
        self.findings = Findings(http)
        self.imports = Imports(http)
        self.integrations = Integrations(http)
        self.judge = Judge(http)
        self.keys = Keys(http)
        self.merges = Merges(http)
        self.mixtures = Mixtures(http)
        self.project = Project(http)
        self.repair_actions = RepairActions(http)
        self.repairs = Repairs(http)
        self.training_jobs = TrainingJobs(http)
        self.verifications = Verifications(http)
        self.versions = Versions(http)
        self.webhooks = Webhooks(http)
