#!/usr/bin/env bash
# Builds Trunkline and runs a small cluster on loopback: a PostgreSQL of its own, one key file,
# certificates, and three nodes, of which one serves and two stand by. Prints where they are and what
# to try; Ctrl-C ends all of it, and the same command starts it again. Nothing of it is for production.
set -euo pipefail
cd "$(dirname "$0")/.."

home="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
# PostgreSQL refuses to run as root, and its own user cannot reach root's home.
data="${XDG_DATA_HOME:-$([ "$(id -u)" -eq 0 ] && echo /var/lib || echo "$home/.local/share")}"
folder="$data/trunkline-cluster"
program="$PWD/build/release/trunkline"
programs="/usr/lib/postgresql/15/bin"
port="${TRUNKLINE_START_PORT:-3000}"
names=(n1 n2 n3)
processes=()

die() {
  echo "$*" >&2
  exit 1
}

# --- PostgreSQL ----------------------------------------------------------------------------------

install_postgresql() {
  [ -x "$programs/initdb" ] && return
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  echo "installing postgresql-15" >&2
  "${as_root[@]}" apt-get update -q >&2
  # The service that Debian would start is not needed: the cluster starts its own.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -q --no-install-recommends postgresql-15 >&2
}

as_database_user() { # as_database_user COMMAND...: it keeps the process id
  if [ "$(id -u)" -eq 0 ]; then
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"
  fi
  exec "$@"
}

ask_postgresql() { # ask_postgresql DATABASE: runs what comes in as the superuser
  (as_database_user psql -q -v ON_ERROR_STOP=1 -h "$folder/postgresql" -U superuser "$1")
}

start_postgresql() {
  local cluster="$folder/postgresql/cluster"
  if [ ! -f "$cluster/PG_VERSION" ]; then
    install -d -m 0700 "$folder/postgresql" "$cluster"
    [ "$(id -u)" -ne 0 ] || chown postgres: "$folder/postgresql" "$cluster"
    (cd / && as_database_user "$programs/initdb" -D "$cluster" -A trust -U superuser -E UTF8 \
      --locale=C.UTF-8 --no-instructions) > "$folder/initdb.log" 2>&1 ||
      die "$(cat "$folder/initdb.log")"
  fi
  # Nobody reaches it but who may enter its folder.
  (cd / && as_database_user setsid "$programs/postgres" -D "$cluster" -k "$folder/postgresql" \
    -c listen_addresses= -c max_connections=60) >> "$folder/postgresql.log" 2>&1 &
  database=$!
  for _ in {1..600}; do
    "$programs/pg_isready" -q -h "$folder/postgresql" -U superuser -d postgres && break
    kill -0 "$database" 2>/dev/null ||
      die "PostgreSQL did not start: $(tail -n 5 "$folder/postgresql.log")"
    sleep 0.1
  done
  # The role, its timeouts and the database: the box of the page for operators.
  if [ ! -f "$folder/postgres.url" ]; then
    sed -n '/^```sql$/,/^```$/{/^```/!p}' docs/postgresql.md | ask_postgresql postgres
    echo "postgresql://trunkline@/trunkline?host=$folder/postgresql" > "$folder/postgres.url"
  fi
}

# --- nodes ---------------------------------------------------------------------------------------

write_configuration() { # write_configuration NUMBER: of the nodes from 0 on
  local name="${names[$1]}" own=$((port + 10 * $1))
  cat > "$folder/$name.toml" <<END
# Written by tools/start-cluster.sh at each start.
[server]
domain = "localhost"
url = "http://127.0.0.1:$port"
listen = "127.0.0.1:$own"
[cluster]
node = "$name"
listen = "127.0.0.1:$((own + 2))"
certificate_file = "$folder/certificates/$name.pem"
key_file = "$folder/certificates/$name.key"
authority_file = "$folder/certificates/ca.pem"
[storage]
postgres_url_file = "$folder/postgres.url"
folder = "$folder/$name"
[secrets]
key_file = "$folder/secret.key"
[admin]
listen = "127.0.0.1:$((own + 1))"
END
}

start_node() { # start_node NAME: returns when it serves or stands by
  : > "$folder/$1.out"
  # In a session of its own: Ctrl-C is for this script, which ends the nodes in turn.
  setsid "$program" run --config "$folder/$1.toml" > "$folder/$1.out" 2>> "$folder/$1.log.jsonl" &
  processes+=($!)
  for _ in {1..600}; do
    grep -qE '^admin |stands by' "$folder/$1.out" && return
    kill -0 $! 2>/dev/null ||
      die "$1 did not start; its last words: $(tail -n 3 "$folder/$1.log.jsonl")"
    sleep 0.1
  done
  die "$1 neither serves nor stands by"
}

