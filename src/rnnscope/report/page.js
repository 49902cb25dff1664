"use strict";
// The page is whole without this script: it adds sorting, searching, saving, and the view that can
// be zoomed. Nothing is fetched, no text is ever parsed as markup.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const held = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "{}");
  const data = held("data"), look = held("look"), described = held("view");
  const column = (packed) =>
    Array.isArray(packed) ? packed : packed.codes.map((code) => packed.levels[code]);
  const columns = (name) =>
    Object.fromEntries(Object.entries(data[name]).map(([key, packed]) => [key, column(packed)]));

  function element(tag, text, properties = {}) {
    return Object.assign(document.createElement(tag), { textContent: text, ...properties });
  }

  function button(text, name, act) {
    const made = element("button", text, { type: "button" });
    made.setAttribute("aria-label", name);
    made.addEventListener("click", act);
    return made;
  }

  // Saving -------------------------------------------------------------------------------------

  function save(blob, name) {
    const link = element("a", "", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // A text that a spreadsheet would run as a formula is kept a text.
  function cell(value) {
    if (value === null || value === undefined) return "";
    let text = String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]./.test(text)) text = "'" + text;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function csv(rows, name) {
    const text = rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
    save(new Blob([text], { type: "text/csv;charset=utf-8" }), name);
  }

  function figureCsv(name) {
    const held = columns(name), keys = Object.keys(held);
    const length = Math.max(...keys.map((key) => held[key].length));
    const rows = Array.from({ length }, (_, k) => keys.map((key) => held[key][k]));
    csv([keys, ...rows], `${name}.csv`);
  }

  // The figure by itself, on light paper, whatever the page looks like.
  function alone(svg) {
    const copy = svg.cloneNode(true), [, , width, height] = svg.getAttribute("viewBox").split(" ");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.style.background = look.light.paper;
    const text = new XMLSerializer().serializeToString(copy)
      .replace(/rgb\(var\(--([\w-]+)\)\)/g, (_, name) => look.light[name] ?? "#000")
      .replaceAll("var(--font)", "'DejaVu Sans',Helvetica,Arial,sans-serif");
    return { text, width: Number(width), height: Number(height) };
  }

  async function figurePng(svg, name) {
    const { text, width, height } = alone(svg), scale = 3, image = new Image();
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"),
      { width: Math.round(width * scale), height: Math.round(height * scale) });
    const context = canvas.getContext("2d");
    context.fillStyle = look.light.paper;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(blob, `${name}.png`), "image/png");
  }

  for (const figure of all("figure[data-name]")) {
    const name = figure.dataset.name, svg = figure.querySelector("svg");
    if (!svg) continue;
    const tools = element("div", "", { className: "tools" });
    const title = svg.querySelector("title")?.textContent ?? name;
    tools.append(
      button("SVG", `Save as SVG: ${title}`, () =>
        save(new Blob([alone(svg).text], { type: "image/svg+xml" }), `${name}.svg`)),
      button("PNG", `Save as PNG: ${title}`, () => figurePng(svg, name)));
    if (data[name]) tools.append(button("CSV", `Save data as CSV: ${title}`, () => figureCsv(name)));
    figure.append(tools);
  }

  // Tables -------------------------------------------------------------------------------------

  const words = (cell) => (cell?.dataset.v ?? cell?.textContent ?? "").trim();

  function before(a, b) {
    const [x, y] = [a, b].map((text) => (text === "" || text === "–" ? NaN : Number(text)));
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return a.localeCompare(b);
  }

  function sort(table, place, head) {
    const down = head.getAttribute("aria-sort") !== "descending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const missing = (row) => ["", "–"].includes(words(row.cells[place]));
    const rows = [...table.tBodies[0].rows].sort((a, b) =>
      missing(a) - missing(b) ||
      (down ? -1 : 1) * before(words(a.cells[place]), words(b.cells[place])));
    table.tBodies[0].append(...rows);
  }

  for (const table of all("table[data-name]")) {
    const box = table.closest(".scroll") ?? table, bar = element("div", "", { className: "bar" });
    const title = table.caption?.textContent.trim() ?? "table";
    if (table.dataset.sort !== undefined) {
      [...table.tHead.rows[0].cells].forEach((head, place) => {
        const name = head.textContent.trim();
        if (!name) return;
        const sorts = element("button", "", { type: "button", className: "sorts", title: "sort" });
        sorts.append(...head.childNodes);
        sorts.addEventListener("click", () => sort(table, place, head));
        head.append(sorts);
      });
      const label = element("label", "Search ");
      const field = element("input", "", { type: "search", autocomplete: "off" });
      field.setAttribute("aria-label", `Search in: ${title}`);
      const told = element("span", "", { className: "muted" });
      told.setAttribute("role", "status");
      field.addEventListener("input", () => {
        const wanted = field.value.trim().toLowerCase(), rows = [...table.tBodies[0].rows];
        for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
        const left = rows.filter((row) => !row.hidden).length;
        told.textContent = wanted ? ` ${left} of ${rows.length}` : "";
      });
      label.append(field);
      bar.append(label, told);
    }
    bar.append(button("CSV", `Save as CSV: ${title}`, () =>
      csv([...table.rows].map((row) => [...row.cells].map((c) =>
        c.dataset.v ?? c.innerText.trim().replace(/\s+/g, " "))), `${table.dataset.name}.csv`)));
    const whole = element("div", "", { className: "tabled" });
    box.replaceWith(whole);
    whole.append(bar, box);
  }

  // The view -----------------------------------------------------------------------------------

  async function library() {
    const packed = Uint8Array.from(atob(document.getElementById("library").textContent.trim()),
      (sign) => sign.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    document.head.append(element("script", await new Response(stream).text()));
  }

  function rowsOf(match, space) {
    const keys = Object.keys(match), kept = [];
    for (let k = 0; k < space.x.length; k++)
      if (keys.every((key) => (space[key][k] ?? null) === match[key])) kept.push(k);
    return kept;
  }

  // Fills the sources of the plot's description before it is drawn, and fits its legend.
  function fill(node, groups, width) {
    if (Array.isArray(node)) node.forEach((item) => fill(item, groups, width));
    else if (node && typeof node === "object") {
      if (node.name === "Legend") node.attributes.ncols = Math.max(1, Math.floor(width / 160));
      const group = node.name === "ColumnDataSource" && groups.get(node.attributes?.name);
      if (group) node.attributes.data = { type: "map", entries: Object.entries(group) };
      else Object.values(node).forEach((item) => fill(item, groups, width));
    }
  }

  async function open(box, told) {
    const started = performance.now();
    await library();
    const space = columns(described.figure), axes = ["x", "y", "z"];
    const groups = new Map(described.groups.map(({ source, match }) => {
      const rows = rowsOf(match, space);
      const own = Object.entries(space).map(([key, values]) =>
        [key, rows.map((k) => values[k] ?? (axes.includes(key) ? NaN : ""))]);
      return [source, Object.fromEntries(own)];
    }));
    let item = JSON.stringify(described.item);
    if (matchMedia("(prefers-color-scheme:dark)").matches)
      for (const [name, colour] of Object.entries(look.light))
        item = item.replaceAll(`"${colour}"`, `"${look.dark[name]}"`);
    item = JSON.parse(item);
    fill(item, groups, box.clientWidth);
    const view = await Bokeh.embed.embed_item(item);
    const model = Bokeh.documents.at(-1).roots()[0];
    const shares = described.shares.map((share) => ` (${(100 * share).toFixed(1)} % of the variance)`);
    const label = (place) => `principal axis ${place + 1}${shares[place] ?? ""}`;
    const chosen = [0, 1];
    const draw = () => {
      [model.below[0], model.left[0]].forEach((axis, k) => { axis.axis_label = label(chosen[k]); });
      for (const [name, own] of groups) {
        const source = model.document.get_model_by_name(name);
        source.data = { ...own, x: own[axes[chosen[0]]], y: own[axes[chosen[1]]] };
      }
    };
    [model.below[0], model.left[0]].forEach((axis, k) => { axis.axis_label = label(chosen[k]); });
    if (space.z.some((value) => value !== null)) {
      const bar = element("div", "", { className: "bar" });
      ["across", "up"].forEach((name, k) => {
        const select = document.createElement("select"), text = element("label", `${name} `);
        axes.forEach((_, place) => select.append(element("option", label(place), { value: place })));
        select.value = chosen[k];
        select.addEventListener("change", () => { chosen[k] = Number(select.value); draw(); });
        text.append(select);
        bar.append(text);
      });
      box.before(bar);
    }
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    box.dataset.drawn = String(Math.round(performance.now() - started));
    told.textContent = `${space.x.length.toLocaleString("en")} states. Drag to move, turn the ` +
      "wheel tool on to zoom, click a name in the legend to hide it, point at a mark to ask what it is.";
    return view;
  }

  const details = document.getElementById("interactive");
  if (details && described.item)
    details.addEventListener("toggle", async () => {
      const box = document.getElementById(described.target);
      const told = details.querySelector("[role=status]");
      if (!details.open || box.dataset.started) return;
      box.dataset.started = "yes";
      told.textContent = "Drawing …";
      try {
        await open(box, told);
      } catch (error) {
        told.textContent = `This browser cannot draw the view (${error.message}). ` +
          "The figure above shows the same states.";
      }
    });
})();
