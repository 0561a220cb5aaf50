"""A folder that hostile programs filled: measured and emptied without recursion and without following links."""

import os
import stat

names = 0


def entries(path):
    try:
        with os.scandir(path) as found:
            yield from found
    except PermissionError:
        os.chmod(path, 0o700)
        with os.scandir(path) as found:
            yield from found


def usage(base, most):
    """(entries, bytes on disk) under `base`; stops counting at `most` entries. Vanished names are not counted."""
    count = size = 0
    waiting = [base]
    while waiting and count <= most:
        try:
            for entry in entries(waiting.pop()):
                count += 1
                if count > most:
                    break
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
        except FileNotFoundError:
            continue
        except OSError:
            return most + 1, size
    return count, size


def empty(base):
    """Removes all under `base`. Deep trees are made flat first: a path of any depth would be too long to name."""
    global names
    while True:
        found = list(entries(base))
        if not found:
            return
        for entry in found:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for inner in list(entries(entry.path)):
                if stat.S_ISDIR(inner.stat(follow_symlinks=False).st_mode):
                    names += 1
                    os.chmod(inner.path, 0o700)
                    os.rename(inner.path, os.path.join(base, f'.gone-{names}'))
                else:
                    os.unlink(inner.path)
            os.rmdir(entry.path)
