#!/bin/sh
# Writes values/*.json anew. Needs Debian's python3-torch and python3-sklearn; see README.md.
set -eu
cd "$(dirname "$0")"
for subject in ops elementwise losses optimizers layers normal mixture gram gaussianMixture fit openSet detection tables; do
  "${PYTHON:-/usr/bin/python3}" -B "$subject.py"
done
