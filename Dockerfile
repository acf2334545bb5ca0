# The server in an image: built from the locked packages, run by a user who owns nothing but its data.
# Where it was written there was no engine to build it with: tests/project/test_containers.py reads it only.

FROM python:3.13-slim-bookworm AS build

WORKDIR /source
RUN python -m venv /opt/oidc-server
COPY requirements.lock ./
RUN /opt/oidc-server/bin/pip install --no-cache-dir --require-hashes --no-deps --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY oidc_server ./oidc_server
COPY templates ./templates
COPY static ./static
COPY migrations ./migrations
RUN /opt/oidc-server/bin/pip install --no-cache-dir --no-deps --no-build-isolation .


FROM python:3.13-slim-bookworm

RUN useradd --system --uid 10001 --home-dir /var/lib/oidc-server --create-home oidc \
 && install --directory --owner=oidc --mode=700 /var/lib/oidc-server/data
COPY --from=build /opt/oidc-server /opt/oidc-server

ENV PATH=/opt/oidc-server/bin:$PATH \
    PYTHONUNBUFFERED=1
WORKDIR /var/lib/oidc-server
VOLUME /var/lib/oidc-server/data
USER 10001
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]

ENTRYPOINT ["oidc-server"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
