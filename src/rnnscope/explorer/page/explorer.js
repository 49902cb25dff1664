// The page: what is typed, what is chosen, and what is asked for. All that is shown is computed by rnnscope.

import { against, ask, byId, className, colour, h, keepToken, percent, plural, shown } from "./dom.js";
import { Staves, fullName, table, verdict } from "./staves.js";
import { Plane } from "./plane.js";
import { Points, searchResult } from "./browsing.js";
import { ofWord, overview, rulesTable } from "./changes.js";

const WAIT = 90; // milliseconds after the last key
const state = { networks: [], panels: [], network: 0, method: "beta", selected: null, typed: "", more: new Set(), searched: "" };

class Panel {
  constructor(network, index) {
    this.network = network;
    this.index = index;
    this.result = null;
    const on = { select: (word) => select(state.selected === word && index === state.network ? null : word, index), hover: (word) => hover(word), point: (k) => point(k, index, true) };
    this.staves = new Staves(network, on);
    this.plane = new Plane(network, on);
    this.points = new Points(network, { point: (k) => point(k, index), use });
    this.head = h("div", { class: "head" });
    this.numbers = h("div", {});
    this.missing = h("p", { class: "muted small-text" });
    const title = state.networks.length > 1 ? h("h3", {}, h("bdi", {}, `${shown(network.name, 40)}: ${network.architecture}`)) : null;
    this.element = h("article", { class: "network", "aria-label": `Network ${network.name}` }, title, this.head,
      h("div", { class: "score-and-space" }, h("div", { class: "score" }, this.staves.element, this.numbers, this.missing), this.plane.figure));
  }

  show(result) {
    this.result = result;
    this.head.replaceChildren(verdict(this.network, result));
    this.draw();
  }

  draw() {
    if (!this.result) return;
    this.staves.show(this.result, state.method);
    this.plane.show(this.result);
    const open = this.numbers.querySelector("details")?.open;
    this.numbers.replaceChildren(table(this.network, this.result));
    if (open) this.numbers.querySelector("details").open = true;
    const missing = Object.entries(this.result.missing).map(([name, why]) => `${fullName(name)}: ${why}`);
    this.missing.textContent = missing.length ? `Left out: ${missing.join(" ")}` : "";
    this.mark();
  }

  mark(hovered = null) {
    this.staves.mark(hovered, state.selected);
    this.plane.mark(hovered, state.selected);
  }
}

const current = () => state.panels[state.network];
const box = () => byId("text");

// Sentences -----------------------------------------------------------------------------------

let timer = null, asking = null, round = 0;

function typed() {
  clearTimeout(timer);
  timer = setTimeout(look, WAIT);
}

async function look() {
  clearTimeout(timer);
  const text = box().value, own = ++round;
  asking?.abort();
  asking = new AbortController();
  if (!text.trim()) {
    say("Type a sentence, or take one of the corpus.");
    return;
  }
  try {
    const found = await Promise.all(state.networks.map((_, network) => ask("sentence", { text, network }, asking.signal)));
    await Promise.all([...state.more].flatMap((method) => state.networks.map(async (_, network) => {
      try {
        found[network].scores.push(await ask("score", { text, method, network }, asking.signal));
      } catch (error) {
        if (error.name === "AbortError") throw error;
        found[network].missing[method] = error.message;
      }
    })));
    if (own !== round) return;
    trouble(null);
    if (state.selected !== null && state.selected >= found[state.network].words.length) state.selected = null;
    found.forEach((result, k) => state.panels[k].show(result));
    const longest = Math.max(...found.map((one) => one.milliseconds));
    const verdicts = found.map((one, k) => `${state.networks[k].classes[one.predicted]} ${percent(Math.max(...one.probabilities.at(-1)), 1)}`);
    say(`${plural(found[0].words.length, "word")}, computed in ${Math.round(longest)} ms`, `${verdicts.join(", ")}; `);
    compare(found);
    scale();
    details();
  } catch (error) {
    if (error.name !== "AbortError" && own === round) trouble(error);
  }
}

