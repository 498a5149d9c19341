// #/connectors/NAME: one connector with its configuration, offsets and topics.

import { call, can, get, path, text } from "./api.js";
import { Card } from "./card.js";
import { ask, attempt } from "./dialog.js";
import { button, el, empty, grid, labelled, note, replace } from "./dom.js";
import { members, pretty } from "./json.js";

export function connector(box, name) {
  const card = new Card(name, { whole: true });
  const gone = el("div", {}), config = el("div", {}), offsets = el("div", {}), topics = el("div", {});
  let stopped = null;
  box.replaceChildren(
    el("p", { class: "crumbs" }, el("a", { href: "#/" }, "Connectors"), " / ", name),
    el("h1", { tabindex: "-1", class: "visually-hidden" }, "Connector " + name), gone, card.root,
    section("Configuration", config), section("Offsets", offsets), section("Topics", topics));
  load();

  function section(title, content) {
    return el("section", { class: "card", "aria-label": title }, el("h2", {}, title), content);
  }

  async function part(content, doing) {
    try {
      content.replaceChildren(...[].concat(await doing()));
    } catch (error) {
      content.replaceChildren(empty(error.message));
    }
  }

  function load() {
    part(config, showConfig);
    part(offsets, showOffsets);
    part(topics, showTopics);
  }

  async function showConfig() {
    const found = Object.entries(await get(path`/connectors/${name}/config`)).sort(([a], [b]) => a < b ? -1 : 1);
    return grid("Configuration", ["Option", "Value"], found.map(([k, v]) => el("tr", {}, el("td", { class: "name" }, el("code", {}, k)), el("td", { class: "name wide" }, el("code", {}, String(v))))));
  }

  async function showTopics() {
    const found = (await get(path`/connectors/${name}/topics`))[name].topics.sort();
    if (!found.length) return empty("None used so far.");
    return el("ul", { class: "links" }, found.map(topic => el("li", {}, el("a", { href: `#/topics/${encodeURIComponent(topic)}` }, topic))));
  }

  async function showOffsets() {
    const raw = members(await text("GET", path`/connectors/${name}/offsets`)).get("offsets");
    const parts = [el("div", { class: "bar-of-buttons" }, button("Refresh", () => part(offsets, showOffsets), { "aria-label": "Refresh offsets" }))];
    if (raw === "[]") parts.push(empty("None yet."));
    if (!can("admin") || !stopped) {
      if (raw !== "[]") parts.push(el("pre", { tabindex: "0", "aria-label": "Offsets" }, pretty(raw)));
      if (can("admin")) parts.push(el("p", { class: "hint" }, "Stop the connector to change or reset its offsets."));
      return parts;
    }
    const field = el("textarea", { rows: Math.min(24, pretty(raw).split("\n").length + 1), spellcheck: "false", class: "code" });
    field.value = pretty(raw);
    const problem = el("div", {});
    const hint = el("p", { class: "hint" }, "The connector goes on here when it is resumed. An offset of null forgets a partition.");
    parts.push(labelled("Offsets", field, hint), problem, el("div", { class: "bar-of-buttons" },
      button("Save offsets", () => save(field.value, problem), { class: "primary" }), button("Reset offsets", reset, { class: "danger" })));
    return parts;
  }

  async function save(given, problem) {
    problem.replaceChildren();
    try {
      JSON.parse(given);
    } catch (error) {
      problem.replaceChildren(note("bad", "No JSON", error.message));
      return;
    }
    const text = "Records between the old and the new offsets are read twice, or never.";
    if (!await ask({ title: `Change offsets of ${name}?`, text, action: "Change", danger: true })) return;
    try {
      const answer = await call("PATCH", path`/connectors/${name}/offsets`, `{"offsets":${given}}`);
      await part(offsets, showOffsets);
      offsets.prepend(note("good", null, answer.message));
    } catch (error) {
      problem.replaceChildren(note("bad", "Not changed", error.message));
    }
  }

  async function reset() {
    const text = "It starts from the beginning: a source copies its tables again, a sink reads its topics from the start.";
    if (!await ask({ title: `Reset offsets of ${name}?`, text, action: "Reset", danger: true, typed: name })) return;
    const answer = await attempt(() => call("DELETE", path`/connectors/${name}/offsets`), "Offsets reset");
    if (answer) part(offsets, showOffsets);
  }

  function update(d) {
    const found = (d.connectors || []).find(c => c.name === name);
    card.root.hidden = !found;
    replace(gone, found ? [] : note("warn", null, `There is no connector ${name}.`));
    if (!found) return;
    card.update(found);
    const now = found.state === "STOPPED";
    if (stopped !== null && stopped !== now || stopped === null && now) { stopped = now; part(offsets, showOffsets); }
    stopped = now;
  }

  return { title: name, name, update, resize: () => card.resize() };
}
