// The corpus searched for phrases, and fixed points one by one.

import { className, colour, count, excerpt, h, number, percent, plural, s, shown } from "./dom.js";
import { KINDS, shape } from "./plane.js";

const classOf = (network, probabilities) => probabilities.indexOf(Math.max(...probabilities));

export function searchResult(network, found, on) {
  const phrase = h("q", {}, h("bdi", {}, shown(found.words.join(" "), 60)));
  if (!found.occurrences) return h("p", {}, phrase, ` stands nowhere in the ${count(found.of)} texts of the corpus.`);
  const all = found.overall.reduce((a, b) => a + b, 0);
  const rows = network.classes.map((_, k) => h("tr", {}, h("th", { scope: "row" }, className(network, k)),
    h("td", { class: "n" }, count(found.answers[k])), h("td", { class: "n" }, percent(found.answers[k] / found.documents)),
    h("td", { class: "n" }, `${percent(found.intervals[k][0])} to ${percent(found.intervals[k][1])}`), h("td", { class: "n" }, percent(found.overall[k] / all))));
  const examples = found.examples.map((one) => {
    const best = classOf(network, one.probabilities);
    return h("tr", {}, h("td", { class: "w" }, excerpt([one.before, one.phrase, one.after], one.cut)),
      h("td", {}, className(network, best)), h("td", { class: "n" }, percent(one.probabilities[best])),
      h("td", {}, one.label === null ? "–" : h("bdi", {}, shown(one.label, 30)), one.split ? h("span", { class: "range" }, one.split) : null),
      h("td", {}, h("button", { type: "button", class: "small", onclick: () => on.use(one.text) }, "explore")));
  });
  return h("div", {}, h("p", {}, phrase, " stands ", h("b", {}, plural(found.occurrences, "time")), " in ", h("b", {}, plural(found.documents, "text")), ` of ${count(found.of)}.`),
    h("div", { class: "scroll" }, h("table", {}, h("caption", {}, h("span", { class: "cap" }, "What the network says of the texts that hold it, beside what it says of all.")),
      h("thead", {}, h("tr", {}, ["network says", "texts", "share", "95 % interval", "of all texts"].map((name, k) => h("th", { scope: "col", class: k ? "n" : null }, name)))), h("tbody", {}, rows))),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Examples" }, h("table", { class: "examples" }, h("caption", {}, h("span", { class: "cap" }, "Examples, spread from the surest of one class to the surest of the other.")),
      h("thead", {}, h("tr", {}, ["text", "network says", "share", "label", ""].map((name, k) => h("th", { scope: "col", class: k === 2 ? "n" : null }, name || h("span", { class: "vh" }, "Explore it"))))), h("tbody", {}, examples))));
}

export class Points {
  constructor(network, on) {
    this.network = network;
    this.on = on; // { point(index), use(text) }
    const { plane } = network;
    this.element = h("div", {});
    if (!plane) {
      this.element.append(h("p", { class: "why" }, network.left_out["fixed points"] ?? "This network has no fixed points to show."));
      return;
    }
    const label = (k) => `${KINDS[plane.points.kind[k]][0]} ${k}: ${plane.points.tau[k] === null ? "no end" : number(plane.points.tau[k])} words${plane.points.grows[k] ? ", grows" : ""}`;
    const groups = Object.keys(KINDS).map((kind) => {
      const own = plane.points.kind.map((one, k) => (one === kind ? k : -1)).filter((k) => k >= 0).sort((a, b) => plane.points.xy[a][0] - plane.points.xy[b][0]);
      return own.length ? h("optgroup", { label: `${KINDS[kind][1]} (${own.length})` }, own.map((k) => h("option", { value: k }, label(k)))) : null;
    });
    this.select = h("select", { id: "point", onchange: () => on.point(Number(this.select.value)) }, groups);
    const step = (by) => () => {
      const options = [...this.select.options];
      const to = options[(this.select.selectedIndex + by + options.length) % options.length];
      on.point(Number(to.value));
    };
    const held = plane.input === "zero" ? "Without input" : `With the input held at “${plane.input}”`;
    this.result = h("div", { "aria-live": "polite" });
    this.element.append(h("p", {}, `${held}, the network rests, or nearly, at ${plural(plane.points.xy.length, "point")}. Each is listed with the time constant of its slowest mode; those of a kind are in order along principal axis 1. They can also be clicked in the state space.`),
      h("div", { class: "row" }, h("label", { for: "point" }, "Point"), this.select, h("button", { type: "button", onclick: step(-1) }, "previous"), h("button", { type: "button", onclick: step(1) }, "next")), this.result);
  }

