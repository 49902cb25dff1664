// Elements, numbers and questions. Text is always set as text: nothing here reads markup.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function s(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "vars") for (const [k, v] of Object.entries(value)) element.style.setProperty(k, v);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

// A word as it can be shown in a line: what has no ink, or turns the text around it, is written out.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu;
export function shown(word, limit = 60) {
  const full = String(word);
  if (!full.trim()) return "␣";
  const cut = full.length > limit ? full.slice(0, limit) + "…" : full;
  return cut.replace(HIDDEN, (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));
}

export const percent = (p, digits = 0) => (100 * p).toFixed(digits).replace("-", "−") + "\u00a0%";
export const signed = (v, digits = 2) => (v < 0 ? "−" : "+") + Math.abs(v).toFixed(digits);
export function number(v) {
  if (v === null || v === undefined) return "∞";
  const size = Math.abs(v);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return v.toExponential(1).replace("e-", "e−").replace("e+", "e");
  const text = size >= 100 ? Math.round(v).toLocaleString("en") : String(+v.toPrecision(3));
  return text.replace("-", "−");
}
export const count = (n) => n.toLocaleString("en");
export const plural = (n, one, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;

export const colour = (index) => `var(--class-${index % 6})`;
export const className = (network, index) =>
  h("span", { class: "class", vars: { "--c": colour(index) } }, h("bdi", {}, shown(network.classes[index], 30)));
// The colour of what is against the shown class: the other of two, grey among more.
export const against = (network) => (network.classes.length === 2 ? colour(1 - network.shown) : "var(--neutral)");

// A share of the shown class as a bar, with the share that it was before as a tick.
export function bar(network, p, before = null) {
  const fill = { "--p": p, "--b": before ?? p, "--pos": colour(network.shown), "--neg": against(network) };
  return h("span", { class: "bar2", vars: fill, "aria-hidden": "true" },
    h("i", {}), before === null ? null : h("b", {}));
}

export const excerpt = (parts, cut) => h("bdi", {}, cut[0] ? "… " : "", parts[0], parts[0] ? " " : "",
  h("mark", {}, parts[1]), parts[2] ? " " : "", parts[2], cut[1] ? " …" : "");

let token = null;
try { token = sessionStorage.getItem("rnnscope-token"); } catch { /* no storage: asked for again */ }
export function keepToken(value) {
  token = value;
  try { sessionStorage.setItem("rnnscope-token", value); } catch { /* the same */ }
}

export class Refusal extends Error {
  constructor(status, error) {
    super([error.rule, error.got && `Got ${error.got}.`, error.expected && `Expected ${error.expected}.`, error.fix && `To do: ${error.fix}.`]
      .filter(Boolean).join(" "));
    this.status = status;
  }
}

export async function ask(kind, question = null, signal = undefined) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const options = { headers, signal, credentials: "omit", cache: "no-store" };
  if (question !== null) {
    options.method = "POST";
    headers["content-type"] = "application/json";
    options.body = JSON.stringify(question);
  }
  let response;
  try {
    response = await fetch(`api/${kind}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, { rule: "The explorer does not answer.", fix: "see whether rnnscope serve still runs" });
  }
  const found = await response.json().catch(() => ({ error: { rule: "The explorer sent no answer." } }));
  if (!response.ok) throw new Refusal(response.status, found.error ?? {});
  return found;
}
