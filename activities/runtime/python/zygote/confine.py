"""Confinement of the calling process: resource limits, Landlock, seccomp. For x86_64 Linux; needs no privilege.

Knows nothing of programs or tests. Every failure raises; nothing is skipped in silence. Once `lock` has returned the
process can open only library folders (to read) and its scratch folder, and make no call of syscalls.py.
"""

import ctypes
import os
import platform
import resource
import struct

import syscalls

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
AUDIT_ARCH_X86_64 = 0xC000003E
ENOSYS, EPERM = 38, 1


def check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f'{what}: {os.strerror(number)}')
    return result


def prctl(option, value):
    check(libc.prctl(option, value, 0, 0, 0), f'prctl {option}')


def private():
    """No core file, and /proc entries that only root can open."""
    prctl(PR_SET_DUMPABLE, 0)


def die_with(parent):
    """Ends this process when its parent ends. `parent`: pid, checked afterwards because it may be gone already."""
    prctl(PR_SET_PDEATHSIG, 9)
    if os.getppid() != parent:
        os._exit(1)


def set_limit(which, value):
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def limit(cpu_seconds, address_bytes, file_bytes, tasks):
    """Hard limits, above the exact ones that the server watches: they hold even if the server is stopped."""
    mib = 1 << 20
    set_limit(resource.RLIMIT_CPU, cpu_seconds)
    set_limit(resource.RLIMIT_AS, address_bytes)
    set_limit(resource.RLIMIT_FSIZE, file_bytes)
    set_limit(resource.RLIMIT_NOFILE, 64)
    set_limit(resource.RLIMIT_CORE, 0)
    set_limit(resource.RLIMIT_NPROC, tasks)
    set_limit(resource.RLIMIT_STACK, 64 * mib)
    set_limit(resource.RLIMIT_MEMLOCK, 0)
    set_limit(resource.RLIMIT_MSGQUEUE, 0)


# --- Landlock -------------------------------------------------------------------------------------------------------

READ = 1 << 2 | 1 << 3  # read a file, list a folder
WRITE = READ | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8  # and write, remove, make folders and plain files
RENAME, TRUNCATE = 1 << 13, 1 << 14  # ABI 2, ABI 3


def landlock_abi():
    """0 where the kernel has none or has it switched off."""
    return max(0, libc.syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(1)))


def handled_rights(abi):
    return (1 << (13 if abi == 1 else 14 if abi == 2 else 15 if abi < 5 else 16)) - 1


def allow_path(ruleset, path, rights):
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= 1 << 1 | 1 << 2 | TRUNCATE
        rule = struct.pack('=Qi', rights, fd)
        check(libc.syscall(LANDLOCK_ADD, ruleset, 1, rule, 0), f'landlock rule for {path}')
    finally:
        os.close(fd)


def prepare_landlock(abi, readable, scratch):
    """A ruleset, made once. Files: `readable` paths to read, `scratch` to read and write. TCP, foreign sockets and
    signals: none (ABI 4, 6)."""
    rights = handled_rights(abi)
    attributes = struct.pack('=Q', rights)
    if abi >= 4:
        attributes += struct.pack('=Q', 3)
    if abi >= 6:
        attributes += struct.pack('=Q', 3)
    ruleset = check(
        libc.syscall(LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0)), 'landlock ruleset'
    )
    for path in readable:
        allow_path(ruleset, path, READ & rights)
    allow_path(ruleset, '/dev/null', (READ | 1 << 1) & rights)
    allow_path(ruleset, scratch, (WRITE | RENAME | TRUNCATE) & rights)
    return ruleset


def landlock(ruleset):
    check(libc.syscall(LANDLOCK_RESTRICT, ruleset, 0), 'landlock restrict')
    os.close(ruleset)


# --- seccomp --------------------------------------------------------------------------------------------------------

LOAD, EQUAL, GREATER_OR_EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCH = 0, 4


def argument(index, high=False):
    return 16 + 8 * index + (4 if high else 0)


def instruction(code, k, yes=0, no=0):
    return struct.pack('=HBBI', code, yes, no, k)


def returns(action):
    return instruction(RETURN, action)


def ranges(numbers):
    """Sorted numbers as [first, last] runs, so that the filter is short."""
    runs = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def on_call(number, body):
    """`body` runs for this call only and must return; the loaded word is the call's number before and after."""
    return [instruction(EQUAL, number, 0, len(body)), *body]


def filter_program():
    """Wrong architecture: kill. Listed: EPERM. Unknown: ENOSYS. Threads, plain fcntl and reading own limits: allowed."""
    eperm, pretend = returns(ERRNO | EPERM), returns(ERRNO)
    code = [
        instruction(LOAD, ARCH),
        instruction(EQUAL, AUDIT_ARCH_X86_64, 1, 0),
        returns(KILL),
        instruction(LOAD, NUMBER),
        instruction(GREATER_OR_EQUAL, 0x40000000, 0, 1),  # x32 numbers
        returns(KILL),
        instruction(GREATER_OR_EQUAL, syscalls.LAST_KNOWN + 1, 0, 1),
        returns(ERRNO | ENOSYS),
    ]
    # glibc falls back from clone3 to clone, whose flags can be seen: only threads (0x10000) are made.
    code += on_call(syscalls.CLONE3, [returns(ERRNO | ENOSYS)])
    code += on_call(syscalls.CLONE, [instruction(LOAD, argument(0)), instruction(ANY_BIT, 0x10000, 1, 0), eperm, returns(ALLOW)])
    # fcntl could name another process for SIGIO: F_SETOWN 8, F_SETSIG 10, F_SETOWN_EX 15.
    code += on_call(
        syscalls.FCNTL,
        [
            instruction(LOAD, argument(1)),
            instruction(EQUAL, 8, 3, 0),
            instruction(EQUAL, 10, 2, 0),
            instruction(EQUAL, 15, 1, 0),
            returns(ALLOW),
            eperm,
        ],
    )
    # Programs like to raise their stack limit: the call succeeds and changes nothing. Reading own limits is allowed.
    code += on_call(syscalls.SETRLIMIT, [pretend])
    code += on_call(
        syscalls.PRLIMIT64,
        [
            instruction(LOAD, argument(0)),
            instruction(EQUAL, 0, 1, 0),
            eperm,
            instruction(LOAD, argument(2)),
            instruction(EQUAL, 0, 1, 0),
            pretend,
            instruction(LOAD, argument(2, high=True)),
            instruction(EQUAL, 0, 1, 0),
            pretend,
            returns(ALLOW),
        ],
    )
    for first, last in ranges(syscalls.DENIED.values()):
        if first == last:
            code += on_call(first, [eperm])
        else:
            code += [instruction(GREATER_OR_EQUAL, first, 0, 2), instruction(GREATER_OR_EQUAL, last + 1, 1, 0), eperm]
    code.append(returns(ALLOW))
    return b''.join(code)


class Filter(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('code', ctypes.c_char_p)]


def prepare_filter():
    """The compiled filter, made once; refuses machines whose numbers are not listed."""
    if platform.machine() != 'x86_64':
        raise RuntimeError(f'system calls of {platform.machine()} are not listed; x86_64 is')
    program = filter_program()
    return Filter(len(program) // 8, program)


def no_new_privileges():
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def seccomp(prepared):
    check(libc.prctl(PR_SET_SECCOMP, 2, ctypes.addressof(prepared), 0, 0), 'seccomp')
