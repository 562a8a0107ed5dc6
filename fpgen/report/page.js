"use strict";
// Sorting and filtering of the table of records. Without it the page is whole, only still.
(() => {
  const table = document.getElementById("records");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);
  const titles = heads.map((head) => head.textContent.trim().toLowerCase());
  const keys = heads.map((head) => head.dataset.key.toLowerCase());
  const texts = rows.map((row) => Array.from(row.cells, (cell) => cell.title || cell.textContent).join("\u0000").toLowerCase());
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
    return titles.findIndex((title) => title.startsWith(name));
  };
  const tests = {
    "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b, "=": (a, b) => a === b,
  };
  const condition = (word) => {
    const parts = /^([^<>=]+)(<=|>=|<|>|=)(.+)$/.exec(word);
    const index = parts ? column(parts[1]) : -1;
    if (index < 0) return null;
    const wanted = Number(parts[3]);
    if (Number.isNaN(wanted))
      return parts[2] === "=" ? (row) => row.cells[index].textContent.toLowerCase() === parts[3] : null;
    return (row) => tests[parts[2]](number(row, index), wanted);
  };

  const filter = () => {
    const given = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = selects.filter((select) => select.value !== "").map((select) =>
      [keys.indexOf(select.dataset.name.toLowerCase()), select.value]);
    const conditions = given.map((word) => condition(word) || ((row, at) => texts[at].includes(word)));
    let shown = 0;
    rows.forEach((row, at) => {
      const fits = conditions.every((test) => test(row, at))
        && chosen.every(([index, value]) => row.cells[index].textContent === value);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = `${shown} of ${rows.length} records`;
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
      return sign * (Number.isNaN(a) ? textA.localeCompare(textB, "en", { numeric: true }) : a - b);
    });
    body.append(...keyed.map((item) => item[2]));
  };

  heads.forEach((head, index) => head.firstElementChild.addEventListener("click", () => sort(index)));
  words.addEventListener("input", filter);
  selects.forEach((select) => select.addEventListener("change", filter));
  document.getElementById("controls").hidden = false;
  filter();
})();
