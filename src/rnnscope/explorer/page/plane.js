// The state space in the plane of the report: texts' ends, fixed points, and a sentence's way.

import { colour, count, h, number, percent, s, shown } from "./dom.js";

const W = 460, H = 350;
const BOX = { left: 34, right: 10, top: 10, bottom: 34 };
export const KINDS = {
  root: ["root", "fixed points", "An isolated fixed point: the network, once there, stays. Certified."],
  continuum: ["continuum", "points of a continuum", "A fixed point with others right beside it. Certified."],
  manifold: ["manifold", "manifold points", "A point of a slow curve: at rest in its quick directions, its slow drift measured."],
  ghost: ["ghost", "ghosts", "The speed is least here, but it is no fixed point: the network still leaves."],
};

export class Plane {
  constructor(network, on) {
    this.network = network;
    this.on = on; // { hover(index), select(index), point(index) }
    this.near = true;
    this.figure = h("figure", { class: "plane" });
    if (!network.plane) {
      const why = network.left_out["fixed points"] ?? "This network has no fixed points to show.";
      this.figure.append(h("p", { class: "why" }, why));
      return;
    }
    this.svg = s("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", onpointerleave: () => on.hover(null) });
    const view = (near, text) => h("button", { type: "button", "aria-pressed": String(this.near === near), onclick: () => this.look(near) }, text);
    this.views = [view(true, "around the path"), view(false, "whole space")];
    this.caption = h("figcaption", {});
    this.figure.append(h("div", { class: "views", role: "group", "aria-label": "View of the state space" }, this.views), this.svg, this.legend(), this.caption);
  }

  legend() {
    const { plane, classes } = this.network;
    const mark = (draw, text) => h("li", {}, s("svg", { viewBox: "-7 -7 14 14", width: 14, height: 14, "aria-hidden": "true" }, draw), text);
    const kinds = Object.keys(KINDS).filter((kind) => plane.points.kind.includes(kind));
    return h("ul", { class: "marks" },
      classes.map((name, k) => mark(s("circle", { r: 3, class: "end", vars: { "--c": colour(k) } }), h("span", {}, "texts ending ", h("bdi", {}, shown(name, 20))))),
      kinds.map((kind) => mark(shape(kind, 0, 0), KINDS[kind][1])),
      mark([s("path", { d: "M-6 3L0 -3L6 2", class: "path" }), s("circle", { r: 2.4, cx: -5, cy: 2, class: "start" })], "this sentence"));
  }

  look(near) {
    this.near = near;
    this.views[0].setAttribute("aria-pressed", String(near));
    this.views[1].setAttribute("aria-pressed", String(!near));
    this.draw();
  }

  show(result) {
    this.result = result;
    if (this.svg) this.draw();
  }

  // The part of the plane that is drawn, with the same scale both ways.
  frame() {
    const { plane } = this.network;
    const path = this.result?.path?.xy ?? [];
    const all = [...plane.states.xy, ...plane.points.xy, ...path];
    const from = this.near && path.length ? path : all;
    let [low, high] = bounds(from);
    const [least, most] = bounds(all);
    const whole = Math.max(most[0] - least[0], most[1] - least[1]) || 1;
    const room = 0.12 * Math.max(high[0] - low[0], high[1] - low[1]) + 0.03 * whole;
    low = low.map((v) => v - room);
    high = high.map((v) => v + room);
    const w = W - BOX.left - BOX.right, t = H - BOX.top - BOX.bottom;
    const scale = Math.min(w / (high[0] - low[0]), t / (high[1] - low[1]));
    const centre = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
    const place = ([a, b]) => [BOX.left + w / 2 + (a - centre[0]) * scale, BOX.top + t / 2 - (b - centre[1]) * scale];
    return { place, scale, centre, w, t };
  }

  draw() {
    const { plane } = this.network;
    const path = this.result?.path;
    const view = this.frame();
    const inside = ([a, b]) => a > BOX.left && a < W - BOX.right && b > BOX.top && b < H - BOX.bottom;
    const ends = plane.states.xy.map(view.place);
    const background = s("g", {}, ends.map(([cx, cy], k) => inside([cx, cy])
      && s("circle", { cx: r1(cx), cy: r1(cy), r: 2.2, class: "end", vars: { "--c": colour(plane.states.class[k]) } })));
    const points = s("g", {}, plane.points.xy.map((xy, k) => {
      const [a, b] = view.place(xy);
      if (!inside([a, b])) return null;
      const kind = plane.points.kind[k];
      const tau = plane.points.tau[k];
      const title = `${KINDS[kind][0]} ${k}, slowest mode ${plane.points.grows[k] ? "grows" : "fades"} over ${tau === null ? "no end of" : number(tau)} words`;
      return s("g", { class: "point", "data-point": k, onclick: () => this.on.point(k) }, shape(kind, a, b), s("circle", { cx: r1(a), cy: r1(b), r: 6, class: "hit" }, s("title", {}, title)));
    }));
    this.svg.replaceChildren(this.axes(view), background, points, this.compass(ends.filter(inside)));
    if (path) this.svg.append(this.way(path, view));
    this.svg.setAttribute("aria-label", this.describe());
    this.mark();
  }

  way(path, view) {
    const { result, network } = this;
    const places = path.xy.map(view.place);
    const line = places.map(([a, b]) => `${r1(a)} ${r1(b)}`).join("L");
    const group = s("g", {}, s("path", { d: `M${line}`, class: "path-under" }), s("path", { d: `M${line}`, class: "path" }));
    places.forEach(([cx, cy], k) => {
      const p = result.probabilities[k];
      const best = p.indexOf(Math.max(...p));
      const word = k ? shown(result.words[k - 1].text, 30) : "before the first word";
      const last = k === places.length - 1;
      const near = `nearest point ${path.nearest[k]}, ${path.distance[k]} away`;
      group.append(s("circle", {
        cx: r1(cx), cy: r1(cy), r: last ? 6 : k ? 3.4 : 4.5, class: k ? (last ? "step last" : "step") : "start", vars: { "--c": colour(best) },
        "data-word": k ? k - 1 : null, onpointerenter: () => this.on.hover(k ? k - 1 : null), onclick: () => k && this.on.select(k - 1),
      }, s("title", {}, `${word}: ${network.classes[best]} ${percent(p[best])}; ${near}`)));
    });
    this.flag = s("text", { class: "flag" });
    this.places = places;
    group.append(this.flag);
    return group;
  }

  axes(view) {
    const { plane } = this.network;
    const group = s("g", {}, s("rect", { x: BOX.left, y: BOX.top, width: view.w, height: view.t, class: "frame" }));
    const step = nice(view.w / view.scale / 5);
    for (let axis = 0; axis < 2; axis++) {
      const span = (axis ? view.t : view.w) / view.scale / 2;
      for (let k = Math.ceil((view.centre[axis] - span) / step); k * step <= view.centre[axis] + span; k++) {
        const value = k * step;
        const [a, b] = view.place(axis ? [view.centre[0], value] : [value, view.centre[1]]);
        const text = String(+value.toPrecision(6)).replace("-", "−");
        if (axis) group.append(s("path", { d: `M${BOX.left - 3} ${r1(b)}h3`, class: "axis-tick" }), s("text", { x: BOX.left - 5, y: r1(b + 3.5), class: "tick" }, text));
        else group.append(s("path", { d: `M${r1(a)} ${H - BOX.bottom}v3`, class: "axis-tick" }), s("text", { x: r1(a), y: H - BOX.bottom + 13, class: "tick mid" }, text));
      }
    }
    const share = plane.variance.map((v) => percent(v));
    const middle = BOX.top + view.t / 2;
    group.append(s("text", { x: BOX.left + view.w / 2, y: H - 5, class: "axis-name mid" }, `principal axis 1 (${share[0]} of the variance)`),
      s("text", { x: 8, y: middle, class: "axis-name mid", transform: `rotate(-90 8 ${middle})` }, `principal axis 2 (${share[1]})`));
    return group;
  }

  // An arrow in the emptiest corner: the direction along which the decision is read.
  compass(ends) {
    const arrow = this.network.plane.readout;
    if (!arrow || !Math.hypot(...arrow)) return s("g", {});
    const path = (this.result?.path?.xy ?? []).map(this.frame().place);
    const corners = [[BOX.left + 52, BOX.top + 30], [W - BOX.right - 52, BOX.top + 30], [BOX.left + 52, H - BOX.bottom - 30], [W - BOX.right - 52, H - BOX.bottom - 30]];
    const crowd = corners.map((corner) => [...ends, ...path, ...path, ...path].filter((at) => Math.hypot(at[0] - corner[0], at[1] - corner[1]) < 60).length);
    const [x, y] = corners[crowd.indexOf(Math.min(...crowd))];
    const [a, b] = arrow.map((v) => v / Math.hypot(...arrow));
    const tip = [x + 18 * a, y - 18 * b];
    const wing = (turn) => [tip[0] - 7 * (a * Math.cos(turn) - b * Math.sin(turn)), tip[1] + 7 * (b * Math.cos(turn) + a * Math.sin(turn))];
    const [left, right] = [wing(0.5), wing(-0.5)];
    const { classes, shown: k } = this.network;
    const toward = classes.length === 2 ? `reads ${shown(classes[k], 12)}` : "readout";
    return s("g", { class: "compass" }, s("path", { d: `M${r1(x - 18 * a)} ${r1(y + 18 * b)}L${r1(tip[0])} ${r1(tip[1])}M${r1(left[0])} ${r1(left[1])}L${r1(tip[0])} ${r1(tip[1])}L${r1(right[0])} ${r1(right[1])}` }),
      s("text", { x, y: y + (y < H / 2 ? 20 + 12 * Math.abs(b) : -12 - 12 * Math.abs(b)), class: "axis-name mid" }, toward));
  }

  describe() {
    const { plane, classes } = this.network;
    const path = this.result?.path;
    const said = `State space: ${count(plane.states.xy.length)} texts' last states and ${plane.points.xy.length} fixed or slow points, in the plane of most variance.`;
    if (!path) return said;
    const last = path.nearest.length - 1;
    return `${said} The sentence goes from (${path.xy[0].map(number).join(", ")}) to (${path.xy[last].map(number).join(", ")}), `
      + `where the network says ${classes[this.result.predicted]}; the nearest point there is ${KINDS[plane.points.kind[path.nearest[last]]][0]} ${path.nearest[last]}.`;
  }

  // What is pointed at, chosen, or looked at among the fixed points.
  mark(hover = this.hovered, selected = this.selected, point = this.pointed) {
    this.hovered = hover ?? null;
    this.selected = selected ?? null;
    this.pointed = point ?? null;
    if (!this.svg) return;
    for (const element of this.svg.querySelectorAll("[data-word]")) {
      const index = Number(element.dataset.word);
      element.classList.toggle("hot", index === this.hovered);
      element.classList.toggle("chosen", index === this.selected);
    }
    for (const element of this.svg.querySelectorAll("[data-point]")) {
      element.classList.toggle("chosen", Number(element.dataset.point) === this.pointed);
    }
    this.tell(this.hovered ?? this.selected);
  }

  tell(index) {
    const path = this.result?.path;
    if (!path || !this.flag) return;
    const at = index === null || index >= this.result.words.length ? path.xy.length - 1 : index + 1;
    const [x, y] = this.places[at];
    const end = x > W * 0.6;
    this.flag.textContent = index === null ? "end" : shown(this.result.words[at - 1].text, 22);
    this.flag.setAttribute("x", r1(x + (end ? -9 : 9)));
    this.flag.setAttribute("y", r1(Math.max(BOX.top + 12, y - 8)));
    this.flag.setAttribute("text-anchor", end ? "end" : "start");
    const { plane } = this.network;
    const kind = plane.points.kind[path.nearest[at]];
    this.caption.replaceChildren("After ", h("b", {}, h("bdi", {}, at ? shown(this.result.words[at - 1].text, 30) : "no word")), " the state is ",
      h("b", {}, number(path.distance[at])), " from ", h("button", { type: "button", class: "link", onclick: () => this.on.point(path.nearest[at]) }, `${KINDS[kind][0]} ${path.nearest[at]}`),
      ", the nearest point (distances in units of the spread of the visited states).");
  }
}

export function shape(kind, x, y) {
  const props = { class: `kind ${kind}`, transform: `translate(${r1(x)} ${r1(y)})` };
  if (kind === "root") return s("path", { ...props, d: star(7, 3) });
  if (kind === "ghost") return s("path", { ...props, d: "M-4 -4L4 4M4 -4L-4 4" });
  if (kind === "continuum") return s("rect", { ...props, x: -3, y: -3, width: 6, height: 6 });
  return s("circle", { ...props, r: 1.9 });
}

function star(outer, inner) {
  const corner = (k) => {
    const turn = (Math.PI * k) / 5 - Math.PI / 2, r = k % 2 ? inner : outer;
    return `${r1(r * Math.cos(turn))} ${r1(r * Math.sin(turn))}`;
  };
  return "M" + Array.from({ length: 10 }, (_, k) => corner(k)).join("L") + "Z";
}

const r1 = (v) => Math.round(v * 10) / 10;
const bounds = (xy) => [0, 1].map((k) => [0, 1].map((axis) => Math[k ? "max" : "min"](...xy.map((at) => at[axis]))));
export function nice(step) {
  const ten = 10 ** Math.floor(Math.log10(step));
  return ten * [1, 2, 5, 10].find((k) => k * ten >= step);
}
