// One connector with its live figures; kept between polls so that focus, open details and scrolling stay.

import { buttons, copyAgain, restartTask } from "./actions.js";
import { can } from "./api.js";
import { binaryCeiling, Chart } from "./chart.js";
import { block, button, bytes, cell, clock, el, empty, grid, isNumber, lastLine, note, pairs, replace, short, state, time, whole } from "./dom.js";

const first = (tasks, fact) => { for (const t of tasks) if ((t.facts || {})[fact] !== undefined && t.facts[fact] !== null) return t.facts[fact]; };
const recentRate = history => {
  const recent = history.rows_per_second.slice(-5);  // single seconds jump with the size of batches
  return recent.reduce((a, b) => a + b, 0) / Math.max(1, recent.length);
};
const NONE = { t: [], rows_per_second: [], lag_ms: [], retained_bytes: [] };

export class Card {
  constructor(name, { whole: detailed = false } = {}) {
    this.name = name;
    this.detailed = detailed;
    this.rate = new Chart("Rows per second", short, 10);
    this.lag = new Chart("Lag", time, 100);
    this.kept = new Chart("Log kept at the source", bytes, 1 << 20, binaryCeiling);
    this.head = el("div", { class: "head" });
    this.actions = el("div", { class: "bar-of-buttons" });
    this.figures = el("dl", { class: "figures" });
    this.notes = el("div", {});
    this.tasks = el("div", {});
    this.tables = el("div", {});
    this.open = new Set();
    this.root = el("section", { class: "card", "aria-label": "Connector " + name }, this.head, this.actions, this.figures, this.notes,
      el("div", { class: "charts" }, this.rate.root, this.lag.root, this.kept.root), this.tasks, this.tables);
  }

  update(c) {
    const tasks = c.tasks || [], history = c.history || NONE;
    const failed = tasks.filter(t => t.state === "FAILED").length;
    const title = el("h2", {}, this.detailed ? c.name : el("a", { href: `#/connectors/${encodeURIComponent(c.name)}` }, c.name));
    const kind = el("span", { class: "kind" }, c.type + (c.worker_id ? " on " + c.worker_id : ""));
    replace(this.head, title, state(c.state), failed ? el("span", { class: "state s-bad" }, `${failed} of ${tasks.length} tasks failed`) : null, kind);
    replace(this.actions, buttons(c));
    pairs(this.figures, this.facts(tasks, history));
    this.draw(this.rate, history.t, history.rows_per_second, true);
    this.draw(this.lag, history.t, history.lag_ms);
    this.draw(this.kept, history.t, history.retained_bytes || []);
    replace(this.notes, this.noteList(c, tasks));
    replace(this.tasks, this.taskTable(c, tasks));
    replace(this.tables, this.tableTable(c, tasks));
  }

  draw(chart, times, values, always = false) {
    chart.root.hidden = !always && !values.some(isNumber);
    chart.set(times, values);
  }

  resize() { for (const chart of [this.rate, this.lag, this.kept]) chart.draw(); }

  facts(tasks, history) {
    const sum = figure => tasks.reduce((n, t) => n + ((t.stats || {})[figure] || 0), 0);
    const found = [["Rows per second", short(recentRate(history))], ["Records", whole(sum("records_out"))]];
    const lag = history.lag_ms[history.lag_ms.length - 1], kept = first(tasks, "retained_bytes");
    if (isNumber(lag)) found.push(["Lag", time(lag)]);
    if (isNumber(kept)) found.push(["Log kept at the source", bytes(kept)]);
    for (const [fact, title] of [["phase", "Phase"], ["lsn", "Position"], ["complete_through", "Target complete through"]]) {
      const value = first(tasks, fact);
      if (value !== undefined) found.push([title, String(value)]);
    }
    const queued = first(tasks, "incremental_snapshot");
    if (queued && queued.tables.length) found.push([queued.paused ? "Copying again (paused)" : "Copying again", `${queued.tables[0]}, ${whole(queued.rows_done)} rows${queued.tables.length > 1 ? `, ${queued.tables.length - 1} more tables` : ""}`]);
    const reading = first(tasks, "snapshot");
    if (reading && isNumber(reading.seconds)) found.push(["Oldest transaction held", time(reading.seconds * 1000)]);
    return found;
  }

