"""A maker's script in QuickJS: bounded in time and memory, without input or output.

Scripts are those of LoRa Alliance TS013, "Payload Codec API": functions `decodeUplink`,
`encodeDownlink` and `decodeDownlink`, at the top level, among the script's `exports`, or of its
`driver`, as bundles have it. A script
has a context of its own, which has nothing but the language: no file, no network, no timer, a
`console` that says nothing. Only JSON goes in and comes out.

The context is used again from call to call, and made anew after a call that hit a limit. What a
script keeps in variables may be there in its next call or not: it must not depend on either.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import quickjs  # type: ignore[import-untyped]

from bittern.errors import CodecError

FUNCTIONS = ("decodeUplink", "encodeDownlink", "decodeDownlink")
OFFERED = "offered"
"""Called like a function it lists those that the script has."""
MEMORY_BYTES = 8 * 1024 * 1024
"""For a script and all that it makes."""
STACK_BYTES = 256 * 1024
CALL_S = 0.05
"""Processor time of a call."""
LOAD_S = 0.5
"""Processor time of the script's own statements, once for a context; long for bundled libraries."""
MOST_ANSWER_BYTES = 64 * 1024
MOST_REASON = 500
"""Characters of what a script complains of."""

_PRELUDE = """
(function (global) {
  'use strict';
  const parse = JSON.parse, spell = JSON.stringify, Time = Date, Text = String, list = Array.from;
  const isView = ArrayBuffer.isView, own = Function.prototype.call, bind = own.bind.bind(own);
  const cut = bind(String.prototype.slice), whole = bind(String.prototype.toWellFormed);
  const nothing = function () {};
  global.console = { log: nothing, info: nothing, warn: nothing, error: nothing, debug: nothing };
  global.exports = {};
  global.module = { exports: global.exports };
  const told = function (what) {
    try { return whole(cut(Text(what), 0, 1000)); } catch (_) { return 'nothing that can be told'; }
  };
  const placed = function (what) {
    try { return whole(cut(Text(what.stack), 0, 4000)); } catch (_) { return ''; }
  };
  return function bittern_call(subject, argument) {
    try {
      const input = parse(argument);
      if (input.recvTime !== undefined) input.recvTime = new Time(input.recvTime);
      const output = subject(input);
      if (output !== null && typeof output === 'object') {
        if (typeof output.then === 'function') return spell({ no: ['it gives a promise', ''] });
        if (isView(output.bytes)) output.bytes = list(output.bytes);
      }
      return spell({ yes: output });
    } catch (thrown) {
      return spell({ no: [told(thrown), placed(thrown)] });
    }
  };
})(globalThis)
"""

_FIND = """
(function () {{
  if (typeof module === 'object' && module && module.exports
      && typeof module.exports.{0} === 'function') return module.exports.{0};
  if (typeof exports === 'object' && exports
      && typeof exports.{0} === 'function') return exports.{0};
  if (typeof driver === 'object' && driver
      && typeof driver.{0} === 'function') return driver.{0};
  return typeof {0} === 'function' ? {0} : null;
}})()
"""
_FIND_OLDER = f"""
(function (call) {{
  const older = {_FIND.format("Decoder").strip()};
  if (older) return function (input) {{ return {{ data: older(input.bytes, input.fPort) }}; }};
  const other = {_FIND.format("Decode").strip()};
  return other && function (input) {{
    return {{ data: other(input.fPort, input.bytes, {{}}) }};
  }};
}})()
"""
"""What decoders were before TS013: `Decoder(bytes, port)` and `Decode(fPort, bytes, variables)`.
Makers still ship such."""

_CALLED = re.compile(r"at (?P<name>\S+) \(<input>:(\d+):(\d+)\)")
_READ = re.compile(r"at <input>:(\d+):(\d+)")
_OUR_FRAME = "bittern_call"


class _Answer(msgspec.Struct, frozen=True, gc=False):
    yes: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    no: tuple[str, str] | None = None


