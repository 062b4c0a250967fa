import { choose } from "./actions.js";
import { colourings } from "./colours.js";
import { button, byId, make } from "./dom.js";
import { className, data, describe, grouped, short } from "./page_data.js";
import { tile } from "./sheets.js";
import { shown, state } from "./state.js";
import { worstBy } from "./worst.js";

const PAGE = 50;
const table = { points: /** @type {ArrayLike<number>} */ ([]), start: 0, by: "index", what: "" };

/** @returns {{key: string, name: string, text: (point: number) => string}[]} */
function tableColumns() {
  return [
    { key: "index", name: "Index", text: (i) => String(data.rows[i]) },
    ...(data.labels ? [{ key: "class", name: "Class", text: className }] : []),
    ...(data.files ? [{ key: "file", name: "File", text: (/** @type {number} */ i) => data.files?.[i] ?? "" }] : []),
    { key: "error", name: "Error", text: (i) => short(data.errors[i]) },
    ...(data.same ? [{ key: "same", name: "Agreement", text: (/** @type {number} */ i) => String(data.same?.[i]) }] : []),
    ...(data.k ? [{ key: "kept", name: "Kept", text: (/** @type {number} */ i) => String(data.kept[i]) }] : []),
  ];
}

/** Open a table of the selected point and its neighbours, else of the group, else of all points that are switched on. */
export function openTable() {
  const { selected, near, group } = state;
  table.what = selected >= 0 ? `Index ${data.rows[selected]} and its nearest` : (group?.title ?? "All images");
  table.points = selected >= 0 ? [selected, ...near[0].points] : (group?.points ?? [...data.rows.keys()].filter((i) => shown[i]));
  Object.assign(table, { start: 0, by: "" });
  /** @type {HTMLDialogElement} */ (byId("table")).showModal();
  showTable();
}

/** Order the table by a column: measures worst first, the rest ascending. @param {string} by */
function orderTable(by) {
  const points = Array.from(table.points);
  const names = by === "class" ? className : by === "file" ? (/** @type {number} */ i) => data.files?.[i] ?? "" : null;
  const place = new Uint32Array(data.count);
  if (by in colourings() && !names) for (const [at, point] of worstBy(by).entries()) place[point] = at;
  if (names) points.sort((a, b) => names(a).localeCompare(names(b), "en", { numeric: true }) || a - b);
  else points.sort((a, b) => (by === "index" ? data.rows[a] - data.rows[b] : place[a] - place[b]));
  Object.assign(table, { points, by, start: 0 });
  showTable();
}

function showTable() {
  const { points, start, by, what } = table;
  const dialog = /** @type {HTMLDialogElement} */ (byId("table"));
  const columns = tableColumns();
  const headings = columns.map(({ key, name }) => {
    const sorted = key === by ? (key === "error" ? "descending" : "ascending") : "none";
    return make(
      "th",
      { scope: "col", "aria-sort": sorted },
      button(name, () => orderTable(key), { className: "quiet" }),
    );
  });
  const rows = Array.from(points)
    .slice(start, start + PAGE)
    .map((point) => {
      const cells = columns.map(({ key, text }) =>
        make("td", { className: key === "file" || key === "class" ? "name" : "" }, text(point)),
      );
      const open = () => {
        dialog.close();
        choose(point);
      };
      cells[0].replaceChildren(tile("images", point), button(String(data.rows[point]), open, { "aria-label": describe(point) }));
      return make("tr", {}, ...cells);
    });
  byId("table-title").textContent = what;
  const heading = Array.from(dialog.querySelectorAll("th")).findIndex((each) => each.contains(document.activeElement));
  /** @type {HTMLElement} */ (dialog.querySelector("thead")).replaceChildren(make("tr", {}, ...headings));
  // The heading that was clicked has been replaced, and the focus would be lost.
  headings[heading]?.querySelector("button")?.focus();
  /** @type {HTMLElement} */ (dialog.querySelector("tbody")).replaceChildren(...rows);
  const end = Math.min(points.length, start + PAGE);
  byId("table-place").textContent = `${grouped(points.length && start + 1)} to ${grouped(end)} of ${grouped(points.length)}`;
  /** @type {HTMLButtonElement} */ (byId("table-before")).disabled = start === 0;
  /** @type {HTMLButtonElement} */ (byId("table-after")).disabled = end === points.length;
}

export function listenToTable() {
  const turn = (/** @type {number} */ step) => {
    table.start += step * PAGE;
    showTable();
    /** @type {HTMLElement} */ (byId("table").querySelector(".rows")).scrollTop = 0;
  };
  byId("table-open").addEventListener("click", openTable);
  byId("table-before").addEventListener("click", () => turn(-1));
  byId("table-after").addEventListener("click", () => turn(1));
  byId("table-close").addEventListener("click", () => /** @type {HTMLDialogElement} */ (byId("table")).close());
}
