"""Cases for Kafka Connect's routers and predicates."""

from __future__ import annotations

from typing import Any

from tests.differential.transforms.samples import ALL, FULL, STR
from tests.differential.transforms.shapes import P, case, header, rec


def routes():
    for regex, replacement, *topics in (
        ("(.*)-(.*)-(.*)", "$1$3", "orders-20160911-tab", "orders"),
        ("(.*)", "x-$0", "a.b"),
        ("db\\.(?<table>.*)", "${table}_t", "db.orders", "dbxorders"),
        ("[a-z]+", "\\$x", "abc", "abc1"),
        ("a", "", "a"),
        ("(a)(b)?", "$1-$2", "a", "ab"),
        ("(a)", "$2", "a", "b"),
        ("(a)", "$", "a"),
        ("(a)", "${x}", "a"),
        ("(a)", "$x", "a"),
        ("(a)", "x\\", "a"),
        ("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", "$11-$12", "abcdefghijk"),
        ("\\Qa.b\\E.*", "q", "a.bc", "axbc"),
        ("(?i)ABC", "x", "abc"),
        ("\\p{Alpha}+\\p{Digit}*", "x", "abc12", "äb"),
        ("(", "x", "a"),
        ("a*", "x", "b", "aa"),
        ("(?:pre\\.)?(.*)", "$1", "pre.x", "x"),
        ("\\w+", "w", "ä", "a_1"),
    ):
        differ: Any = {"config": "*"} if regex == "(" else None
        if replacement == "":
            differ = {0: "*"}  # a record without topic would be lost
        yield case(
            f"{P}RegexRouter",
            {"regex": regex, "replacement": replacement},
            *(rec(topic=t) for t in topics),
            ours=differ,
        )
    yield case(f"{P}RegexRouter", {"regex": "a"})
    yield case(f"{P}TimestampRouter", {}, rec(), rec(topic="a$b"), rec(timestamp=0))
    yield case(f"{P}TimestampRouter", {}, rec(timestamp=None), ours={0: "*"})
    for topic, form in (
        ("${timestamp}_${topic}", "yyyy-MM-dd'T'HH:mm:ss.SSS"),
        ("${topic}/${topic}", "YYYY'w'ww"),
        ("x", "yy"),
        ("${timestamp}", "EEE, d MMM yyyy HH:mm:ss Z"),
        ("${timestamp}", "EEEE MMMM dd hh:mm a z XXX"),
        ("${timestamp}", "D F W u k K"),
        ("${timestamp}", "G y yyyyy MM M"),
        ("${timestamp}", "'it''s' ''yyyy"),
    ):
        stamps = (1483425001864, 0, 951782400000, 1735689599999, 1704067200000, 1609372800000)
        yield case(
            f"{P}TimestampRouter",
            {"topic.format": topic, "timestamp.format": form},
            *(rec(timestamp=t) for t in stamps),
        )
    yield case(f"{P}TimestampRouter", {"timestamp.format": "bbb"}, ours={"config": "*"})
    predicates = [
        rec(ALL, FULL),
        rec(),
        rec(topic="db.t"),
        rec(headers=[header("h")]),
        rec(headers=[header("x"), header("h", STR, "1")]),
    ]
    yield case(f"{P}predicates.RecordIsTombstone", {}, *predicates)
    yield case(f"{P}predicates.TopicNameMatches", {"pattern": "t|db"}, *predicates)
    yield case(f"{P}predicates.TopicNameMatches", {"pattern": "(?<x>d)b\\..*"}, *predicates)
    yield case(f"{P}predicates.TopicNameMatches", {"pattern": "("}, ours={"config": "*"})
    yield case(f"{P}predicates.TopicNameMatches", {})
    yield case(f"{P}predicates.HasHeaderKey", {"name": "h"}, *predicates)
    yield case(f"{P}predicates.HasHeaderKey", {"name": ""})
