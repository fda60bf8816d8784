#!/usr/bin/env bash
# Builds and runs a package of somebody else's that depends on a tagged version of this one, and
# sees that it gets neither more packages nor more libraries than it asked for.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
git clone --quiet . "$folder/basis"
git -C "$folder/basis" -c user.name=test -c user.email=test@example.org tag 0.0.1
cp -r Examples/Outside "$folder/outside"
sed -i "s|\"BASIS\"|\"file://$folder/basis\"|" "$folder/outside/Package.swift"

cd "$folder/outside"
swift build --quiet
answer=$(.build/debug/outside)
echo "$answer"
[ "$(head -1 <<<"$answer")" = '1 {"text":"compress files to make them smaller"}' ] || {
  echo "the outside package did not find what it wrote" >&2
  exit 1
}
for unwanted in hummingbird nio torch ArgumentParser; do
  ! ls .build/debug/*.build 2>/dev/null | grep -qi "^$unwanted" || {
    echo "the outside package had to build $unwanted" >&2
    exit 1
  }
done
! ldd .build/debug/outside | grep -qiE 'torch|nio' || {
  echo "the outside program links what it did not ask for" >&2
  exit 1
}
echo "1 passed, 0 failed"