end_all() {
  trap '' INT TERM
  # Those that stand by first: nobody takes over what ends anyway.
  for ((at = ${#processes[@]} - 1; at >= 0; --at)); do
    kill -TERM "${processes[at]}" 2>/dev/null || true
    wait "${processes[at]}" 2>/dev/null || true
  done
  if [ -n "${database:-}" ]; then
    kill -INT "$database" 2>/dev/null || true
    wait "$database" 2>/dev/null || true
  fi
}

# --- all of it -----------------------------------------------------------------------------------

mkdir -p "$data"
umask 077
mkdir -p "$folder"
[ "$(id -u)" -ne 0 ] || chmod 0711 "$folder" # the database's user passes through
[ "${#folder}" -le 80 ] || die "$folder: too long for a socket's path; set XDG_DATA_HOME"
exec 9> "$folder/lock"
flock -n 9 || die "it runs already, in $folder: end that one (Ctrl-C), or set XDG_DATA_HOME and \
TRUNKLINE_START_PORT for a second one"

tools/install-dependencies.sh build
install_postgresql
[ -f build/release/build.ninja ] || (umask 022 && cmake --preset release)
echo "building; the first time takes about 10 minutes on 2 cores"
(umask 022 && cmake --build --preset release --target trunkline_program)

trap end_all EXIT
trap 'exit 0' INT TERM
start_postgresql 9>&-
if [ ! -f "$folder/secret.key" ]; then
  head -c 32 /dev/urandom > "$folder/secret.key.part"
  mv "$folder/secret.key.part" "$folder/secret.key"
fi
# They are made once; a name that has one keeps it.
missing=()
for name in "${names[@]}"; do
  [ -f "$folder/certificates/$name.pem" ] || missing+=("$name")
done
[ ${#missing[@]} -eq 0 ] ||
  cluster-config/make-certificates.sh "$folder/certificates" "${missing[@]}" > "$folder/certificates.log"
for at in "${!names[@]}"; do
  write_configuration "$at"
  start_node "${names[at]}" 9>&-
done

serving="$(grep -lE '^admin ' "$folder"/n?.out | head -n 1)"
serving="$(basename "${serving:?nobody serves}" .out)"
if [ ! -f "$folder/has_admin" ]; then
  password="$("$program" account create admin --role admin --config "$folder/$serving.toml")"
  touch "$folder/has_admin"
  echo "account admin, password $password (shown this once; \`$program account password admin\
 --config $folder/$serving.toml\` makes a new one)"
fi

echo
"$program" cluster --config "$folder/${names[-1]}.toml" # the last one to come has seen all
spare=$((${serving#n} % 3 + 1))
cat <<END

  n1            http://127.0.0.1:$port         admin API http://127.0.0.1:$((port + 1))
  n2            http://127.0.0.1:$((port + 10))         admin API http://127.0.0.1:$((port + 11))
  n3            http://127.0.0.1:$((port + 20))         admin API http://127.0.0.1:$((port + 21))
  folder        $folder (logs: n1.log.jsonl, ...)
  processes     n1 ${processes[0]}, n2 ${processes[1]}, n3 ${processes[2]}, PostgreSQL $database

Try, through n$spare, which stands by while $serving serves:
  token=\$($program account token admin --config $folder/n$spare.toml)
  curl -H "Authorization: Bearer \$token" -d "status=Hello" http://127.0.0.1:$((port + 10 * (spare - 1)))/api/v1/statuses
  kill -9 ${processes[${serving#n} - 1]}; sleep 10
  $program cluster --config $folder/n$spare.toml        # who serves now?
  curl -H "Authorization: Bearer \$token" http://127.0.0.1:$((port + 10 * (spare - 1)))/api/v1/timelines/home
What it means: docs/cluster.md. Ctrl-C ends all of it; the same command starts it again.
END
while :; do
  code=0
  wait -n "${processes[@]}" "$database" || code=$?
  running=()
  for each in "${processes[@]}"; do
    if kill -0 "$each" 2>/dev/null; then
      running+=("$each")
    else
      echo "a node has ended, its process was $each" >&2
    fi
  done
  kill -0 "$database" 2>/dev/null || die "PostgreSQL has ended"
  [ ${#running[@]} -gt 0 ] || die "no node is left"
  processes=("${running[@]}")
done
