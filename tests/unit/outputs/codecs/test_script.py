from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bittern.errors import CodecError
from bittern.outputs.codecs.script import MOST_ANSWER_BYTES, OFFERED, Script

INPUT = '{"bytes":[1,2],"fPort":2,"recvTime":"2020-02-03T04:05:06.789Z"}'


def call(source: str, function: str = "decodeUplink", argument: str = INPUT) -> Any:
    return json.loads(Script(source).call(function, argument))


def decoder(body: str) -> str:
    return f"function decodeUplink(input) {{ {body} }}"


def refused(source: str) -> CodecError:
    with pytest.raises(CodecError) as caught:
        Script(source).call("decodeUplink", INPUT)
    return caught.value


def test_a_function_is_given_bytes_port_and_a_date() -> None:
    body = "return { data: [input.bytes[1], input.fPort, input.recvTime.getTime()] };"
    assert call(decoder(body)) == {"data": [2, 2, 1580702706789]}


@pytest.mark.parametrize(
    "source",
    [
        "function decodeUplink(i) { return { data: i.fPort }; }",
        "const decodeUplink = (i) => ({ data: i.fPort });",
        "var decodeUplink = function (i) { return { data: i.fPort }; }",
        "exports.decodeUplink = function (i) { return { data: i.fPort }; }",
        "module.exports = { decodeUplink(i) { return { data: i.fPort }; } };",
        "var driver; (() => { driver = { decodeUplink: (i) => ({ data: i.fPort }) }; })();",
        "function Decoder(bytes, port) { return port; }",
        "function Decode(fPort, bytes, variables) { return fPort; }",
        "'use strict'; console.log('x'); class A { #p = 2; p() { return this.#p; } }"
        " function decodeUplink(i) { return { data: [0, new A().p()].at(-1) }; }",
    ],
)
def test_a_decoder_is_found_however_makers_offer_it(source: str) -> None:
    assert call(source) == {"data": 2}


def test_a_script_is_asked_what_it_offers_without_a_call() -> None:
    source = "function Decoder() { for (;;); } exports.encodeDownlink = function () { for (;;); };"
    assert call(source, OFFERED) == ["decodeUplink", "encodeDownlink"]
    with pytest.raises(CodecError, match="SyntaxError"):
        call("var", OFFERED)


def test_typed_arrays_are_bytes_too() -> None:
    source = "function encodeDownlink(i) { return { bytes: new Uint8Array([1, 255]) }; }"
    assert call(source, "encodeDownlink", '{"data":{}}') == {"bytes": [1, 255]}


def test_long_texts_that_the_engine_keeps_in_pieces_come_whole() -> None:
    body = "var s = ''; for (var i = 0; i < 9000; i++) s += 'abc' + i; return { data: s };"
    assert call(decoder(body))["data"] == "".join(f"abc{i}" for i in range(9000))


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        ("for (;;) {}", "time", "too long"),
        ("while (1) { try { for (;;) {} } catch (e) {} finally { continue; } }", "time", "long"),
        ("/(a+)+$/.test('a'.repeat(40) + 'b')", "time", "too long"),
        ("return { toJSON: function () { for (;;); } };", "time", "too long"),
        ("throw { toString() { for (;;); } };", "time", "too long"),
        ("var a = []; for (;;) a.push(new Array(1000));", "memory", "memory"),
        ("new Array(1e9).fill(0);", "memory", "memory"),
        ("var a = []; for (var i = 0; i < 1e5; i++) a = [a]; return { data: a };", "memory", ""),
        ("(function f() { f(); })();", "script", "stack"),
        ("return { data: 10n };", "script", "BigInt"),
        ("var a = {}; a.a = a; return { data: a };", "script", "circular"),
        ("return undefined;", "answer", "nothing"),
        ("return function () {};", "answer", "nothing"),
        ("return Symbol('x');", "answer", "nothing"),
        ("return '\\ud800';", "answer", "no JSON"),
        ("return new Promise(function () {});", "script", "promise"),
        ("return { data: 'x'.repeat(100000) };", "answer", str(MOST_ANSWER_BYTES)),
        ("return new Proxy({}, { get() { throw new Error('p'); } });", "script", "Error: p"),
        ("Object.prototype.toJSON = function () { throw 1; }; return {};", "script", "1"),
        ("throw undefined;", "script", "undefined"),
        ("throw Symbol('a');", "script", "Symbol"),
        ("throw { toString() { throw 1; } };", "script", "nothing that can be told"),
        ("throw '\\ud800';", "script", ""),
        ("throw { get stack() { throw 3; } };", "script", "object"),
        ("return require('fs');", "script", "require is not defined"),
        ("return std.open;", "script", "std is not defined"),
        ("setTimeout(decodeUplink, 1);", "script", "setTimeout is not defined"),
    ],
)
def test_whatever_a_script_does_ends_as_an_error(body: str, kind: str, reason: str) -> None:
    error = refused(decoder(body))
    assert error.kind == kind
    assert reason in str(error)
    assert len(str(error)) < 600


