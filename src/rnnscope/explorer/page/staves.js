// A sentence as music is written: words in lines, under each word its scores, under those the curve.

import { against, colour, h, percent, plural, s, shown, signed } from "./dom.js";

const CURVE = 74; // pixels of the curve's height
const PAD = 9; // above 1 and below 0
const LEAST = 30; // pixels of a word's column
export const SHORT = {
  "gradient x input": "grad × input",
  "leave one out": "leave one out",
  "push along the slow mode": "slow push",
  "integrated gradients": "integr. grad.",
  "contextual decomposition": "context. dec.",
};
const NAMES = { "gradient x input": "gradient × input" };
export const fullName = (method) => NAMES[method] ?? method;

// The score of the deepest colour of each method: its largest, but never less than a trifle.
const deepest = (values) => Math.max(...values.map(Math.abs), 1e-3);

function tint(element, network, value, largest) {
  const level = Math.min(1, Math.abs(value) / largest);
  element.style.setProperty("--s", level.toFixed(3));
  element.style.setProperty("--c", value > 0 ? colour(network.shown) : against(network));
  element.classList.add(value > 0 ? "up" : "down");
}

export class Staves {
  constructor(network, on) {
    this.network = network;
    this.on = on; // { select(index), hover(index) }
    this.element = h("div", { class: "staves", onpointerleave: () => on.hover(null) });
    new ResizeObserver(() => this.layout()).observe(this.element);
  }

  show(result, method) {
    this.result = result;
    this.method = method;
    this.width = 0;
    this.layout();
  }

  layout() {
    const width = Math.floor(this.element.clientWidth);
    if (!this.result || !width || width === this.width) return;
    this.width = width;
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.word : null;
    const words = this.result.words.map((word, index) => this.word(word, index));
    const measure = h("div", { class: "measure", "aria-hidden": "true" }, words);
    this.element.append(measure);
    const widths = words.map((word) => Math.max(LEAST, Math.ceil(word.getBoundingClientRect().width)));
    measure.remove();
    const label = width < 520 ? 80 : 96;
    const lines = [];
    let used = Infinity;
    widths.forEach((own, index) => {
      if (used + own > width - label) {
        lines.push([]);
        used = 0;
      }
      lines.at(-1).push(index);
      used += own;
    });
    this.element.replaceChildren(...lines.map((line, row) => this.stave(line, words, widths, label, row)));
    this.mark();
    if (focused !== null) this.element.querySelector(`button[data-word="${focused}"]`)?.focus();
  }

  word(word, index) {
    const { network, result } = this;
    const main = result.scores.find((one) => one.method === this.method) ?? result.scores[0];
    const p = result.probabilities[index + 1][network.shown];
    const label = `${word.text}${word.known ? "" : ", not in the vocabulary"}: ${fullName(main.method)} ${signed(main.values[index])}; `
      + `${network.classes[network.shown]} ${percent(p)} after it`;
    const button = h("button", {
      type: "button", class: word.known ? "word" : "word unknown", "data-word": index, "aria-label": label, title: label,
      onclick: () => this.on.select(index), onpointerenter: () => this.on.hover(index),
      onfocus: () => this.on.hover(index), onkeydown: (event) => this.key(event, index),
    }, h("bdi", {}, shown(word.text)));
    tint(button, network, main.values[index], deepest(main.values));
    return button;
  }

  // Arrows go from word to word.
  key(event, index) {
    const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: this.result.words.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.element.querySelector(`button[data-word="${to}"]`)?.focus();
  }

  stave(line, words, widths, label, row) {
    const { result, network } = this;
    const columns = line.map((index) => widths[index]);
    const grid = h("div", { class: "stave", role: "group", "aria-label": `words ${line[0] + 1} to ${line.at(-1) + 1}` });
    grid.style.gridTemplateColumns = [label, ...columns].map((w) => `${w}px`).join(" ");
    grid.append(h("span", { class: "name" }, ""), ...line.map((index) => words[index]));
    for (const score of result.scores) {
      const largest = deepest(score.values);
      const name = SHORT[score.method] ?? score.method;
      grid.append(h("span", { class: score.method === this.method ? "name main" : "name", title: fullName(score.method) }, name));
      for (const index of line) {
        const cell = h("span", {
          class: "cell", "data-word": index, "aria-hidden": "true", title: `${fullName(score.method)}: ${signed(score.values[index], 3)}`,
          onpointerenter: () => this.on.hover(index), onclick: () => this.on.select(index),
        });
        tint(cell, network, score.values[index], largest);
        grid.append(cell);
      }
    }
    grid.append(this.axis(label, row === 0), this.curve(line, columns));
    return grid;
  }

  axis(label, first) {
    const svg = s("svg", { class: "axis", width: label, height: CURVE, "aria-hidden": "true" });
    for (const [value, text] of [[1, "1"], [0.5, "½"], [0, "0"]]) {
      svg.append(s("text", { x: label - 6, y: y(value) + 4, class: "tick" }, text));
    }
    const names = this.network.classes;
    const said = names.length === 2 ? [shown(names[this.network.shown], 11)] : ["each class"];
    svg.append(s("text", { x: 0, y: CURVE / 2 - 5, class: "axis-name" }, "probability"),
      s("text", { x: 0, y: CURVE / 2 + 10, class: "axis-name" }, names.length === 2 ? `of ${said[0]}` : said[0]));
    return svg;
  }

