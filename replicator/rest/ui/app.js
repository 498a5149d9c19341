// The frame: which view the address asks for, one poll for all of them, who is signed in.

import { can, get, signOut, whoAmI } from "./api.js";
import { connector } from "./connector.js";
import { button, el, empty, time } from "./dom.js";
import { editor } from "./editor.js";
import { letters, queues } from "./letters.js";
import { loggers } from "./loggers.js";
import { MOST_CARDS, overview } from "./overview.js";
import { signin } from "./signin.js";
import { topic, topics } from "./topics.js";

const $ = id => document.getElementById(id);
const main = $("main");
let view = {}, known = null, document_ = null, offline = null, timer = 0;

const ROUTES = [
  [/^$/, "connectors", () => overview(main)],
  [/^connectors\/([^/]+)$/, "connectors", name => connector(main, name)],
  [/^new$/, "connectors", () => can("admin") ? editor(main, null) : refused()],
  [/^edit\/([^/]+)$/, "connectors", name => can("admin") ? editor(main, name) : refused()],
  [/^topics$/, "topics", () => topics(main)],
  [/^topics\/([^/]+)$/, "topics", name => topic(main, name)],
  [/^letters$/, "letters", () => queues(main)],
  [/^letters\/([^/]+)$/, "letters", name => letters(main, name)],
  [/^loggers$/, "loggers", () => loggers(main)],
];

function refused() {
  main.replaceChildren(el("h1", { tabindex: "-1" }, "Not allowed"), empty(`Role ${known.role} may look only; this needs role admin.`));
  return {};
}

function navigate(moved = true) {
  if (!known) return;
  if (view.close) view.close();
  const where = location.hash.replace(/^#\/?/, "");
  const [found, section, make] = ROUTES.map(([p, s, m]) => [p.exec(where), s, m]).find(([m]) => m) || [[""], "connectors", () => overview(main)];
  view = make(...found.slice(1).map(decoded)) || {};
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.section === section) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (document_ && view.update) view.update(document_);
  titled();
  if (moved) { scrollTo(0, 0); (main.querySelector("h1") || main).focus({ preventScroll: true }); }
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

function titled() {
  const all = document_ ? document_.connectors || [] : [];
  const bad = all.filter(c => c.state === "FAILED" || (c.tasks || []).some(t => t.state === "FAILED")).length;
  document.title = (bad ? `(${bad} failed) ` : "") + (view.title ? view.title + " – " : "") + "Replicator";
}

function live(text, kind, off) {
  if (offline !== off) { $("live").textContent = text; $("live").className = "state s-" + kind; }
  offline = off;
}

async function poll() {
  clearTimeout(timer);
  if (!known) return;
  try {
    // Of many connectors only the newest points: charts of all would be a megabyte a second.
    const many = document_ && (document_.connectors || []).length > MOST_CARDS;
    const query = new URLSearchParams({ workers: "all", ...(many ? { points: 10 } : {}), ...(view.name ? { whole: view.name } : {}) });
    document_ = await get(`/replicator/overview?${query}`, 8);
    const health = document_.health && document_.health.status !== "healthy" ? ` · ${document_.health.status}: ${document_.health.message}` : "";
    const workers = document_.workers || [], silent = workers.filter(w => !w.answers).map(w => w.id);
    const group = workers.length > 1 ? ` · ${workers.length} workers${silent.length ? `, no answer from ${silent.join(", ")}` : ""}` : "";
    $("about").textContent = `${document_.version} · up ${time(document_.uptime_ms)}${group}${health}`;
    live("Live", "good", false);
    if (view.update) view.update(document_);
    titled();
  } catch (error) {
    if (error.status === undefined) throw error;
    live("No answer from the service; trying again", "bad", true);
  } finally {
    if (known) timer = setTimeout(poll, document.hidden ? 5000 : 1000);
  }
}

function entered() {
  const leave = button("Sign out", () => { signOut(); askWho(); });
  $("who").replaceChildren(...(known.authentication ? [`${known.name || "signed in"} (${known.role}) `, leave] : []));
  navigate(false);
  poll();
}

function askWho() {
  if (!known && view.title === "Sign in") return;
  known = null;
  document_ = null;
  clearTimeout(timer);
  if (view.close) view.close();
  $("who").replaceChildren();
  $("about").textContent = "";
  $("live").textContent = "";
  offline = null;
  view = signin(main, begin);
  titled();
}

async function begin() {
  try {
    known = { ...await whoAmI() };
    entered();
  } catch (error) {
    if (error.status === 401) return;  // the sign-in form is there already
    live("No answer from the service; trying again", "bad", true);
    setTimeout(begin, 2000);
  }
}

addEventListener("signin", askWho);
addEventListener("hashchange", () => navigate());
addEventListener("resize", () => { if (view.resize) view.resize(); });
document.querySelector(".skip").addEventListener("click", event => { event.preventDefault(); main.focus(); });
begin();
