#!/usr/bin/env bash
# Put qemu, and a 64-bit ARM Python 3.11 with PyTorch for it to run, into a folder: 750 MB, a minute or more. It takes
# Debian 12's apt, and no rights: packages are unpacked, not installed. Packages of Python are of the lock's versions,
# but for PyTorch, of which this one is for the CPU alone: newer ones want CUDA's libraries, gigabytes. Another version
# of it makes the proof the stronger.
set -euo pipefail
folder=$1 lock=$PWD/requirements.lock
python=$PWD/.venv/bin/python
torch='torch==2.8.0 --hash=sha256:220a06fd7af8b653c35d359dfe1aaf32f65aa85befa342629f716acb134b9710'
locked=(
  annotated-types cloudpickle filelock fsspec jinja2 joblib markupsafe mpmath networkx numpy platformdirs pydantic
  pydantic-core pyyaml ruamel-yaml safetensors sympy threadpoolctl tqdm typing-extensions typing-inspection
)
arm64=(
  libbz2-1.0 libc6 libexpat1 libffi8 libgcc-s1 libgomp1 liblzma5 libpython3.11-minimal libpython3.11-stdlib
  libsqlite3-0 libssl3 libstdc++6 libuuid1 python3.11 python3.11-minimal zlib1g
)

rm -rf "$folder"
mkdir -p "$folder"/apt/{lists,cache/archives}/partial "$folder/debs"
cd "$folder"

# Lists of its own: the machine's know nothing of ARM, and apt would not go on without those of its own processor.
native=$(dpkg --print-architecture)
apt=(
  apt-get -qq -o "APT::Architectures=$native,arm64" -o "Dir::State::Lists=$PWD/apt/lists" -o "Dir::Cache=$PWD/apt/cache"
  -o "APT::Sandbox::User=$(id --user --name)"
)
"${apt[@]}" update
(cd debs && "${apt[@]}" download "qemu-user-static:$native" "${arm64[@]/%/:arm64}")
for deb in debs/qemu-*.deb; do dpkg -x "$deb" qemu; done
mv qemu/usr/bin/qemu-{aarch64,x86_64}-static .
for deb in debs/*_arm64.deb; do dpkg -x "$deb" arm64; done

{
  echo "$torch"
  for name in "${locked[@]}"; do sed -n "/^$name==/,/[^\\]\$/p" "$lock"; done
} > requirements.txt
"$python" -m pip -qq --disable-pip-version-check install --no-deps --require-hashes \
  --target packages --python-version 3.11 --platform manylinux_2_28_aarch64 --platform manylinux_2_17_aarch64 \
  --only-binary :all: --requirement requirements.txt

rm -r apt debs qemu
touch made  # the last, and what make looks for: a folder that was not finished is begun anew
