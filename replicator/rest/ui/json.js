// JSON as text: numbers keep every digit, which JSON.parse would not.

const stringEnd = (text, at) => {
  let i = at + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i + 1;
};
const blank = c => c === " " || c === "\n" || c === "\t" || c === "\r";
const skip = (text, at) => { while (at < text.length && blank(text[at])) at++; return at; };

export function pretty(text) {
  const parts = [];
  let depth = 0, i = 0;
  const line = () => parts.push("\n", "  ".repeat(Math.max(0, depth)));
  while (i < text.length) {
    const c = text[i];
    if (c === '"') {
      const end = stringEnd(text, i);
      parts.push(text.slice(i, end));
      i = end;
      continue;
    }
    if (c === "{" || c === "[") {
      const next = skip(text, i + 1);
      if (text[next] === "}" || text[next] === "]") { parts.push(c, text[next]); i = next + 1; continue; }
      depth++; parts.push(c); line();
    } else if (c === "}" || c === "]") { depth--; line(); parts.push(c); }
    else if (c === ",") { parts.push(c); line(); }
    else if (c === ":") parts.push(": ");
    else if (!blank(c)) parts.push(c);
    i++;
  }
  return parts.join("");
}

function valueEnd(text, at) {
  if (text[at] === '"') return stringEnd(text, at);
  let depth = 0;
  for (let i = at; i < text.length;) {
    const c = text[i];
    if (c === '"') { i = stringEnd(text, i); if (!depth) return i; continue; }
    if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") { if (!depth) return i; if (!--depth) return i + 1; }
    else if (!depth && (c === "," || blank(c))) return i;
    i++;
  }
  return text.length;
}

// The members of an object, each value as the text that it is; null for what is no object.
export function members(text) {
  let i = skip(text, 0);
  if (text[i] !== "{") return null;
  const found = new Map();
  i = skip(text, i + 1);
  while (i < text.length && text[i] === '"') {
    const end = stringEnd(text, i), name = JSON.parse(text.slice(i, end));
    i = skip(text, skip(text, end) + 1);
    const stop = valueEnd(text, i);
    found.set(name, text.slice(i, stop));
    i = skip(text, stop);
    if (text[i] === ",") i = skip(text, i + 1);
  }
  return found;
}

// A connector's options out of JSON (also {"name", "config"}) or lines of a .properties file.
export function optionsOf(text) {
  const found = {};
  if (!text.trim().startsWith("{")) {
    for (const line of text.replace(/\\\r?\n[ \t]*/g, "").split(/\r?\n/)) {
      const match = /^\s*([^#!\s=:][^\s=:]*)\s*[=:\s]\s*(.*)$/.exec(line);
      if (match) found[match[1]] = match[2];
    }
    return found;
  }
  JSON.parse(text);  // refuses what is no JSON, with the place
  let all = members(text), name = null;
  if (all.get("config") && all.get("config").startsWith("{")) {
    name = all.get("name") || null;
    all = members(all.get("config"));
  }
  for (const [key, value] of all) if (value !== "null") found[key] = value.startsWith('"') ? JSON.parse(value) : value;
  if (name && !found.name) found.name = JSON.parse(name);
  return found;
}
