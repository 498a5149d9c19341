// #/letters and #/letters/QUEUE: dead letters, why they failed, replay and purge.

import { call, can, get, path } from "./api.js";
import { ask, attempt, say } from "./dialog.js";
import { button, cell, el, empty, folded, grid, labelled, lastLine, moment, note, whole } from "./dom.js";
import { brief, full, headers } from "./record.js";

const MOST = 200;
const LONGEST = 1800;  // seconds for a replay of millions

export function queues(box) {
  const list = el("div", { class: "card" });
  box.replaceChildren(el("div", { class: "top" }, el("h1", { tabindex: "-1" }, "Dead letters"), button("Refresh", load)), list);
  load();

  async function load() {
    try {
      const found = await get("/replicator/dlq", 60);
      list.replaceChildren(found.length ? grid("Queues", ["Queue", ["Letters", 1], ["Replayed or purged", 1]], found.map(q => el("tr", {},
        cell(el("a", { href: `#/letters/${encodeURIComponent(q.queue)}` }, q.queue), "name"), cell(whole(q.letters), "n"), cell(whole(q.handled), "n"))))
        : empty("There are no dead letter queues. Connectors have one with errors.deadletterqueue.topic.name."));
    } catch (error) {
      list.replaceChildren(error.status === 404 ? empty("This worker has no dead letter queues.") : note("bad", null, error.message));
    }
  }

  return { title: "Dead letters" };
}

// As the endpoint shows bytes: text, or base64.
function decoded(shown) {
  if (shown.base64 !== undefined) {
    const data = atob(shown.base64);
    return { type: "hex", text: [...data].map(c => c.charCodeAt(0).toString(16).padStart(2, "0")).join(""), bytes: shown.bytes || data.length };
  }
  if (shown.text === null || shown.text === undefined) return { type: "null", text: null, bytes: 0 };
  const size = shown.bytes || new TextEncoder().encode(shown.text).length;
  try { JSON.parse(shown.text); return { type: "json", text: shown.text, bytes: size }; } catch { return { type: "text", text: shown.text, bytes: size, cut: Boolean(shown.bytes) }; }
}

