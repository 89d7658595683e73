# Not executed where it was written: there was no container engine. Linted by eye only.
FROM python:3.13-slim AS build
RUN pip install --no-cache-dir "uv>=0.13,<0.14"
WORKDIR /portunus
COPY pyproject.toml README.md requirements.lock ./
RUN uv venv /opt/portunus && uv pip install --python /opt/portunus --require-hashes -r requirements.lock
COPY api api
COPY domain domain
COPY infrastructure infrastructure
COPY migrations migrations
RUN uv pip install --python /opt/portunus --no-deps .

FROM python:3.13-slim
RUN useradd --system --no-create-home portunus
COPY --from=build /opt/portunus /opt/portunus
ENV PATH=/opt/portunus/bin:$PATH PYTHONUNBUFFERED=1
USER portunus
EXPOSE 8080
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz')"]
CMD ["portunus", "serve", "--host", "0.0.0.0", "--port", "8080"]
