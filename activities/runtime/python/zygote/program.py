"""Runs one program in a process that is confined already: as a script, or as a function that is called.

Knows nothing of limits, tests or expected outputs. Talks on `status_fd`: 'C' + message when the text does not compile;
'P' just before the program's first line; then, in call style only, the value as JSON. What a program could write there
by itself is a value like any other: it is compared outside.
"""

import atexit
import builtins
import inspect
import io
import json
import linecache
import os
import random
import sys
import threading
import traceback
import types
from collections import deque

FILE = 'solution.py'
PRELUDE = '''
import bisect, collections, functools, heapq, itertools, math, operator, random, re, string, sys
from bisect import bisect_left, bisect_right, insort
from collections import Counter, OrderedDict, defaultdict, deque
from functools import cache, cmp_to_key, lru_cache, reduce
from heapq import heapify, heappop, heappush, heappushpop, heapreplace, nlargest, nsmallest
from itertools import accumulate, chain, combinations, combinations_with_replacement, groupby, permutations, product
from math import ceil, comb, floor, gcd, inf, isqrt, lcm, log, log2, pi, sqrt
from typing import *
'''
prelude = {}


def warm():
    """Imports what most programs import, once, in the server; and the names that call-style starter code assumes."""
    import array, cmath, copy, dataclasses, datetime, decimal, enum, fractions, queue, statistics, time  # noqa: F401, E401
    try:
        exec(PRELUDE, prelude)
    except ImportError as error:  # math.lcm and functools.cache are of Python 3.9
        raise RuntimeError(f'Python 3.9 or newer is needed: {error}') from error
    prelude.pop('__builtins__')


class NotJson(Exception):
    """The returned value has no JSON form."""


def plain(value, depth=0):
    """The value with exact built-in types only, so that no method of the program's runs while it is written down."""
    if depth > 500:
        raise NotJson('the returned value is nested more than 500 deep')
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if issubclass(kind, dict):
        items = dict.items(value)
        return {key if type(key) is str else json.dumps(plain(key, depth + 1)): plain(item, depth + 1) for key, item in items}
    if kind in (set, frozenset):
        return in_order([plain(item, depth + 1) for item in value])
    for base in (list, tuple, deque):
        if issubclass(kind, base):
            return [plain(item, depth + 1) for item in base.__iter__(value)]
    raise NotJson(f'the returned value contains a {kind.__name__}, which has no JSON form')


def in_order(items):
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=repr)


streams = ()
main = types.ModuleType('__main__')


def prepare():
    """All that is the same for every program, made once in the server: each page that a fork need not write is saved.

    Standard streams are built over what they will be in a program, a file that can be read and pipes that cannot be
    sought; the numbers 0 to 2 lead elsewhere until then. Afterwards neither the server's names nor its modules can be
    found by a program.
    """
    global streams
    stdin = os.memfd_create('stdin')
    ends = os.pipe()
    kept = [os.dup(number) for number in range(3)]
    for number, fd in enumerate((stdin, ends[1], ends[1])):
        os.dup2(fd, number)
    text = {'encoding': 'utf-8', 'errors': 'replace'}
    streams = (
        io.TextIOWrapper(io.BufferedReader(io.FileIO(0, 'r', closefd=False)), **text),
        io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, 'w', closefd=False)), **text),
        io.TextIOWrapper(
            io.BufferedWriter(io.FileIO(2, 'w', closefd=False)), encoding='utf-8', errors='backslashreplace', line_buffering=True
        ),
    )
    for number, fd in enumerate(kept):
        os.dup2(fd, number)
    for fd in (stdin, *ends, *kept):
        os.close(fd)
    random.seed(0)
    main.__builtins__ = builtins
    main.__file__ = FILE
    sys.argv = [FILE]
    for name in ('program', 'server', 'confine', 'forks', 'syscalls', 'frames', 'scratch'):
        sys.modules.pop(name, None)
    sys.modules['__main__'] = main


def take_streams():
    sys.stdin, sys.stdout, sys.stderr = streams
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = streams


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def last_line(error):
    where = f' (line {error.lineno})' if isinstance(error, SyntaxError) else ''
    return traceback.format_exception_only(type(error), error)[-1].strip() + where


def show(error):
    """The traceback without this file's frames."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != FILE:
        trace = trace.tb_next
    try:
        traceback.print_exception(type(error), error, trace, limit=-20, chain=False, file=sys.__stderr__)
    except BaseException:
        os.write(2, f'{type(error).__name__}\n'.encode())


def exit_status(stop):
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code & 0xFF
    print(stop.code, file=sys.__stderr__)
    return 1


def finish():
    """What the interpreter does at its end: waits for threads, runs exit functions, flushes."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()


def guarded(action):
    """Exit status of the program's part, every error shown as Python shows it."""
    try:
        try:
            action()
        except SystemExit as stop:
            status = exit_status(stop)
            finish()
            return status
        finish()
        return 0
    except SystemExit as stop:
        return exit_status(stop)
    except BaseException as error:
        show(error)
        try:
            finish()
        except BaseException:
            pass  # what the program left broken is its own affair: the error is told already
        return 1


def find_function(names, function_name):
    solution = names.get('Solution')
    if inspect.isclass(solution) and hasattr(solution, function_name):
        return getattr(solution(), function_name)
    if callable(names.get(function_name)):
        return names[function_name]
    raise NameError(f"the program defines neither Solution.{function_name} nor {function_name}")


def arity(function):
    """(fewest, most) positional arguments; most is None when there is no bound."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0, None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    fewest = sum(p.default is p.empty for p in positional)
    return fewest, None if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(positional)


def accepts(function, count):
    fewest, most = arity(function)
    return fewest <= count and (most is None or count <= most)


def as_lines(text):
    return [json.loads(line) for line in text.split('\n') if line.strip()]


def parse_arguments(text, form, function):
    """One JSON value a line, or one JSON array of all; `auto` prefers lines and decides by what the function takes."""
    if form == 'lines':
        return as_lines(text)
    if form == 'array':
        return json.loads(text)
    try:
        lines = as_lines(text)
    except ValueError:
        lines = None
    if lines is not None and accepts(function, len(lines)):
        return lines
    whole = json.loads(text)
    if isinstance(whole, list) and accepts(function, len(whole)):
        return whole
    return lines if lines is not None else [whole]


def run(source, style, function_name, form, arguments, status_fd):
    """Never returns. `arguments`: input text of a call-style test."""
    names = main.__dict__
    take_streams()
    # Only here: the server itself must never import from a folder that programs write to.
    sys.path[:0] = ['']
    try:
        code = compile(source, FILE, 'exec', dont_inherit=True)
    except MemoryError:
        write_all(status_fd, b'CMemoryError: the program is too large or nested too deep to compile')
        os._exit(0)
    except BaseException as error:
        write_all(status_fd, b'C' + last_line(error).encode('utf-8', 'replace'))
        os._exit(0)
    linecache.cache[FILE] = (len(source), None, source.splitlines(True), FILE)
    write_all(status_fd, b'P')

    def script():
        exec(code, names)

    def call():
        names.update(prelude)
        names['__name__'] = 'solution'
        exec(code, names)
        function = find_function(names, function_name)
        value = function(*parse_arguments(arguments, form, function))
        text = json.dumps(plain(value))
        finish()
        write_all(status_fd, text.encode())

    if style == 'stdio':
        os.close(status_fd)
    status = guarded(script if style == 'stdio' else call)
    try:
        sys.__stderr__.flush()
    finally:
        os._exit(status)
