"""A question to a model."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.service import Key, Url, address, fail, start_one


def register(cli: typer.Typer) -> None:
    cli.command()(ask)


def ask(
    question: Annotated[str, typer.Argument(help="A user's message.")],
    model: Annotated[str, typer.Option(help="An adapter, an alias or a base model.")] = "current",
    url: Url = None,
    key: Key = None,
) -> None:
    """Ask a model one question and print its answer as it comes."""
    from openai import APIConnectionError, OpenAI, OpenAIError

    where, secret = address(url, key)
    try:
        with OpenAI(base_url=f"{where}/v1", api_key=secret) as client:
            answer = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": question}], stream=True
            )
            for chunk in answer:
                typer.echo(chunk.choices[0].delta.content or "" if chunk.choices else "", nl=False)
    except APIConnectionError:
        fail(start_one(where))
    except OpenAIError as error:
        fail(f"{model} did not answer: {getattr(error, 'message', error)}")
    typer.echo()