// Where two networks part.
function compare(found) {
  const line = byId("compared");
  const [a, b] = state.networks;
  line.hidden = !b || a.classes.join("\n") !== b.classes.join("\n") || found[0].words.length !== found[1].words.length;
  if (line.hidden) return;
  const k = a.shown;
  const apart = found[0].probabilities.map((p, t) => Math.abs(p[k] - found[1].probabilities[t][k]));
  const most = apart.indexOf(Math.max(...apart));
  const said = (one, t) => percent(found[one].probabilities[t][k]);
  const name = (one) => h("bdi", {}, shown(one.name, 30));
  const both = found[0].predicted === found[1].predicted;
  line.replaceChildren(...(both ? ["Both say ", className(a, found[0].predicted)]
    : ["They disagree: ", name(a), " says ", className(a, found[0].predicted), ", ", name(b), " ", className(b, found[1].predicted)]),
    `. They are furthest apart ${most ? "after " : "before the first word"}`, most ? h("q", {}, h("bdi", {}, shown(found[0].words[most - 1].text, 30))) : "", `: ${said(0, most)} against ${said(1, most)} `, h("bdi", {}, shown(a.classes[k], 30)), ".");
}

function use(text) {
  box().value = text;
  grow();
  state.selected = null;
  box().focus({ preventScroll: true });
  byId("sentence").scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  look();
}

function grow() {
  box().style.height = "auto";
  box().style.height = `${box().scrollHeight + 4}px`;
}

// What is seen elsewhere on the page is said as well.
function say(text, heard = "") {
  byId("status").replaceChildren(...(heard ? [h("span", { class: "vh" }, shown(heard, 200))] : []), text);
}

function trouble(error) {
  const line = byId("trouble");
  line.hidden = !error;
  line.textContent = error ? error.message : "";
  if (error) say("");
  if (error?.status === 401) {
    byId("token-form").hidden = false;
    byId("token").focus();
  }
}

// Words ---------------------------------------------------------------------------------------

function hover(word) {
  for (const panel of state.panels) panel.mark(word);
}

function select(word, network = state.network) {
  state.selected = word;
  state.typed = "";
  if (network !== state.network) choose(network);
  hover(null);
  changes();
}

let wordRound = 0;
async function changes() {
  const panel = current(), own = ++wordRound;
  const { network, result, index } = panel;
  const place = byId("changes");
  const on = { use, select, typed: state.typed, replace: (text) => { state.typed = text; changes(); } };
  if (!result) return;
  if (state.selected === null) {
    place.replaceChildren(overview(network, result, on));
    return;
  }
  try {
    const question = { text: box().value, position: state.selected, network: index };
    if (state.typed) question.replacement = state.typed;
    const found = await ask("word", question);
    if (own !== wordRound || panel.result !== result) return;
    const typing = document.activeElement?.id === "replacement";
    place.replaceChildren(ofWord(network, result, found, on));
    if (typing) byId("replacement").focus();
  } catch (error) {
    if (own === wordRound) place.prepend(h("p", { class: "notice", role: "alert" }, error.message));
  }
}

// The rest of the page ------------------------------------------------------------------------

function details() {
  const panel = current();
  if (!panel.result) return;
  byId("details").hidden = false;
  byId("rules").replaceChildren(rulesTable(panel.network, panel.result, { search }));
  if (byId("points").firstChild !== panel.points.element) byId("points").replaceChildren(panel.points.element);
  const path = panel.result.path;
  if (path && !panel.looked) point(path.nearest.at(-1), panel.index);
  changes();
}

function choose(network) {
  state.network = network;
  for (const [k, button] of [...byId("which").querySelectorAll("button")].entries()) button.setAttribute("aria-pressed", String(k === network));
  details();
  if (state.searched) search(state.searched, false);
}

async function search(text, go = true) {
  const panel = current();
  state.searched = text;
  byId("phrase").value = text;
  try {
    byId("found").replaceChildren(searchResult(panel.network, await ask("search", { text, network: panel.index }), { use }));
  } catch (error) {
    byId("found").replaceChildren(h("p", { class: "notice", role: "alert" }, error.message));
  }
  if (go) byId("search-heading").scrollIntoView({ block: "nearest" });
}

