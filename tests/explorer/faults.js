// What is wrong with how a page is laid out: a list of sentences, empty where nothing is.
() => {
  const found = [];
  const name = (e) => `${e.tagName.toLowerCase()}.${e.className.baseVal ?? e.className} "${e.textContent.slice(0, 30)}"`;
  const box = (e) => e.getBoundingClientRect();
  const seen = (e) => {
    const r = box(e), style = getComputedStyle(e);
    return r.width > 1 && r.height > 1 && style.visibility !== "hidden" && !e.closest(".vh, .skip, [hidden], .measure");
  };
  const scrolls = (e) => {
    for (let p = e; p; p = p.parentElement) {
      if (p !== document.documentElement && ["auto", "scroll", "hidden"].includes(getComputedStyle(p).overflowX)) return p;
    }
    return null;
  };
  if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide in ${innerWidth}`);
  for (const e of document.querySelectorAll("body *")) {
    if (!seen(e) || scrolls(e.parentElement)) continue;
    if (box(e).right > innerWidth + 1 || box(e).left < -1) found.push(`outside: ${name(e)}`);
  }
  // Blocks that follow one another do not lie on one another.
  const groups = ["main > *", "#sentence > *", ".network > *", ".score-and-space > *", ".stave > *", "#details section > *", ".two-sides > *", ".three > *", "form.row > *", ".under > *", "#scale > *", ".verdict-row > *", ".plane > *"];
  for (const selector of groups) {
    const all = [...document.querySelectorAll(selector)].filter(seen);
    for (const [k, a] of all.entries()) {
      for (const b of all.slice(k + 1)) {
        if (a.parentElement !== b.parentElement || getComputedStyle(a).position === "sticky") continue;
        const r = box(a), t = box(b);
        const wide = Math.min(r.right, t.right) - Math.max(r.left, t.left);
        const high = Math.min(r.bottom, t.bottom) - Math.max(r.top, t.top);
        if (wide > 1.5 && high > 1.5) found.push(`${name(a)} lies on ${name(b)}`);
      }
    }
  }
  // What has no text of its own has a size.
  for (const e of document.querySelectorAll(".bar, .bar2")) {
    if (!e.closest("[hidden], details:not([open])") && (box(e).width < 20 || box(e).height < 4)) found.push(`without a size: ${name(e)}`);
  }
  // A word shows itself whole, or is cut on purpose.
  for (const word of document.querySelectorAll(".stave .word")) {
    if (word.scrollWidth > word.clientWidth + 1 && word.clientWidth < 170) found.push(`cut: ${name(word)}`);
  }
  // The labels of the axes do not lie on one another.
  for (const svg of document.querySelectorAll(".plane svg, .moves svg, .spectrum svg")) {
    const labels = [...svg.querySelectorAll("text.tick, text.axis-name")].filter(seen);
    for (const [k, a] of labels.entries()) for (const b of labels.slice(k + 1)) {
      const r = box(a), t = box(b);
      if (Math.min(r.right, t.right) - Math.max(r.left, t.left) > 1 && Math.min(r.bottom, t.bottom) - Math.max(r.top, t.top) > 2) found.push(`label ${a.textContent} on ${b.textContent}`);
    }
  }
  return found.slice(0, 20);
}
