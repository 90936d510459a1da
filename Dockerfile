# Build: compiles the two native modules and the TypeScript, then drops what only building needs.
FROM node:22-bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 make g++ \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client/package.json client/
COPY trainer/package.json trainer/
# The image carries Node's headers; without this node-gyp would download them.
ENV npm_config_nodedir=/usr/local
RUN npm ci --no-audit --no-fund
COPY tsconfig.base.json ./
COPY src src
COPY client client
COPY web web
RUN npx tsc -b src web
# What is left: the service and its packages. The trainer is no part of the image.
RUN npm prune --omit=dev --no-audit --no-fund && rm -rf trainer node_modules/@lookalike/trainer

# Run: no compiler, no package manager needed, not root.
FROM node:22-bookworm-slim
# The last three as in scripts/environment.mjs, which says why.
ENV NODE_ENV=production \
    LOOKALIKE_HOST=0.0.0.0 \
    LOOKALIKE_DATA_DIR=/data \
    LOOKALIKE_LOG_LEVEL=info \
    UV_THREADPOOL_SIZE=4 \
    NODE_OPTIONS="--max-semi-space-size=1 --v8-pool-size=1" \
    MALLOC_MMAP_THRESHOLD_=1048576 \
    MALLOC_TRIM_THRESHOLD_=4194304
WORKDIR /app
COPY package.json openapi.yaml LICENSE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/client client
COPY web web
COPY model model
COPY index index
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 8080}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Wants LOOKALIKE_API_KEYS, or `--no-auth` as an argument: the port can be reached from outside.
ENTRYPOINT ["node", "dist/cli.js", "serve"]
