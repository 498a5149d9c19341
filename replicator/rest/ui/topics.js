// #/topics and #/topics/NAME: topics with their counts, and a look at their records.

import { get, path } from "./api.js";
import { button, cell, el, empty, grid, labelled, moment, note, options, whole } from "./dom.js";
import { brief, full, headers } from "./record.js";

const FOLLOW = 2000;

export function topics(box) {
  const list = el("div", { class: "card" });
  const search = el("input", { type: "search", placeholder: "Filter", "aria-label": "Filter topics", oninput: draw });
  const internal = el("input", { type: "checkbox", id: "internal", onchange: draw });
  let found = null;
  box.replaceChildren(el("div", { class: "top" }, el("h1", { tabindex: "-1" }, "Topics"), search,
    el("label", { for: "internal" }, internal, " Internal ones"), button("Refresh", load)), list);
  load();

  async function load() {
    try {
      found = await get("/replicator/topics", 40);
      draw();
    } catch (error) {
      list.replaceChildren(error.status === 404 ? empty("This worker shows no topics.") : note("bad", null, error.message));
    }
  }

  function draw() {
    if (!found) return;
    const sought = search.value.toLowerCase();
    const shown = found.filter(t => t.name.toLowerCase().includes(sought) && (internal.checked || !t.internal));
    if (!shown.length) { list.replaceChildren(empty(found.length ? "No such topic." : "No topics yet.")); return; }
    list.replaceChildren(grid("Topics", ["Topic", ["Partitions", 1], ["Records", 1], "Clean-up"], shown.map(t => el("tr", {},
      cell(el("a", { href: `#/topics/${encodeURIComponent(t.name)}` }, t.name), "name"), cell(whole(t.partitions), "n"), cell(whole(t.records), "n"), cell(t.cleanup)))));
  }

  return { title: "Topics" };
}

const places = found => Object.entries(found).map(([p, o]) => `${p}:${o}`).join(",");

export function topic(box, name) {
  const facts = el("div", { class: "card" }), list = el("div", { class: "card" });
  const partition = el("select", { onchange: () => newest() });
  const offset = el("input", { inputmode: "numeric", size: 12, placeholder: "offset", autocomplete: "off" });
  const contains = el("input", { type: "search", placeholder: "text in key, value or headers", autocomplete: "off" });
  const form = options(el("select", {}), [["auto", "as it fits"], ["json", "JSON"], ["text", "text"], ["hex", "hexadecimal"]], "auto");
  const limit = options(el("select", {}), ["20", "50", "100", "200"].map(n => [n, n]), "50");
  const older = button("Older", () => read({ before: places(last.first) })), newer = button("Newer", () => read({ from: places(last.next) }));
  const follow = el("input", { type: "checkbox", id: "follow" });
  // What somebody reads is not taken away.
  const following = setInterval(() => { if (follow.checked && !document.hidden && !list.querySelector("details[open]")) newest(); }, FOLLOW);
  let last = null, turn = 0;
  older.disabled = newer.disabled = true;
  const controls = el("form", { class: "card controls", onsubmit: event => { event.preventDefault(); if (offset.value.trim()) read({ from: offset.value.trim() }); else newest(); } },
    labelled("Partition", partition), labelled("From offset", offset), labelled("Contains", contains), labelled("Show", form), labelled("Records", limit),
    el("div", { class: "bar-of-buttons" }, el("button", { type: "submit", class: "primary" }, "Read"), button("Oldest", () => read({ from: "earliest" })), older, newer, button("Newest", newest), el("label", { for: "follow" }, follow, " Follow")));
  box.replaceChildren(el("p", { class: "crumbs" }, el("a", { href: "#/topics" }, "Topics"), " / ", name), el("h1", { tabindex: "-1" }, name), facts, controls, list);
  begin();

  async function begin() {
    try {
      const t = await get(path`/replicator/topics/${name}`, 40);
      options(partition, [["", "all"], ...t.bounds.map(b => [String(b.partition), `${b.partition} (${b.begin}–${b.end})`])], "");
      const config = Object.entries(t.config).sort(([a], [b]) => a < b ? -1 : 1);
      facts.replaceChildren(el("p", {}, `${whole(t.records)} records in ${whole(t.partitions)} partition${t.partitions === 1 ? "" : "s"}, clean-up ${t.cleanup}.`),
        el("details", {}, el("summary", {}, "Partitions and options"),
          grid("Partitions", [["Partition", 1], ["First offset", 1], ["End", 1], ["Records", 1]], t.bounds.map(b => el("tr", {}, cell(String(b.partition), "n"), cell(whole(b.begin), "n"), cell(whole(b.end), "n"), cell(whole(b.records), "n")))),
          config.length ? grid("Options", ["Option", "Value"], config.map(([k, v]) => el("tr", {}, cell(el("code", {}, k), "name"), cell(String(v), "name")))) : null));
      if (t.private) { controls.hidden = true; list.replaceChildren(empty("Records of this topic are not shown: they hold secrets.")); }
      else await newest();
    } catch (error) {
      facts.replaceChildren(note("bad", null, error.message));
    }
  }

  function newest() { return read({}); }

  async function read(where) {
    const mine = ++turn;
    const query = new URLSearchParams({ ...where, limit: limit.value, format: form.value });
    if (partition.value) query.set("partition", partition.value);
    if (contains.value) { query.set("contains", contains.value); query.set("timeout_ms", "8000"); }
    list.setAttribute("aria-busy", "true");
    try {
      const found = await get(`${path`/replicator/topics/${name}/records`}?${query}`, 40);
      if (mine === turn) show(found);
    } catch (error) {
      if (mine === turn) list.replaceChildren(note("bad", null, error.message));
    } finally {
      list.removeAttribute("aria-busy");
    }
  }

  function show(found) {
    last = found;
    older.disabled = !Object.entries(found.first).some(([p, o]) => o > found.begin[p]);
    newer.disabled = false;
    const searched = contains.value ? ` of ${whole(found.searched)} searched` : "";
    const summary = el("p", { class: "hint", role: "status" }, `${whole(found.records.length)} records${searched}.`, found.complete ? "" : " The time was over before all were read; go on with Older or Newer.");
    if (!found.records.length) { list.replaceChildren(summary, empty("Nothing here.")); return; }
    list.replaceChildren(summary, ...found.records.map(entry));
  }

  function entry(record) {
    const place = `${record.partition}:${record.offset}`;
    const body = el("div", { class: "record" });
    const made = el("details", { class: "entry" }, el("summary", {}, el("span", { class: "place" }, place), el("time", {}, moment(record.timestamp)), el("span", { class: "key" }, brief(record.key)), el("span", { class: "value" }, brief(record.value))), body);
    const fill = shown => body.replaceChildren(...full("Key", shown.key, everything), ...full("Value", shown.value, everything), ...headers(shown.headers));
    async function everything() {
      const query = new URLSearchParams({ from: place, partition: record.partition, limit: 1, format: form.value, max_bytes: 1 << 20 });
      const found = await get(`${path`/replicator/topics/${name}/records`}?${query}`, 40);
      if (found.records.length && found.records[0].offset === record.offset) fill(found.records[0]);
    }
    made.addEventListener("toggle", () => { if (made.open && !body.firstChild) fill(record); });
    return made;
  }

  return { title: name, close: () => clearInterval(following) };
}
