#!/bin/bash
# The whole program over TLS: a private CA, client certificates, what is refused and how that is said,
# a set whose Sentinels are plain and whose data nodes are not, and passwords that stay at home.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt
command -v openssl >/dev/null || skip_all "no openssl command"

cd "$WORK" || exit 1
authority() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.crt" -days 2 -subj "/CN=$1" 2>/dev/null
}
# certificate NAME SUBJECT_ALT_NAME
certificate() {
	printf 'subjectAltName=%s\n' "$2" >"$1.ext"
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>/dev/null &&
		openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -out "$1.crt" -days 2 \
			-extfile "$1.ext" 2>/dev/null
}
check "certificates are made" eval 'authority ca && authority other && certificate server IP:127.0.0.1,DNS:localhost &&
	certificate client DNS:client'

free_ports 4
MASTER=${PORTS[0]}
SENTINEL=${PORTS[1]}
BAD=${PORTS[2]}
STRICT=${PORTS[3]}
TLS=(--tls-cert-file "$WORK/server.crt" --tls-key-file "$WORK/server.key" --tls-ca-cert-file "$WORK/ca.crt")
"$REDIS_SERVER" --port 0 --tls-port "$STRICT" "${TLS[@]}" --save '' >strict.log 2>&1 &
OTHER_PIDS+=($!)
"$REDIS_SERVER" --port 0 --tls-port "$MASTER" "${TLS[@]}" --tls-auth-clients no --save '' \
	--requirepass "$PASSWORD" --masterauth "$PASSWORD" >master.log 2>&1 &
OTHER_PIDS+=($!)
grep -q "tls" master.log && grep -qi "bad directive\|unknown" master.log && skip_all "this server has no TLS"
cat >sentinel.conf <<EOF
port $SENTINEL
requirepass $SENTINEL_PASSWORD
sentinel monitor mymaster 127.0.0.1 $MASTER 1
sentinel auth-pass mymaster $PASSWORD
tls-replication yes
tls-ca-cert-file $WORK/ca.crt
tls-cert-file $WORK/server.crt
tls-key-file $WORK/server.key
EOF
"$REDIS_SERVER" sentinel.conf --sentinel >sentinel.log 2>&1 &
OTHER_PIDS+=($!)

# once ARGUMENT...: a snapshot in $WORK/out, its health and the first node's error.
once() {
	"$REDOUBT" --once --format json "$@" >out 2>err
}
health() { jq -r .health out; }
error() { jq -r '.deployments[0].nodes[0].error' out; }
is_ok() { once "$@" && [ "$(health)" = ok ]; }

CLIENT=(--cacert "$WORK/ca.crt" --cert "$WORK/client.crt" --key "$WORK/client.key")
check "--tls with a private CA and a client certificate" wait_for 10 "TLS" is_ok --tls "${CLIENT[@]}" "127.0.0.1:$STRICT"
check "rediss:// is --tls" is_ok "${CLIENT[@]}" "rediss://127.0.0.1:$STRICT"
once --tls --cacert "$WORK/other.crt" "127.0.0.1:$STRICT"
check "a wrong CA is refused and said" grep -q "certificate refused" <<<"$(error)"
once --tls --cacert "$WORK/ca.crt" "127.0.0.1:$STRICT"
check "a missing client certificate is said" grep -q "client certificate" <<<"$(error)"
once "127.0.0.1:$STRICT"
check "a plain client at a TLS port is told" grep -q "TLS" <<<"$(error)"
once --tls --cacert "$WORK/ca.crt" --map "redis.test=127.0.0.1" "redis.test:$STRICT"
check "the certificate is held against the name, not against what a map dials" \
	grep -q "redis.test" <<<"$(error)"

# A set whose Sentinels are plain: from either kind of member.
section() {
	cat >"$WORK/set.conf" <<EOF
[deployment set]
targets = 127.0.0.1:$1
tls = data
cacert = $WORK/ca.crt
pass-file = $PASS_FILE
sentinel-pass-file = $SENTINEL_PASS_FILE
EOF
}
for target in "$MASTER" "$SENTINEL"; do
	section "$target"
	check "tls = data, from $([ "$target" = "$MASTER" ] && echo the master || echo a Sentinel)" \
		wait_for 15 "both kinds" is_ok -c "$WORK/set.conf"
	equal "all members are up" "up up" "$(jq -r '[.deployments[0].nodes[].status] | join(" ")' out)"
done

# Whoever shows a wrong certificate gets nothing in clear, however often it is tried.
openssl s_server -accept "127.0.0.1:$BAD" -cert other.crt -key other.key -quiet >bad.out 2>bad.err </dev/null &
OTHER_PIDS+=($!)
section "$BAD"
refusals() {
	"$REDOUBT" -c "$WORK/set.conf" --once >/dev/null 2>&1
	[ "$(grep -c 'unknown ca\|alert' bad.err)" -ge 1 ]
}
check "a wrong certificate is refused" wait_for 10 "refusals" refusals
timeout 4 "$REDOUBT" -c "$WORK/set.conf" --events >/dev/null 2>&1
equal "nothing was sent in clear" 0 "$(grep -ci 'wrong version\|http request\|unsupported protocol' bad.err)"
check "no password arrived" eval '! grep -q "$PASSWORD\|$SENTINEL_PASSWORD" bad.out bad.err'
finish