  noteList(c, tasks) {
    const notes = [];
    const failed = (who, trace) => notes.push(note("bad", who + " failed", lastLine(trace), this.trace(who, trace)));
    if (c.trace) failed("Connector", c.trace);
    for (const t of tasks) if (t.trace) failed("Task " + t.id, t.trace);
    for (const t of tasks) {
      for (const [table, reason] of Object.entries((t.facts || {}).stopped_tables || {})) notes.push(note("bad", "Table " + table + " is stopped", String(reason)));
      for (const [column, count] of Object.entries((t.facts || {}).values_lost || {}))
        notes.push(note("warn", column, whole(count) + " values the target cannot hold were replaced as the policy says"));
      for (const text of (t.facts || {}).warnings || []) notes.push(note("warn", "Warning", String(text)));
    }
    return notes;
  }

  trace(who, trace) {
    const made = el("details", { open: this.open.has(who), "data-key": who }, el("summary", {}, "Trace"), block(trace));
    made.addEventListener("toggle", () => made.open ? this.open.add(who) : this.open.delete(who));
    return made;
  }

  taskTable(c, tasks) {
    if (!tasks.length) return [empty(c.state === "STOPPED" ? "Stopped: no tasks." : "No tasks.")];
    const here = c.worker_id;
    const rows = tasks.map(t => {
      const s = t.stats || {}, last = s.last_put_ms || s.last_poll_ms;
      return el("tr", { "data-key": t.id }, cell(String(t.id)), cell(state(t.state)), cell(whole(s.records_in), "n"), cell(whole(s.records_out), "n"),
        cell(short(s.records_out_per_second), "n"), cell(whole(s.retries), "n"), cell(last ? clock(last) : "–"),
        this.detailed ? cell(t.worker_id === here ? t.worker_id : t.worker_id || "–", "name") : null,
        this.detailed && can("operate") ? cell(button("Restart", () => restartTask(c.name, t.id), { "aria-label": `Restart task ${t.id} of ${c.name}` })) : null);
    });
    const heads = ["Task", "State", ["Records in", 1], ["Records out", 1], ["Per second", 1], ["Retries", 1], "Last record"];
    if (this.detailed) heads.push("Worker");
    if (this.detailed && can("operate")) heads.push("");
    return [el("h3", {}, "Tasks"), grid("Tasks of " + c.name, heads, rows)];
  }

  tableTable(c, tasks) {
    const all = tasks.flatMap(t => Object.entries((t.facts || {}).tables || {}).map(([name, facts]) => [name, facts || {}]));
    if (!all.length) return [];
    all.sort((a, b) => a[0] < b[0] ? -1 : 1);
    const copying = all.some(([, f]) => isNumber(f.rows_total));
    const again = this.detailed && c.type === "source" && first(tasks, "lsn") !== undefined && can("operate");
    const rows = all.map(([name, f]) => {
      const done = isNumber(f.rows_done) ? f.rows_done : f.rows;
      const cells = [cell(name, "name"), cell(String(f.state || "–")), cell(whole(done), "n")];
      if (copying) {
        const finished = f.state === "done" || f.state === "copied", total = Math.max(f.rows_total || 0, done || 0);
        const share = finished ? 100 : total ? Math.min(100, 100 * (done || 0) / total) : 0;
        const bar = el("progress", { max: 100, value: Math.round(share), "aria-label": "Copy of " + name }, Math.floor(share) + " %");
        cells.push(cell(whole(f.rows_total), "n"), cell(bar), cell(Math.floor(share) + " %", "n"));
      }
      if (again) cells.push(cell(button("Copy again", () => copyAgain(c.name, name), { "aria-label": `Copy ${name} again` })));
      return el("tr", { "data-key": name }, cells);
    });
    const heads = ["Table", "State", ["Rows", 1]].concat(copying ? [["Expected", 1], "Copied", ["Share", 1]] : [], again ? [""] : []);
    return [el("h3", {}, "Tables"), grid("Tables of " + this.name, heads, rows)];
  }
}

// One line of the list when there are many connectors.
export function row(c) {
  const tasks = c.tasks || [], failed = tasks.filter(t => t.state === "FAILED").length, history = c.history || NONE;
  const lag = history.lag_ms[history.lag_ms.length - 1];
  return el("tr", { "data-key": c.name }, cell(el("a", { href: `#/connectors/${encodeURIComponent(c.name)}` }, c.name), "name"), cell(c.type), cell(state(c.state)),
    cell(failed ? el("span", { class: "state s-bad" }, `${failed} of ${tasks.length} failed`) : String(tasks.length)),
    cell(short(recentRate(history)), "n"), cell(isNumber(lag) ? time(lag) : "–", "n"), cell(el("span", { class: "bar-of-buttons small" }, buttons(c))));
}
export const ROW_HEADS = ["Connector", "Type", "State", "Tasks", ["Rows per second", 1], ["Lag", 1], ""];
