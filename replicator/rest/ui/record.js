// A record's key, value and headers, as the browser of topics and the dead letters show them.

import { button, bytes, el } from "./dom.js";
import { members, pretty } from "./json.js";

const hexLines = digits => (digits.match(/.{1,64}/g) || [""]).map((line, i) => {
  const pieces = (line.match(/../g) || []).map(d => parseInt(d, 16));
  const text = pieces.map(b => b > 31 && b < 127 ? String.fromCharCode(b) : ".").join("");
  return `${(i * 32).toString(16).padStart(6, "0")}  ${(line.match(/.{1,4}/g) || []).join(" ").padEnd(79)}  ${text}`;
}).join("\n");

// In one line.
export function brief(shown) {
  if (shown.text === null) return el("span", { class: "empty" }, "null");
  let text = shown.text;
  if (shown.type === "json" && !shown.cut) {
    const found = members(text);
    if (found && found.size === 2 && found.has("schema") && found.has("payload")) text = found.get("payload");
  }
  return el("code", {}, text.length > 160 ? text.slice(0, 160) + "…" : text);
}

// In full, with its size and what it is; `more` asks for the rest of what was cut.
export function full(title, shown, more) {
  const kind = shown.text === null ? "null" : `${shown.type === "hex" ? "binary" : shown.type}, ${bytes(shown.bytes)}${shown.schema_id === undefined ? "" : shown.format ? `, ${shown.format} of schema ${shown.schema_id}` : `, perhaps schema ${shown.schema_id} of a registry`}${shown.cut ? ", beginning only" : ""}`;
  const parts = [el("h4", {}, title, " ", el("span", { class: "hint" }, kind), shown.cut && more ? button("Show all", more) : null)];
  if (shown.text === null) return parts;
  const found = shown.type === "json" && !shown.cut ? members(shown.text) : null;
  if (found && found.size === 2 && found.has("schema") && found.has("payload")) {
    parts.push(pre(pretty(found.get("payload")), title), el("details", {}, el("summary", {}, "Schema"), pre(pretty(found.get("schema")), title + ", schema")));
    return parts;
  }
  parts.push(pre(shown.type === "json" ? pretty(shown.text) : shown.type === "hex" ? hexLines(shown.text) : shown.text, title));
  return parts;
}

const pre = (text, label) => el("pre", { tabindex: "0", "aria-label": label }, text);

export function headers(found) {
  if (!found.length) return [];
  return [el("h4", {}, "Headers"), el("dl", { class: "headers" }, found.map(h => [el("dt", {}, el("code", {}, h.key)), el("dd", {}, brief(h))]))];
}