_answer = msgspec.json.Decoder(_Answer)


class Script:
    """One script. It is read when it is first called: `CodecError` may come of that too."""

    def __init__(self, source: str, *, call_s: float = CALL_S, memory: int = MEMORY_BYTES) -> None:
        self._source = source
        self._call_s = call_s
        self._memory = memory
        self._context: Any = None
        self._call: Any = None
        self._functions: dict[str, Any] = {}
        self._used = False

    def call(self, function: str, argument: str) -> bytes:
        """What `function` makes of `argument`; both JSON. Raises `CodecError`."""
        fresh = not self._used
        try:
            return self._try(function, argument)
        except CodecError as error:
            if error.kind == "memory" and not fresh:
                # It may have been filled by what earlier calls left.
                self._forget()
                return self._try(function, argument)
            raise

    def _try(self, function: str, argument: str) -> bytes:
        try:
            if self._context is None:
                self._load()
            if function == OFFERED:
                return msgspec.json.encode([name for name in FUNCTIONS if self._find(name)])
            subject = self._function(function)
            self._used = True
            text = self._call(subject, argument)
        except CodecError as error:
            self._forget()
            raise error from None
        except Exception as error:  # whatever the engine raises, the script is to blame
            self._forget()
            raise _told(str(error)) from None
        return self._answer(text)

    def _load(self) -> None:
        self._context = context = quickjs.Context()
        context.set_memory_limit(self._memory)
        context.set_max_stack_size(STACK_BYTES)
        context.set_time_limit(LOAD_S)
        self._call = context.eval(_PRELUDE)
        context.eval(self._source)
        context.set_time_limit(self._call_s)

    def _function(self, name: str) -> Any:
        found = self._functions.get(name)
        if found is None:
            found = self._find(name)
            if found is None:
                raise CodecError(f"the script has no function {name}", kind="script")
            self._functions[name] = found
        return found

    def _find(self, name: str) -> Any:
        found = self._context.eval(_FIND.format(name))
        if found is None and name == "decodeUplink":
            found = self._context.eval(_FIND_OLDER)
        return found

    def _answer(self, text: object) -> bytes:
        answer = _parsed(text)
        if answer.no is not None:
            refused = _told(*answer.no)
            if refused.kind == "memory":
                self._forget()
            raise refused
        if answer.yes is msgspec.UNSET:
            raise CodecError("it gives nothing, or nothing that JSON can say", kind="answer")
        return bytes(answer.yes)

    def _forget(self) -> None:
        """The next call has a fresh context."""
        self._functions = {}
        self._call = self._context = None
        self._used = False


def _parsed(text: object) -> _Answer:
    if not isinstance(text, str) or len(text) > MOST_ANSWER_BYTES:
        raise CodecError(f"it gives more than {MOST_ANSWER_BYTES} bytes of JSON", kind="answer")
    try:
        return _answer.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CodecError(f"it gives no JSON: {error}", kind="answer") from None


def _told(reason: str, stack: str = "") -> CodecError:
    """In the engine's words: what is wrong, and the places that it came by, innermost first."""
    place = _place(stack or reason)
    text = reason.partition("\n    at ")[0].removesuffix("\nundefined").strip()[:MOST_REASON]
    if "InternalError: interrupted" in reason:
        return CodecError("it takes too long", kind="time", place=place)
    if "InternalError: out of memory" in reason or text == "null":
        return CodecError("it takes too much memory", kind="memory", place=place)
    return CodecError(text or "it fails without a reason", kind="script", place=place)


def _place(text: str) -> tuple[int, int] | None:
    """Line and column, from 1, of the innermost place in the script itself.

    A place without a function is where text could not be read: the script, unless a function of it
    read that text.
    """
    found = _CALLED.search(text)
    if found is None:
        read = _READ.search(text)
        return None if read is None else (int(read[1]), int(read[2]))
    return None if found["name"] == _OUR_FRAME else (int(found[2]), int(found[3]))
