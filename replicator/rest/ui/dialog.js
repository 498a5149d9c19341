// Questions and announcements. <dialog> keeps the focus inside and gives it back.

import { button, el, labelled } from "./dom.js";

// Resolves to true when the person agrees. With `typed` the text must be entered first.
export function ask({ title, text, detail, action, danger, typed }) {
  return new Promise(resolve => {
    const agreed = button(action, () => done(true), { class: danger ? "danger" : "primary", disabled: Boolean(typed) });
    const field = typed ? el("input", { autocomplete: "off", spellcheck: "false", oninput: () => { agreed.disabled = field.value !== typed; } }) : null;
    const heading = el("h2", { id: "dialog-title" }, title);
    const box = el("dialog", { "aria-labelledby": "dialog-title" }, heading, text ? el("p", {}, text) : null, detail,
      field ? labelled(`Type ${typed} to confirm`, field) : null,
      el("div", { class: "bar-of-buttons" }, agreed, button("Cancel", () => done(false), { autofocus: Boolean(danger && !typed) })));
    function done(answer) { box.close(); box.remove(); resolve(answer); }
    box.addEventListener("cancel", event => { event.preventDefault(); done(false); });
    box.addEventListener("keydown", event => { if (event.key === "Enter" && event.target === field && !agreed.disabled) done(true); });
    document.body.append(box);
    box.showModal();
  });
}

let fading;
export function say(text, bad = false) {
  const box = document.getElementById("said");
  box.textContent = text;
  box.className = bad ? "shown bad" : "shown";
  clearTimeout(fading);
  fading = setTimeout(() => { box.className = ""; }, bad ? 12000 : 5000);
}

// Runs something a person asked for; what goes wrong is said.
export async function attempt(doing, done) {
  try {
    const result = await doing();
    if (done) say(done);
    return result === undefined || result === null ? true : result;
  } catch (error) {
    say(error.message, true);
    return false;
  }
}
