# Run a stage by the Python on the PATH, which takes the place of this shell: so the stage sees DVC die. -E: whatever
# PYTHONPATH and the like are set to for other programs. -P: Python's own modules first, whatever files lie in this folder.
# -X utf8: files' names are in UTF-8, whatever the locale. -u: each line is in a log at once.
if ! python -ESc 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo 'error: python: there is none on the PATH, or an old one; activate the environment: . .venv/bin/activate' >&2
  exit 1
fi
# Which can forbid instructions to the C library, whose exponentials then round otherwise.
unset GLIBC_TUNABLES
# Let the C library keep memory that is freed: to give back and take megabytes for each product costs a training step more
# than a twentieth of its time.
export MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=268435456
# As -m does, but -m would look into this folder before it imports anything.
exec python -E -P -X utf8 -u -c 'import runpy, sys
sys.path.insert(0, "")
runpy.run_module(sys.argv.pop(), run_name="__main__", alter_sys=True)' "stages.$1"
