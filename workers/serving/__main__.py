"""``python -m workers.serving``: answers behind this machine's socket; with ``--host`` and ``--port`` for others."""

from __future__ import annotations

import argparse
import os

# Waiting threads sleep: spinning ones take the processor from the API and the workers.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import uvicorn

from app import logging
from app.settings import get_settings
from workers.serving.server import create_server

parser = argparse.ArgumentParser(prog="casemend serve", description="Answer chat requests for the API.")
parser.add_argument("--host", help="address to listen on; without it: the socket in the data folder")
parser.add_argument("--port", type=int, default=8001)
arguments = parser.parse_args()
settings = get_settings()
logging.configure(settings)
if not arguments.host:
    settings.serve_socket.parent.mkdir(parents=True, exist_ok=True)
    settings.serve_socket.unlink(missing_ok=True)
uvicorn.run(
    create_server(settings),
    host=arguments.host or "",
    port=arguments.port,
    uds=None if arguments.host else str(settings.serve_socket),
    log_config=None,
    access_log=False,
    timeout_graceful_shutdown=2,
)
