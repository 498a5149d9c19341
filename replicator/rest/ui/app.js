"use strict";
// Everything is built with textContent and attributes: no text of a database is ever parsed as HTML.
const $ = id => document.getElementById(id);
function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) made.append(child);
  return made;
}
function svg(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}
const isNumber = value => typeof value === "number" && isFinite(value);
const whole = value => isNumber(value) ? Math.round(value).toLocaleString("en-US") : "–";
function short(value) {
  if (!isNumber(value)) return "–";
  for (const [limit, unit] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]])
    if (value >= limit) return (value / (limit === 1e4 ? 1e3 : limit)).toFixed(1) + unit;
  return value < 10 && value % 1 ? value.toFixed(1) : whole(value);
}
function bytes(value) {
  if (!isNumber(value)) return "–";
  let unit = 0;
  while (value >= 1024 && unit < 5) { value /= 1024; unit++; }
  return (unit && value < 100 ? value.toFixed(1) : Math.round(value)) + " " + ["B", "KiB", "MiB", "GiB", "TiB", "PiB"][unit];
}
function time(ms) {
  if (!isNumber(ms)) return "–";
  if (ms < 1000) return Math.round(ms) + " ms";
  if (ms < 60000) return (ms / 1000).toFixed(1) + " s";
  const s = Math.floor(ms / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
  if (d) return d + " d " + (h % 24) + " h";
  return h ? h + " h " + (m % 60) + " min" : m + " min " + (s % 60) + " s";
}
const clock = ms => new Date(ms).toLocaleTimeString("en-GB");
const KIND = { RUNNING: "good", FAILED: "bad", PAUSED: "idle", STOPPED: "idle", UNASSIGNED: "warn", RESTARTING: "warn" };
const state = text => el("span", { class: "state s-" + (KIND[text] || "warn") }, String(text || "UNKNOWN"));
const lastLine = trace => String(trace).trim().split("\n").filter(l => l && !l.startsWith(" ")).pop() || String(trace);
const first = (tasks, fact) => { for (const t of tasks) if ((t.facts || {})[fact] !== undefined) return t.facts[fact]; };

// ---- charts: one series, one axis; the newest value stands beside the title ----
const WIDTH = 480, HEIGHT = 120, LEFT = 44, BOTTOM = 18, TOP = 6;
function ceiling(value) {
  if (value <= 0) return 1;
  const power = Math.pow(10, Math.floor(Math.log10(value)));
  return [1, 2, 2.5, 5, 10].map(f => f * power).find(v => v >= value);
}
class Chart {
  constructor(title, format, least) {
    this.format = format; this.least = least; this.points = []; this.at = null;
    this.now = el("output");
    this.svg = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", tabindex: "0" });
    this.title = title;
    this.root = el("figure", {}, el("figcaption", {}, el("span", {}, title), this.now), this.svg);
    this.svg.addEventListener("pointermove", e => this.point(e));
    this.svg.addEventListener("pointerleave", () => { this.at = null; this.draw(); });
    this.svg.addEventListener("blur", () => { this.at = null; this.draw(); });
    this.svg.addEventListener("keydown", e => this.key(e));
  }
  point(event) {
    const box = this.svg.getBoundingClientRect();
    const x = (event.clientX - box.left - LEFT) / Math.max(1, box.width - LEFT);
    this.at = Math.max(0, Math.min(this.points.length - 1, Math.round(x * (this.points.length - 1))));
    this.draw();
  }
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    if (!step || !this.points.length) return;
    event.preventDefault();
    const last = this.points.length - 1;
    this.at = Math.max(0, Math.min(last, (this.at === null ? last : this.at) + step));
    this.draw();
  }
  set(times, values) { this.points = times.map((t, i) => [t, values[i]]); this.draw(); }
  draw() {
    const width = Math.max(200, this.svg.clientWidth || WIDTH), plot = width - LEFT, low = HEIGHT - BOTTOM;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const known = this.points.filter(p => isNumber(p[1]));
    const top = ceiling(Math.max(this.least, ...known.map(p => p[1])));
    const count = Math.max(1, this.points.length - 1);
    const x = i => LEFT + plot * i / count, y = v => low - (low - TOP) * v / top;
    const parts = [];
    for (const share of [0, .5, 1]) {
      const at = y(top * share);
      parts.push(svg("line", { class: share ? "grid" : "base", x1: LEFT, x2: width, y1: at, y2: at }));
      parts.push(svg("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, this.format(top * share)));
    }
    const runs = []; let run = null;
    this.points.forEach((p, i) => {
      if (!isNumber(p[1])) { run = null; return; }
      if (!run) runs.push(run = []);
      run.push([x(i), y(p[1])]);
    });
    for (const r of runs) {
      const path = r.map((p, i) => (i ? "L" : "M") + p[0].toFixed(1) + " " + p[1].toFixed(1)).join("");
      parts.push(svg("path", { class: "area", d: `${path}L${r[r.length - 1][0].toFixed(1)} ${low}L${r[0][0].toFixed(1)} ${low}Z` }));
      parts.push(svg("path", { class: "line", d: path }));
    }
    if (this.points.length > 1) {
      parts.push(svg("text", { x: LEFT, y: HEIGHT - 4 }, clock(this.points[0][0])));
      parts.push(svg("text", { x: width, y: HEIGHT - 4, "text-anchor": "end" }, clock(this.points[count][0])));
    }
    const chosen = this.at === null ? known[known.length - 1] : this.points[Math.min(this.at, this.points.length - 1)];
    if (this.at !== null && chosen) {
      const at = x(Math.min(this.at, count));
      parts.push(svg("line", { class: "cross", x1: at, x2: at, y1: TOP, y2: low }));
      if (isNumber(chosen[1])) parts.push(svg("circle", { class: "dot", cx: at, cy: y(chosen[1]), r: 4 }));
    }
    this.svg.replaceChildren(...parts);
    const value = chosen && isNumber(chosen[1]) ? this.format(chosen[1]) : "–";
    this.now.textContent = this.at !== null && chosen ? clock(chosen[0]) + "  " + value : value;
    this.svg.setAttribute("aria-label", `${this.title}: ${value}. Arrow keys move through the last ten minutes.`);
  }
}

// ---- one card per connector; kept between polls so that focus, open details and scrolling stay ----
const cards = new Map();
class Card {
  constructor(name) {
    this.rate = new Chart("Rows per second", short, 10);
    this.lag = new Chart("Lag", time, 100);
    this.head = el("div", { class: "head" });
    this.figures = el("dl", { class: "figures" });
    this.notes = el("div", {});
    this.tasks = el("div", {});
    this.tables = el("div", {});
    this.open = new Set();
    this.root = el("section", { class: "card", "aria-label": "Connector " + name }, this.head, this.figures, this.notes,
      el("div", { class: "charts" }, this.rate.root, this.lag.root), this.tasks, this.tables);
  }
  update(c) {
    const tasks = c.tasks || [], history = c.history || { t: [], rows_per_second: [], lag_ms: [] };
    const failed = tasks.filter(t => t.state === "FAILED").length;
    this.head.replaceChildren(el("h2", {}, c.name), state(c.state), failed ? el("span", { class: "state s-bad" }, `${failed} of ${tasks.length} tasks failed`) : "", el("span", { class: "kind" }, c.type + (c.worker_id ? " on " + c.worker_id : "")));
    fill(this.figures, this.facts(tasks, history));
    this.rate.set(history.t, history.rows_per_second);
    this.lag.root.hidden = !history.lag_ms.some(isNumber);
    this.lag.set(history.t, history.lag_ms);
    replace(this.notes, this.noteList(c, tasks));
    replace(this.tasks, this.taskTable(tasks));
    replace(this.tables, this.tableTable(tasks));
  }
  facts(tasks, history) {
    const sum = figure => tasks.reduce((n, t) => n + ((t.stats || {})[figure] || 0), 0);
    const recent = history.rows_per_second.slice(-5);  // single seconds jump with the size of batches
    const found = [["Rows per second", short(recent.reduce((a, b) => a + b, 0) / Math.max(1, recent.length))], ["Records", whole(sum("records_out"))]];
    const lag = history.lag_ms[history.lag_ms.length - 1], phase = first(tasks, "phase"), kept = first(tasks, "retained_bytes"), through = first(tasks, "complete_through");
    if (isNumber(lag)) found.push(["Lag", time(lag)]);
    if (phase) found.push(["Phase", String(phase)]);
    if (isNumber(kept)) found.push(["Log kept at the source", bytes(kept)]);
    if (through) found.push(["Target complete through", String(through)]);
    return found;
  }
  noteList(c, tasks) {
    const notes = [];
    const failed = (who, trace) => notes.push(el("div", { class: "note bad" }, el("b", {}, who + " failed"), lastLine(trace), this.trace(who, trace)));
    if (c.trace) failed("Connector", c.trace);
    for (const t of tasks) if (t.trace) failed("Task " + t.id, t.trace);
    for (const t of tasks) {
      for (const [table, reason] of Object.entries((t.facts || {}).stopped_tables || {}))
        notes.push(el("div", { class: "note bad" }, el("b", {}, "Table " + table + " is stopped"), String(reason)));
      for (const [column, count] of Object.entries((t.facts || {}).values_lost || {}))
        notes.push(el("div", { class: "note warn" }, el("b", {}, column), whole(count) + " values the target cannot hold were replaced as the policy says"));
      for (const text of (t.facts || {}).warnings || []) notes.push(el("div", { class: "note warn" }, el("b", {}, "Warning"), String(text)));
    }
    return notes;
  }
  trace(who, trace) {
    const made = el("details", { open: this.open.has(who) }, el("summary", {}, "Trace"), el("pre", { tabindex: "0" }, String(trace)));
    made.addEventListener("toggle", () => made.open ? this.open.add(who) : this.open.delete(who));
    return made;
  }
  taskTable(tasks) {
    if (!tasks.length) return [el("p", { class: "empty" }, "No tasks.")];
    const rows = tasks.map(t => {
      const s = t.stats || {};
      return el("tr", {}, el("td", { class: "n" }, String(t.id)), el("td", {}, state(t.state)), el("td", { class: "n" }, whole(s.records_in)), el("td", { class: "n" }, whole(s.records_out)),
        el("td", { class: "n" }, short(s.records_out_per_second)), el("td", { class: "n" }, whole(s.retries)), el("td", {}, s.last_put_ms || s.last_poll_ms ? clock(s.last_put_ms || s.last_poll_ms) : "–"));
    });
    return [el("h3", {}, "Tasks"), grid("Tasks", [["Task", 1], ["State"], ["Records in", 1], ["Records out", 1], ["Per second", 1], ["Retries", 1], ["Last record"]], rows)];
  }
  tableTable(tasks) {
    const all = [];
    for (const t of tasks) for (const [name, facts] of Object.entries((t.facts || {}).tables || {})) all.push([name, facts || {}]);
    if (!all.length) return [];
    all.sort((a, b) => a[0] < b[0] ? -1 : 1);
    const copying = all.some(([, f]) => isNumber(f.rows_total));
    const rows = all.map(([name, f]) => {
      const done = isNumber(f.rows_done) ? f.rows_done : f.rows;
      const cells = [el("td", { class: "name" }, name), el("td", {}, String(f.state || "–")), el("td", { class: "n" }, whole(done))];
      if (copying) {
        const finished = f.state === "done" || f.state === "copied", total = Math.max(f.rows_total || 0, done || 0);
        const share = finished ? 100 : total ? Math.min(100, 100 * (done || 0) / total) : 0;
        const bar = el("span", { class: "bar", role: "progressbar", "aria-label": "Copy of " + name, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(share) }, el("i", {}));
        bar.firstChild.style.width = share.toFixed(1) + "%";
        cells.push(el("td", { class: "n" }, whole(f.rows_total)), el("td", {}, bar), el("td", { class: "n" }, Math.floor(share) + " %"));
      }
      return el("tr", {}, cells);
    });
    const heads = [["Table"], ["State"], ["Rows", 1]].concat(copying ? [["Expected", 1], ["Copied"], ["", 1]] : []);
    return [el("h3", {}, "Tables"), grid("Tables", heads, rows)];
  }
}
function grid(label, heads, rows) {
  return el("div", { class: "scroll" }, el("table", { "aria-label": label },
    el("thead", {}, el("tr", {}, heads.map(([t, n]) => el("th", { scope: "col", class: n ? "n" : null }, t || el("span", { class: "visually-hidden" }, "Share"))))), el("tbody", {}, rows)));
}
function fill(list, pairs) { list.replaceChildren(...pairs.map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", { class: v.length > 12 ? "long" : null }, v)))); }
function replace(box, children) {
  const made = el("div", {}, children);
  if (box.firstChild && box.firstChild.isEqualNode(made)) return;  // leaves focus and selection alone
  box.replaceChildren(made);
}

function show(d) {
  $("about").textContent = `${d.version} · up ${time(d.uptime_ms)}` + (d.health && d.health.status !== "healthy" ? ` · ${d.health.status}: ${d.health.message}` : "");
  const seen = new Set();
  const names = [...(d.connectors || [])].sort((a, b) => (a.type === "sink") - (b.type === "sink"));  // sources first
  for (const c of names) {
    seen.add(c.name);
    if (!cards.has(c.name)) cards.set(c.name, new Card(c.name));
  }
  for (const [name, card] of cards) if (!seen.has(name)) { card.root.remove(); cards.delete(name); }
  const box = $("connectors");
  if (!names.length) replace(box, el("p", { class: "card empty" }, "No connectors yet."));
  else {
    for (const child of [...box.children]) if (![...cards.values()].some(c => c.root === child)) child.remove();
    names.forEach((c, i) => {
      const card = cards.get(c.name);
      if (box.children[i] !== card.root) box.insertBefore(card.root, box.children[i] || null);
      card.update(c);
    });
  }
  const errors = (d.errors || []).map(e => el("tr", {}, el("td", {}, clock(e.time)), el("td", { class: "name" }, e.connector), el("td", {}, e.part), el("td", { class: "name" }, e.message)));
  replace($("error-list"), errors.length ? grid("Last errors", [["Time"], ["Connector"], ["Part"], ["Error"]], errors) : el("p", { class: "empty" }, "None since this worker started."));
  const bad = names.filter(c => c.state === "FAILED" || (c.tasks || []).some(t => t.state === "FAILED")).length;
  document.title = bad ? `(${bad} failed) Replicator` : "Replicator";
}
let offline = null;
async function poll() {
  try {
    const answer = await fetch("/replicator/overview", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error("status " + answer.status);
    show(await answer.json());
    if (offline !== false) { $("live").textContent = "Live"; $("live").className = "state s-good"; }
    offline = false;
  } catch (error) {
    if (offline !== true) { $("live").textContent = "No answer from the service; trying again"; $("live").className = "state s-bad"; }
    offline = true;
  }
  setTimeout(poll, document.hidden ? 5000 : 1000);
}
addEventListener("resize", () => { for (const card of cards.values()) { card.rate.draw(); card.lag.draw(); } });
poll();
