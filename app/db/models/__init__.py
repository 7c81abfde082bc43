"""Tables, one file per noun. Importing this package registers all of them on ``Base.metadata``."""

from app.db.models.bad_cases import BadCaseRow
from app.db.models.cycles import CycleRow, EventRow, VectorRow, VectorShardRow
from app.db.models.datasets import (
    DatasetRow,
    DatasetVersionRow,
    ExampleRow,
    ImportRow,
    VersionChangeRow,
    VersionExampleRow,
)
from app.db.models.diagnoses import ClusterRow, DiagnosisRow, FindingOverrideRow, FindingRow
from app.db.models.fine_tuning import FileRow, FineTuningJobRow, UploadPartRow, UploadRow
from app.db.models.integrations import IntegrationDeliveryRow, IntegrationRecordRow, IntegrationRow
from app.db.models.llm import LlmAnswerRow, LlmCallRow
from app.db.models.projects import (
    ApiKeyRow,
    BrowserSessionRow,
    IdempotencyRow,
    ProjectRow,
    SignInLinkRow,
)
from app.db.models.repairs import (
    AugmentationRow,
    MixtureRow,
    RepairActionRow,
    RepairRow,
    RepairRunRow,
    RowQualityRow,
)
from app.db.models.training import (
    AdapterAliasRow,
    AdapterRow,
    AnswerRow,
    EvaluationRow,
    MergeRow,
    TrainingJobRow,
    VerificationCaseRow,
    VerificationRow,
)
from app.db.models.webhooks import WebhookDeliveryRow, WebhookRow

__all__ = [
    "AdapterAliasRow",
    "AdapterRow",
    "AnswerRow",
    "ApiKeyRow",
    "AugmentationRow",
    "BadCaseRow",
    "BrowserSessionRow",
    "ClusterRow",
    "CycleRow",
    "DatasetRow",
    "DatasetVersionRow",
    "DiagnosisRow",
    "EvaluationRow",
    "EventRow",
    "ExampleRow",
    "FileRow",
    "FindingOverrideRow",
    "FindingRow",
    "FineTuningJobRow",
    "IdempotencyRow",
    "ImportRow",
    "IntegrationDeliveryRow",
    "IntegrationRecordRow",
    "IntegrationRow",
    "LlmAnswerRow",
    "LlmCallRow",
    "MergeRow",
    "MixtureRow",
    "ProjectRow",
    "RepairActionRow",
    "RepairRow",
    "RepairRunRow",
    "RowQualityRow",
    "SignInLinkRow",
    "TrainingJobRow",
    "UploadPartRow",
    "UploadRow",
    "VectorRow",
    "VectorShardRow",
    "VerificationCaseRow",
    "VerificationRow",
    "VersionChangeRow",
    "VersionExampleRow",
    "WebhookDeliveryRow",
    "WebhookRow",
]
