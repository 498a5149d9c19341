"""The page for everybody: by keyboard, with names for screen readers, on narrow screens, with enough contrast."""

from __future__ import annotations

import pytest

from tests.support.browser import Browser
from tests.support.fix_page import go


def test_by_keyboard_alone(page: Browser) -> None:
    page.press("Tab")
    assert page.run("document.activeElement.textContent") == "Skip to content"
    page.press("Enter")
    assert page.run("document.activeElement.id") == "main"
    seen = set()
    for _ in range(12):
        page.press("Tab")
        seen.add(
            page.run(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
            )
        )
    assert {"New connector", "Pause src", "Edit src", "Delete src"} <= seen
    page.run("document.querySelector('[aria-label=\"Pause src\"]').focus()")
    page.run("new Promise(done => setTimeout(done, 2300))")
    assert page.run("document.activeElement.getAttribute('aria-label')") == "Pause src", (
        "a poll took the focus"
    )
    page.press("Enter")
    page.until("document.querySelector('dialog').contains(document.activeElement)")
    page.press("Escape")
    page.until("(document.activeElement.getAttribute('aria-label') || '') === 'Pause src'")


SEEN = "const seen = e => e.getClientRects().length && !e.classList.contains('visually-hidden');"
UNNAMED = f"""(() => {{ {SEEN}
  const named = e => e.getAttribute('aria-label') || (e.labels && e.labels.length)
    || (e.textContent.trim() && !e.matches('select, textarea'));
  return [...document.querySelectorAll('input, select, textarea, button, a')]
    .filter(e => seen(e) && !named(e)).map(e => e.outerHTML);
}})()"""
TOO_WIDE = f"""(() => {{ {SEEN}
  return [...document.querySelectorAll('main *')]
    .filter(e => !e.closest('.scroll, pre, svg') && seen(e) && e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.outerHTML.slice(0, 200));
}})()"""


@pytest.mark.parametrize(
    "where",
    ["#/", "#/connectors/src", "#/edit/snk", "#/topics", "#/topics/lines", "#/letters/dlq", "#/loggers"],
)
def test_everything_has_a_name_and_fits(page: Browser, where: str) -> None:
    page.look(width=380)
    go(page, where)
    page.run("new Promise(done => setTimeout(done, 700))")
    assert page.run(UNNAMED) == []
    assert page.run(TOO_WIDE) == []
    assert page.run("document.querySelectorAll('h1').length") == 1
    ids = page.run("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


PALE = f"""(() => {{ {SEEN}
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => [.2126, .7152, .0722].reduce((sum, part, i) => sum + part * linear(c[i]), 0);
  const behind = e => {{
    for (; e; e = e.parentElement) {{
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3) return c;
    }}
    return [255, 255, 255];
  }};
  const ratio = e => {{
    const [low, high] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => a - b);
    return (high + .05) / (low + .05);
  }};
  const text = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll('main *, header *')]
    .filter(e => !e.closest('svg, :disabled') && seen(e) && text(e))
    .map(e => [ratio(e), e.outerHTML.slice(0, 120)]).filter(([found]) => found < 4.5);
}})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out(page: Browser, dark: bool) -> None:
    page.look(dark=dark)
    for where in ("#/", "#/edit/snk", "#/topics/lines", "#/loggers"):
        go(page, where)
        page.run("new Promise(done => setTimeout(done, 500))")
        assert page.run(PALE) == []
    assert page.run("getComputedStyle(document.body).backgroundColor") == (
        "rgb(13, 13, 13)" if dark else "rgb(249, 249, 247)"
    )
