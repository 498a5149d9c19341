// Shown instead of everything while the worker does not know who asks.

import { basic, bearer, signIn } from "./api.js";
import { el, labelled, note } from "./dom.js";

export function signin(box, done) {
  const name = el("input", { autocomplete: "username", spellcheck: "false" }), password = el("input", { type: "password", autocomplete: "current-password" });
  const token = el("input", { type: "password", autocomplete: "off" }), problem = el("div", {});
  const form = (title, fields, make) => el("form", { class: "card", "aria-label": title, onsubmit: event => { event.preventDefault(); enter(make()); } },
    el("h2", {}, title), fields, el("div", { class: "bar-of-buttons" }, el("button", { type: "submit", class: "primary" }, "Sign in")));

  async function enter([authorization, who]) {
    problem.replaceChildren();
    try {
      await signIn(authorization, who);
      done();
    } catch (error) {
      problem.replaceChildren(note("bad", null, error.status === 401 ? "That is not known here." : error.message));
    }
  }

  box.replaceChildren(el("h1", { tabindex: "-1" }, "Sign in"), problem, el("div", { class: "two" },
    form("With a password", [labelled("User", name), labelled("Password", password)], () => [basic(name.value, password.value), name.value]),
    form("With a token", [labelled("Token", token)], () => [bearer(token.value.trim()), "token"])),
    el("p", { class: "hint" }, "Kept until this tab is closed, or you sign out."));
  name.focus();
  return { title: "Sign in" };
}
