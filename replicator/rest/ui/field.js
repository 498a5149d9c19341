// One option in the form: label, input by its type, what it means, and what is wrong with it.

import { el } from "./dom.js";

let count = 0;

export class Field {
  constructor(option, definition, changed) {
    const id = `option-${++count}`;
    this.option = option;
    this.definition = definition;
    this.secret = Boolean(definition && definition.type === "PASSWORD");
    this.wrong = false;
    this.changed = changed;
    this.stored = null;
    this.input = this.make(definition, `${id}-values`);
    this.wire(id);
    this.errors = el("p", { class: "wrong", id: `${id}-wrong`, "aria-live": "polite" });
    this.values = el("datalist", { id: `${id}-values` });
    const kind = definition ? [definition.type.toLowerCase(), definition.required ? "required" : "", ""].filter(Boolean).join(", ") : "not declared by the connector";
    this.root = el("div", { class: "field" },
      el("label", { for: id }, el("code", {}, option), el("span", { class: "hint" }, ` ${kind}`)),
      this.input, this.values, this.errors,
      el("p", { class: "hint", id: `${id}-doc` }, definition ? definition.documentation || "" : ""));
    if (definition && definition.required) this.input.setAttribute("aria-required", "true");
  }

  make(definition, values) {
    const usual = definition && definition.default_value !== null && definition.default_value !== undefined ? String(definition.default_value) : "";
    if (definition && definition.type === "BOOLEAN")
      return el("select", {}, el("option", { value: "" }, usual ? `default: ${usual}` : "not set"), el("option", { value: "true" }, "true"), el("option", { value: "false" }, "false"));
    const attributes = { autocomplete: "off", spellcheck: "false", placeholder: this.secret ? "" : usual, list: values };
    if (this.secret) return el("input", { ...attributes, type: "password", autocomplete: "new-password", list: null });
    const numeric = definition && ["INT", "LONG", "SHORT"].includes(definition.type);
    return el("input", { ...attributes, type: "text", inputmode: numeric ? "numeric" : null });
  }

  wire(id) {
    this.input.id = id;
    this.input.setAttribute("aria-describedby", `${id}-doc ${id}-wrong`);
    this.input.addEventListener("input", () => { this.stored = null; this.changed(); });
    if (this.input.nodeName === "INPUT") this.input.addEventListener("paste", event => {
      const text = event.clipboardData.getData("text");
      if (!text.trim().includes("\n")) return;
      event.preventDefault();
      this.set(text);
      this.changed();
    });
  }

  // Lines would be joined by a single-line input: keys in PEM form, scripts.
  widen() {
    const old = this.input, focused = document.activeElement === old;
    this.input = el("textarea", { rows: 5, class: "code", spellcheck: "false", autocomplete: "off", readonly: old.readOnly });
    for (const name of ["aria-required", "aria-invalid"]) if (old.hasAttribute(name)) this.input.setAttribute(name, old.getAttribute(name));
    old.replaceWith(this.input);
    this.wire(old.id);
    if (focused) this.input.focus();
  }

  // null: not set. An empty text counts as long as it is the stored one.
  value() { return this.input.value === "" ? this.stored : this.input.value; }

  set(value) {
    const text = String(value);
    this.stored = text === "" ? "" : null;
    if (this.input.nodeName === "INPUT" && text.includes("\n")) this.widen();
    if (this.input.nodeName === "SELECT" && ![...this.input.options].some(o => o.value === text)) this.input.append(el("option", { value: text }, text));
    this.input.value = text;
  }

  locked(is) { this.input.readOnly = is; if (this.input.nodeName === "SELECT") this.input.disabled = is; }

  judge({ errors, recommended_values: known }) {
    this.wrong = errors.length > 0;
    this.errors.textContent = errors.join(" ");
    this.input.setAttribute("aria-invalid", String(this.wrong));
    const wanted = (known || []).map(String);
    if (wanted.join("\n") !== [...this.values.options].map(o => o.value).join("\n")) this.values.replaceChildren(...wanted.map(value => el("option", { value })));
  }

  // Whether it is shown without being asked for.
  matters() {
    const d = this.definition;
    return !d || this.wrong || this.value() !== null || d.required || d.importance === "HIGH" || document.activeElement === this.input;
  }

  matches(sought) {
    return this.option.toLowerCase().includes(sought) || Boolean(this.definition && (this.definition.documentation || "").toLowerCase().includes(sought));
  }
}