@pytest.mark.parametrize(
    ("source", "kind", "reason"),
    [
        ("", "script", "no function decodeUplink"),
        ("var decodeUplink = 5;", "script", "no function decodeUplink"),
        ("for (;;) {}", "time", "too long"),
        ("throw 7", "script", "7"),
        ("(" * 200_000, "script", "stack"),
        ("import 'fs'; function decodeUplink() {}", "script", "SyntaxError"),
    ],
)
def test_a_script_that_cannot_be_read_is_an_error(source: str, kind: str, reason: str) -> None:
    error = refused(source)
    assert (error.kind, reason in str(error)) == (kind, True)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("var a = 1;\nvar b = = 2;", (2, 9)),
        ("\nfunction decodeUplink(input) {\n  return input.foo.bar;\n}", (3, 10)),
        ("function f() { null.x; }\nfunction decodeUplink() {\n  f();\n}", (1, 15)),
        ("function decodeUplink() {\n  JSON.parse('[1,');\n}", (2, 8)),
        ("function decodeUplink() { var a = {}; a.a = a; return a; }", None),
    ],
)
def test_an_error_points_at_the_place(source: str, place: tuple[int, int] | None) -> None:
    assert refused(source).place == place


def test_what_a_script_breaks_of_the_language_is_broken_for_itself_alone() -> None:
    body = "JSON.stringify = JSON.parse = Date = String = Array.from = null; return { data: 1 };"
    assert call(decoder(body)) == {"data": 1}
    assert call(decoder("return { data: typeof JSON.stringify };")) == {"data": "function"}


def test_a_script_that_hit_a_limit_starts_afresh() -> None:
    script = Script(
        "var n = 0; function decodeUplink(i) { n++; if (i.fPort == 9) for (;;); return n }"
    )
    assert [script.call("decodeUplink", INPUT) for _ in range(2)] == [b"1", b"2"]
    with pytest.raises(CodecError):
        script.call("decodeUplink", '{"fPort":9}')
    assert script.call("decodeUplink", INPUT) == b"1"


def test_what_earlier_calls_left_does_not_fill_the_memory_for_good() -> None:
    script = Script(
        "var kept = []; function decodeUplink() { kept.push(new Array(9999).fill(1)); return 1 }"
    )
    assert {script.call("decodeUplink", INPUT) for _ in range(200)} == {b"1"}


def test_a_loop_ends_soon() -> None:
    started = time.process_time()
    refused(decoder("for (;;) {}"))
    assert time.process_time() - started < 1


VOCABULARY = (
    "decodeUplink input . bytes ( ) { } [ ] ; , return throw new Array while ( 1 ) 1e9 'x' + = => "
    "null this async await yield function* class get set try catch finally `${ } / \\ \\u /(a+)+$/ "
    "Proxy Symbol eval 10n ... ?. delete JSON toString __proto__ \x00 \ud800 é \n //"
)
WORDS = st.sampled_from(VOCABULARY.split(" "))


@given(st.lists(WORDS, max_size=30).map(" ".join))
@settings(deadline=None, max_examples=150)
def test_any_text_is_a_script_that_answers_or_is_refused(text: str) -> None:
    script = Script(decoder(text), call_s=0.01)
    try:
        json.loads(script.call("decodeUplink", INPUT))
    except CodecError as error:
        assert str(error)