  show(found) {
    this.select.value = String(found.index);
    const facts = [["speed q", number(found.speed)], ["seeds that came here", count(found.seeds)], ["where the data goes", found.inside ? "yes" : "no"],
      found.error === null ? null : ["distance to the true root at most", number(found.error) + (found.proved ? ", proved" : ", verified by sampling")]].filter(Boolean);
    const modes = found.modes.map((mode, k) => h("tr", {}, h("td", { class: "n" }, String(k + 1)), h("td", {}, complex(mode.value)),
      h("td", { class: "n" }, `${number(mode.tau)} words`), h("td", {}, mode.grows ? h("strong", {}, "grows") : "fades"), h("td", { class: "n" }, mode.period === null ? "–" : number(mode.period))));
    const near = found.nearest.map((one) => h("tr", {}, h("td", { class: "n" }, number(one.distance)), h("td", { class: "w" }, excerpt([one.before, one.word, one.after], one.cut)),
      h("td", {}, h("button", { type: "button", class: "small", onclick: () => this.on.use(`${one.before} ${one.word}`.trim()) }, "explore"))));
    const kind = KINDS[found.kind];
    this.result.replaceChildren(
      h("h3", {}, s("svg", { viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" }, shape(found.kind, 0, 0)), ` ${kind[0][0].toUpperCase()}${kind[0].slice(1)} ${found.index}`),
      h("p", {}, kind[2], " ", found.stability),
      h("p", { class: "facts" }, facts.map(([name, value]) => h("span", {}, `${name}: `, h("b", {}, value)))),
      h("div", { class: "two-sides" },
        h("div", {}, spectrum(found),
          h("div", { class: "scroll" }, h("table", {}, h("caption", {}, h("span", { class: "cap" }, "The slowest modes.")), h("thead", {}, h("tr", {}, ["", "eigenvalue", "time constant", "", "period"].map((name, k) => h("th", { scope: "col", class: [0, 2, 4].includes(k) ? "n" : null }, name || h("span", { class: "vh" }, k ? "direction" : "mode"))))), h("tbody", {}, modes)))),
        h("div", {}, h("div", { class: "scroll" }, h("table", { class: "examples" }, h("caption", {}, h("span", { class: "cap" }, "Held-out texts whose states come nearest; the state is that after the marked word.")),
          h("thead", {}, h("tr", {}, ["distance", "text", ""].map((name, k) => h("th", { scope: "col", class: k ? null : "n" }, name || h("span", { class: "vh" }, "Explore it"))))), h("tbody", {}, near))))));
  }
}

const complex = ([a, b]) => (b ? `${a.toFixed(3)} ± ${Math.abs(b).toFixed(3)}i` : a.toFixed(3)).replace("-", "−");

// Eigenvalues in the complex plane, with the unit circle; those outside it grow.
function spectrum(found) {
  const size = 300, mid = size / 2;
  const reach = Math.max(1.1, ...found.eigenvalues.map(([a, b]) => Math.hypot(a, b) * 1.08));
  const at = ([a, b]) => [mid + (a / reach) * (mid - 22), mid - (b / reach) * (mid - 22)];
  const unit = (mid - 22) / reach;
  const grow = found.eigenvalues.filter(([a, b]) => Math.hypot(a, b) > 1).length;
  const svg = s("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": `${found.eigenvalues.length} eigenvalues in the complex plane; ${grow} outside the unit circle` },
    s("circle", { cx: mid, cy: mid, r: unit.toFixed(1), class: "unit" }), s("line", { x1: 8, x2: size - 8, y1: mid, y2: mid, class: "edge" }), s("line", { y1: 8, y2: size - 8, x1: mid, x2: mid, class: "edge" }),
    s("text", { x: size - 8, y: mid - 5, class: "axis-name", "text-anchor": "end" }, "real"), s("text", { x: mid + 5, y: 16, class: "axis-name" }, "imaginary"),
    s("text", { x: mid + unit + 3, y: mid + 13, class: "tick start" }, "1"),
    found.eigenvalues.map((value) => {
      const [cx, cy] = at(value);
      return s("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 3.6, class: Math.hypot(...value) > 1 ? "eigen grows" : "eigen", vars: { "--c": colour(0) } }, s("title", {}, complex(value)));
    }));
  return h("figure", { class: "spectrum" }, svg, h("figcaption", {}, found.complete ? "All eigenvalues" : `The ${found.eigenvalues.length} slowest eigenvalues`, " of the linearization, with the unit circle: inside it a mode fades, outside (filled in orange) it grows."));
}
