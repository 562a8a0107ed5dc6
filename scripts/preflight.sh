#!/bin/sh
# Says in one line what this machine lacks, before anything is downloaded.
#
#   scripts/preflight.sh [PYTHON]     PYTHON defaults to python3
#
# Checks: a Python of 3.11 or later, its `venv` (with ensurepip), its shared
# library (cocotb embeds the interpreter in the simulator), and a C++ compiler
# (Verilator's output is compiled). Plain POSIX sh: Python itself may be absent.
# Exit code 0 when everything is there, 1 otherwise.

python=${1:-python3}
packages=
problems=

lacks() { # description, Debian package
    problems="${problems:+$problems, }$1"
    packages="$packages${2:+ $2}"
}

if ! command -v "$python" >/dev/null 2>&1; then
    if [ "$python" != python3 ]; then
        echo "fpgen: PYTHON=$python is not a command on this machine; give a Python 3.11 or later" >&2
        exit 1
    fi
    lacks "python3 (3.11 or later)" "python3 python3-venv libpython3.11"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "fpgen: $python is $("$python" --version 2>&1); Python 3.11 or later is needed:" \
         "install one and say 'make PYTHON=python3.11 ...'" >&2
    exit 1
else
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import venv, ensurepip' 2>/dev/null || lacks "Python's venv module" python3-venv
    # A distribution's python3 is linked statically and keeps its shared library in a package of its own.
    "$python" - 2>/dev/null <<'PYTHON'
import ctypes, os, sys, sysconfig
if sys.platform != "linux":
    sys.exit(0)
name = sysconfig.get_config_var("INSTSONAME") or sysconfig.get_config_var("LDLIBRARY") or ""
if ".so" not in name:
    sys.exit(2)
for place in (os.path.join(sysconfig.get_config_var("LIBDIR") or "", name), name):
    try:
        ctypes.CDLL(place)
        sys.exit(0)
    except OSError:
        pass
sys.exit(1)
PYTHON
    case $? in
        0) ;;
        2) echo "fpgen: $python was built without a shared library, which the simulator loads:" \
                "give another with 'make PYTHON=...' (the distribution's, or one built with --enable-shared)" >&2
           exit 1 ;;
        *) lacks "Python's shared library" "libpython$version" ;;
    esac
fi

compiler=${CXX:-}
for candidate in $compiler g++ clang++ c++; do
    if command -v "$candidate" >/dev/null 2>&1; then
        found=$candidate
        break
    fi
done
[ -n "${found:-}" ] || lacks "a C++ compiler" g++
command -v make >/dev/null 2>&1 || lacks "make" make

[ -z "$problems" ] && exit 0
echo "fpgen: missing on this machine: $problems. On Debian or Ubuntu: apt-get install$packages" >&2
exit 1
