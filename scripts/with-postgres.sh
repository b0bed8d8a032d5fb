#!/usr/bin/env bash
# Runs a command with TEST_DATABASE_URL naming a throw-away PostgreSQL server, started for it and removed afterwards:
#   bash scripts/with-postgres.sh npm test
# Needs the server's binaries; on Debian it installs them when they are missing and it may.
set -euo pipefail

find_binaries() {
  local folder
  folder=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
  if [ -z "$folder" ] && command -v initdb >/dev/null; then folder=$(dirname "$(command -v initdb)"); fi
  if [ -n "$folder" ] && [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then echo "$folder"; fi
}

binaries=$(find_binaries)
if [ -z "$binaries" ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "installing Debian's postgresql" >&2
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y postgresql >&2
  binaries=$(find_binaries)
fi
if [ -z "$binaries" ]; then
  echo "no PostgreSQL server binaries found; install your system's postgresql package" >&2
  exit 1
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/wxdesk-postgres-XXXXXX")
as_owner=()
if [ "$(id -u)" = 0 ]; then
  # initdb and postgres refuse to run as root.
  id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
  chown postgres "$folder"
  as_owner=(setpriv --reuid postgres --regid "$(id -g postgres)" --clear-groups --)
fi
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')

stop() {
  "${as_owner[@]}" "$binaries/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT

cd "$folder"
"${as_owner[@]}" "$binaries/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --no-locale >/dev/null
# Durable settings stay on: the tests are to meet the server as it is used.
"${as_owner[@]}" "$binaries/pg_ctl" -D "$folder/data" -l "$folder/log" -w \
  -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder -c max_connections=300" start >/dev/null
cd "$OLDPWD"

TEST_DATABASE_URL="postgresql://postgres@127.0.0.1:$port/postgres" "$@"
