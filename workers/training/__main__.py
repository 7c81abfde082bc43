"""``python -m workers.training RUN_DIR``: the child process that trains one adapter."""

from __future__ import annotations

import errno
import json
import logging
import sys
import traceback
from pathlib import Path
from typing import Any

from app.domain.training_config import TrainingMethod, defaults_from
from workers.training.lifetime import RunInUse, StopRequest, die_with_parent, exclusive
from workers.training.run_folder import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_IN_USE,
    EXIT_STOPPED,
    RunFolder,
    read_json,
    write_json,
)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m workers.training RUN_DIR", file=sys.stderr)
        return EXIT_FAILED
    die_with_parent()
    folder = RunFolder(Path(arguments[0]).resolve())
    try:
        with exclusive(folder.lock):
            return _run(folder)
    except RunInUse as error:
        print(error, file=sys.stderr)
        return EXIT_IN_USE


def _run(folder: RunFolder) -> int:
    if folder.done.exists():
        return EXIT_DONE
    stop = StopRequest(folder.cancel)
    stop.listen()
    try:
        summary = train(folder, stop)
    except Exception as error:
        traceback.print_exc()
        code, message = explain(error)
        write_json(folder.failure, {"code": code, "message": message})
        return EXIT_FAILED
    if summary is None:
        return EXIT_STOPPED
    write_json(folder.done, summary)
    return EXIT_DONE


def train(folder: RunFolder, stop: StopRequest) -> dict[str, Any] | None:
    """Train, or go on training, what lies in ``folder``. The summary, or None where it was stopped."""
    import torch
    from transformers import PrinterCallback, set_seed

    from workers.models.base_models import LocalModel
    from workers.models.devices import describe, fast_dtype, has_fast_bf16, pick_device
    from workers.models.weights import load_tokenizer, load_weights, shares_prefix
    from workers.training.checkpoints import last_complete, step_of
    from workers.training.dataset import preference_pairs, tokenize
    from workers.training.lora import add_lora, save_adapter
    from workers.training.metrics_log import MetricsLog, cut_back
    from workers.training.trainer import (
        KeepAdapters,
        Run,
        StopOnRequest,
        answer_trainer,
        preference_trainer,
        steps_per_epoch,
        validate,
    )

    logging.basicConfig(level=logging.WARNING)
    settings = read_json(folder.config)
    init_adapter = settings.pop("init_adapter", None)
    config = defaults_from({}, settings)
    base = LocalModel.from_dict(read_json(folder.model))
    device = pick_device()
    bf16 = has_fast_bf16(device) if config.bf16 is None else config.bf16
    dtype = fast_dtype(device) if config.bf16 is None else (torch.bfloat16 if bf16 else torch.float32)

    set_seed(config.seed)
    tokenizer = load_tokenizer(base)
    rows = tokenize(folder.rows, tokenizer, max_length=config.max_length)
    measured = (
        tokenize(folder.validation, tokenizer, max_length=config.max_length)
        if folder.validation.exists()
        else []
    )
    if stop:
        return None
    # The frozen weights in bfloat16, so that no step casts them; the adapter, its gradients and the
    # optimizer in float32.
    weights = load_weights(base, dtype=dtype, device=device)
    weights.config.use_cache = False
    model = add_lora(weights, config, Path(init_adapter) if init_adapter else None)

    checkpoint = last_complete(folder.checkpoints)
    seconds_before = cut_back(folder.metrics, step_of(checkpoint) if checkpoint else -1)
    metrics = MetricsLog(folder.metrics, seconds_before=seconds_before)
    run = Run(
        model=model, tokenizer=tokenizer, config=config, device=device, bf16=bf16,
        checkpoints=folder.checkpoints, metrics=metrics, stop=stop,
    )  # fmt: skip
    match config.method:
        case TrainingMethod.SFT:
            used = rows
            trainer: Any = answer_trainer(run, used, share_prefix=shares_prefix(weights.config))
        case TrainingMethod.DPO:
            used = preference_pairs(rows)
            trainer = preference_trainer(run, used)
            if measured:
                measured = preference_pairs(
                    measured, " of the validation set", instead="add pairs to it, or leave it out"
                )
    trainer.remove_callback(PrinterCallback)  # the metrics log says it
    if measured:
        trainer.add_callback(validate(run, trainer, measured, trained_rows=len(used)))
    if config.keep_checkpoints:
        trainer.add_callback(
            KeepAdapters(
                lambda target: save_adapter(model, target, base, tokenizer),
                folder.kept,
                steps_per_epoch=steps_per_epoch(config, len(used)),
            )
        )
    stopping = StopOnRequest(stop)
    trainer.add_callback(stopping)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if stopping.stopped:
        return None
    save_adapter(model, folder.adapter, base, tokenizer)
    return {
        **_measured(folder, metrics.seconds, device),
        "steps": trainer.state.global_step,
        "epochs": round(float(trainer.state.epoch or 0.0), 4),
        "rows": len(used),
        "rows_skipped": len(rows) - len(used),
        "rows_truncated": sum(row.truncated for row in used),
        "device": describe(device),
        "dtype": "bfloat16" if bf16 else "float32",
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }


def _measured(folder: RunFolder, seconds: float, device: Any) -> dict[str, Any]:
    import resource

    import torch

    from workers.training.metrics_log import read_metrics

    lines = read_metrics(folder.metrics)
    tail = lines[-max(1, len(lines) // 10) :]
    speeds = [line["tokens_per_second"] for line in lines]
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device)
    else:  # kibibytes on Linux, bytes on macOS
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "final_loss": sum(line["loss"] for line in tail) / len(tail),
        "seconds": round(seconds, 3),
        "tokens_per_second": round(sum(speeds) / len(speeds), 1),
        "peak_memory_bytes": int(peak),
    }


def explain(error: Exception) -> tuple[str, str]:
    """A stable code, and a message for whoever asked for the training."""
    import torch

    from workers.models.base_models import BaseModelError
    from workers.training.dataset import TrainingDataError
    from workers.training.lora import LoraError
    from workers.training.metrics_log import TrainingDiverged

    text = str(error)
    if isinstance(error, BaseModelError):
        return error.code, text
    if isinstance(error, TrainingDataError):
        return "training_data", text
    if isinstance(error, TrainingDiverged):
        return "diverged", text
    if isinstance(error, LoraError):
        return "adapter", text
    memory = isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in text
    if memory:
        return "out_of_memory", "the training ran out of memory; lower batch_size, max_length or rank"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk_full", "the worker's disk is full; free some space and start the training again"
    if isinstance(error, json.JSONDecodeError):
        return "training_data", f"a file of the run is not valid JSON: {text}"
    return "internal", f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
