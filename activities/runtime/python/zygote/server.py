"""The fork server: warm interpreter that runs each test in a fork which confines itself before the program starts.

Asked by frames on its stdin, answers on its stdout. Sees sources, inputs and limits, never expected outputs. Judges
nothing: reports how the program ended, what it used and what it wrote. One program runs at a time.
"""

import fcntl
import gc
import os
import platform
import resource
import select
import signal
import time

import confine
import forks
import frames
import program
import scratch

TICK_S = 0.02  # how often a running program is looked at: bounds how far it can pass a limit
USAGE_EVERY = 10  # ticks between two looks at the scratch folder
MOST_ENTRIES, MOST_BYTES, FILE_BYTES = 2000, 64 << 20, 16 << 20
# Address space above the memory limit: thread stacks (512 MiB is a common request) and libraries are reserved, not used.
ADDRESS_SLACK = 768 << 20
TAIL = 4096
PATIENCE = 12  # wall limits that a program may take on a machine without a free core; the twin of slots.ts
RULESET = 512  # number of the file that holds the Landlock ruleset: above all others of the server
PAGE = os.sysconf('SC_PAGE_SIZE')


def tasks_of_user():
    """Threads that this user already has, which RLIMIT_NPROC counts too; 0 inside a pid namespace of our own."""
    count, uid = 0, str(os.getuid())
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open(f'/proc/{name}/status') as file:
                    fields = dict(line.split(':', 1) for line in file)
                if fields['Uid'].split()[0] == uid:
                    count += int(fields['Threads'])
            except (OSError, KeyError):
                continue
    return count


class Server:
    def __init__(self, settings):
        self.settings = settings
        self.base = settings['scratch']
        # This folder is emptied after every program: it must be one that was made for it.
        if self.base != '/scratch' and not os.path.basename(self.base).startswith('metaagentx-python-'):
            raise ValueError(f'{self.base} is not a scratch folder')
        self.requests, self.answers = move_aside(0, os.O_RDONLY), move_aside(1, os.O_WRONLY)
        os.umask(0o077)
        confine.private()
        scratch.empty(self.base)
        self.filter = confine.prepare_filter()
        self.abi = confine.landlock_abi()
        self.tasks = tasks_of_user() + 32
        self.folder = os.path.join(self.base, 'work')
        self.make_folder()
        self.ruleset = None
        if settings['landlock']:
            # Above the numbers that a program's own files get; the program's copy is closed before it starts.
            ruleset = confine.prepare_landlock(self.abi, settings['readable'], self.folder)
            self.ruleset = fcntl.fcntl(ruleset, fcntl.F_DUPFD_CLOEXEC, RULESET)
            os.close(ruleset)
        program.warm()
        program.prepare()
        forks.restore()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        # The collector must not touch what all forks share, or every fork copies it.
        gc.collect()
        gc.freeze()

    def serve(self):
        frames.write(self.answers, {'ready': True, 'landlock': self.abi, 'python': platform.python_version(), 'uid': os.getuid()})
        while True:
            try:
                header, parts = frames.read(self.requests)
            except EOFError:
                break
            try:
                answer, texts = self.run(header, *parts)
            except Exception as error:
                answer, texts = {'broken': f'{type(error).__name__}: {error}'}, ()
            frames.write(self.answers, answer, texts)
        scratch.empty(self.base)
        if self.base != '/scratch':
            os.rmdir(self.base)

    def run(self, request, source, text):
        try:
            run = Run(request)
            run.start(lambda status_fd: self.child(request, source, text, status_fd), text)
            run.watch(self.folder)
            return run.report()
        finally:
            self.clean()

    def clean(self):
        """The program's folder is empty again; without Landlock it may also have been replaced, or be not alone."""
        if os.listdir(self.base) != ['work'] or os.lstat(self.folder).st_ino != self.inode:
            scratch.empty(self.base)
            self.make_folder()
        elif os.listdir(self.folder):
            scratch.empty(self.folder)

    def make_folder(self):
        os.mkdir(self.folder)
        self.inode = os.lstat(self.folder).st_ino

    def child(self, request, source, text, status_fd):
        """In the fork. Order matters: limits and privileges first, files next, system calls last."""
        limits = request['limits']
        tasks = self.tasks + limits['processes']
        confine.limit(limits['cpuMs'] // 1000 + 2, (limits['memoryMb'] << 20) + ADDRESS_SLACK, FILE_BYTES, tasks)
        os.chdir(self.folder)
        confine.no_new_privileges()
        if self.ruleset is not None:
            confine.landlock(self.ruleset)
        if self.settings['seccomp']:
            confine.seccomp(self.filter)
        os.write(status_fd, b'L')
        form = request.get('argumentsForm', 'auto')
        program.run(decoded(source), request['style'], request.get('functionName'), form, decoded(text), status_fd)


def decoded(data):
    return data.decode('utf-8', 'surrogatepass')


def move_aside(fd, mode):
    """The frame channel on a number out of the way; the standard number leads to nothing."""
    aside = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100)
    nothing = os.open('/dev/null', mode)
    os.dup2(nothing, fd)
    os.close(nothing)
    return aside


