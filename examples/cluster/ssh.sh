#!/bin/bash
# Run the pipeline here, and share its long stages with hosts that SSH reaches.
# Each has a clone at the same path, with its environment, the same commit and the same params.yaml.
# Usage: examples/cluster/ssh.sh ADDRESS_OF_THIS_HOST:PORT HOST...
set -euo pipefail
. .venv/bin/activate

export CONVAE_MASTER=$1
shift
export CONVAE_HOSTS=$(($# + 1))
dvc repro check_images # the data, here; each host makes its own, or gets it from a remote

number=0
for host; do
  number=$((number + 1))
  # -tt: what runs there ends with this connection.
  ssh -tt "$host" "cd '$PWD' && . .venv/bin/activate && dvc repro check_images &&
    CONVAE_HOSTS=$CONVAE_HOSTS CONVAE_MASTER=$CONVAE_MASTER convae worker $number" </dev/null &
done
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
dvc repro
