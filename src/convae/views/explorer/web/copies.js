import { data, grouped } from "./page_data.js";

/** @import { Group } from "./state.js" */

/** @param {number} number of the group @returns {Group} images that are copies of each other */
export function groupOfCopies(number) {
  const { kind, points, others } = data.copies[number];
  const what = kind === "exact" ? "Equal images" : "Nearly equal images";
  const more = others ? ` (${grouped(others)} more not shown)` : "";
  return { title: `${what}${more}`, points, polygon: null, address: ["copies", String(number)] };
}
