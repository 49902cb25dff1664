// What if: a word removed, moved or replaced, and the rules that fire.

import { bar, className, colour, count, h, number, percent, s, shown, signed } from "./dom.js";

const LISTED = 10;

// A sentence's words joined again: the built-in tokenizer gives the same words back.
const joined = (words) => words.join(" ");
const texts = (result) => result.words.map((word) => word.text);
const without = (words, index) => words.filter((_, k) => k !== index);
const put = (words, index, word) => words.map((own, k) => (k === index ? word : own));
export function moved(words, from, to) {
  const rest = without(words, from);
  return [...rest.slice(0, to), words[from], ...rest.slice(to)];
}

function effect(network, before, probabilities) {
  const p = probabilities[network.shown];
  return [h("td", { class: "bar-cell" }, bar(network, p, before), percent(p, 1)),
    h("td", { class: "n" }, signed(100 * (p - before), 1))];
}

const heads = (network, first) => h("thead", {}, h("tr", {}, h("th", { scope: "col" }, first),
  h("th", { scope: "col", class: "n" }, h("bdi", {}, shown(network.classes[network.shown], 20))), h("th", { scope: "col", class: "n" }, "change"), h("th", { scope: "col" }, h("span", { class: "vh" }, "Try it"))));

function row(network, before, what, probabilities, words, on) {
  const flips = before > 0.5 !== probabilities[network.shown] > 0.5 && network.classes.length === 2;
  return h("tr", { class: flips ? "flips" : null }, h("th", { scope: "row" }, what, flips ? h("span", { class: "flip" }, " decides otherwise") : null),
    effect(network, before, probabilities),
    h("td", {}, words.length ? h("button", { type: "button", class: "small", onclick: () => on.use(joined(words)) }, "try") : null));
}

// The changes of the whole sentence that matter most.
export function overview(network, result, on) {
  const words = texts(result);
  const before = result.probabilities.at(-1)[network.shown];
  const w = (index) => h("b", {}, h("bdi", {}, shown(words[index], 24)));
  const all = [
    ...result.changes.remove.map((p, k) => [p, ["remove ", w(k)], without(words, k)]),
    ...result.changes.swap.map((one) => [one.probabilities, ["swap ", w(one.position), " and ", w(one.position + 1)], moved(words, one.position, one.position + 1)]),
    ...result.changes.replace.map((one) => [one.probabilities, [w(one.position), " → ", h("b", {}, h("bdi", {}, shown(one.word, 24)))], put(words, one.position, one.word)]),
  ];
  const kinds = [["Remove", 0, result.changes.remove.length], ["Swap neighbours", result.changes.remove.length, result.changes.swap.length], ["Replace", result.changes.remove.length + result.changes.swap.length, result.changes.replace.length]];
  const tables = kinds.map(([name, start, size]) => {
    const own = all.slice(start, start + size).map((one) => [Math.abs(one[0][network.shown] - before), one]);
    own.sort((a, b) => b[0] - a[0]);
    return h("div", {}, h("h3", {}, name), size ? h("div", { class: "scroll" }, h("table", { class: "changes" }, heads(network, "change"), h("tbody", {},
      own.slice(0, LISTED / 2).map(([, [p, what, changed]]) => row(network, before, what, p, changed, on))))) : h("p", { class: "muted" }, "One word has no neighbour."));
  });
  return h("div", {}, h("p", {}, `${count(all.length)} changes of one word were run on the network itself; these matter most. `,
    "Replacements are words that the corpus has between the same neighbours. Choose a word of the sentence for everything about it."), h("div", { class: "three" }, tables));
}

// Everything about one word.
export function ofWord(network, result, found, on) {
  const words = texts(result);
  const before = result.probabilities.at(-1)[network.shown];
  const index = found.position;
  const own = h("bdi", {}, shown(words[index], 30));
  const input = h("input", { id: "replacement", type: "text", autocomplete: "off", spellcheck: "false", maxlength: 200, placeholder: "another word, or several", value: on.typed ?? "" });
  const form = h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); if (input.value.trim()) on.replace(input.value); } },
    h("label", { for: "replacement" }, "Put in its place"), input, h("button", {}, "Look"));
  const replaced = found.replace.map((one) => row(network, before, h("bdi", {}, shown(one.word, 30)), one.probabilities, put(words, index, one.word), on));
  if (found.typed) {
    replaced.unshift(row(network, before, [h("b", {}, h("bdi", {}, shown(joined(found.typed.words), 40))), " (yours)"], found.typed.probabilities, put(words, index, joined(found.typed.words)), on));
  }
  return h("div", {},
    h("h3", {}, `Word ${index + 1}: `, own, h("button", { type: "button", class: "small back", onclick: () => on.select(null) }, "all words")),
    h("div", { class: "two-sides" },
      h("div", {}, h("h3", { class: "flush" }, "Remove it"),
        h("div", { class: "scroll" }, h("table", { class: "changes" }, heads(network, "change"), h("tbody", {}, row(network, before, ["without ", h("b", {}, h("bdi", {}, shown(words[index], 24)))], found.remove, without(words, index), on)))),
        h("h3", {}, "Move it"), found.move.length ? movesFigure(network, result, found, on) : h("p", { class: "muted" }, "It is the only word.")),
      h("div", {}, h("h3", { class: "flush" }, "Replace it"), form,
        h("div", { class: "scroll" }, h("table", { class: "changes" }, heads(network, "instead"), h("tbody", {}, replaced))))));
}

