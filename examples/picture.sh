#!/usr/bin/env bash
# The plot of a run's report.html as a picture of its own: examples/picture.sh runs/zebra-numbers > zebra-numbers.svg
set -euo pipefail
page=${1:?usage: examples/picture.sh RUN}/report.html
style=':root{color-scheme:light dark;--ink:#1c1f24;--soft:#646b76;--line:#e2e5ea;--ground:#fff;--lead:#2f6fde;--other:#a9b2c0}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8ec;--soft:#98a1ae;--line:#31363f;--ground:#15181d;--lead:#6ea0ff;--other:#596273}}
svg{background:var(--ground)}'
printf '<svg xmlns="http://www.w3.org/2000/svg" style="font:13px system-ui,sans-serif"'
grep -m1 '<svg ' "$page" | sed 's/.*<svg//'
printf '<style>%s\n' "$style"
sed -n '/<style>/,/<\/style>/p' "$page" | grep '^svg' | sed 's/^svg {[^}]*}//; s/^svg //' 
printf '</style>\n'
sed -n '/<svg /,/<\/svg>/p' "$page" | sed 1d
