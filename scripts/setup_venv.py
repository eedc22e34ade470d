"""Make or renew .venv at the root of the checkout; called by ./scripts/setup.

Only the standard library, and a syntax that older Pythons can read too, so that they get the message and no traceback.
"""

import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "onceproof-setup-done"
OLDEST = (3, 11)


def fail(message):
    """Print one line and end with exit code 2 (the environment does not fit)."""
    print("setup: " + message, file=sys.stderr)
    sys.exit(2)


def check_python():
    """End with a clear line where this Python is too old, or cannot make environments."""
    if sys.version_info < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        found = f"{sys.executable} is {sys.version.split()[0]}"
        fail(f"onceproof needs Python {oldest} or newer, and {found}; name another with PYTHON=...")
    try:
        import ensurepip  # noqa: F401
        import fcntl  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        hint = "on Debian and Ubuntu: apt install python3-venv"
        fail(f"this Python lacks the module '{error.name}', which making .venv needs ({hint})")


def wanted_stamp():
    """Return the lines of the stamp of an up-to-date environment.

    The root is one of them since a moved checkout has a .venv whose scripts point to the old place.
    """
    lines = [f"root {ROOT}"]
    for name in ("requirements.txt", "pyproject.toml"):
        lines.append(f"{name} {hashlib.sha256((ROOT / name).read_bytes()).hexdigest()}")
    return lines


def present_stamp():
    """Return the lines of the stamp that is there; none where no set-up was ever completed."""
    if not (VENV / "bin" / "python").exists():
        return []
    try:
        return STAMP.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


@contextlib.contextmanager
def only_one():
    """Hold the lock of this checkout; whoever comes second waits."""
    import fcntl

    # The lock is on the folder itself: no file to leave behind, and none that an editor could replace.
    lock = os.open(str(ROOT), os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("setup: another set-up of this checkout is running; waiting for it", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def run(arguments, lock):
    """Run a command silently; end with what it said if it fails.

    The command inherits the lock: should this process be killed alone, nobody starts beside a pip that still runs.
    """
    done = subprocess.run(
        [str(part) for part in arguments],
        cwd=str(ROOT),
        pass_fds=(lock,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print("\n".join(done.stdout.splitlines()[-30:]), file=sys.stderr)
        fail("this command failed (exit {}): {}".format(done.returncode, " ".join(map(str, arguments))))


def install(wanted, present, lock):
    """Bring .venv to the wanted stamp, by the least that is safe."""
    python = VENV / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # No stamp: never begun, or interrupted halfway, where what lies there can't be trusted. Then from scratch.
    fresh = present[:1] != wanted[:1]
    if STAMP.exists():
        STAMP.unlink()
    if fresh:
        if VENV.is_symlink():
            VENV.unlink()
        elif VENV.exists():
            shutil.rmtree(str(VENV))
        run([sys.executable, "-m", "venv", VENV], lock)
    if fresh or present[1:2] != wanted[1:2]:
        run([*pip, "-r", ROOT / "requirements.txt"], lock)
    write_stamp(wanted[:2])
    run([*pip, "--no-build-isolation", "--no-deps", "--editable", ROOT], lock)
    write_stamp(wanted)


def write_stamp(lines):
    """Say what of the wanted environment is complete; all lines are there only when all of it is."""
    STAMP.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    """Set up, unless that is done already."""
    if present_stamp() == wanted_stamp():
        return
    check_python()
    with only_one() as lock:
        wanted, present = wanted_stamp(), present_stamp()
        if present == wanted:
            return
        begun = time.monotonic()
        making = "making .venv from requirements.txt (about a minute, once)"
        what = "bringing .venv up to date" if present[:1] == wanted[:1] else making
        print(f"setup: {what} ...", file=sys.stderr, flush=True)
        install(wanted, present, lock)
        print(f"setup: done in {time.monotonic() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("setup: interrupted; the next run starts it afresh", file=sys.stderr)
        sys.exit(130)
