import threading

import pytest

from iqa_jax.engine.programs import Programs

FIRST, SECOND = ((1, 8, 8, 3), (1, 2, 8, 8, 3)), ((1, 9, 9, 3), (1, 2, 9, 9, 3))


class Compiler:
    """Stands for XLA; a program is its shapes and the thread that compiled it."""

    def __init__(self):
        self.compiled = []
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self, shapes):
        self.may_end.wait()
        self.compiled.append(shapes)
        return shapes, threading.current_thread()


@pytest.fixture
def compiler():
    return Compiler()


def test_a_program_is_compiled_once(compiler):
    programs = Programs()
    assert programs.get(FIRST, compiler) == (FIRST, threading.current_thread())
    programs.compile_ahead(FIRST, compiler)
    programs.get(FIRST, compiler)
    assert compiler.compiled == [FIRST]


def test_another_thread_compiles_ahead(compiler):
    programs = Programs()
    compiler.may_end.clear()
    programs.compile_ahead(SECOND, compiler)
    programs.compile_ahead(SECOND, compiler)
    assert compiler.compiled == []
    compiler.may_end.set()
    shapes, thread = programs.get(SECOND, compiler)
    assert shapes == SECOND
    assert thread is not threading.current_thread()
    assert programs.get(SECOND, compiler) == (SECOND, thread)
    assert compiler.compiled == [SECOND]
    programs.stop()
    assert not thread.is_alive()


def test_an_error_is_raised_where_the_program_is_needed():
    programs = Programs()
    programs.compile_ahead(FIRST, lambda shapes: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        programs.get(FIRST, lambda shapes: 1 / 0)
    programs.stop()


def test_what_was_compiled_in_vain_is_forgotten(compiler):
    programs = Programs()
    programs.compile_ahead(FIRST, compiler)
    programs.stop()
    assert programs.get(FIRST, compiler) == (FIRST, threading.current_thread())
    assert compiler.compiled == [FIRST, FIRST]
