#!/usr/bin/env bash
# Runs a command with TEST_DATABASE_URL naming a throw-away PostgreSQL server, started for it and removed afterwards:
#   bash scripts/with-postgres.sh npm test
set -euo pipefail

cluster=$(cd "$(dirname "$0")" && pwd)/postgres-cluster.sh
folder=$(mktemp -d "${TMPDIR:-/tmp}/wxdesk-postgres-XXXXXX")
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')

stop() {
  bash "$cluster" stop "$folder" immediate >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT

bash "$cluster" create "$folder"
bash "$cluster" start "$folder" "$port"

TEST_DATABASE_URL="postgresql://postgres@127.0.0.1:$port/postgres" "$@"
