// What one can do with a connector: buttons that know the state and the caller's role, questions, requests.

import { call, can, path } from "./api.js";
import { ask, attempt, say } from "./dialog.js";
import { button, el } from "./dom.js";

const DO = {
  pause: { text: "Pause", past: "paused", role: "operate", method: "PUT", fits: s => s === "RUNNING" || s === "FAILED",
    ask: "Its tasks stay, but move nothing until it is resumed. The source keeps its log meanwhile." },
  resume: { text: "Resume", past: "resumed", role: "operate", method: "PUT", fits: s => s === "PAUSED" || s === "STOPPED" },
  stop: { text: "Stop", past: "stopped", role: "operate", method: "PUT", fits: s => s !== "STOPPED",
    ask: "Its tasks end and release what they hold; its configuration and offsets stay. Offsets can be changed while it is stopped." },
  restart: { text: "Restart", past: "restarting", role: "operate", method: "POST", end: "?includeTasks=true", fits: s => s !== "STOPPED",
    ask: "The connector and all its tasks are started anew; they go on where they were." },
};

export function buttons(connector, onChange) {
  const name = connector.name, made = [];
  if (!can("operate")) return made;
  const failed = connector.state === "FAILED" || (connector.tasks || []).some(t => t.state === "FAILED");
  if (failed) made.push(button("Restart failed", () => send(name, { text: "Restart failed", past: "restarting", method: "POST", verb: "restart", end: "?includeTasks=true&onlyFailed=true" }, onChange), { class: "primary" }));
  for (const [verb, act] of Object.entries(DO)) {
    if (verb === "resume" && !act.fits(connector.state)) continue;
    const attributes = act.fits(connector.state) ? {} : { disabled: true, title: `Not while it is ${connector.state}` };
    made.push(button(act.text, () => send(name, { verb, ...act }, onChange), { ...attributes, "aria-label": `${act.text} ${name}` }));
  }
  if (can("admin")) {
    made.push(el("a", { class: "button", href: `#/edit/${encodeURIComponent(name)}`, "aria-label": `Edit ${name}` }, "Edit"));
    made.push(button("Delete", () => remove(name), { class: "danger", "aria-label": `Delete ${name}` }));
  }
  return made;
}

async function send(name, act, onChange) {
  if (act.ask && !await ask({ title: `${act.text} ${name}?`, text: act.ask, action: act.text })) return;
  const done = await attempt(() => call(act.method, `${path`/connectors/${name}/`}${act.verb}${act.end || ""}`), `${name}: ${act.past}`);
  if (done && onChange) onChange();
}

async function remove(name) {
  const text = "Its tasks end and its configuration is gone. Offsets and topics stay: a connector of the same name goes on there.";
  if (!await ask({ title: `Delete ${name}?`, text, action: "Delete", danger: true, typed: name })) return;
  if (await attempt(() => call("DELETE", path`/connectors/${name}`), `${name} deleted`)) location.hash = "#/";
}

export async function restartTask(name, id) {
  if (await attempt(() => call("POST", `${path`/connectors/${name}/tasks/`}${id}/restart`))) say(`Task ${id} of ${name}: restarting`);
}

const literal = name => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// For sources that read a log: the rows of a table once more, beside the changes.
export async function copyAgain(name, table) {
  const text = "Its rows are read again in chunks while changes go on, and written to the target once more. Rows that were deleted at the source meanwhile stay in the target.";
  if (!await ask({ title: `Copy ${table} again?`, text, action: "Copy" })) return;
  const signal = { type: "execute-snapshot", data: { type: "incremental", "data-collections": [literal(table)] } };
  await attempt(() => call("POST", path`/replicator/connectors/${name}/signal`, signal), `${table} is queued to be copied`);
}
