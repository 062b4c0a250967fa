import { changed } from "./state.js";

const due = { points: false, frame: 0 };

/** Draw at the next frame, however often this is called before it. @param {"points" | "marks"} what the marks are drawn with the points, too */
export function redraw(what) {
  due.points ||= what === "points";
  due.frame ||= requestAnimationFrame(() => {
    const { points } = due;
    Object.assign(due, { points: false, frame: 0 });
    if (points) changed("points");
    changed("marks");
  });
}
