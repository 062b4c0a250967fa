import { choose } from "./actions.js";
import { masked } from "./arrays.js";
import { colourings } from "./colours.js";
import { button, byId, make } from "./dom.js";
import { className, data, describe, grouped, inOrderOfRows, short } from "./page_data.js";
import { tile } from "./sheets.js";
import { shown, state } from "./state.js";
import { byCount, worstBy } from "./worst.js";

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
  table.points = selected >= 0 ? [selected, ...near[0].points] : (group?.points ?? masked(inOrderOfRows(), shown));
  Object.assign(table, { start: 0, by: "" });
  /** @type {HTMLDialogElement} */ (byId("table")).showModal();
  showTable();
}

/** Order the table by a column: measures worst first, the rest ascending. @param {string} by */
function orderTable(by) {
  const inTable = new Uint8Array(data.count);
  for (let at = 0; at < table.points.length; at++) inTable[table.points[at]] = 1;
  Object.assign(table, { points: masked(orderBy(by), inTable), by, start: 0 });
  showTable();
}

/** @param {string} by @returns {Uint32Array} all points in the order of a column */
function orderBy(by) {
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  if (by === "file") {
    const files = data.files ?? [];
    return Uint32Array.from(files.keys()).sort((a, b) => compare(files[a], files[b]) || a - b);
  }
  if (by in colourings() && by !== "class") return worstBy(by);
  const byIndex = inOrderOfRows();
  if (by === "index" || !data.labels) return byIndex;
  const ranks = data.classes.map((name) => data.classes.filter((other) => compare(other, name) < 0).length);
  const keys = new Uint16Array(data.count);
  for (let i = 0; i < data.count; i++) keys[i] = ranks[data.labels[i]];
  return byCount(keys, byIndex);
}

function showTable() {
  const { points, start, by, what } = table;
  const dialog = /** @type {HTMLDialogElement} */ (byId("table"));
  const columns = tableColumns();
  const headings = columns.map(({ key, name }) => {
    // To sort a million names as people do would take half a minute.
    if (key === "file" && data.sheets.beside) return make("th", { scope: "col" }, name);
    const sorted = key === by ? (key === "error" ? "descending" : "ascending") : "none";
    return make(
      "th",
      { scope: "col", "aria-sort": sorted },
      button(name, () => orderTable(key), { className: "quiet" }),
    );
  });
  const rows = Array.from({ length: Math.min(PAGE, points.length - start) }, (_, at) => points[start + at]).map((point) => {
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