// The share with the word at every other place, as a curve over the places.
function movesFigure(network, result, found, on) {
  const words = texts(result);
  const size = words.length, width = 520, height = 150, left = 44, foot = 34;
  const x = (k) => left + 10 + ((width - left - 20) * k) / Math.max(1, size - 1);
  const y = (p) => 10 + (1 - p) * (height - foot - 14);
  const before = result.probabilities.at(-1)[network.shown];
  const all = [...found.move.map((one) => [one.to, one.probabilities[network.shown]]), [found.position, before]].sort((a, b) => a[0] - b[0]);
  const said = all.map(([to, p]) => `place ${to + 1}: ${percent(p)}`).join(", ");
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Probability of ${network.classes[network.shown]} with the word moved: ${said}` });
  for (const p of [0, 0.5, 1]) {
    svg.append(s("line", { x1: left, x2: width, y1: y(p), y2: y(p), class: p === 0.5 ? "half" : "edge" }), s("text", { x: left - 6, y: y(p) + 4, class: "tick" }, percent(p)));
  }
  svg.append(s("path", { class: "way", vars: { "--c": "var(--muted)" }, d: "M" + all.map(([k, p]) => `${x(k).toFixed(1)} ${y(p).toFixed(1)}`).join("L") }));
  for (const [k, p] of all) {
    const here = k === found.position;
    svg.append(s("circle", { cx: x(k).toFixed(1), cy: y(p).toFixed(1), r: here ? 6 : 4, class: here ? "dot here" : "dot move", vars: { "--c": here ? "var(--ink)" : colour(p > 0.5 ? network.shown : 1 - network.shown) }, onclick: () => here || on.use(joined(moved(words, found.position, k))) },
      s("title", {}, here ? `where it is: ${percent(p, 1)}` : `as word ${k + 1}: ${percent(p, 1)}; click to try`)));
  }
  const every = Math.max(1, Math.ceil(size / 10));
  for (let k = 0; k < size; k += every) svg.append(s("text", { x: x(k).toFixed(1), y: height - 18, class: "tick mid" }, String(k + 1)));
  svg.append(s("text", { x: (left + width) / 2, y: height - 3, class: "axis-name mid" }, "its place among the words"));
  return h("figure", { class: "moves" }, svg, h("figcaption", {}, "Probability of ", className(network, network.shown), " with the word at each place, the others closing up; the large dot is where it is."));
}

export function rulesTable(network, result, on) {
  const rules = result.rules;
  if (!rules) return h("p", { class: "why" }, network.left_out.rules ?? "This network has no rule list.");
  const words = texts(result);
  const intro = h("p", {}, rules.occur ? `${count(rules.occur)} of ${count(rules.size)} rules occur in the sentence; the first decides: `
    : `None of ${count(rules.size)} rules occurs, so the list gives its default: `, className(network, rules.says),
  rules.agrees ? ", which is what the network says." : [". ", h("strong", {}, "The network says otherwise.")]);
  if (!rules.list.length) return intro;
  const place = (rule) => h("bdi", {}, rule.position > 2 ? "… " : "", words.slice(Math.max(0, rule.position - 3), rule.position).map((one) => shown(one, 20)).join(" "), " ",
    h("mark", {}, rule.words.map((one) => shown(one, 20)).join(" ")), " ", words.slice(rule.position + rule.words.length, rule.position + rule.words.length + 3).map((one) => shown(one, 20)).join(" "));
  const body = rules.list.map((rule, k) => h("tr", { class: k ? "later" : "decides" }, h("td", { class: "n" }, count(rule.rank)),
    h("th", { scope: "row" }, h("button", { type: "button", class: "link", title: "Search the corpus for it", onclick: () => on.search(rule.words.join(" ")) }, h("bdi", {}, shown(rule.words.join(" "), 50)))),
    h("td", {}, className(network, rule.class)), h("td", { class: "n" }, rule.importance === null ? "–" : number(rule.importance)),
    h("td", { class: "n" }, rule.count === null ? "–" : count(rule.count)), h("td", { class: "n" }, rule.precision === null ? "–" : percent(rule.precision)), h("td", { class: "w" }, place(rule))));
  return h("div", {}, intro, h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Rules that occur" }, h("table", { class: "rules" },
    h("caption", {}, h("span", { class: "cap" }, "S is the phrase's importance, precision the share of the mined texts with it that the network puts in the rule's class.",
      rules.occur > rules.list.length ? ` The first ${rules.list.length} are listed.` : "")),
    h("thead", {}, h("tr", {}, ["rank", "phrase", "says", "S", "times", "precision", "where"].map((name, k) => h("th", { scope: "col", class: [0, 3, 4, 5].includes(k) ? "n" : null }, name)))),
    h("tbody", {}, body))));
}
