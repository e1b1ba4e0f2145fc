# The image of every process in production: web, worker and beat differ only in their command (see compose.yaml and docs/operate.md).
FROM python:3.13-slim AS build
WORKDIR /srv/gatehouse
COPY .requirements/run.txt .requirements/run.txt
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes -r .requirements/run.txt
COPY manage.py pyproject.toml ./
COPY console console
COPY iam iam
COPY templates templates
COPY static static

FROM python:3.13-slim
RUN useradd --system --home-dir /srv/gatehouse gatehouse && install -d -o gatehouse /var/lib/gatehouse
COPY --from=build /srv/gatehouse /srv/gatehouse
WORKDIR /srv/gatehouse
ENV GATEHOUSE_MODE=production GATEHOUSE_VAR=/var/lib/gatehouse
USER gatehouse
EXPOSE 8000
CMD [".venv/bin/python", "-m", "console.server", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--respawn-failed-workers"]
