#!/bin/sh
# Rebuilds opa.wasm from go/ with the pinned Go and compares: the unpacked opa.wasm.br, opa.wasm.sha256 and vendor/wasm_exec.js must be
# what comes out. With --write they are replaced by it (brotli takes two minutes). Fails without Go; needs the Go module proxy once.
set -eu
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
pinned=$(sed -n 's/^toolchain //p' "$here/go/go.mod")
fail() { echo "[compiler/opa] $1" >&2; exit 1; }

command -v go >/dev/null || fail "no go in PATH: install $pinned or newer, which fetches $pinned"
# Whatever the caller's environment sets must not reach the build.
export GOTOOLCHAIN="$pinned" GOOS=js GOARCH=wasm CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off GOEXPERIMENT='' GOWASM='' GODEBUG=''
[ "$(cd "$here/go" && go env GOVERSION)" = "$pinned" ] || fail "$pinned could not be used"

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
(cd "$here/go" && go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$made/opa.wasm" .)
support=$(cd "$here/go" && go env GOROOT)/lib/wasm/wasm_exec.js

digest() { node -e "
  const { createHash } = require('node:crypto'), { readFileSync } = require('node:fs'), { brotliDecompressSync } = require('node:zlib')
  const bytes = readFileSync(process.argv[1])
  const plain = process.argv[1].endsWith('.br') ? brotliDecompressSync(bytes) : bytes
  console.log(createHash('sha256').update(plain).digest('hex'))" "$1"; }

rebuilt=$(digest "$made/opa.wasm")
if [ "${1:-}" = --write ]; then
  node -e "
    const { readFileSync, writeFileSync } = require('node:fs'), { brotliCompressSync, constants: c } = require('node:zlib')
    const bytes = readFileSync(process.argv[1])
    const params = { [c.BROTLI_PARAM_QUALITY]: 11, [c.BROTLI_PARAM_LGWIN]: 24, [c.BROTLI_PARAM_SIZE_HINT]: bytes.length }
    writeFileSync(process.argv[2], brotliCompressSync(bytes, { params }))" "$made/opa.wasm" "$here/opa.wasm.br"
  echo "$rebuilt" > "$here/opa.wasm.sha256"
  mkdir -p "$here/vendor" && cp "$support" "$here/vendor/wasm_exec.js"
fi

[ "$rebuilt" = "$(cat "$here/opa.wasm.sha256")" ] || fail "go/ gives $rebuilt, opa.wasm.sha256 says otherwise: run $0 --write"
[ "$rebuilt" = "$(digest "$here/opa.wasm.br")" ] || fail "opa.wasm.br does not unpack to opa.wasm.sha256: run $0 --write"
cmp -s "$support" "$here/vendor/wasm_exec.js" || fail "vendor/wasm_exec.js is not that of $pinned: run $0 --write"
echo "[compiler/opa] rebuilt with $pinned: $rebuilt"