  curve(line, columns) {
    const { result, network } = this;
    const width = columns.reduce((a, b) => a + b, 0);
    const ends = [];
    let left = 0;
    for (const own of columns) {
      ends.push(left + own / 2);
      left += own;
    }
    const svg = s("svg", { class: "curve", width, height: CURVE, viewBox: `0 0 ${width} ${CURVE}`, "aria-hidden": "true" });
    svg.style.gridColumn = "2 / -1";
    for (const value of [0, 0.5, 1]) {
      svg.append(s("line", { x1: 0, x2: width, y1: y(value), y2: y(value), class: value === 0.5 ? "half" : "edge" }));
    }
    const classes = network.classes.length === 2 ? [network.shown] : network.classes.map((_, k) => k);
    const first = line[0];
    for (const k of classes) {
      const points = line.map((index, n) => [ends[n], y(result.probabilities[index + 1][k])]);
      const before = y(result.probabilities[first][k]);
      const path = `M0 ${before}` + points.map(([a, b]) => `L${a.toFixed(1)} ${b.toFixed(1)}`).join("")
        + (line.at(-1) === result.words.length - 1 ? "" : `H${width}`);
      svg.append(s("path", { d: path, class: "way", vars: { "--c": network.classes.length === 2 ? "var(--ink)" : colour(k) } }));
      points.forEach(([a, b], n) => {
        const p = result.probabilities[line[n] + 1][k];
        const own = network.classes.length > 2 ? colour(k) : p > 0.5 ? colour(k) : against(network);
        svg.append(s("circle", { cx: a, cy: b, r: 3.6, class: "dot", "data-word": line[n], vars: { "--c": own } }));
      });
    }
    columns.forEach((own, n) => {
      svg.append(s("rect", {
        x: ends[n] - own / 2, y: 0, width: own, height: CURVE, class: "hit", "data-word": line[n],
        onpointerenter: () => this.on.hover(line[n]), onclick: () => this.on.select(line[n]),
      }));
    });
    return svg;
  }

  // The word that is pointed at, and the one that is chosen, wherever they are drawn.
  mark(hover = this.hovered, selected = this.selected) {
    this.hovered = hover ?? null;
    this.selected = selected ?? null;
    for (const element of this.element.querySelectorAll("[data-word]")) {
      const index = Number(element.dataset.word);
      element.classList.toggle("hot", index === this.hovered);
      element.classList.toggle("chosen", index === this.selected);
      if (element.tagName === "BUTTON") element.setAttribute("aria-pressed", String(index === this.selected));
    }
  }
}

const y = (p) => PAD + (1 - p) * (CURVE - 2 * PAD);

export function verdict(network, result) {
  const last = result.probabilities.at(-1);
  const parts = [h("p", { class: "says" },
    h("span", { class: "class", vars: { "--c": colour(result.predicted) } },
      h("strong", {}, h("bdi", {}, shown(network.classes[result.predicted], 40)))), " ",
    h("strong", {}, percent(last[result.predicted], 1)))];
  if (result.rules) {
    const rule = result.rules.list[0];
    parts.push(h("p", { class: "rule-says" },
      rule ? ["Rule ", String(rule.rank), " says ", named(network, result.rules.says), ": ", h("q", {}, h("bdi", {}, shown(rule.words.join(" "))))]
        : ["No rule occurs; the list says ", named(network, result.rules.says)],
      result.rules.agrees ? ", as the network does." : h("strong", {}, ": not what the network says.")));
  }
  return h("div", { class: "verdict-row" }, parts);
}

const named = (network, index) => h("span", { class: "class", vars: { "--c": colour(index) } }, h("bdi", {}, shown(network.classes[index], 30)));

// The same numbers for who cannot see colours, and for copying.
export function table(network, result) {
  const names = network.classes.map((name) => h("th", { scope: "col", class: "n" }, h("bdi", {}, shown(name, 24))));
  const heads = result.scores.map((one) => h("th", { scope: "col", class: "n" }, fullName(one.method)));
  const rows = result.words.map((word, index) => h("tr", {}, h("th", { scope: "row" }, h("bdi", {}, shown(word.text, 30))),
    result.probabilities[index + 1].map((p) => h("td", { class: "n" }, percent(p, 1))),
    result.scores.map((one) => h("td", { class: "n" }, signed(one.values[index], 3)))));
  const sums = h("tr", {}, h("th", { scope: "row" }, "sum"), network.classes.map(() => h("td", {})),
    result.scores.map((one) => h("td", { class: "n" }, one.sums ? signed(one.total, 3) : "–")));
  return h("details", { class: "numbers" }, h("summary", {}, `All numbers of the ${plural(result.words.length, "word")} as a table`),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "All numbers" }, h("table", {},
      h("caption", {}, h("span", { class: "cap" }, "Probabilities after each word, and each word's scores for ",
        h("bdi", {}, shown(network.classes[network.shown], 30)), " against ", network.classes.length === 2 ? "the other class" : "the others",
        ". Only scores with a sum add up to the logits.")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "word"), names, heads)), h("tbody", {}, rows, sums))));
}
