#!/usr/bin/env bash
# Builds Trunkline and runs a node on loopback: installs what is missing, makes a first admin
# account, prints where it is and what to try. Whatever is there already is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

home="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
folder="${XDG_DATA_HOME:-$home/.local/share}/trunkline"
config="$folder/trunkline.toml"
program="build/release/trunkline"
port="${TRUNKLINE_START_PORT:-3000}"

tools/install-dependencies.sh build
[ -f build/release/build.ninja ] || cmake --preset release
echo "building; the first time takes about 10 minutes on 2 cores"
cmake --build --preset release

if [ ! -f "$config" ]; then
  "$program" init --domain localhost --url "http://127.0.0.1:$port" \
    --listen "127.0.0.1:$port" --folder "$folder"
  echo "The password is shown this once; \`$program account password admin\` makes a new one."
fi

exec 3< <(exec "$program" run --config "$config" --admin.listen "127.0.0.1:$((port + 1))" \
  2>> "$folder/log.jsonl")
node=$!
trap 'kill -TERM "$node" 2>/dev/null || true' INT TERM
if ! { read -r ready <&3 && read -r web <&3 && read -r admin <&3; }; then
  code=0
  wait "$node" || code=$?
  echo "the node did not start; its last words:" >&2
  tail -n 3 "$folder/log.jsonl" >&2
  exit "$code"
fi

cat <<END

$ready
  for clients   ${web#web }
  admin API     ${admin#admin }
  folder        $folder (log: log.jsonl)

Try:
  toot login --instance 127.0.0.1:$port --disable-https     # apt install toot; account admin
  toot post "Hello from Trunkline" && toot timeline
or without a client:
  token=\$($PWD/$program account token admin --config $config)
  curl -H "Authorization: Bearer \$token" -d "status=Hello" ${web#web }/api/v1/statuses
  curl -H "Authorization: Bearer \$token" ${web#web }/api/v1/timelines/home
more accounts:
  $PWD/$program account create NAME --config $config

Ctrl-C ends the node; the same command starts it again.
END
code=0
while kill -0 "$node" 2>/dev/null; do
  code=0
  wait "$node" || code=$? # a signal ends the wait, not the node
done
exit "$code"
