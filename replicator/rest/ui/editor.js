// #/new and #/edit/NAME: a form of all options, checked by the worker while one types.

import { call, get, path } from "./api.js";
import { ask } from "./dialog.js";
import { button, el, empty, labelled, note, options } from "./dom.js";
import { Field } from "./field.js";
import { optionsOf } from "./json.js";

const PAUSE = 400;
const CUSTOM = "Further options";

export function editor(box, name) {
  const fields = new Map(), groups = new Map();
  const problems = el("div", { "aria-live": "polite" }), form = el("div", {});
  const search = el("input", { type: "search", placeholder: "Find an option", "aria-label": "Find an option", oninput: filter });
  const every = el("input", { type: "checkbox", id: "every", onchange: filter });
  const plugin = el("select", { onchange: () => choose(plugin.value) });
  const start = options(el("select", {}), [["RUNNING", "running"], ["PAUSED", "paused"], ["STOPPED", "stopped"]], "RUNNING");
  const json = el("textarea", { rows: 16, class: "code", spellcheck: "false" });
  const asText = el("section", { class: "card", hidden: true }), whole = el("form", { novalidate: true, onsubmit: event => { event.preventDefault(); save(); } });
  let stored = {}, timer = 0, asked = 0, errors = 0;

  box.replaceChildren(
    el("p", { class: "crumbs" }, el("a", { href: "#/" }, "Connectors"), " / ", name ? el("a", { href: `#/connectors/${encodeURIComponent(name)}` }, name) : "new"),
    el("div", { class: "top" }, el("h1", { tabindex: "-1" }, name ? `Edit ${name}` : "New connector"), button("As text", toText)), asText, whole);
  asText.append(labelled("Options as JSON, or lines of a .properties file", json), el("div", { class: "bar-of-buttons" }, button("Use this", fromText, { class: "primary" }), button("Back to the form", () => { asText.hidden = true; whole.hidden = false; })));
  whole.append(
    el("section", { class: "card" }, name ? null : labelled("Connector class", plugin), name ? null : labelled("Begin as", start),
      el("div", { class: "top" }, search, el("label", { for: "every" }, every, " All options"))),
    problems, form,
    el("div", { class: "card bar-of-buttons sticky" }, el("button", { type: "submit", class: "primary" }, name ? "Save" : "Create"),
      el("a", { class: "button", href: name ? `#/connectors/${encodeURIComponent(name)}` : "#/" }, "Cancel"), el("span", { id: "verdict", role: "status" })));
  load();

  async function load() {
    try {
      if (name) {
        stored = await get(path`/connectors/${name}/config`);
        await rebuild(stored);
        return;
      }
      const found = (await get("/connector-plugins")).filter(p => p.type !== "transformation");
      options(plugin, [["", "Choose…"], ...found.map(p => [p.class, `${p.class} (${p.type})`])], "");
      form.replaceChildren(el("div", { class: "card" }, empty("Choose a class to see its options.")));
    } catch (error) {
      problems.replaceChildren(note("bad", null, error.message));
    }
  }

  const values = () => {
    const found = {};
    for (const [option, field] of fields) { const value = field.value(); if (value !== null) found[option] = value; }
    return found;
  };

  async function choose(kind) {
    if (kind) await rebuild({ ...values(), "connector.class": kind });
  }

  // A new form from options; what is known before the worker answers is only that they exist.
  async function rebuild(config) {
    fields.clear(); groups.clear(); form.replaceChildren();
    for (const [option, value] of Object.entries(config)) add(CUSTOM, option, null).set(value);
    form.hidden = true;  // until the worker has said what the options are
    await validate();
    form.hidden = false;
    filter();
  }

  function add(group, option, definition) {
    if (!groups.has(group)) {
      const content = el("div", { class: "fields" });
      const root = el("details", { class: "card", open: true }, el("summary", {}, el("h2", {}, group)), content);
      if (group === CUSTOM) root.append(adder());
      groups.set(group, { root, content });
      form.append(root);
    }
    const old = fields.get(option), focused = old && document.activeElement === old.input;
    if (old) old.root.remove();
    const field = new Field(option, definition, changed);
    field.locked(option === "name" && Boolean(name) || option === "connector.class" && Boolean(definition));
    if (old && old.value() !== null) field.set(old.value());
    fields.set(option, field);
    groups.get(group).content.append(field.root);
    if (focused) field.input.focus();
    return field;
  }

  function adder() {
    const option = el("input", { "aria-label": "Name of a further option", placeholder: "Name of a further option", spellcheck: "false", autocomplete: "off" });
    const put = () => {
      if (!option.value.trim() || fields.has(option.value.trim())) return;
      add(CUSTOM, option.value.trim(), null).input.focus();
      option.value = "";
    };
    option.addEventListener("keydown", event => { if (event.key === "Enter") { event.preventDefault(); put(); } });
    return el("div", { class: "bar-of-buttons" }, option, button("Add", put));
  }

  function changed() {
    clearTimeout(timer);
    timer = setTimeout(validate, PAUSE);
  }

  async function validate() {
    const config = values(), kind = config["connector.class"], turn = ++asked;
    if (!kind) return;
    let found;
    try {
      found = await call("PUT", path`/connector-plugins/${kind}/config/validate`, config, 30);
    } catch (error) {
      if (turn === asked) problems.replaceChildren(note("bad", "The worker cannot check this", error.message));
      return;
    }
    if (turn !== asked) return;
    const custom = [];
    for (const { definition, value } of found.configs) {
      let field = fields.get(value.name);
      // Transforms and predicates bring options of their own while one types; others are there from the beginning.
      if (definition && (!field || !field.definition)) field = add(definition.group || "Connector", value.name, definition);
      if (field) field.judge(value);
      else if (value.errors.length) custom.push([value.name, value.errors]);
    }
    const last = groups.get(CUSTOM);
    if (last) form.append(last.root);
    else { add(CUSTOM, "_", null).root.remove(); fields.delete("_"); form.append(groups.get(CUSTOM).root); }
    summarise(found, custom);
    filter();
  }

  function summarise(found, custom) {
    errors = found.error_count;
    const wrong = found.configs.filter(c => c.value.errors.length);
    const verdict = document.getElementById("verdict");
    if (verdict) {
      verdict.textContent = errors ? `${errors} to correct` : "Everything fits";
      verdict.className = errors ? "state s-bad" : "state s-good";
    }
    problems.replaceChildren(...(wrong.length ? [el("section", { class: "card", "aria-label": "To correct" }, el("h2", {}, "To correct"),
      el("ul", {}, wrong.map(({ value }) => el("li", {}, fields.has(value.name) ? button(value.name, () => jump(value.name), { class: "link" }) : value.name, ": ", value.errors.join(" ")))))] : []));
  }

  function jump(option) {
    const field = fields.get(option);
    field.root.hidden = false;
    field.root.closest("details").open = true;
    field.input.focus();
  }

  function filter() {
    const sought = search.value.trim().toLowerCase();
    for (const field of fields.values()) field.root.hidden = sought ? !field.matches(sought) : !(every.checked || field.matters());
    for (const [group, { root, content }] of groups) root.hidden = group !== CUSTOM && [...content.children].every(f => f.hidden);
  }

  function toText() {
    json.value = JSON.stringify(values(), null, 2);
    asText.hidden = false; whole.hidden = true;
    json.focus();
  }

  async function fromText() {
    try {
      const found = optionsOf(json.value);
      if (name) found.name = name;
      if (!name) plugin.value = found["connector.class"] || "";
      asText.hidden = true; whole.hidden = false;
      await rebuild(found);
    } catch (error) {
      problems.replaceChildren(note("bad", "That cannot be read", error.message));
    }
  }

  function changes(config) {
    const all = [...new Set([...Object.keys(stored), ...Object.keys(config)])].sort().filter(o => stored[o] !== config[o]);
    return all.map(o => el("li", {}, el("code", {}, o), ": ", o in stored ? el("del", {}, shown(o, stored[o])) : "(not set)", " → ", o in config ? el("ins", {}, shown(o, config[o])) : "(not set)"));
  }
  const shown = (option, value) => fields.get(option) && fields.get(option).secret ? "(hidden)" : String(value);

  async function save() {
    clearTimeout(timer);
    await validate();
    const config = values();
    if (errors) { const bad = [...fields.values()].find(f => f.wrong); if (bad) jump(bad.option); return; }
    const different = name ? changes(config) : [];
    if (name && !different.length) { location.hash = `#/connectors/${encodeURIComponent(name)}`; return; }
    if (name && !await ask({ title: `Save ${name}?`, text: "Its tasks are started anew with:", detail: el("ul", { class: "changes" }, different), action: "Save" })) return;
    try {
      const own = name || config.name || "";
      if (name) await call("PUT", path`/connectors/${name}/config`, config);
      else await call("POST", "/connectors", { name: own, config, initial_state: start.value });
      location.hash = `#/connectors/${encodeURIComponent(own)}`;
    } catch (error) {
      problems.replaceChildren(note("bad", name ? "Not saved" : "Not created", error.message));
      problems.scrollIntoView({ block: "nearest" });
    }
  }

  return { title: name ? `Edit ${name}` : "New connector", close: () => { clearTimeout(timer); asked++; } };
}
