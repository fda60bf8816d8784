#!/usr/bin/env bash
# Builds the documentation of every library; a dead link or a missing symbol fails.
set -euo pipefail

targets=()
for folder in Sources/Basis*/*.docc; do
  targets+=(--target "$(basename "$(dirname "$folder")")")
done
swift package --scratch-path .build --allow-writing-to-directory build/docs \
  generate-documentation "${targets[@]}" --warnings-as-errors --output-path build/docs \
  --enable-experimental-combined-documentation
