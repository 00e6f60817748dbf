# The application: every role, the migrations, the seeder and the verifier in one image.
#   docker build -t onrush .                    what runs in production
#   docker build -t onrush:dev --target dev .   starts again when a file changes, for skaffold dev
# Node runs the TypeScript as it is, so nothing is compiled.
ARG NODE=node:24-bookworm-slim
# What the node image is made of: without npm, yarn and headers the image is a third smaller and has less to patch.
ARG DEBIAN=debian:bookworm-slim

FROM ${NODE} AS node

# Changes with the lockfile only. Types, maps and bundles that nothing here loads are left out.
FROM node AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
 && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -iname '*.md' \) -delete \
 && rm -rf node_modules/swagger-ui-dist/swagger-ui-es-bundle* node_modules/swagger-ui-dist/swagger-ui.js \
      node_modules/swagger-ui-dist/swagger-ui-standalone-preset*

FROM ${DEBIAN} AS production
RUN useradd --uid 1000 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin onrush
COPY --from=node /usr/local/bin/node /usr/local/bin/
WORKDIR /app
ENV NODE_ENV=production \
    NODE_OPTIONS="--disable-warning=ExperimentalWarning --disable-warning=TimeoutNegativeWarning" \
    HOST=0.0.0.0
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY loadtests/seed loadtests/seed
COPY loadtests/verify loadtests/verify
COPY services services
# By number, so that a cluster can see that it is not root.
USER 1000:1000
EXPOSE 8081
# No shell in between: node is process 1 and gets SIGTERM, on which services/main.ts drains and ends.
ENTRYPOINT ["node"]
CMD ["services/main.ts"]

# The same, with code that its user may replace.
FROM production AS dev
COPY --chown=1000:1000 services services
CMD ["--watch", "--watch-preserve-output", "services/main.ts"]

FROM production
