#!/usr/bin/env bash
# Writes to the webhook as a script of a person would: curl, with signatures by openssl.
#   send.sh GATEWAY_JSON SECRET FROM TO CONVERSATIONS
# Each message is sent until it was taken, so that a gateway that is away or refuses for now loses nothing.
set -u
gateway=$1 secret=$2 from=$3 to=$4 conversations=$5
for ((i = from; i < to; i++)); do
  body="{\"id\":\"m$i\",\"conversation\":\"room-$((i % conversations))\",\"sender\":\"ann-$((i % conversations))\",\"text\":\"message $i\"}"
  for ((try = 0; try < 600; try++)); do
    port=$(sed -n 's/.*"port": *\([0-9]*\).*/\1/p' "$gateway" 2>/dev/null | head -n 1)
    t=$(date +%s)
    v1=$(printf '%s.%s' "$t" "$body" | openssl dgst -sha256 -hmac "$secret" | sed 's/.*= //')
    status=$(curl -s -o /dev/null -m 60 -w '%{http_code}' -H "X-Kata-Signature: t=$t,v1=$v1" -H 'content-type: application/json' -d "$body" "http://127.0.0.1:${port:-1}/hooks/webhook/in")
    case $status in
      200 | 202) break ;;
      # The answer to the try before was lost on the way.
      409) break ;;
      400 | 401 | 403) echo "m$i: $status" >&2; exit 1 ;;
      *) sleep 0.1 ;;
    esac
  done
done