export function letters(box, queue) {
  const chosen = new Set(), list = el("div", { class: "card" });
  const input = placeholder => el("input", { placeholder, autocomplete: "off", spellcheck: "false" });
  const filters = { topic: input("* and ? allowed"), error: input("part of class or message"), stage: input("VALUE_CONVERTER …"), connector: input(""), key: input("text, JSON or 0x…") };
  const handled = el("input", { type: "checkbox", id: "handled" });
  const all = el("input", { type: "checkbox", "aria-label": "Choose all that are shown", onchange: () => { for (const box of list.querySelectorAll("input[data-place]")) { box.checked = all.checked; mark(box); } } });
  const replaying = button("Replay", replay, { class: "primary" }), purging = button("Purge", purge, { class: "danger" });
  const count = el("span", { class: "hint", role: "status" });
  box.replaceChildren(
    el("p", { class: "crumbs" }, el("a", { href: "#/letters" }, "Dead letters"), " / ", queue), el("h1", { tabindex: "-1" }, queue),
    el("form", { class: "card controls", onsubmit: event => { event.preventDefault(); load(); } },
      labelled("From topic", filters.topic), labelled("Error", filters.error), labelled("Stage", filters.stage), labelled("Connector", filters.connector), labelled("Key", filters.key),
      el("div", { class: "bar-of-buttons" }, el("label", { for: "handled" }, handled, " Also handled"), el("button", { type: "submit", class: "primary" }, "Show"))),
    can("operate") ? el("div", { class: "card bar-of-buttons" }, el("label", {}, all, " All shown"), replaying, can("admin") ? purging : null, count) : null, list);
  load();

  function filter() {
    const found = Object.fromEntries(Object.entries(filters).map(([k, i]) => [k, i.value.trim()]).filter(([, v]) => v));
    return handled.checked ? { ...found, handled: true } : found;
  }

  // A page begins, in each partition, behind the last letter of the pages before it.
  async function load(from = [{}]) {
    chosen.clear(); all.checked = false;
    const behind = from.at(-1), start = Object.entries(behind).map(([partition, offset]) => `${partition}:${offset}`).join(",");
    try {
      const found = await get(`${path`/replicator/dlq/${queue}`}?${new URLSearchParams({ ...filter(), limit: MOST, start })}`, 60);
      list.replaceChildren(...(found.length ? found.map(entry) : [empty(from.length > 1 ? "No more letters." : "No letters.")]));
      const next = { ...behind }, first = (from.length - 1) * MOST;
      for (const letter of found) next[letter.partition] = letter.offset + 1;
      if (from.length > 1 || found.length === MOST) list.append(el("div", { class: "controls pages" },
        el("button", { type: "button", disabled: from.length === 1, onclick: () => turn(from.slice(0, -1)) }, "Earlier"),
        el("span", { class: "hint" }, found.length ? `${whole(first + 1)} to ${whole(first + found.length)}` : "The end"),
        el("button", { type: "button", disabled: found.length < MOST, onclick: () => turn([...from, next]) }, "Later")));
    } catch (error) {
      list.replaceChildren(note("bad", null, error.message));
    }
    tell();
  }

  async function turn(from) {
    await load(from);
    list.scrollIntoView();
    const first = list.querySelector("summary, button:not([disabled])");
    if (first) first.focus();
  }

  function mark(box) { if (box.checked) chosen.add(box.dataset.place); else chosen.delete(box.dataset.place); tell(); }
  function tell() {
    count.textContent = chosen.size ? `${chosen.size} chosen` : "None chosen: all that match";
  }

  function entry(letter) {
    const place = `${letter.partition}:${letter.offset}`, errors = letter.errors || {};
    const kind = String(errors["exception.class.name"] || "").split(".").pop(), message = String(errors["exception.message"] || "");
    const box = can("operate") ? el("input", { type: "checkbox", "data-place": place, "aria-label": `Choose ${place}`, onchange: () => mark(box) }) : null;
    const body = el("div", { class: "record" });
    const details = el("details", { class: "entry" }, el("summary", {}, el("span", { class: "place" }, place), letter.state ? el("span", { class: "state s-idle" }, letter.state) : null,
      el("time", {}, moment(letter.timestamp)), el("span", { class: "key" }, brief(decoded(letter.key))), el("span", { class: "value" }, el("b", {}, kind), kind && message ? ": " : "", message.split("\n")[0])), body);
    details.addEventListener("toggle", () => { if (details.open && !body.firstChild) body.append(...inside(letter, errors, message)); });
    return el("div", { class: "letter" }, box, details);
  }

  function inside(letter, errors, message) {
    const trace = errors["exception.stacktrace"];
    const rows = Object.entries(errors).filter(([k]) => k !== "exception.stacktrace" && k !== "exception.message");
    return [message ? note("bad", null, message) : null, el("dl", { class: "headers" }, rows.map(([k, v]) => [el("dt", {}, el("code", {}, k)), el("dd", {}, String(v))])),
      trace ? folded("Trace: " + lastLine(trace).slice(0, 120), el("pre", { tabindex: "0" }, trace)) : null,
      ...full("Key", decoded(letter.key)), ...full("Value", decoded(letter.value)), ...headers((letter.headers || []).map(h => ({ key: h.key, ...decoded(h) })))].filter(Boolean);
  }

  const wanted = () => chosen.size ? { ...filter(), places: [...chosen].join(",") } : filter();

  async function replay() {
    const body = { filter: wanted() };
    const planned = await attempt(() => call("POST", path`/replicator/dlq/${queue}/replay`, { ...body, dry_run: true }, LONGEST));
    if (!planned) return;
    const superseded = el("input", { type: "checkbox", id: "superseded" });
    const left = [["superseded", "have newer records of their key"], ["without_origin", "do not say where they came from"], ["stand_ins", "are pictures of records that no converter could encode"]]
      .filter(([k]) => planned.left_out[k]).map(([k, why]) => el("li", {}, `${whole(planned.left_out[k])} are left out: they ${why}.`));
    const what = Object.entries(planned.replayed).map(([topic, n]) => el("li", {}, `${whole(n)} to ${topic}`));
    if (!what.length && !planned.superseded.length) { say("Nothing to replay." + (left.length ? " " + left.map(l => l.textContent).join(" ") : ""), true); return; }
    const detail = el("div", {}, el("ul", {}, what, left), planned.superseded.length ? el("label", { for: "superseded" }, superseded, " These too: brings old states back") : null);
    if (!await ask({ title: "Replay letters?", text: "They are appended to the topics they came from, oldest first:", detail, action: "Replay" })) return;
    const done = await attempt(() => call("POST", path`/replicator/dlq/${queue}/replay`, { ...body, superseded: superseded.checked }, LONGEST));
    if (!done) return;
    say(Object.entries(done.replayed).map(([topic, n]) => `${whole(n)} letters replayed to ${topic}`).join(", ") || "Nothing was replayed.");
    load();
  }

  async function purge() {
    const body = { filter: wanted() };
    const planned = await attempt(() => call("POST", path`/replicator/dlq/${queue}/purge`, { ...body, dry_run: true }, LONGEST));
    if (!planned) return;
    if (!await ask({ title: `Purge ${whole(planned.purged)} letters?`, text: "They are taken out of sight for good.", action: "Purge", danger: true })) return;
    const done = await attempt(() => call("POST", path`/replicator/dlq/${queue}/purge`, body, LONGEST));
    if (done) { say(`${whole(done.purged)} letters purged`); load(); }
  }

  return { title: queue };
}
