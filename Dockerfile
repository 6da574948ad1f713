# Two stages: the toolchain stays behind. SQLite, libpq and the schema are inside the program.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/tanpuhui --create-home tanpuhui
COPY --from=build /src/target/release/tanpuhui /usr/local/bin/tanpuhui
USER tanpuhui
WORKDIR /var/lib/tanpuhui
ENV TANPUHUI_HTTP_LISTEN=0.0.0.0:8080 \
    TANPUHUI_DATABASE_URL=sqlite:/var/lib/tanpuhui/tanpuhui.db \
    TANPUHUI_LOGGING_FORMAT=json
VOLUME /var/lib/tanpuhui
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD curl --fail --silent http://127.0.0.1:8080/readyz || exit 1
ENTRYPOINT ["tanpuhui"]
CMD ["serve"]
