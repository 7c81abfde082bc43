"""Every setting of the service, read once from the environment (prefix ``CASEMEND_``)."""

from __future__ import annotations

import hashlib
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CASEMEND_", env_file=None, extra="ignore")

    database_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL to use; unset: an embedded server inside the data folder.",
    )
    data_dir: Path = Field(
        default=Path(".casemend"), description="Folder of the embedded database and files."
    )
    artifacts_url: str | None = Field(
        default=None, description="Any fsspec URL for artifacts; unset: a folder inside the data folder."
    )
    host: str = "127.0.0.1"
    port: int = 8000
    bootstrap_key: SecretStr | None = Field(
        default=None, description="Admin key of the project 'default', made at the first start."
    )

    upload_limit_bytes: int = Field(default=2 * 1024**3, description="Largest dataset upload, unpacked.")
    body_limit_bytes: int = Field(default=64 * 1024**2, description="Largest other request body, unpacked.")
    line_limit_bytes: int = Field(default=8 * 1024**2, description="Largest single row of an upload.")

    apply_rows_in_request: int = Field(
        default=20_000,
        description="A repair of a version with more rows is applied by a worker, not in the request.",
    )

    artifact_retention_days: float | None = Field(
        default=None,
        ge=0,
        description="Days after which files of deleted adapters and of merged models leave the artifact store; "
        "unset: they stay.",
    )

    embedder: str = "use-multilingual-v3"
    base_model_cache: Path | None = Field(default=None, description="Folder of converted base models.")
    bf16: Literal["auto", "off"] = Field(
        default="auto",
        description="auto: training, generation and embedders use bfloat16 where the hardware has it; off: float32.",
    )
    training_threads: int | None = Field(default=None, description="CPU threads of a training; unset: all.")
    pii_salt: SecretStr | None = Field(
        default=None,
        description="Secret from which stand-ins for personal data are derived; unset: made once and kept in the "
        "data folder. Workers on several machines need the same one.",
    )
    serve_url: str | None = Field(
        default=None,
        description="Server that answers chat requests: a vLLM, or `casemend serve` on another machine; unset: "
        "the one that `casemend up` starts, behind a socket in the data folder.",
    )
    serve_adapters_dir: Path | None = Field(
        default=None,
        description="For a vLLM: folder where API and vLLM both see the adapters, under one path.",
    )
    serve_max_rows: int = Field(default=16, ge=1, description="Chat requests answered together.")
    serve_max_waiting: int = Field(default=64, ge=1, description="Chat requests that may wait; then 429.")
    serve_kept_adapters: int = Field(
        default=8, ge=1, description="Adapters kept in memory beside their base model."
    )
    serve_idle_seconds: float = Field(
        default=600.0, description="A model nobody asks for so long is unloaded."
    )
    llm_base_url: str | None = Field(default=None, description="OpenAI-compatible endpoint; unset: none.")
    llm_api_key: SecretStr | None = None
    llm_model: str | None = None
    llm_spend_cap_tokens: int = Field(
        default=2_000_000,
        description="Tokens that one diagnosis, repair or augmentation may spend, restarts included.",
    )
    llm_price_prompt: float = Field(default=0.0, ge=0, description="Price of a million prompt tokens.")
    llm_price_answer: float = Field(default=0.0, ge=0, description="Price of a million answer tokens.")
    llm_spend_cap_cost: float | None = Field(
        default=None,
        ge=0,
        description="What one of these may cost, in the currency of the prices; unset: no limit.",
    )
    llm_daily_cap_tokens: int | None = Field(
        default=None, ge=0, description="Tokens that a project may spend in a day (UTC); unset: no limit."
    )
    llm_daily_cap_cost: float | None = Field(
        default=None, ge=0, description="What a project's questions may cost in a day (UTC); unset: no limit."
    )

    webhooks_allow_private: bool = Field(
        default=False, description="Webhooks may lead to private addresses, and be http:// ones."
    )

    integrations_allow_private: bool = Field(
        default=False,
        description="Tools that are called (pull, push) may be at private addresses and http:// ones.",
    )
    integration_body_limit_bytes: int = Field(
        default=10 * 1024**2, description="Largest body of another tool's webhook, unpacked."
    )

    heartbeat_seconds: float = Field(default=5.0, description="How often a worker says it is alive.")
    stalled_seconds: float = Field(default=30.0, description="A worker silent for this long is dead.")
    stage_attempts: int = Field(default=5, description="Tries of a stage before it is given up.")
    retry_wait_seconds: int = Field(default=2, description="Wait before the second try; doubles each time.")

    log_level: str = "INFO"
    log_json: bool = False

    @property
    def artifact_store_url(self) -> str:
        return self.artifacts_url or str((self.data_dir / "artifacts").resolve())

    @property
    def model_cache_dir(self) -> Path:
        return (self.base_model_cache or self.data_dir / "models").resolve()

    @property
    def adapters_dir(self) -> Path:
        """Adapters fetched from the store, a folder each, named by their content."""
        return (self.data_dir / "adapters").resolve()

    @property
    def serve_socket(self) -> Path:
        """Where the server of this machine listens. A socket's path may have some hundred characters."""
        path = (self.data_dir / "serve.sock").resolve()
        if len(str(path).encode()) <= 100:
            return path
        name = hashlib.sha256(str(path).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"casemend-{name}.sock"

    @property
    def runs_dir(self) -> Path:
        """Scratch folders of running trainings; kept until the stage has saved its result."""
        return (self.data_dir / "runs").resolve()


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    return Settings()
