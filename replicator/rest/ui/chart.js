// A chart of the last ten minutes: one series, one axis; the newest value stands beside the title.

import { clock, el, isNumber, svg } from "./dom.js";

const WIDTH = 480, HEIGHT = 120, LEFT = 54, BOTTOM = 18, TOP = 6;
function ceiling(value) {
  if (value <= 0) return 1;
  const power = Math.pow(10, Math.floor(Math.log10(value)));
  return [1, 2, 2.5, 5, 10].map(f => f * power).find(v => v >= value);
}
export const binaryCeiling = value => 2 ** Math.ceil(Math.log2(Math.max(1, value)));

export class Chart {
  constructor(title, format, least, top = ceiling) {
    this.format = format; this.least = least; this.top = top; this.points = []; this.at = null;
    this.now = el("output");
    this.svg = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", tabindex: "0" });
    this.title = title;
    this.root = el("figure", {}, el("figcaption", {}, el("span", {}, title), this.now), this.svg);
    this.svg.addEventListener("pointermove", e => this.point(e));
    this.svg.addEventListener("pointerleave", () => { this.at = null; this.draw(); });
    this.svg.addEventListener("blur", () => { this.at = null; this.draw(); });
    this.svg.addEventListener("keydown", e => this.key(e));
  }
  point(event) {
    const box = this.svg.getBoundingClientRect();
    const x = (event.clientX - box.left - LEFT) / Math.max(1, box.width - LEFT);
    this.at = Math.max(0, Math.min(this.points.length - 1, Math.round(x * (this.points.length - 1))));
    this.draw();
  }
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    if (!step || !this.points.length) return;
    event.preventDefault();
    const last = this.points.length - 1;
    this.at = Math.max(0, Math.min(last, (this.at === null ? last : this.at) + step));
    this.draw();
  }
  set(times, values) { this.points = times.map((t, i) => [t, values[i]]); this.draw(); }
  draw() {
    const width = Math.max(200, this.svg.clientWidth || WIDTH), plot = width - LEFT, low = HEIGHT - BOTTOM;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const known = this.points.filter(p => isNumber(p[1]));
    const top = this.top(Math.max(this.least, ...known.map(p => p[1])));
    const count = Math.max(1, this.points.length - 1);
    const x = i => LEFT + plot * i / count, y = v => low - (low - TOP) * v / top;
    const parts = [];
    for (const share of [0, .5, 1]) {
      const at = y(top * share);
      parts.push(svg("line", { class: share ? "grid" : "base", x1: LEFT, x2: width, y1: at, y2: at }));
      parts.push(svg("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, this.format(top * share)));
    }
    const runs = []; let run = null;
    this.points.forEach((p, i) => {
      if (!isNumber(p[1])) { run = null; return; }
      if (!run) runs.push(run = []);
      run.push([x(i), y(p[1])]);
    });
    for (const r of runs) {
      const path = r.map((p, i) => (i ? "L" : "M") + p[0].toFixed(1) + " " + p[1].toFixed(1)).join("");
      parts.push(svg("path", { class: "area", d: `${path}L${r[r.length - 1][0].toFixed(1)} ${low}L${r[0][0].toFixed(1)} ${low}Z` }));
      parts.push(svg("path", { class: "line", d: path }));
    }
    if (this.points.length > 1) {
      parts.push(svg("text", { x: LEFT, y: HEIGHT - 4 }, clock(this.points[0][0])));
      parts.push(svg("text", { x: width, y: HEIGHT - 4, "text-anchor": "end" }, clock(this.points[count][0])));
    }
    const chosen = this.at === null ? known[known.length - 1] : this.points[Math.min(this.at, this.points.length - 1)];
    if (this.at !== null && chosen) {
      const at = x(Math.min(this.at, count));
      parts.push(svg("line", { class: "cross", x1: at, x2: at, y1: TOP, y2: low }));
      if (isNumber(chosen[1])) parts.push(svg("circle", { class: "dot", cx: at, cy: y(chosen[1]), r: 4 }));
    }
    this.svg.replaceChildren(...parts);
    const value = chosen && isNumber(chosen[1]) ? this.format(chosen[1]) : "–";
    this.now.textContent = this.at !== null && chosen ? clock(chosen[0]) + "  " + value : value;
    this.svg.setAttribute("aria-label", `${this.title}: ${value}. Arrow keys move through the last ten minutes.`);
  }
}
