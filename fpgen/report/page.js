"use strict";
// Sorting and filtering of the table of records, and the way from a mark to its line. Without it the page is whole, only still.
(() => {
  const table = document.getElementById("records");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);
  const titles = heads.map((head) => head.textContent.trim().toLowerCase());
  const keys = heads.map((head) => head.dataset.key.toLowerCase());
  const text = (cell) => cell.title || cell.textContent;  // the title has the whole of a text that was cut
  const texts = rows.map((row) => Array.from(row.cells, text).join("\u0000").toLowerCase());
  const words = document.getElementById("words");
  const selects = Array.from(document.querySelectorAll("#controls select"));
  const count = document.getElementById("count");
  const number = (row, index) => {
    const value = row.cells[index].dataset.v;
    return value === undefined ? NaN : Number(value);
  };

  // The column that a word of the filter means: its whole name, or else how it starts.
  const column = (name) => {
    for (const names of [keys, titles]) if (names.includes(name)) return names.indexOf(name);
    const close = [titles, keys].map((names) => names.findIndex((title) => title.startsWith(name)));
    return close[0] >= 0 ? close[0] : close[1];
  };
  const tests = {
    "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
    "=": (a, b) => a === b, "!=": (a, b) => a !== b,
  };
  const condition = (word, unknown) => {
    const parts = /^([^<>=!]+)(<=|>=|!=|<|>|=)(.+)$/.exec(word);
    if (!parts) return null;
    const index = column(parts[1]);
    const equality = parts[2] === "=" || parts[2] === "!=";
    const wanted = Number(parts[3].replaceAll(",", ""));
    if (index < 0 || (Number.isNaN(wanted) && !equality)) {
      unknown.push(index < 0 ? `no column ${parts[1]}` : `${parts[3]} is no number`);
      return null;
    }
    const cell = (row) => text(row.cells[index]).toLowerCase();
    if (Number.isNaN(wanted)) return (row) => tests[parts[2]](cell(row), parts[3]);
    return (row) => {
      const value = number(row, index);
      if (!Number.isNaN(value)) return tests[parts[2]](value, wanted);
      return equality && cell(row) !== "" && tests[parts[2]](cell(row), parts[3]);
    };
  };

  const filter = () => {
    const given = words.value.toLowerCase().replace(/≤/g, "<=").replace(/≥/g, ">=").replace(/==/g, "=")
      .replace(/\s*(<=|>=|!=|<|>|=)\s*/g, "$1").split(/\s+/).filter(Boolean);
    const chosen = selects.filter((select) => select.value !== "").map((select) =>
      [keys.indexOf(select.dataset.name.toLowerCase()), select.value]);
    const unknown = [];
    const conditions = given.map((word) => condition(word, unknown) || ((row, at) => texts[at].includes(word)));
    let shown = 0;
    rows.forEach((row, at) => {
      const fits = conditions.every((test) => test(row, at))
        && chosen.every(([index, value]) => row.cells[index].textContent === value);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = `${shown} of ${rows.length} record${rows.length === 1 ? "" : "s"}`
      + (unknown.length && !shown ? `: ${unknown.join(", ")}` : "");
  };

  const sort = (index) => {
    const head = heads[index];
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const sign = down ? -1 : 1;
    const keyed = Array.from(body.rows, (row) => [number(row, index), row.cells[index].textContent, row]);
    keyed.sort(([a, textA], [b, textB]) => {
      if (Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;  // lines without a figure come last
      if ((textA === "") !== (textB === "")) return textA === "" ? 1 : -1;
      return sign * (Number.isNaN(a) ? textA.localeCompare(textB, "en", { numeric: true }) : a - b);
    });
    body.append(...keyed.map((item) => item[2]));
  };

  // A mark leads to its line, also when the filter hides it; `:target` colours it.
  const show = (place) => {
    const row = /^#r\d+$/.test(place) ? document.getElementById(place.slice(1)) : null;
    if (!row) return;
    if (row.hidden) {
      words.value = "";
      selects.forEach((select) => { select.value = ""; });
      filter();
    }
    row.scrollIntoView({ block: "center", inline: "nearest" });
    row.focus({ preventScroll: true });
  };
  window.addEventListener("hashchange", () => show(location.hash));
  document.addEventListener("click", (event) => {  // a second click on the same mark changes no address
    const link = event.target.closest("figure a");
    if (link && link.getAttribute("href") === location.hash) show(location.hash);
  });

  // One stop of the Tab key for each plot; arrows go from mark to mark, Enter follows.
  document.querySelectorAll("figure svg").forEach((svg) => {
    const panel = (mark) => {
      let group = mark;
      while (group.parentNode.parentNode !== svg) group = group.parentNode;
      return Array.prototype.indexOf.call(group.parentNode.children, group);
    };
    const place = (mark) => { const box = mark.getBoundingClientRect(); return [panel(mark), box.left + box.right, mark]; };
    const marks = Array.from(svg.querySelectorAll("a"));
    if (!marks.length) return;
    marks[0].setAttribute("tabindex", "0");
    let ordered = null;
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!step || !document.activeElement.matches("svg a")) return;
      event.preventDefault();
      ordered = ordered || marks.map(place).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map((found) => found[2]);
      const old = document.activeElement;
      const next = ordered[ordered.indexOf(old) + step];
      if (!next) return;
      old.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  });

  heads.forEach((head, index) => head.firstElementChild.addEventListener("click", () => sort(index)));
  words.addEventListener("input", filter);
  selects.forEach((select) => select.addEventListener("change", filter));
  document.getElementById("controls").hidden = false;
  filter();
  show(location.hash);
})();