def input_file(text):
    """A sealed anonymous file: inputs of any length need no writer, and nothing is left behind."""
    fd = os.memfd_create('input', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(text)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    # F_ADD_SEALS: seal, shrink, grow, write
    fcntl.fcntl(fd, 1033, 1 | 2 | 4 | 8)
    return fd


class Run:
    """One program in flight, seen from the server."""

    def __init__(self, request):
        self.limits = request['limits']
        self.output, self.errors, self.status = bytearray(), bytearray(), bytearray()
        self.error_bytes = 0
        self.starved_ms = 0
        self.passed = None  # the limit that was passed, as (status, what)

    def start(self, child, text):
        stdin = input_file(text)
        pipes = [os.pipe() for _ in range(3)]
        self.began = time.monotonic()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                become_program(parent, stdin, [write for _, write in pipes])
                child(3)
            except BaseException as error:
                os.write(3, b'X' + f'{type(error).__name__}: {error}'.encode())
            finally:
                os._exit(120)
        os.close(stdin)
        self.readers = {}
        for (read, write), sink in zip(pipes, (self.add_output, self.add_error, self.add_status)):
            os.close(write)
            os.set_blocking(read, False)
            self.readers[read] = sink
        # The CPU clock of another process, by its number (clock_getcpuclockid).
        self.clock = (~self.pid << 3) | 2

    def add_output(self, data):
        room = self.limits['outputBytes'] - len(self.output)
        self.output += data[:room]
        if len(data) > room:
            self.passed = self.passed or ('output-limit', f'more than {self.limits["outputBytes"]} bytes of standard output')

    def add_error(self, data):
        self.error_bytes += len(data)
        self.errors = (self.errors + data)[-TAIL:]
        if self.error_bytes > self.limits['outputBytes']:
            self.passed = self.passed or ('output-limit', f'more than {self.limits["outputBytes"]} bytes of standard error')

    def add_status(self, data):
        self.status += data
        if len(self.status) > self.limits['outputBytes']:
            self.passed = self.passed or ('output-limit', f'a value of more than {self.limits["outputBytes"]} bytes')

    def watch(self, folder):
        """Until the program has ended or is killed; always reaps it."""
        poll = select.poll()
        for fd in self.readers:
            poll.register(fd, select.POLLIN)
        handle = os.pidfd_open(self.pid)
        poll.register(handle, select.POLLIN)
        ticks, next_look, ended = 0, self.began + TICK_S, False
        try:
            while not ended and self.passed is None:
                ready = poll.poll(max(0, (next_look - time.monotonic()) * 1000))
                for fd, _ in ready:
                    if fd == handle:
                        ended = True
                    elif not self.drain(fd, 1 << 16):
                        poll.unregister(fd)
                if time.monotonic() >= next_look:
                    ticks += 1
                    next_look = time.monotonic() + TICK_S
                    self.look(folder if ticks % USAGE_EVERY == 0 else None)
        finally:
            if not ended:
                os.kill(self.pid, signal.SIGKILL)
            _, self.ending, self.used = os.wait4(self.pid, 0)
            self.wall_ms = (time.monotonic() - self.began) * 1000
            os.close(handle)
            for fd in self.readers:
                while self.passed is None and self.drain(fd, 1 << 20):
                    pass
                os.close(fd)

    def drain(self, fd, most):
        """False at the end of the stream, or when nothing is waiting."""
        try:
            data = os.read(fd, most)
        except BlockingIOError:
            return False
        self.readers[fd](data)
        return len(data) > 0

    def look(self, folder):
        limits = self.limits
        wall_ms = (time.monotonic() - self.began) * 1000
        self.starved_ms = max(self.starved_ms, starved_ms(self.pid))
        if wall_ms > limits['wallMs'] and self.waited_too_long(wall_ms):
            return
        try:
            cpu_ms = time.clock_gettime(self.clock) * 1000
            with open(f'/proc/{self.pid}/statm') as file:
                resident = int(file.read().split()[1]) * PAGE
            threads = os.stat(f'/proc/{self.pid}/task').st_nlink - 2
        except (OSError, IndexError):
            return  # it has just ended
        if cpu_ms > limits['cpuMs']:
            self.passed = ('time-limit', f'more than {limits["cpuMs"]} ms of CPU time')
        elif resident > limits['memoryMb'] << 20:
            self.passed = ('memory-limit', f'more than {limits["memoryMb"]} MiB of memory')
        elif threads > limits['processes']:
            self.passed = ('runtime-error', f'more than {limits["processes"]} threads')
        elif folder is not None:
            count, size = scratch.usage(folder, MOST_ENTRIES)
            if count > MOST_ENTRIES or size > MOST_BYTES:
                self.passed = ('runtime-error', f'more than {MOST_ENTRIES} files or {MOST_BYTES >> 20} MiB in the scratch folder')

    def waited_too_long(self, wall_ms):
        """Time in which the program was ready and had no core is the machine's, not the program's."""
        most = self.limits['wallMs']
        if wall_ms - self.starved_ms > most:
            self.passed = ('time-limit', f'more than {most} ms of wall time')
        elif wall_ms > most * PATIENCE:
            raise RuntimeError(f'the machine is too busy: {wall_ms:.0f} ms were not enough to run a program for {most} ms')
        return self.passed is not None

    def report(self):
        cpu_ms = (self.used.ru_utime + self.used.ru_stime) * 1000
        status, error = self.outcome(cpu_ms)
        value = b''
        if status == 'ok' and b'P' in self.status:
            value = bytes(self.status[self.status.index(b'P') + 1 :])
        header = {'status': status, 'error': error, 'cpuMs': round(cpu_ms, 3), 'wallMs': round(self.wall_ms, 3)}
        header['starvedMs'] = round(self.starved_ms, 3)
        return header, (bytes(self.output), bytes(self.errors), value)

    def outcome(self, cpu_ms):
        if not self.status.startswith(b'L') and self.passed is None:
            raise RuntimeError(f'the fork could not confine itself ({self.status.decode(errors="replace") or how(self.ending)})')
        if self.passed is not None:
            return self.passed
        if cpu_ms > self.limits['cpuMs'] or os.WIFSIGNALED(self.ending) and os.WTERMSIG(self.ending) == signal.SIGXCPU:
            return 'time-limit', f'more than {self.limits["cpuMs"]} ms of CPU time'
        if self.used.ru_maxrss > self.limits['memoryMb'] << 10:
            return 'memory-limit', f'more than {self.limits["memoryMb"]} MiB of memory'
        if self.status.startswith(b'LC'):
            return 'compile-error', self.status[2:].decode(errors='replace')[:1000]
        if not self.status.startswith(b'LP'):
            return 'compile-error', f'the compiler ended early: {how(self.ending)}'
        if os.WIFEXITED(self.ending) and os.WEXITSTATUS(self.ending) == 0:
            return 'ok', None
        lines = self.errors.decode(errors='replace').strip().split('\n')
        last = lines[-1].strip()[:1000]
        if last.startswith('MemoryError'):
            return 'memory-limit', last
        return 'runtime-error', last if os.WIFEXITED(self.ending) and last else how(self.ending)


def starved_ms(pid):
    """The longest that a thread of the program has waited for a core (schedstat, second number); 0 where unknown."""
    longest = 0
    try:
        for task in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{task}/schedstat') as file:
                longest = max(longest, int(file.read().split()[1]))
    except (OSError, IndexError):
        pass
    return longest / 1e6


def how(ending):
    if os.WIFSIGNALED(ending):
        return f'killed by {signal.Signals(os.WTERMSIG(ending)).name}'
    return f'exit status {os.WEXITSTATUS(ending)}'


def become_program(parent, stdin, writers):
    """Standard streams and the status pipe as 0 to 3, nothing else open; dies with the server."""
    confine.die_with(parent)
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200) for fd in (stdin, *writers)]
    for number, fd in enumerate(high):
        os.dup2(fd, number, inheritable=True)
    os.closerange(4, RULESET)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
