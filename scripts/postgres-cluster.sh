#!/usr/bin/env bash
# One throw-away PostgreSQL server in a folder of its own, step by step; with-postgres.sh and the chaos suite are built on it:
#   postgres-cluster.sh create <folder>              makes the folder's cluster
#   postgres-cluster.sh start <folder> <port>        on 127.0.0.1, user postgres without password
#   postgres-cluster.sh stop <folder> <mode>         smart, fast or immediate, as pg_ctl has them
# Needs the server's binaries; on Debian it installs them when they are missing and it may. Exit code 3: there are none.
set -euo pipefail

find_binaries() {
  local folder
  folder=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
  if [ -z "$folder" ] && command -v initdb >/dev/null; then folder=$(dirname "$(command -v initdb)"); fi
  if [ -n "$folder" ] && [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then echo "$folder"; fi
}

binaries=$(find_binaries)
missing=()
if [ -z "$binaries" ]; then missing+=(postgresql); fi
# Only one test needs it, which is skipped without.
if ! command -v pgbouncer >/dev/null; then missing+=(pgbouncer); fi
if [ "$1" = create ] && [ ${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "installing Debian's ${missing[*]}" >&2
  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "${missing[@]}") >&2 || true
  binaries=$(find_binaries)
fi
if [ -z "$binaries" ]; then
  echo "no PostgreSQL server binaries found; install your system's postgresql package" >&2
  exit 3
fi

as_owner=()
if [ "$(id -u)" = 0 ]; then
  # initdb and postgres refuse to run as root.
  id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
  as_owner=(setpriv --reuid postgres --regid "$(id -g postgres)" --clear-groups --)
fi

folder=$2
cd "$folder"
case $1 in
  create)
    if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; fi
    "${as_owner[@]}" "$binaries/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --no-locale >/dev/null
    ;;
  start)
    # Durable settings stay on: the tests are to meet the server as it is used.
    "${as_owner[@]}" "$binaries/pg_ctl" -D "$folder/data" -l "$folder/log" -w \
      -o "-c listen_addresses=127.0.0.1 -c port=$3 -c unix_socket_directories=$folder -c max_connections=300" start >/dev/null
    ;;
  stop)
    "${as_owner[@]}" "$binaries/pg_ctl" -D "$folder/data" -m "$3" -w stop >/dev/null
    ;;
  *)
    echo "usage: postgres-cluster.sh create|start|stop <folder> [<port>|<mode>]" >&2
    exit 2
    ;;
esac
