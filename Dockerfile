# The application: every role, the migrations, the seeder and the verifier in one image.
#   docker build -t onrush .
# Node runs the TypeScript as it is, so nothing is compiled, and development takes the same image: the chart then has
# services/ in a volume where files can be replaced (development.enabled).
# The version that package.json has for development too.
ARG NODE=node:24.21.0-bookworm-slim
# What the node image is made of: without npm, yarn and headers the image is a third smaller and has less to patch.
ARG DEBIAN=debian:bookworm-slim

FROM ${NODE} AS node

# Changes with the lockfile only. Types, maps and bundles that nothing here loads are left out.
FROM node AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error && npm cache clean --force \
 && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -iname '*.md' \) -delete \
 && rm -rf node_modules/swagger-ui-dist/swagger-ui-es-bundle* node_modules/swagger-ui-dist/swagger-ui.js \
      node_modules/swagger-ui-dist/swagger-ui-standalone-preset*

FROM ${DEBIAN}
RUN useradd --uid 1000 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin onrush
COPY --from=node /usr/local/bin/node /usr/local/bin/
WORKDIR /app
ENV NODE_ENV=production \
    NODE_OPTIONS="--disable-warning=ExperimentalWarning --max-semi-space-size=16" \
    HOST=0.0.0.0
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY engines/running engines/running
COPY loadtests/seed loadtests/seed
COPY loadtests/verify loadtests/verify
COPY loadtests/k6/lib/weight.ts loadtests/k6/lib/weight.ts
COPY services services
# By number, so that a cluster can see that it is not root.
USER 1000:1000
EXPOSE 8081
# No shell in between: node is process 1 and gets SIGTERM, on which services/main.ts drains and ends.
ENTRYPOINT ["node"]
CMD ["services/main.ts"]
