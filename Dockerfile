# The service alone; its PostgreSQL is another container (docker-compose.yml).

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock build.rs ./
COPY migrations migrations
COPY docs/dialects.md docs/dialects.md
COPY docs/v1.md docs/v1.md
COPY src src
# Dependencies stay built in the cache from one image to the next. Passbook itself is always built anew: cargo tells a changed
# file by its time, and a copied file can be older than the cache although it has changed.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,sharing=locked \
    cargo clean --release --locked --package passbook \
    && cargo build --release --locked --bin passbook \
    && install -D target/release/passbook /out/passbook

FROM debian:bookworm-slim
# The certificates are for a database that is reached over TLS.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 passbook \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin passbook
COPY --from=build /out/passbook /usr/local/bin/passbook
USER 10001:10001
ENV PASSBOOK_LISTEN=0.0.0.0:3000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=5 CMD ["passbook", "health"]
ENTRYPOINT ["passbook"]
CMD ["serve"]
