#!/bin/bash
# The whole program over TLS: a private CA, client certificates, what is refused and how that is said,
# a set whose Sentinels are plain and whose data nodes are not, and passwords that stay at home.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
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
MASTER_PID=${OTHER_PIDS[-1]}
# It says that it is ready, or why it is not, and ends.
has_spoken() {
	grep -qi 'ready to accept\|bad directive\|unknown' master.log || is_gone "$MASTER_PID"
}
wait_for 30 "the server is ready, or has no TLS" has_spoken
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
# says REGEX ARGUMENT...: in a snapshot, the first node's error.
says() {
	once "${@:2}"
	grep -q "$1" <<<"$(error)"
}

CLIENT=(--cacert "$WORK/ca.crt" --cert "$WORK/client.crt" --key "$WORK/client.key")
wait_check 60 "--tls with a private CA and a client certificate" is_ok --tls "${CLIENT[@]}" "127.0.0.1:$STRICT"
wait_check 60 "rediss:// is --tls" is_ok "${CLIENT[@]}" "rediss://127.0.0.1:$STRICT"
wait_check 60 "a wrong CA is refused and said" \
	says "certificate refused" --tls --cacert "$WORK/other.crt" "127.0.0.1:$STRICT"
wait_check 60 "a missing client certificate is said" \
	says "client certificate" --tls --cacert "$WORK/ca.crt" "127.0.0.1:$STRICT"
wait_check 60 "a plain client at a TLS port is told" says TLS "127.0.0.1:$STRICT"
wait_check 60 "the certificate is held against the name, not against what a map dials" \
	says "redis.test" --tls --cacert "$WORK/ca.crt" --map "redis.test=127.0.0.1" "redis.test:$STRICT"

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
	# Both of them: from a data node its Sentinel is found by what it publishes.
	is_whole() {
		is_ok -c "$WORK/set.conf" && [ "$(jq -r '[.deployments[0].nodes[].status] | join(" ")' out)" = "up up" ]
	}
	wait_check 90 "tls = data, from $([ "$target" = "$MASTER" ] && echo the master || echo a Sentinel): all are up" is_whole
done

# Whoever shows a wrong certificate gets nothing in clear, however often it is tried.
openssl s_server -accept "127.0.0.1:$BAD" -cert other.crt -key other.key -quiet >bad.out 2>bad.err </dev/null &
OTHER_PIDS+=($!)
section "$BAD"
refusals() {
	"$REDOUBT" -c "$WORK/set.conf" --once >/dev/null 2>&1
	[ "$(grep -c 'unknown ca\|alert' bad.err)" -ge 1 ]
}
wait_check 60 "a wrong certificate is refused" refusals
attempts() { grep -c 'unknown ca\|alert' bad.err; }
more_attempts() { [ "$(attempts)" -ge $((BEFORE + 3)) ]; }
BEFORE=$(attempts)
timeout 120 "$REDOUBT" -c "$WORK/set.conf" --events >/dev/null 2>&1 </dev/null &
EVENTS_PID=$!
OTHER_PIDS+=("$EVENTS_PID")
wait_check 60 "it is tried again and again" more_attempts
kill "$EVENTS_PID"
wait_check 30 "and ends when told to" is_gone "$EVENTS_PID"
equal "nothing was sent in clear" 0 "$(grep -ci 'wrong version\|http request\|unsupported protocol' bad.err)"
check "no password arrived" eval '! grep -q "$PASSWORD\|$SENTINEL_PASSWORD" bad.out bad.err'
finish
