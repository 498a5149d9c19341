// Requests to the worker that served the page, and who asks. Credentials live in this tab's session storage only.

const KEPT = "replicator.authorization";
const RANK = { read: 0, operate: 1, admin: 2 };
const session = { authentication: false, role: "admin", name: "" };

export class Failure extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

// path`/connectors/${name}`: what is put in is one segment, whatever it holds.
export const path = (texts, ...names) => texts.reduce((all, text, i) => all + encodeURIComponent(names[i - 1]) + text);

export async function text(method, where, body, seconds = 95) {
  const headers = { Accept: "application/json" };
  const kept = sessionStorage.getItem(KEPT);
  if (kept) headers.Authorization = kept;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  let answer;
  try {
    // Without "omit" the browser would ask for a password by itself.
    answer = await fetch(where, { method, headers, body: sent, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(seconds * 1000) });
  } catch (error) {
    throw new Failure(0, error.name === "TimeoutError" ? "No answer in time." : "No answer from the service.");
  }
  const given = await answer.text();
  if (answer.ok) return given;
  if (answer.status === 401) dispatchEvent(new Event("signin"));
  let message = `HTTP ${answer.status}`;
  try { message = JSON.parse(given).message || message; } catch { /* not ours: the status must do */ }
  throw new Failure(answer.status, message);
}

export async function call(method, where, body, seconds) {
  const given = await text(method, where, body, seconds);
  return given ? JSON.parse(given) : null;
}

export const get = (where, seconds) => call("GET", where, undefined, seconds);

const encoded = given => btoa(String.fromCharCode(...new TextEncoder().encode(given)));
export const basic = (name, password) => "Basic " + encoded(`${name}:${password}`);
export const bearer = token => "Bearer " + token;

export async function signIn(authorization, name) {
  sessionStorage.setItem(KEPT, authorization);
  sessionStorage.setItem(KEPT + ".name", name);
  try {
    await whoAmI();
  } catch (error) {
    signOut();
    throw error;
  }
}

export function signOut() {
  sessionStorage.removeItem(KEPT);
  sessionStorage.removeItem(KEPT + ".name");
}

export async function whoAmI() {
  Object.assign(session, await get("/replicator/session"), { name: sessionStorage.getItem(KEPT + ".name") || "" });
  return session;
}

export const can = role => RANK[session.role] >= RANK[role];
