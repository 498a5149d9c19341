// #/: all connectors and the last errors.

import { can } from "./api.js";
import { Card, ROW_HEADS, row } from "./card.js";
import { block, clock, el, empty, grid, replace } from "./dom.js";

export const MOST_CARDS = 6;

export function overview(box) {
  const cards = new Map();
  const list = el("div", { id: "connectors" });
  const filter = el("input", { type: "search", "aria-label": "Filter connectors", placeholder: "Filter", autocomplete: "off" });
  const errors = el("div", {});
  const bar = el("div", { class: "top" }, el("h1", { tabindex: "-1" }, "Connectors"), filter,
    can("admin") ? el("a", { class: "button primary", href: "#/new" }, "New connector") : null);
  let shown = null;
  const open = new Set();
  box.replaceChildren(bar, list, el("section", { class: "card", "aria-labelledby": "errors-title" }, el("h2", { id: "errors-title" }, "Last errors"), errors));
  filter.addEventListener("input", () => shown && update(shown));

  function update(d) {
    shown = d;
    const sought = filter.value.toLowerCase();
    const all = [...(d.connectors || [])].sort((a, b) => (a.type === "sink") - (b.type === "sink"));  // sources first
    const found = all.filter(c => c.name.toLowerCase().includes(sought));
    filter.hidden = all.length < 4;
    if (!found.length) { cards.clear(); replace(list, el("p", { class: "card empty" }, all.length ? "No connector has such a name." : "No connectors yet.")); }
    else if (all.length > MOST_CARDS) { cards.clear(); replace(list, el("div", { class: "card" }, grid("Connectors", ROW_HEADS, found.map(row)))); }
    else showCards(found);
    replace(errors, errorTable(d.errors || []));
  }

  function showCards(found) {
    const names = new Set(found.map(c => c.name));
    for (const name of cards.keys()) if (!names.has(name)) cards.delete(name);
    for (const c of found) if (!cards.has(c.name)) cards.set(c.name, new Card(c.name));
    const roots = new Set([...cards.values()].map(c => c.root));
    for (const child of [...list.children]) if (!roots.has(child)) child.remove();
    found.forEach((c, i) => {
      const card = cards.get(c.name);
      if (list.children[i] !== card.root) list.insertBefore(card.root, list.children[i] || null);
      card.update(c);
    });
  }

  function errorTable(found) {
    if (!found.length) return empty("None since this worker started.");
    const rows = found.map(e => {
      const key = `${e.time} ${e.connector} ${e.part}`;
      const details = el("details", { open: open.has(key), "data-key": key }, el("summary", {}, e.message), block(e.trace));
      details.addEventListener("toggle", () => details.open ? open.add(key) : open.delete(key));
      return el("tr", { "data-key": key }, el("td", {}, clock(e.time)), el("td", { class: "name" }, e.connector), el("td", {}, e.part), el("td", { class: "name wide" }, details));
    });
    return grid("Last errors", ["Time", "Connector", "Part", "Error"], rows);
  }

  return { title: "", update, resize: () => { for (const card of cards.values()) card.resize(); } };
}
