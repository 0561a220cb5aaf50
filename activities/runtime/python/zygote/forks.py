"""Keeps library modules from registering work for every fork. To be run before any other module of the server.

`threading` resets its locks and `random` reads a seed in each child: together two thirds of the cost of a fork here, for
nothing: the server has one thread, whose state is as good in the child, and `random` is seeded by hand. The canaries run
a program with threads, so an interpreter that needs the handlers would be found out.
"""

import os

register = os.register_at_fork
os.register_at_fork = lambda **handlers: None


def restore():
    """After all imports: a program gets the real function."""
    os.register_at_fork = register
