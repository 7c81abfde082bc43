"""A whole fine-tune through whichever official client this interpreter has. Needs nothing else of the project.

Prints the versions and what was seen, as JSON; ends with an error where an answer is not what the client's types say.
"""

from __future__ import annotations

import io
import json
import time
from typing import Any

import openai
from openai import OpenAI
from openai_shapes import walked


def rows(count: int) -> bytes:
    made = [
        {
            "messages": [
                {"role": "user", "content": f"What is kept in drawer {i}?"},
                {"role": "assistant", "content": f"Drawer {i} keeps spoons."},
            ]
        }
        for i in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in [*made, made[-1]]).encode()


def main() -> None:
    client = OpenAI()
    base = "smollm2-135m-instruct"
    walked(client.models.list().data)
    walked(client.models.retrieve(base))
    file = walked(client.files.create(file=("train.jsonl", rows(12)), purpose="fine-tune"))
    content = rows(3)
    upload = walked(
        client.uploads.create(
            bytes=len(content), filename="valid.jsonl", mime_type="text/jsonl", purpose="fine-tune"
        )
    )
    parts = [
        walked(client.uploads.parts.create(upload.id, data=io.BytesIO(part))).id
        for part in (content[:50], content[50:])
    ]
    valid = walked(client.uploads.complete(upload.id, part_ids=parts)).file
    walked(client.files.retrieve(valid.id))
    walked(client.files.list().data)
    job = walked(
        client.fine_tuning.jobs.create(
            model=base,
            training_file=file.id,
            validation_file=valid.id,
            suffix="whole",
            metadata={"by": "client"},
            method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}},
        )
    )
    statuses = [job.status]
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(0.5)
        walked(client.fine_tuning.jobs.list_events(job.id, limit=5).data)
        job = walked(client.fine_tuning.jobs.retrieve(job.id))
        statuses += [job.status] if job.status != statuses[-1] else []
    assert job.status == "succeeded", job.error
    events = walked(list(client.fine_tuning.jobs.list_events(job.id, limit=3)))
    walked(client.fine_tuning.jobs.list(metadata={"by": "client"}).data)
    (checkpoint, *_) = walked(client.fine_tuning.jobs.checkpoints.list(job.id).data)
    asked: Any = {"messages": [{"role": "user", "content": "What is kept in drawer 3?"}], "max_tokens": 8}
    whole = client.chat.completions.create(model=job.fine_tuned_model, **asked)
    pieces = client.chat.completions.create(
        model=checkpoint.fine_tuned_model_checkpoint, stream=True, **asked
    )
    streamed = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    results = client.files.content(job.result_files[0]).text
    walked(client.files.delete(file.id))
    walked(client.models.delete(job.fine_tuned_model))
    print(
        json.dumps(
            {
                "version": openai.__version__,
                "statuses": statuses,
                "types": sorted({event.type for event in events}),
                "topics": sorted({(e.data or {}).get("topic", "") for e in events} - {""}),
                "whole": whole.choices[0].message.content,
                "streamed": streamed,
                "results": results.splitlines()[0],
            }
        )
    )


if __name__ == "__main__":
    main()
