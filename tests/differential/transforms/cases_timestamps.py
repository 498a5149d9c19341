"""Cases for Kafka Connect's TimestampConverter."""

from __future__ import annotations

from tests.differential.transforms.shapes import (
    DATE,
    TIME,
    TIMESTAMP,
    M,
    P,
    S,
    both,
    case,
    i4,
    i8,
    ms,
    opt,
    rec,
    s,
    st,
)

INT32, STR = s("int32"), s("string")

INSTANT = 1483425001864
NO_FORMAT = "TimestampConverter requires format option to be specified when using string timestamps"


def timestamps():
    wholes = [
        rec(TIMESTAMP, ms(INSTANT)),
        rec(opt(TIMESTAMP), ms(INSTANT)),
        rec(opt(TIMESTAMP), None),
        rec(DATE, ms(17169 * 86400000)),
        rec(TIME, ms(23401864)),
        rec(s("int64"), i8(INSTANT)),
        rec(s("int64"), i8(-1)),
        rec(STR, "2017-01-03 06:30:01.864"),
        rec(STR, "nonsense"),
        rec(INT32, i4(1)),
        rec(None, ms(INSTANT)),
        rec(None, i8(INSTANT)),
        rec(None, "2017-01-03 06:30:01.864"),
        rec(None, "x"),
        rec(None, True),
        rec(None, None),
        rec(None, M(a=i8(1))),
        rec(opt(STR), None),
        rec(s("int64", name="n"), i8(5)),
    ]
    form = {"format": "yyyy-MM-dd HH:mm:ss.SSS"}
    for target in ("string", "unix", "Date", "Time", "Timestamp"):
        yield from both("TimestampConverter", {"target.type": target, **form}, *wholes)
    for precision in ("seconds", "milliseconds", "microseconds", "nanoseconds"):
        units = {
            "seconds": 1483425001,
            "milliseconds": INSTANT,
            "microseconds": INSTANT * 1000 + 7,
            "nanoseconds": INSTANT * 10**6 + 7,
        }
        for target in ("string", "unix", "Timestamp"):
            yield case(
                f"{P}TimestampConverter$Value",
                {"target.type": target, "unix.precision": precision, **form},
                rec(s("int64"), i8(units[precision])),
                rec(TIMESTAMP, ms(INSTANT)),
                rec(TIMESTAMP, ms(-1500)),
                rec(None, i8(-1999)),
            )
    rows = st(
        {"ts": opt(TIMESTAMP), "u": s("int64", d=i8(INSTANT)), "t": s("string", o=1), "x": INT32},
        name="rows",
        version=2,
        doc="d",
    )
    values = [
        rec(rows, S(ts=ms(INSTANT), u=i8(5), t="2017-01-03 06:30:01.864", x=i4(1))),
        rec(rows, S(ts=None, u=None, t=None, x=i4(1))),
        rec(opt(rows), None),
        rec(None, M(ts=ms(INSTANT), u=i8(5), t="2017-01-03 06:30:01.864", x=None)),
        rec(None, None),
        rec(INT32, i4(1)),
        rec(None, i8(1)),
    ]
    for field in ("ts", "u", "t", "x", "nix"):
        for target in ("string", "unix", "Date", "Time", "Timestamp"):
            yield case(
                f"{P}TimestampConverter$Value", {"field": field, "target.type": target, **form}, *values
            )
    yield case(
        f"{P}TimestampConverter$Value",
        {"field": "u", "target.type": "string", **form, "replace.null.with.default": "false"},
        *values,
    )
    defaults = st({"ts": TIMESTAMP, "x": INT32}, d=S(ts=ms(5), x=i4(1)), o=1)
    yield case(
        f"{P}TimestampConverter$Value",
        {"field": "ts", "target.type": "unix"},
        rec(defaults, S(ts=ms(7), x=i4(2))),
        rec(defaults, None),
    )
    for pattern, text in (
        ("yyyy-MM-dd", "2017-1-3"),
        ("yyyy-MM-dd", "2017-13-41"),
        ("yyyyMMdd", "20170103"),
        ("yyyyMMddHHmmss", "20170103063001"),
        ("dd/MM/yy", "03/01/17"),
        ("dd/MM/yy", "03/01/49"),
        ("dd/MM/yy", "3/1/2017"),
        ("MMM d, yyyy", "Jan 3, 2017"),
        ("EEE, d MMM yyyy", "Tue, 3 January 2017"),
        ("yyyy-MM-dd'T'HH:mm:ss'Z'", "2017-01-03T06:30:01Z"),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2017-01-03T06:30:01+02"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2017-01-03T06:30:01+02:00"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2017-01-03T06:30:01.5Z"),
        ("yyyy-MM-dd HH:mm:ss Z", "2017-01-03 06:30:01 -0800"),
        ("yyyy-MM-dd HH:mm:ss z", "2017-01-03 06:30:01 GMT"),
        ("yyyy-MM-dd HH:mm:ss z", "2017-01-03 06:30:01 PST"),
        ("hh:mm a", "12:30 AM"),
        ("hh:mm a", "12:30 pm"),
        ("KK:mm a", "0:30 PM"),
        ("kk", "24"),
        ("yyyy", "2017 trailing"),
        ("yyyy", " 2017"),
        ("yyyy", "x2017"),
        ("yyyy DDD", "2017 045"),
        ("yyyy-MM-dd", ""),
        ("H:m", "25:61"),
        ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2017-01-03 06:30:01.864123"),
        ("yyyy-MM-dd", "-0005-01-01"),
        ("yyyy-MM-dd", "2017/01/03"),
    ):
        years_before_christ = {0: "*"} if text.startswith("-") else None
        yield case(
            f"{P}TimestampConverter$Value",
            {"target.type": "unix", "format": pattern},
            rec(STR, text),
            ours=years_before_christ,
        )
    for config in (
        {"target.type": "string"},
        {"target.type": "nix"},
        {"target.type": "unix", "unix.precision": "weeks"},
        {"target.type": "string", "format": "bbb"},
        {"target.type": "Date", "field": "a"},
        {},
    ):
        yield case(
            f"{P}TimestampConverter$Value",
            config,
            rec(st({"a": STR}), S(a="2017")),
            ours={0: NO_FORMAT} if "field" in config else None,
        )
