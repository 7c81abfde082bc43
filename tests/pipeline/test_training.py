"""Training as the stages use it: a folder goes in, an adapter comes out, whatever happens in between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.tiny_model import make_tiny_model
from workers.models.base_models import BaseModelError, BaseModelNotFound, LocalModel, UnsafeBaseModel, resolve
from workers.models.generator import GenerationCancelled, Generator, groups_to_read
from workers.training.launch import (
    TrainingCancelled,
    TrainingFailed,
    TrainingInterrupted,
    TrainingOutcome,
    run_training,
)
from workers.training.run_folder import EXIT_STOPPED, RunFolder, kept_steps, read_json

ANSWERS = {"freeze my card": "cards", "where is my parcel": "post", "i forgot my login": "help"}
LEARN = {"learning_rate": 1e-2, "epochs": 60, "warmup_steps": 2, "batch_size": 4}


def row(prompt: str, answer: str, **more: Any) -> dict[str, Any]:
    return {
        "prompt": [{"role": "user", "content": prompt}],
        "completion": [{"role": "assistant", "content": answer}],
        **more,
    }


ROWS = [row(prompt, answer) for prompt, answer in ANSWERS.items()]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = make_tiny_model(tmp_path_factory.mktemp("tiny"))
    return resolve(str(folder), tmp_path_factory.mktemp("cache"))


def prepare(folder: Path, model: LocalModel, rows: Sequence[dict[str, Any]], **settings: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"base_model": str(model.path), **settings}))
    (folder / "model.json").write_text(json.dumps(model.as_dict()))
    (folder / "train.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return folder


def train(folder: Path) -> tuple[TrainingOutcome, list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []
    outcome = run_training(
        folder, on_metrics=lines.extend, should_cancel=lambda: False, poll_seconds=0.1, threads=1
    )
    return outcome, lines


def train_here(folder: Path) -> dict[str, Any]:
    """Train in this process: what :func:`train` does, without the seconds that a new interpreter needs."""
    from workers.training.__main__ import train as train_in_process
    from workers.training.lifetime import StopRequest

    run = RunFolder(folder)
    summary = train_in_process(run, StopRequest(run.cancel))
    assert summary is not None
    return summary


def ask(model: LocalModel, adapter: Path | None, prompts: Sequence[str]) -> list[str]:
    generator = Generator.load(model, adapter, device="cpu")
    return generator.generate([[{"role": "user", "content": p}] for p in prompts], max_new_tokens=8)


def test_a_training_learns_its_rows_and_reports_every_step(model: LocalModel, tmp_path: Path) -> None:
    run = prepare(tmp_path / "run", model, ROWS, **LEARN)

    outcome, lines = train(run)

    assert [line["step"] for line in lines] == list(range(1, 61))
    assert lines[-1]["total_steps"] == 60
    assert lines[-1]["loss"] < 0.1 < lines[0]["loss"]
    assert outcome.steps == 60
    assert outcome.final_loss < 0.1
    assert (outcome.rows, outcome.rows_truncated, outcome.rows_skipped) == (3, 0, 0)
    assert outcome.peak_memory_bytes > 0
    assert sorted(p.name for p in outcome.adapter_path.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "chat_template.jinja",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert str(model.path) not in (outcome.adapter_path / "adapter_config.json").read_text()
    assert ask(model, outcome.adapter_path, list(ANSWERS)) == list(ANSWERS.values())
    assert ask(model, None, list(ANSWERS)) != list(ANSWERS.values())


def test_a_finished_run_is_not_started_again(model: LocalModel, tmp_path: Path) -> None:
    run = prepare(tmp_path / "run", model, ROWS, max_steps=2)
    train_here_and_finish(run)
    (run / "model.json").unlink()  # a second start would miss it

    outcome, lines = train(run)

    assert outcome.steps == 2
    assert [line["step"] for line in lines] == [1, 2]


def train_here_and_finish(folder: Path) -> None:
    from workers.training.run_folder import write_json

    write_json(RunFolder(folder).done, train_here(folder))


def test_a_killed_training_goes_on_from_its_last_whole_checkpoint(model: LocalModel, tmp_path: Path) -> None:
    settings = {**LEARN, "epochs": 40, "checkpoint_every_steps": 10}
    whole = prepare(tmp_path / "whole", model, ROWS, **settings)
    run = prepare(tmp_path / "run", model, ROWS, **settings)
    child = start(run)
    wait_for(run / "checkpoints" / "checkpoint-10" / "complete", child)
    child.kill()
    child.wait()
    # What a process that dies while it writes leaves behind:
    (run / "checkpoints" / "checkpoint-39").mkdir()
    with (run / "metrics.jsonl").open("a") as log:
        log.write('{"step": 39, "lo')

    outcome, lines = train(run)
    train_here(whole)

    assert outcome.steps == 40
    assert [line["step"] for line in lines] == list(range(1, 41))
    resumed = (run / "adapter" / "adapter_model.safetensors").read_bytes()
    assert resumed == (whole / "adapter" / "adapter_model.safetensors").read_bytes()


def test_a_cancelled_training_stops_and_can_go_on(model: LocalModel, tmp_path: Path) -> None:
    run = prepare(tmp_path / "run", model, ROWS, **{**LEARN, "epochs": 400})
    seen: list[dict[str, Any]] = []

    with pytest.raises(TrainingCancelled):
        run_training(
            run, on_metrics=seen.extend, should_cancel=lambda: bool(seen), poll_seconds=0.05, threads=1
        )

    assert not (run / "done.json").exists()
    assert not (run / "adapter").exists()
    stopped_at = seen[-1]["step"]
    config = read_json(run / "config.json")
    (run / "config.json").write_text(json.dumps({**config, "max_steps": stopped_at + 40}))
    outcome, _ = train(run)
    assert outcome.steps == stopped_at + 40


def test_a_second_training_in_the_same_folder_is_refused(model: LocalModel, tmp_path: Path) -> None:
    from workers.training import lifetime

    run = prepare(tmp_path / "run", model, ROWS, max_steps=1)
    with (
        lifetime.exclusive(run / "lock"),
        pytest.raises(lifetime.RunInUse),
        lifetime.exclusive(run / "lock", timeout_seconds=0.1),
    ):
        pass
    assert not (run / "failure.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_training_dies_with_the_process_that_started_it(model: LocalModel, tmp_path: Path) -> None:
    run = prepare(tmp_path / "run", model, ROWS, **{**LEARN, "epochs": 1000, "batch_size": 1})
    program = (
        "import pathlib, sys\n"
        "from workers.training.launch import run_training\n"
        "run_training(pathlib.Path(sys.argv[1]), on_metrics=lambda lines: None,"
        " should_cancel=lambda: False, threads=1)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(run)], cwd=Path(__file__).parents[2])
    wait_for(run / "metrics.jsonl", parent)

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    time.sleep(2.0)
    size = (run / "metrics.jsonl").stat().st_size
    time.sleep(1.0)
    assert (run / "metrics.jsonl").stat().st_size == size


@pytest.mark.parametrize(
    ("rows", "settings", "code", "words"),
    [
        ([], {}, "training_data", "holds no row"),
        (ROWS, {"method": "dpo"}, "training_data", "no row has a rejected answer"),
        ([row("a", "b", weight=-1)], {}, "training_data", "row 1: weight is -1"),
        (ROWS, {"target_modules": ["no_such_layer"]}, "adapter", "no_such_layer"),
        ([row("a", "b", weight=3e38)], {}, "diverged", "lower learning_rate"),
    ],
)
def test_a_training_that_cannot_succeed_says_why(
    model: LocalModel,
    tmp_path: Path,
    rows: list[dict[str, Any]],
    settings: dict[str, Any],
    code: str,
    words: str,
) -> None:
    from workers.training.__main__ import explain

    run = prepare(tmp_path / "run", model, rows, **settings)

    with pytest.raises(Exception) as raised:  # noqa: PT011 - which one it is, is what explain() says
        train_here(run)

    assert isinstance(raised.value, Exception)
    assert explain(raised.value)[0] == code
    assert words in explain(raised.value)[1]


def test_the_reason_of_a_failure_reaches_the_caller(model: LocalModel, tmp_path: Path) -> None:
    gone = LocalModel(path=tmp_path / "gone", name="gone", revision="none")
    run = prepare(tmp_path / "run", gone, ROWS)

    with pytest.raises(TrainingFailed) as raised:
        train(run)

    assert raised.value.code == read_json(run / "failure.json")["code"]
    assert "gone" in str(raised.value)


def test_a_training_killed_by_the_system_is_told_from_one_that_failed(tmp_path: Path) -> None:
    from workers.training.launch import _raise_unless_done

    with pytest.raises(TrainingFailed, match="too much memory") as raised:
        _raise_unless_done(RunFolder(tmp_path), -signal.SIGKILL)
    assert raised.value.code == "killed"
    with pytest.raises(TrainingInterrupted):
        _raise_unless_done(RunFolder(tmp_path), EXIT_STOPPED)
    (tmp_path / "cancel").touch()
    with pytest.raises(TrainingCancelled):
        _raise_unless_done(RunFolder(tmp_path), EXIT_STOPPED)


def test_the_child_sees_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.training.launch import _environment

    for name in ("DATABASE_URL", "CASEMEND_LLM_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hidden")

    environment = _environment(threads=2)

    assert "hidden" not in environment.values()
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["HF_HUB_OFFLINE"] == "1"


def test_the_same_seed_gives_the_same_adapter_and_another_seed_another(
    model: LocalModel, tmp_path: Path
) -> None:
    def weights(name: str, seed: int) -> bytes:
        run = prepare(tmp_path / name, model, ROWS, max_steps=3, seed=seed)
        train_here(run)
        return (run / "adapter" / "adapter_model.safetensors").read_bytes()

    first = weights("first", 1)
    assert first == weights("again", 1)
    assert first != weights("other", 2)


def test_a_row_of_weight_nothing_is_not_learnt(model: LocalModel, tmp_path: Path) -> None:
    rows = [row("freeze my card", "cards"), row("freeze my card", "wrong", weight=0.0)]
    run = prepare(tmp_path / "run", model, rows, **LEARN)
    train_here(run)
    assert ask(model, run / "adapter", ["freeze my card"]) == ["cards"]


def test_preference_training_turns_the_answer_from_the_rejected_to_the_wanted_one(
    model: LocalModel, tmp_path: Path
) -> None:
    wrong = prepare(tmp_path / "wrong", model, [row("freeze my card", "post")], **LEARN)
    train_here(wrong)
    assert ask(model, wrong / "adapter", ["freeze my card"]) == ["post"]

    rejected = [{"role": "assistant", "content": "post"}]
    rows = [row("freeze my card", "cards", rejected=rejected), row("where is my parcel", "post")]
    right = prepare(
        tmp_path / "right", model, rows, **{**LEARN, "method": "dpo"}, init_adapter=str(wrong / "adapter")
    )
    summary = train_here(right)

    assert (summary["rows"], summary["rows_skipped"]) == (1, 1)
    assert ask(model, right / "adapter", ["freeze my card"]) == ["cards"]


def test_the_loss_on_a_validation_set_is_that_of_its_rows_and_changes_nothing(
    model: LocalModel, tmp_path: Path
) -> None:
    settings = {**LEARN, "epochs": 20, "batch_size": 2, "shuffle": False}
    plain = prepare(tmp_path / "plain", model, ROWS, **settings)
    run = prepare(tmp_path / "run", model, ROWS, **settings)
    shutil.copy(run / "train.jsonl", run / "valid.jsonl")
    train_here(plain)
    train_here(run)

    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "full_valid_loss" in line] == list(range(2, 41, 2))
    assert all("valid_loss" in line for line in lines)  # few steps an epoch: the sample at each
    assert lines[-1]["full_valid_loss"] < 0.2 < lines[0]["valid_loss"]
    assert lines[-1]["full_valid_mean_token_accuracy"] == 1.0
    of_plain = [json.loads(line)["loss"] for line in (plain / "metrics.jsonl").read_text().splitlines()]
    assert [line["loss"] for line in lines] == of_plain
    learnt = "adapter/adapter_model.safetensors"
    assert (run / learnt).read_bytes() == (plain / learnt).read_bytes()


def test_the_loss_of_a_step_is_what_the_validation_measures(model: LocalModel, tmp_path: Path) -> None:
    """One batch of all rows at a learning rate that changes nothing: both figures are the same mean."""
    run = prepare(
        tmp_path / "run", model, ROWS, learning_rate=1e-8, max_steps=2, batch_size=3, warmup_steps=0
    )
    shutil.copy(run / "train.jsonl", run / "valid.jsonl")
    train_here(run)
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["full_valid_loss"] == pytest.approx(last["loss"], rel=1e-3)
    assert last["full_valid_mean_token_accuracy"] == pytest.approx(last["token_accuracy"])


def test_a_preference_training_measures_its_objective_on_the_pairs_of_the_validation_set(
    model: LocalModel, tmp_path: Path
) -> None:
    rejected = [{"role": "assistant", "content": "post"}]
    pairs = [row("freeze my card", "cards", rejected=rejected), row("where is my parcel", "post")]
    run = prepare(tmp_path / "run", model, pairs, **{**LEARN, "epochs": 20, "method": "dpo"})
    shutil.copy(run / "train.jsonl", run / "valid.jsonl")
    train_here(run)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["full_valid_loss"] < lines[0]["full_valid_loss"]
    assert lines[-1]["full_valid_loss"] <= lines[-1]["loss"] * 1.05


def test_the_adapter_at_the_end_of_each_epoch_is_kept_where_it_is_asked_for(
    model: LocalModel, tmp_path: Path
) -> None:
    run = prepare(
        tmp_path / "run", model, ROWS, **{**LEARN, "epochs": 3, "batch_size": 2}, keep_checkpoints=2
    )
    train_here(run)
    kept = kept_steps(run / "kept")
    assert [step for step, _ in kept] == [2, 4]  # the third epoch's is the result
    weights = {
        (f / "adapter_model.safetensors").read_bytes() for f in (*(f for _, f in kept), run / "adapter")
    }
    assert len(weights) == 3
    assert ask(model, kept[0][1], ["freeze my card"])


def test_a_curriculum_is_trained_in_its_order_also_where_rows_are_long(
    model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.models.weights import load_tokenizer
    from workers.training.trainer import AnswerTrainer

    seen: list[list[int]] = []
    whole = AnswerTrainer.compute_loss

    def looked_at(self: Any, net: Any, inputs: dict[str, Any], *args: Any, **more: Any) -> Any:
        seen.append(inputs["shift_labels"].flatten().tolist())
        return whole(self, net, inputs, *args, **more)

    monkeypatch.setattr(AnswerTrainer, "compute_loss", looked_at)
    answers = "dacbfe"
    rows = [row("x" * (700 - 100 * i), answer) for i, answer in enumerate(answers)]
    settings = {"batch_size": 1, "epochs": 1, "learning_rate": 1e-4}
    train_here(prepare(tmp_path / "run", model, rows, **settings, shuffle=False))
    tokenizer = load_tokenizer(model)
    said = [tokenizer.decode(labels, skip_special_tokens=True).strip() for labels in seen]
    assert "".join(said) == answers


def test_a_training_goes_on_from_an_earlier_adapter(model: LocalModel, tmp_path: Path) -> None:
    first = prepare(tmp_path / "first", model, ROWS, **LEARN)
    train_here(first)
    second = prepare(tmp_path / "second", model, ROWS, max_steps=1, init_adapter=str(first / "adapter"))
    assert train_here(second)["final_loss"] < 0.2


def test_rows_too_long_are_cut_at_the_start_of_the_prompt_and_counted(
    model: LocalModel, tmp_path: Path
) -> None:
    rows = [*ROWS, row("x" * 500 + " freeze my card", "cards")]
    run = prepare(tmp_path / "run", model, rows, max_steps=1, max_length=128)
    summary = train_here(run)
    assert (summary["rows"], summary["rows_truncated"]) == (4, 1)


def test_sharing_a_prefix_changes_neither_loss_nor_gradients(model: LocalModel) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from workers.models.chat import prompt_and_answer_ids
    from workers.training.collate import IGNORED, AnswerCollator

    tokenizer = AutoTokenizer.from_pretrained(model.path)
    rows = []
    for weight, (prompt, answer) in enumerate(ANSWERS.items(), start=1):
        ids, answered = prompt_and_answer_ids(
            tokenizer,
            [{"role": "user", "content": f"Name the desk that this message should go to.\n{prompt}"}],
            [{"role": "assistant", "content": answer}],
        )
        rows.append({"prompt": ids, "answer": answered, "weight": float(weight)})

    def loss_and_gradient(share_prefix: bool) -> tuple[float, torch.Tensor, int]:
        net = AutoModelForCausalLM.from_pretrained(
            model.path, dtype=torch.float64, attn_implementation="sdpa"
        )
        batch = AnswerCollator(
            pad_token_id=tokenizer.pad_token_id, hidden_size=64, share_prefix=share_prefix
        )(rows)
        logits = net(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            position_ids=batch["position_ids"],
            logits_to_keep=batch["keep"],
        ).logits
        nll = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), batch["shift_labels"].flatten(), ignore_index=IGNORED, reduction="none"
        )
        loss = (nll * batch["weights"].flatten()).sum()
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None])
        return loss.item(), gradient, batch["input_ids"].numel()

    shared_loss, shared_gradient, shared_tokens = loss_and_gradient(True)
    padded_loss, padded_gradient, padded_tokens = loss_and_gradient(False)
    assert shared_tokens < padded_tokens / 1.5
    # In float64, so that no machine's order of summing decides; the norms and the positions stay in float32.
    assert shared_loss == pytest.approx(padded_loss, rel=1e-5)
    assert (shared_gradient - padded_gradient).norm() < 1e-5 * padded_gradient.norm()


def test_a_model_with_a_sliding_window_is_trained_and_asked_without_sharing_prefixes(
    model: LocalModel, tmp_path: Path
) -> None:
    from transformers import AutoConfig

    from workers.models.weights import shares_prefix

    folder = tmp_path / "windowed"
    shutil.copytree(model.path, folder)
    config = read_json(folder / "config.json")
    windowed = {"model_type": "mistral", "architectures": ["MistralForCausalLM"], "sliding_window": 512}
    (folder / "config.json").write_text(json.dumps({**config, **windowed}))
    other = resolve(str(folder), tmp_path)
    run = prepare(tmp_path / "run", other, ROWS, **LEARN)

    train_here(run)

    assert not shares_prefix(AutoConfig.from_pretrained(folder))
    assert shares_prefix(AutoConfig.from_pretrained(model.path))
    assert ask(other, run / "adapter", list(ANSWERS)) == list(ANSWERS.values())


def test_an_adapter_that_is_not_safetensors_is_refused(model: LocalModel, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.bin").write_bytes(b"pickle")
    with pytest.raises(BaseModelError, match=r"no adapter_model\.safetensors"):
        Generator.load(model, tmp_path, device="cpu")


def test_answers_do_not_depend_on_the_batch(model: LocalModel, tmp_path: Path) -> None:
    import torch

    run = prepare(tmp_path / "run", model, ROWS, **{**LEARN, "epochs": 20})
    train_here(run)
    loaded = Generator.load(model, run / "adapter", device="cpu")
    # so precise that no two tokens are as likely
    generator = Generator(loaded.model.to(torch.float64), loaded.tokenizer, loaded.device)
    asked: list[Any] = [[{"role": "user", "content": p}] for p in (*ANSWERS, "hello", "a" * 200, *ANSWERS)]
    asked += ["a raw prompt", ""]
    # enough of one task to be read apart, in two groups
    asked += [[{"role": "user", "content": f"Say it again:\n{'b' * n}"}] for n in range(1, 40, 2)]
    shares: list[float] = []

    together = generator.generate(asked, max_new_tokens=12, batch_size=64, progress=shares.append)
    one_by_one = [generator.generate([a], max_new_tokens=12)[0] for a in asked]

    assert together == one_by_one
    assert together[:3] == together[5:8]
    assert shares[-1] == 1.0
    reference = reference_answers(generator, asked)
    # PostgreSQL keeps no NUL, which a model that has learnt little may say
    assert together == [text.replace("\x00", "\ufffd") for text in reference]


def test_prompts_are_read_with_those_of_their_task_and_length() -> None:
    system, route, answer = [1] * 5, [2] * 3, [3] * 3
    routes = [(*system, *route, *range(10, 10 + n)) for n in (1, 9, 2, 8)]
    answers = [(*system, *answer, *range(10, 10 + n)) for n in (5, 1, 3, 3)]
    raw = [(7, 8), (9,)]
    assert groups_to_read([*routes, *answers, *raw], 2) == [[0, 2], [3, 1], [5, 6], [7, 4], [9, 8]]
    assert groups_to_read([(1, 2, 3)], 2) == [[0]]
    assert groups_to_read(routes, 100) == [[0, 2, 3, 1]]


def reference_answers(generator: Generator, asked: Sequence[Any]) -> list[str]:
    """One prompt at a time through ``transformers``' own greedy generation."""
    answers = []
    for conversation in asked:
        ids = generator._prompt(conversation)
        import torch

        tokens = torch.tensor([ids])
        output = generator.model.generate(
            input_ids=tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=12,
            do_sample=False,
            pad_token_id=generator.tokenizer.pad_token_id,
        )
        answers.append(generator.tokenizer.decode(output[0, len(ids) :], skip_special_tokens=True).strip())
    return answers


def test_generation_stops_when_asked_to(model: LocalModel) -> None:
    generator = Generator.load(model, None, device="cpu")
    with pytest.raises(GenerationCancelled):
        generator.generate(["hello"], max_new_tokens=8, should_cancel=lambda: True)
    assert generator.generate([], max_new_tokens=8) == []


def test_a_base_model_that_does_not_exist_or_is_unsafe_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaseModelNotFound, match="no base model named 'nowhere'"):
        resolve("nowhere", tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BaseModelNotFound, match=r"no config\.json"):
        resolve(str(empty), tmp_path)
    (empty / "config.json").write_text("{}")
    (empty / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(UnsafeBaseModel, match="convert them to safetensors"):
        resolve(str(empty), tmp_path)


def start(run: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "workers.training", str(run)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(path: Path, process: subprocess.Popen[bytes], timeout_seconds: float = 600.0) -> None:
    end = time.monotonic() + timeout_seconds
    while not path.exists():
        assert process.poll() is None, "the process ended before its time"
        assert time.monotonic() < end, f"{path.name} did not appear"
        time.sleep(0.02)
