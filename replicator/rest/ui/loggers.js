// #/loggers: what the workers write into their logs, by logger; PUT /admin/loggers changes it until the next start.

import { call, can, get, path } from "./api.js";
import { attempt, say } from "./dialog.js";
import { button, cell, el, empty, grid, isNumber, labelled, moment, note, options, whole } from "./dom.js";

const LEVELS = ["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"].map(level => [level, level]);
const MOST = 300;

export function loggers(box) {
  const list = el("div", { class: "card" });
  const search = el("input", { type: "search", placeholder: "Filter", "aria-label": "Filter loggers", oninput: draw });
  const changed = el("input", { type: "checkbox", id: "changed", onchange: draw });
  const everywhere = el("input", { type: "checkbox", id: "everywhere" });
  const name = el("input", { placeholder: "org.apache.kafka.connect.runtime.WorkerSinkTask", autocomplete: "off", spellcheck: "false" });
  const level = options(el("select", {}), LEVELS, "DEBUG");
  let found = null, several = false;
  everywhere.checked = true;
  const all = el("label", { for: "everywhere", hidden: true }, everywhere, " On all workers");
  const setting = can("admin") ? el("form", { class: "card controls", onsubmit: event => { event.preventDefault(); if (name.value.trim()) put(name.value.trim(), level.value); } },
    labelled("Logger", name, el("p", { class: "hint" }, "A name of Java Connect's or Debezium's does too. Everything below it follows.")), labelled("Level", level),
    el("div", { class: "bar-of-buttons" }, el("button", { type: "submit", class: "primary" }, "Set"), all)) : null;
  box.replaceChildren(el("div", { class: "top" }, el("h1", { tabindex: "-1" }, "Log levels"), search,
    el("label", { for: "changed" }, changed, " Changed ones"), button("Refresh", () => load())), ...[setting, list].filter(Boolean));
  load();

  async function load() {
    try {
      found = Object.entries(await get("/admin/loggers", 20));
      draw();
    } catch (error) {
      list.replaceChildren(error.status === 404 ? empty("Log levels are not served at this address (admin.listeners).") : note("bad", null, error.message));
    }
  }

  function draw() {
    if (!found) return;
    const sought = search.value.toLowerCase();
    const fitting = found.filter(([logger, l]) => logger.toLowerCase().includes(sought) && (!changed.checked || isNumber(l.last_modified)));
    const shown = fitting.slice(0, MOST);
    if (!shown.length) { list.replaceChildren(empty("No such logger.")); return; }
    list.replaceChildren(...[shown.length < fitting.length ? el("p", { class: "hint" }, `The first ${MOST} of ${whole(fitting.length)}.`) : null,
      grid("Log levels", ["Logger", "Level", "Changed"], shown.map(row))].filter(Boolean));
  }

  function row([logger, l]) {
    const chosen = can("admin") ? options(el("select", { "aria-label": `Level of ${logger}`, onchange: () => put(logger, chosen.value) }), LEVELS, l.level) : l.level;
    return el("tr", {}, cell(el("code", {}, logger), "name"), cell(chosen), cell(isNumber(l.last_modified) ? moment(l.last_modified) : ""));
  }

  async function put(logger, wanted) {
    const query = several && everywhere.checked ? "?scope=cluster" : "";
    const focused = document.activeElement && document.activeElement.getAttribute("aria-label");
    if (await attempt(() => call("PUT", path`/admin/loggers/${logger}` + query, { level: wanted }, 20))) say(`${logger}: ${wanted}`);
    await load();
    const again = focused && [...list.querySelectorAll("select")].find(s => s.getAttribute("aria-label") === focused);
    if (again && document.activeElement === document.body) again.focus();
  }

  return { title: "Log levels", update(overview) { several = (overview.workers || []).length > 1; all.hidden = !several; } };
}
