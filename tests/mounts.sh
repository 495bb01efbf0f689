#!/usr/bin/env bash
# Two processes over one store that each sees through a mount of its own, whose file locks the other does not see, as on network file
# systems that keep locks to one machine. Every artifact must be made once, and both runs must come to the same.
#
#     tests/mounts.sh                    (needs FUSE and Debian's `bindfs`; SUBLIMINAL names another program than target/release's)
set -euo pipefail
cd "$(dirname "$0")/.."
program=${SUBLIMINAL:-$PWD/target/release/subliminal}
place=$(mktemp -d)
leave() {
  for mount in "$place"/mount-*; do fusermount -u "$mount" 2>/dev/null || umount "$mount" 2>/dev/null || true; done
  rm -rf "$place/real" "$place"/run-* "$place"/log-*
  rmdir "$place"/mount-* "$place"
}
trap leave EXIT

mkdir "$place/real"
for i in 1 2; do
  mkdir "$place/mount-$i"
  bindfs -o attr_timeout=0,entry_timeout=0,negative_timeout=0 "$place/real" "$place/mount-$i"
done
runs=()
for i in 1 2; do
  "$program" run configs/smoke.toml --json-progress --threads 1 --out "$place/run-$i" --store "$place/mount-$i/store" >/dev/null 2>"$place/log-$i" &
  runs+=($!)
done
for run in "${runs[@]}"; do wait "$run" || { cat "$place"/log-* >&2; exit 1; }; done

"$program" report "$place/run-1" "$place/run-2" --same
made=$(cat "$place"/log-* | grep -c '"event":"finished"')
artifacts=$(find "$place/real/store" -mindepth 2 -maxdepth 2 -name manifest.json | wc -l)
leases=$(find "$place/real/store/locks" -name '*.lease' | wc -l)
for i in 1 2; do echo "process $i made $(grep -c '"event":"finished"' "$place/log-$i") of $artifacts artifacts"; done
[ "$made" -eq "$artifacts" ] || { echo "$made jobs were done for $artifacts artifacts" >&2; exit 1; }
[ "$leases" -eq 0 ] || { echo "$leases leases are left" >&2; exit 1; }
