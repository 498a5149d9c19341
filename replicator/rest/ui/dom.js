// Elements, and figures as people read them. Text goes in as text only: nothing here parses HTML.

export function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) made.append(child);
  return made;
}

export function svg(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

export const button = (text, onclick, attributes) => el("button", { type: "button", onclick, ...attributes }, text);

let labels = 0;
// A label over its input; `more` stands below and is read out with it.
export function labelled(text, input, more) {
  if (!input.id) input.id = `i${++labels}`;
  if (more) {
    more.id = `${input.id}-more`;
    input.setAttribute("aria-describedby", more.id);
  }
  return el("div", { class: "field" }, el("label", { for: input.id }, text), input, more);
}

export function options(select, values, chosen) {
  select.replaceChildren(...values.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
  return select;
}

// Heads: texts, or [text, true] for numbers, which stand to the right.
export function grid(label, heads, rows) {
  const head = heads.map(given => {
    const [text, number] = [].concat(given);
    return el("th", { scope: "col", class: number ? "n" : null }, text || el("span", { class: "visually-hidden" }, "Actions"));
  });
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    el("table", { "aria-label": label }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
}

export const cell = (content, kind) => el("td", { class: kind }, content);

const keyOf = node => node.dataset && node.dataset.key || (node.nodeName === "BUTTON" ? `${node.getAttribute("aria-label")} ${node.textContent}` : "");

// Makes `old` what `made` is with as few changes as can be, so that focus, selection and scrolling stay. Listeners are
// not carried over: nodes that have some must differ in their key when they do something else.
function patch(old, made) {
  if (old.isEqualNode(made)) return;
  if (old.nodeName !== made.nodeName || keyOf(old) !== keyOf(made)) { old.replaceWith(made); return; }
  if (old.nodeType === Node.TEXT_NODE) { old.data = made.data; return; }
  for (const { name } of [...old.attributes]) if (!made.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of made.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const before = [...old.childNodes], after = [...made.childNodes];
  after.forEach((child, i) => before[i] ? patch(before[i], child) : old.append(child));
  for (const child of before.slice(after.length)) child.remove();
}

export function replace(box, ...children) {
  const made = box.cloneNode(false);
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) made.append(child);
  patch(box, made);
}

export function pairs(list, found) {
  const made = found.map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", { class: v.length > 12 ? "long" : null }, v)));
  const before = [...list.children];
  if (before.length === made.length && made.every((m, i) => m.isEqualNode(before[i]))) return;
  list.replaceChildren(...made);
}

export const isNumber = value => typeof value === "number" && isFinite(value);
export const whole = value => isNumber(value) ? Math.round(value).toLocaleString("en-US") : "–";

export function short(value) {
  if (!isNumber(value)) return "–";
  for (const [limit, unit, by] of [[1e9, "G", 1e9], [1e6, "M", 1e6], [1e4, "k", 1e3]])
    if (value >= limit) return (value / by).toFixed(1) + unit;
  return value < 10 && value % 1 ? value.toFixed(1) : whole(value);
}

export function bytes(value) {
  if (!isNumber(value)) return "–";
  let unit = 0;
  while (value >= 1024 && unit < 5) { value /= 1024; unit++; }
  return (unit && value < 100 ? value.toFixed(1) : Math.round(value)) + " " + ["B", "KiB", "MiB", "GiB", "TiB", "PiB"][unit];
}

export function time(ms) {
  if (!isNumber(ms)) return "–";
  if (ms < 1000) return Math.round(ms) + " ms";
  if (ms < 60000) return (ms / 1000).toFixed(1) + " s";
  const s = Math.floor(ms / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
  if (d) return d + " d " + (h % 24) + " h";
  return h ? h + " h " + (m % 60) + " min" : m + " min " + (s % 60) + " s";
}

export const clock = ms => new Date(ms).toLocaleTimeString("en-GB");
export const moment = ms => isNumber(ms) && ms >= 0 ? new Date(ms).toISOString().replace("T", " ").replace("Z", "") : "–";

const KIND = { RUNNING: "good", FAILED: "bad", PAUSED: "idle", STOPPED: "idle", UNASSIGNED: "warn", RESTARTING: "warn" };
export const state = text => el("span", { class: "state s-" + (KIND[text] || "warn") }, String(text || "UNKNOWN"));
export const lastLine = trace => String(trace).trim().split("\n").filter(l => l && !l.startsWith(" ") && !l.startsWith("\t")).pop() || String(trace);
export const note = (kind, title, ...rest) => el("div", { class: `note ${kind}`, role: kind === "bad" ? "alert" : null }, title ? el("b", {}, title) : null, rest);
export const block = text => el("pre", { tabindex: "0" }, String(text));
export const folded = (title, ...rest) => el("details", {}, el("summary", {}, title), rest);
export const empty = text => el("p", { class: "empty" }, text);
