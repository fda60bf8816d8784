#!/usr/bin/env bash
# The main job on real text: ingest it, search it in three ways, say what to type next.
# usage: demo.sh PROGRAM [FILE]
set -euo pipefail

basis=$1
file=${2:-}
home=build/collections
mkdir -p build

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] || say() { printf '\n%s\n' "$*"; }

if [ -n "$file" ]; then
  name=$(basename "$file" | sed 's/\..*//; s/[^A-Za-z0-9_-]/-/g; s/^-*//')
  say "Reading $file"
  "$basis" ingest "$name" "$file" --data "$home"
  # The first words of three records make queries that fit whatever the file is about.
  mapfile -t queries < <("$basis" info "$name" --data "$home" --sample 3 --json |
    python3 -c 'import json, sys
for record in json.load(sys.stdin)["sample"]: print(" ".join(record["text"].split()[:8]))')
else
  name=packages
  list=build/packages.control
  if [ "$(apt-cache dumpavail 2>/dev/null | grep -c '^Package:')" -gt 0 ]; then
    say "Reading the descriptions of Debian packages from this machine's package lists"
    apt-cache dumpavail >"$list"
  else
    say "Reading the descriptions of the packages installed on this machine"
    cp /var/lib/dpkg/status "$list"
  fi
  "$basis" ingest "$name" "$list" --format debian --data "$home"
  queries=("compress files" "play music from the command line" "find duplicate photos")
fi
"$basis" info "$name" --data "$home"

for query in "${queries[@]}"; do
  for mode in lexical dense hybrid; do
    say "basis search $name \"$query\" --mode $mode"
    "$basis" search "$name" "$query" --mode "$mode" -k 3 --data "$home" 2>&1
  done
done

where='section = "utils"'
[ -n "$file" ] && where='…'
cat <<END

Next, type for example
  $basis search $name "your own words" --data $home --explain
  $basis search $name "your own words" --data $home --where '$where' --json
  $basis verify $name --data $home
  make install && basis --help
END