async function point(k, index, go = false) {
  const panel = state.panels[index];
  panel.looked = true;
  try {
    const found = await ask("point", { index: k, network: index });
    if (go && index !== state.network) choose(index);
    panel.plane.mark(null, state.selected, k);
    panel.points.show(found);
    if (go) byId("points-heading").scrollIntoView({ block: "start" });
  } catch (error) {
    trouble(error);
  }
}

// What the colours mean, and by which score words are coloured.
function scale() {
  const panel = state.panels[0];
  const { network, result } = panel;
  const methods = [...result.scores.map((one) => one.method)];
  if (!methods.includes(state.method)) state.method = methods[0];
  const pick = h("select", { id: "method", onchange: () => { state.method = pick.value; for (const one of state.panels) one.draw(); } },
    methods.map((name) => h("option", { value: name, selected: name === state.method }, fullName(name))));
  const more = network.slower.map((name) => h("label", { class: "more" }, h("input", {
    type: "checkbox", checked: state.more.has(name), onchange: (event) => {
      state.more[event.target.checked ? "add" : "delete"](name);
      look();
    },
  }), " ", fullName(name)));
  const names = network.classes;
  const legend = byId("scale");
  const focused = legend.contains(document.activeElement);
  if (focused && methods.length === legend.querySelectorAll("option").length) return;
  legend.hidden = false;
  legend.replaceChildren(h("label", {}, "Words coloured by ", pick),
    h("span", {}, names.length === 2 ? h("bdi", {}, shown(names[1 - network.shown], 20)) : "against", h("span", { class: "bar", vars: { "--pos": colour(network.shown), "--neg": against(network) } }), h("bdi", {}, shown(names[network.shown], 20))),
    h("span", { class: "more-scores", role: "group", "aria-label": "Scores that take longer" }, "also ", more));
}

function build(about) {
  state.networks = about.networks;
  const first = about.networks[0];
  const two = about.networks.length > 1;
  byId("title").textContent = two ? "Two networks side by side" : `${first.architecture} on ${first.corpus.name}`;
  document.title = `${byId("title").textContent}: rnnscope explorer`;
  byId("lead").replaceChildren(...(two ? about.networks.map((one, k) => [k ? " and " : "", h("bdi", {}, shown(one.name, 40)), `, ${one.architecture}`]).flat() : ["A trained recurrent network that knows ", plural(first.words, "word"), " and tells ",
    ...first.classes.flatMap((name, k) => [k ? " from " : "", h("span", { class: "class", vars: { "--c": colour(k) } }, h("bdi", {}, shown(name, 30)))])]), ". What it says after each word, what each word did, and where its state went.");
  state.panels = about.networks.map((network, index) => new Panel(network, index));
  byId("networks").replaceChildren(...state.panels.map((panel) => panel.element));
  byId("networks").classList.toggle("compared", two);
  if (two) {
    byId("which").hidden = false;
    byId("which").replaceChildren("The following is about ", ...about.networks.map((one, k) => h("button", { type: "button", "aria-pressed": String(k === 0), onclick: () => choose(k) }, shown(one.name, 40))));
  }
  byId("examples").replaceChildren(...first.examples.map((text) => h("button", { type: "button", class: "chip", title: text, onclick: () => use(text) }, shown(text, 44))));
  byId("sentence").hidden = false;
  if (!box().value) box().value = first.examples.at(-1) ?? "";
  box().value = box().value.slice(0, 20000);
  grow();
}

async function start() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    keepToken(given);
    history.replaceState(null, "", location.pathname);
  }
  try {
    build(await ask("run"));
  } catch (error) {
    byId("lead").textContent = error.message;
    if (error.status === 401) byId("token-form").hidden = false;
    return;
  }
  byId("token-form").hidden = true;
  await look();
}

box().addEventListener("input", () => { grow(); typed(); });
byId("search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (byId("phrase").value.trim()) search(byId("phrase").value, false);
});
byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(byId("token").value.trim());
  start();
});
start();
