"""A fine-tuning job of OpenAI's client, followed through that client."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from app.cli import output
from app.cli.service import fail, start_one

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.fine_tuning import FineTuningJob

PREFIX = "ftjob-"
_FINAL = ("succeeded", "failed", "cancelled")
_POLL_SECONDS = 1.0


def watch(url: str, key: str, job_id: str, *, timeout: float | None, as_json: bool) -> None:
    """Its events on stderr as they come; the command ends as the job does."""
    from openai import APIConnectionError, OpenAI, OpenAIError

    try:
        with OpenAI(base_url=f"{url}/v1", api_key=key) as client:
            job = _followed(client, job_id, timeout)
    except APIConnectionError:
        fail(start_one(url))
    except OpenAIError as error:
        fail(f"{job_id}: {getattr(error, 'message', error)}")
    if job.status != "succeeded":
        fail(f"{job_id} {job.status}{f': {job.error.message}' if job.error and job.error.message else ''}")
    if as_json:
        output.print_json(job)
    else:
        typer.echo(f"{job.id}: {job.status}: {job.fine_tuned_model}")


def _followed(client: OpenAI, job_id: str, timeout: float | None) -> FineTuningJob:
    end = None if timeout is None else time.monotonic() + timeout
    told: set[str] = set()
    while True:
        # Asked before the events: those of its end are then told, too.
        job = client.fine_tuning.jobs.retrieve(job_id)
        new = []
        for event in client.fine_tuning.jobs.list_events(job_id):  # the newest first
            if event.id in told:
                break
            new.append(event)
        for event in reversed(new):
            told.add(event.id)
            typer.echo(event.message, err=True)
        if job.status in _FINAL:
            return job
        if end is not None and time.monotonic() + _POLL_SECONDS > end:
            fail(f"{job_id} is {job.status} after {timeout} s; it goes on")
        time.sleep(_POLL_SECONDS)
