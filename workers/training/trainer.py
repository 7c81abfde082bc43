"""One run, from tokens to an adapter: the trainers of TRL, fed with batches that waste nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import TrainerCallback
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from app.domain.training_config import TrainingConfig
from workers.training.checkpoints import KEPT, MarkComplete
from workers.training.collate import IGNORED, AnswerCollator
from workers.training.dataset import TokenizedRow
from workers.training.lifetime import StopRequest
from workers.training.metrics_log import MetricsLog
from workers.training.validation import Validate, batches

MICRO_BATCH_TOKENS = {"cpu": 8_192, "cuda": 32_768}
"""Most tokens, padding counted, in one forward pass; larger batches are accumulated to the same gradient."""

RECOMPUTE_ABOVE_PARAMETERS = 1_000_000_000
"""Activations of larger models are recomputed in the backward pass instead of kept."""

GROUP_ABOVE_TOKENS = 256
"""Rows longer than this on average are batched with rows of like length; padding would cost more than the
small bias of such batches. Shorter ones are drawn at random."""

MOST_LOG_LINES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What both methods need."""

    model: Any
    tokenizer: Any
    config: TrainingConfig
    device: torch.device
    bf16: bool
    checkpoints: Path
    metrics: MetricsLog
    stop: StopRequest


class StopOnRequest(TrainerCallback):
    """Ends the loop after the running step, with a checkpoint to go on from."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop
        self.stopped = False

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if self._stop and state.global_step < state.max_steps:
            self.stopped = True
            control.should_training_stop = True
            control.should_save = True
        return control


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    """Of one batch: the weighted negative log likelihood of its answers, summed, and their tokens, in all and those
    that the model would have said."""

    nll: torch.Tensor
    tokens: torch.Tensor
    right: torch.Tensor
    outputs: Any


class KeepAdapters(TrainerCallback):
    """Writes the adapter at the end of each epoch but the last, whose adapter is the result."""

    def __init__(self, save: Callable[[Path], None], kept: Path, *, steps_per_epoch: int) -> None:
        self._save = save
        self._kept = kept
        self._steps_per_epoch = steps_per_epoch

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        step = state.global_step
        if step % self._steps_per_epoch == 0 and step < state.max_steps:
            self._kept.mkdir(exist_ok=True)
            self._save(self._kept / f"step-{step}")
            control.should_log = True
        return control


class AnswerTrainer(SFTTrainer):
    """SFT with the loss on the answers, each row's multiplied by its weight, and the output layer (the
    largest matrix of a small model) run at the answers' positions only."""

    metrics_log: MetricsLog

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        answers = self._answers(model, inputs)
        items = answers.tokens if num_items_in_batch is None else num_items_in_batch
        loss = answers.nll / items
        self._metrics["train"]["mean_token_accuracy"].append((answers.right / answers.tokens).item())
        self.metrics_log.tokens += int(inputs["tokens"])
        return (loss, answers.outputs) if return_outputs else loss

    def _answers(self, model: Any, inputs: dict[str, Any]) -> _Answers:
        labels, weights, keep = inputs["shift_labels"], inputs["weights"], inputs["keep"]
        outputs = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            position_ids=inputs["position_ids"],
            logits_to_keep=keep,
            use_cache=False,
        )
        logits = outputs.logits.float()
        nll = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none"
        )
        answered = labels != IGNORED
        with torch.no_grad():
            right = ((logits.argmax(-1) == labels) & answered).sum()
        return _Answers(
            nll=(nll * weights.flatten()).sum(), tokens=answered.sum(), right=right, outputs=outputs
        )

    def measure(self, rows: Sequence[dict[str, Any]]) -> dict[str, float]:
        """``loss`` and ``mean_token_accuracy`` over all answer tokens of ``rows``, nothing learnt."""
        nll = right = tokens = 0.0
        model: Any = self.model
        model.eval()
        with torch.inference_mode():
            for batch in batches(rows, self.args.per_device_train_batch_size):
                inputs = self._prepare_inputs(self.data_collator(list(batch)))
                with self.compute_loss_context_manager():
                    answers = self._answers(model, inputs)
                nll, right = nll + answers.nll.item(), right + answers.right.item()
                tokens += answers.tokens.item()
        model.train()
        return {"loss": nll / max(1.0, tokens), "mean_token_accuracy": right / max(1.0, tokens)}

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: the card of the adapter is written by who knows the data it was made from."""


class PreferenceTrainer(DPOTrainer):
    """DPO on rows that are tokens already."""

    metrics_log: MetricsLog

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if model.training:
            self.metrics_log.tokens += int(inputs["attention_mask"].sum())
        return super().compute_loss(model, inputs, *args, **kwargs)

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return dataset

    def measure(self, rows: Sequence[dict[str, Any]]) -> dict[str, float]:
        """``loss``: the objective's mean over the pairs, nothing learnt."""
        return {"loss": float(self.evaluate(Dataset.from_list(list(rows)))["eval_loss"])}

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None, as above."""


def answer_trainer(run: Run, rows: Sequence[TokenizedRow], *, share_prefix: bool) -> AnswerTrainer:
    lengths = [row.length for row in rows]
    settings = _settings(run, rows=len(rows), longest=max(lengths))
    long = not share_prefix or sum(lengths) > GROUP_ABOVE_TOKENS * len(lengths)
    if long and run.config.shuffle:  # else the order is a curriculum's
        settings |= {"train_sampling_strategy": "group_by_length", "length_column_name": "length"}
    trainer = AnswerTrainer(
        model=run.model,
        args=SFTConfig(**settings, max_length=None, dataset_kwargs={"skip_prepare_dataset": True}),
        data_collator=AnswerCollator(  # pyright: ignore[reportArgumentType]
            pad_token_id=run.tokenizer.pad_token_id,
            hidden_size=run.model.config.get_text_config().hidden_size,
            share_prefix=share_prefix,
        ),
        train_dataset=Dataset.from_list([_answer_row(row) for row in rows]),
        processing_class=run.tokenizer,
        callbacks=[run.metrics, MarkComplete()],
    )
    trainer.metrics_log = run.metrics
    # The loss above divides by the items of the whole accumulated batch, as models that accept them do.
    trainer.model_accepts_loss_kwargs = True
    return trainer


def preference_trainer(run: Run, pairs: Sequence[TokenizedRow]) -> PreferenceTrainer:
    """DPO (Rafailov et al. 2023) plus the likelihood of the wanted answer (RPO, Pang et al. 2024): DPO alone
    is content when both answers become unlikely. Row weights do not apply."""
    longest = max(len(r.prompt) + max(len(r.answer), len(r.rejected)) for r in pairs)
    settings = _settings(run, rows=len(pairs), longest=2 * longest)
    trainer = PreferenceTrainer(
        model=run.model,
        args=DPOConfig(
            **settings,
            beta=run.config.dpo_beta,
            loss_type=["sigmoid", "sft"],
            loss_weights=[1.0, 1.0],
            max_length=None,
        ),
        train_dataset=Dataset.from_list([_pair(row) for row in pairs]),
        processing_class=run.tokenizer,
        callbacks=[run.metrics, MarkComplete()],
    )
    trainer.metrics_log = run.metrics
    return trainer


def _answer_row(row: TokenizedRow) -> dict[str, Any]:
    return {"prompt": row.prompt, "answer": row.answer, "weight": row.weight, "length": row.length}


def _pair(row: TokenizedRow) -> dict[str, Any]:
    return {"prompt_ids": row.prompt, "chosen_ids": row.answer, "rejected_ids": row.rejected}


def validate(
    run: Run, trainer: AnswerTrainer | PreferenceTrainer, rows: Sequence[TokenizedRow], *, trained_rows: int
) -> Validate:
    """Measures ``trainer`` on ``rows`` while it trains on ``trained_rows`` others."""
    shaped = [_answer_row(row) if isinstance(trainer, AnswerTrainer) else _pair(row) for row in rows]
    return Validate(
        lambda first: trainer.measure(shaped[:first]),
        run.metrics,
        steps_per_epoch=steps_per_epoch(run.config, trained_rows),
    )


def steps_per_epoch(config: TrainingConfig, rows: int) -> int:
    return math.ceil(rows / (config.batch_size * config.gradient_accumulation))


def _settings(run: Run, *, rows: int, longest: int) -> dict[str, Any]:
    config = run.config
    micro = _micro_batch(config.batch_size, longest, MICRO_BATCH_TOKENS[run.device.type])
    accumulation = config.gradient_accumulation * config.batch_size // micro
    total = config.max_steps or math.ceil(steps_per_epoch(config, rows) * config.epochs)
    parameters = sum(p.numel() for p in run.model.parameters())
    return {
        "output_dir": str(run.checkpoints),
        "per_device_train_batch_size": micro,
        "per_device_eval_batch_size": micro,
        "gradient_accumulation_steps": accumulation,
        "learning_rate": config.learning_rate,
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "num_train_epochs": config.epochs,
        "max_steps": config.max_steps or -1,
        # A run shorter than its warm-up would never reach its learning rate.
        "warmup_steps": min(config.warmup_steps, max(1, total // 5)) if config.warmup_steps else 0,
        "lr_scheduler_type": config.scheduler.value,
        "seed": config.seed,
        "train_sampling_strategy": "random" if config.shuffle else "sequential",
        "data_seed": config.seed,
        "bf16": run.bf16,
        "use_cpu": run.device.type == "cpu",
        "gradient_checkpointing": parameters > RECOMPUTE_ABOVE_PARAMETERS,
        "logging_steps": max(1, total // MOST_LOG_LINES),
        "logging_nan_inf_filter": False,
        "save_strategy": "steps" if config.checkpoint_every_steps else "no",
        "save_steps": config.checkpoint_every_steps or 500,
        "save_total_limit": KEPT,
        "remove_unused_columns": False,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": run.device.type == "cuda",
        "report_to": "none",
        "disable_tqdm": True,
        "push_to_hub": False,
    }


def _micro_batch(batch_size: int, longest: int, tokens: int) -> int:
    """The largest divisor of ``batch_size`` whose rows, all as long as the longest, stay under ``tokens``."""
    fitting = [n for n in range(1, batch_size + 1) if batch_size % n == 0 and n * longest <= tokens]
    return max(fitting, default=1)
