#!/usr/bin/env bash
# Makes the certificates by which the nodes of a cluster know each other:
#   make-certificates.sh FOLDER NAME...         a key and a certificate for each node
#   make-certificates.sh --revoke FOLDER NAME   puts the node's certificate on the list of revoked ones
# The first run makes the cluster's own CA in FOLDER as well. Running it again for a name renews:
# a new key, a new certificate, both in place of the old ones. DAYS=825 tells how long a certificate
# is valid. Needs openssl; keep FOLDER away from the nodes, and ca.key away from everybody.
set -euo pipefail
umask 077
export SUBJECT_NAME=""

ca_days=3650
days="${DAYS:-825}"

die() {
  echo "make-certificates.sh: $*" >&2
  exit 1
}

usage() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 64
}

check_name() {
  [[ "$1" =~ ^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$ ]] ||
    die "'$1' is no name of a node: 1 to 63 lower-case letters, digits and inner hyphens"
}

time_in() { # time_in SECONDS: from now
  date -u -d "@$(($(date +%s) + $1))" +%Y%m%d%H%M%SZ
}

quietly() { # quietly COMMAND...: says something only when it fails
  "$@" > "$work/said" 2>&1 || die "$(cat "$work/said")"
}

# All that is being made lies here, and goes when the script does; what is finished is moved out.
# The paths in openssl's configuration are relative: a folder's name may hold what has a meaning there.
begin_work() {
  cd "$folder"
  work="$(mktemp -d .making.XXXXXX)"
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  : > "$work/index"
  printf '%016x\n' "$(date +%s%N)" > "$work/number" # of a list: higher than that of the last one
  cat > "$work/openssl.conf" <<END
[req]
distinguished_name = subject
[subject]
[ca]
default_ca = cluster
[cluster]
database = $work/index
crlnumber = $work/number
new_certs_dir = $work
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
rand_serial = yes
crl_extensions = list
[any]
commonName = supplied
[list]
authorityKeyIdentifier = keyid
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[node]
subjectAltName = \$ENV::SUBJECT_NAME
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
}

make_request() { # make_request SUBJECT: a new key and what is to be signed for it
  quietly openssl req -new -config "$work/openssl.conf" -newkey ec \
    -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" -out "$work/request" -subj "/CN=$1"
}

sign() { # sign DAYS EXTENSIONS [OPTION...]; an hour early, for nodes whose clocks are behind
  local for_days="$1" extensions="$2"
  shift 2
  quietly openssl ca -config "$work/openssl.conf" -batch -notext -in "$work/request" \
    -out "$work/certificate" -extensions "$extensions" -startdate "$(time_in -3600)" \
    -enddate "$(time_in $((for_days * 86400)))" "$@"
}

make_authority() {
  if [ -e ca.key ] || [ -e ca.pem ]; then
    [ -f ca.key ] && [ -f ca.pem ] ||
      die "$folder: of ca.pem and ca.key one is missing; bring it back, or begin in another folder"
    return 0
  fi
  make_request "Trunkline cluster CA $(openssl rand -hex 4)"
  sign "$ca_days" authority -selfsign -keyfile "$work/key"
  mv "$work/key" ca.key
  mv "$work/certificate" ca.pem
  echo "$folder/ca.pem    the cluster's CA, valid for $ca_days days: every node needs this file"
  echo "$folder/ca.key    its key: keep it, and give it to no node"
}

make_node() { # make_node NAME
  make_request "$1"
  SUBJECT_NAME="DNS:$1" sign "$days" node
  mv "$work/key" "$1.key"
  mv "$work/certificate" "$1.pem"
  echo "$folder/$1.pem, $folder/$1.key    for the node $1 alone, valid for $days days"
}

revoke() { # revoke NAME
  [ -f ca.key ] || die "$folder: there is no CA, so nothing of it can be revoked"
  [ -f "$1.pem" ] || die "$folder/$1.pem: there is no such certificate"
  [ ! -f revoked.index ] || cp revoked.index "$work/index"
  local serial
  serial="$(openssl x509 -in "$1.pem" -noout -serial)"
  if grep -q "^R.*[[:space:]]${serial#serial=}[[:space:]]" "$work/index"; then
    echo "$folder/$1.pem was revoked before; the list is made anew"
  else
    quietly openssl ca -config "$work/openssl.conf" -batch -revoke "$1.pem"
  fi
  quietly openssl ca -config "$work/openssl.conf" -gencrl -crl_lastupdate "$(time_in -3600)" \
    -crl_nextupdate "$(time_in $((ca_days * 86400)))" -out "$work/list"
  mv "$work/index" revoked.index
  mv "$work/list" revoked.pem
  echo "$folder/revoked.pem    names the certificate of $1 too: every node needs this file, then a \
SIGHUP"
  echo "A new certificate for $1: make-certificates.sh $folder $1"
}

[ $# -ge 2 ] && [[ "$1" != --help ]] || usage
if [ "$1" = --revoke ]; then
  [ $# -eq 3 ] || usage
  check_name "$3"
  [ -d "$2" ] || die "$2: no such folder"
  folder="$(cd "$2" && pwd)"
  begin_work
  revoke "$3"
  exit
fi

[[ "$1" != -* ]] || usage
[[ "$days" =~ ^[1-9][0-9]{0,3}$ ]] || die "DAYS=$days: 1 to 9999"
for name in "${@:2}"; do
  check_name "$name"
  [ "$name" != ca ] && [ "$name" != revoked ] || die "'$name' is the name of a file of the CA's"
done
mkdir -p "$1"
folder="$(cd "$1" && pwd)"
begin_work
make_authority
for name in "${@:2}"; do
  make_node "$name"
done
echo "Each node gets ca.pem and its own two files, readable by its user alone; where they are
renewed, a SIGHUP has the node read them."
