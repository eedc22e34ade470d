"""Storm files for tests: a queue that is a folder, so that no broker and no library is needed."""

import textwrap
from pathlib import Path

# A message is a file. Whoever renames it has it, and nobody looks for it again: at most once.
FOLDER_QUEUE = """
    import os, pathlib, time
    from onceproof.storm import Queue, work

    queue = Queue(broker="none", lease=0)
    box = pathlib.Path("box")

    def submit(task, seconds):
        box.mkdir(exist_ok=True)
        (box / "new").write_text(str(seconds))
        os.replace(box / "new", box / (task + ".job"))

    def consume():
        while True:
            for file in sorted(box.glob("*.job")):
                mine = file.with_suffix("." + str(os.getpid()))
                try:
                    os.rename(file, mine)
                except OSError:
                    continue
                work(file.stem, float(mine.read_text()))
            time.sleep(0.02)

    queue.worker("python -m folder_queue")
    queue.submit(submit)
    if __name__ == "__main__":
        consume()
"""


def folder_queue(folder: Path, *replacements: tuple[str, str]) -> Path:
    """The file of a queue that is a folder, with some of its text replaced by other text."""
    text = textwrap.dedent(FOLDER_QUEUE)
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "folder_queue.py"
    file.write_text(text, encoding="utf-8")
    return file
